"""`gateway token`: makes a token for a customer or an admin."""

import re
from datetime import timedelta
from typing import Annotated

import orjson
import typer

from gateway.cli import output
from gateway.config import TokenSettings, read_settings
from gateway.models import JsonObject
from gateway.web import tokens

_UNITS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_LONGEST = timedelta(days=3650)
_NEVER = "never"


def _duration(text: str) -> timedelta | None:
    if text == _NEVER:
        return None
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if match is None:
        raise typer.BadParameter(
            f"{text!r} is no duration. Write a number and s, m, h or d, such as 90m; or {_NEVER}.", param_hint="--expires-in"
        )
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise typer.BadParameter(f"{text!r} is too long. At most {_LONGEST.days}d; or {_NEVER}.", param_hint="--expires-in")
    return timedelta(seconds=seconds)


def _fields(text: str | None) -> JsonObject | None:
    if text is None:
        return None
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"It is no JSON: {error}.", param_hint="--fields") from None
    if not isinstance(fields, dict):
        raise typer.BadParameter('It must be a JSON object, such as \'{"plan": "pro"}\'.', param_hint="--fields")
    return fields


def token(
    customer: Annotated[str | None, typer.Argument(help="The customer's id in your product.", show_default=False)] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Let it see and change everything.")] = False,
    name: Annotated[str | None, typer.Option(help="The customer's name, stored when the token is first used.")] = None,
    fields: Annotated[str | None, typer.Option(help="The customer's fields, as a JSON object.")] = None,
    expires_in: Annotated[str, typer.Option(help="How long it lasts: 90m, 2h, 7d, or never.")] = "2h",
) -> None:
    """Print a token for a customer, for an admin, or for an admin who is also a customer."""
    if customer is None and not admin:
        raise typer.BadParameter("Name a customer, or say --admin.", param_hint="CUSTOMER")
    lifetime, stored_fields = _duration(expires_in), _fields(fields)
    settings = read_settings(TokenSettings)
    output.print_plain(
        tokens.mint(
            settings.token_secret, customer_external_id=customer, is_admin=admin, name=name, fields=stored_fields, expires_in=lifetime
        )
    )
