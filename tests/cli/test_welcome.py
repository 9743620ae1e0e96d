"""What the demo says once it is ready."""

import re

import pytest

from gateway.cli import welcome
from gateway.demo.examples import examples
from gateway.demo.start import Demo


@pytest.mark.parametrize(
    ("are_tabs_signed_in", "line"),
    [
        (True, "The customer's header, for other clients; the tabs of GraphiQL have it already:"),
        (False, "The customer's header, to paste into GraphiQL's Headers:"),
    ],
)
def test_it_says_whether_the_header_has_to_be_pasted(capsys, are_tabs_signed_in, line):
    demo = Demo(
        address="http://127.0.0.1:8000/graphql",
        app_address="http://127.0.0.1:40000",
        are_tabs_signed_in=are_tabs_signed_in,
        customer_token="c" * 300,
        admin_token="a" * 300,
    )

    welcome.show(demo)

    titles = [example.title for example in examples(customer=None, admin=None)]
    lines = capsys.readouterr().out.splitlines()
    assert line in lines
    assert '{"Authorization": "Bearer ' + "c" * 300 + '"}' in lines
    assert '{"Authorization": "Bearer ' + "a" * 300 + '"}' in lines
    assert "cccc" not in repr(demo)
    tried = [re.split("  +", line.strip().split(". ", 1)[1])[0] for line in lines if re.match(r"  \d\. ", line)]
    assert [titles.index(title) for title in tried] == [0, 3, 5, 9]
    assert re.findall(r"Tab (\w+) ", "\n".join(lines)) == ["OneGraph", "PointElsewhere", "Listen"]
