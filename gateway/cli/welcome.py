"""What `gateway demo` says once it is ready."""

import orjson
from rich.table import Table
from rich.text import Text

from gateway.cli import output
from gateway.demo.start import Demo, header

_THINGS_TO_TRY = (
    ("Look around", "the first tab shows the app's places; press the run button, or Ctrl-Enter."),
    ("Read records", "the second tab reads tasks through the data source `tasks`; run it twice, the app keeps changing."),
    ("Point elsewhere", "the third tab points the data source at one project's open tasks, the fourth resets it."),
)


def show(demo: Demo) -> None:
    """Says where the demo is, how to get in and what to try."""
    say = output.answers.print
    say()
    say(Text.assemble(("The gateway is ready: ", "bold"), (demo.address, "bold cyan underline")))
    say()
    say("The tabs that it opens carry a token. For other clients and tabs, this is the header")
    say(Text("of the customer who owns the connection:", style="default"))
    say(_header(demo.customer_token))
    say("of an admin, who sees and may change everything:")
    say(_header(demo.admin_token))
    say()
    say(Text("Three things to try", style="bold"))
    steps = Table.grid(padding=(0, 2))
    for number, (title, text) in enumerate(_THINGS_TO_TRY, start=1):
        steps.add_row(Text(f"  {number}. {title}"), Text(text, style="dim"))
    say(steps)
    say()
    say(Text.assemble(("The app behind it answers at ", "dim"), (demo.app_address, "dim"), (" too. Stop everything with Ctrl-C.", "dim")))
    say()


def _header(token: str) -> Text:
    return Text(orjson.dumps(header(token)).decode().replace('":"', '": "'), style="green")
