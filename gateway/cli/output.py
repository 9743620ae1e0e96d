"""What the commands write: answers to the standard output, all else to the standard error."""

from rich.console import Console
from rich.text import Text

answers = Console(soft_wrap=True, highlight=False)
"""For people; long lines stay whole, so that what is printed can be copied."""
notices = Console(stderr=True, soft_wrap=True, highlight=False)


def tell_error(message: str) -> None:
    """One line that says what is wrong."""
    notices.print(Text.assemble(("Error: ", "bold red"), message))


def print_plain(text: str) -> None:
    """The text as it is, without colours or wrapping, for another program to read."""
    answers.print(Text(text), style=None)
