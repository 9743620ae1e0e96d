"""Headers as expressions see them."""

import re
from collections.abc import Mapping

from gateway.models import JsonObject

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


def readable_headers(headers: Mapping[str, str]) -> JsonObject:
    """Headers of lower-case names, with `link` as an object of addresses by relation (RFC 8288), the first of each."""
    readable: JsonObject = {**headers}
    if "link" in headers:
        readable["link"] = _links(headers["link"])
    return readable


def _links(header: str) -> dict[str, str]:
    links: dict[str, str] = {}
    for address, parameters in _LINK.findall(header):
        relation = _RELATION.search(parameters)
        for name in (relation[1] or relation[2] or "").lower().split() if relation else ():
            links.setdefault(name, address.strip())
    return links
