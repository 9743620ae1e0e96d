"""What `gateway demo` says once it is ready."""

import orjson
from rich.text import Text

from gateway.cli import output
from gateway.demo.start import Demo, header

_THINGS_TO_TRY = (
    ("Look around", "Open the address: the first tab shows the app's places."),
    ("One graph", "Tab OneGraph goes from tasks to people and projects, in words for every app."),
    ("Point elsewhere", "Tab PointElsewhere points the data source at one project's open tasks."),
    ("Listen", "Tab Listen shows what changes in the app, as it happens."),
)


def show(demo: Demo) -> None:
    """Says where the demo is, how to get in and what to try."""
    say = output.answers.print
    say()
    say(Text.assemble(("The gateway is ready: ", "bold"), (demo.address, "bold cyan underline")))
    say()
    use = "for other clients; the tabs of GraphiQL have it already" if demo.are_tabs_signed_in else "to paste into GraphiQL's Headers"
    say(f"The customer's header, {use}:")
    say(_header(demo.customer_token))
    say("An admin's, who sees and may change everything:")
    say(_header(demo.admin_token))
    say()
    say(Text("Four things to try", style="bold"))
    for number, (title, text) in enumerate(_THINGS_TO_TRY, start=1):
        say(Text.assemble(f"  {number}. {title:<16} ", (text, "dim")))
    say()
    say(Text(f"The app behind it answers at {demo.app_address} too. Stop everything with Ctrl-C.", style="dim"))
    say()


def _header(token: str) -> Text:
    return Text(orjson.dumps(header(token)).decode().replace('":"', '": "'), style="green")
