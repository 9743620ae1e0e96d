"""Documents that are made to cost more than they show, each as large as the limits allow."""

from collections.abc import Callable

from graphql.language import Lexer, Source, TokenKind

MOST_TOKENS = 2_000
MOST_CHARACTERS = 200_000


def tokens(document: str) -> int:
    """How many tokens a document has."""
    lexer = Lexer(Source(document))
    return sum(1 for _ in iter(lambda: lexer.advance().kind, TokenKind.EOF))


def filled(head: str, part: str | Callable[[int], str], tail: str) -> str:
    """As many parts between head and tail as there is room for."""

    def numbered(number: int) -> str:
        return part(number) if callable(part) else part

    parts = [numbered(0)]
    room = MOST_TOKENS - tokens(head + parts[0] + tail)
    while (room := room - tokens(added := numbered(len(parts)))) >= 0:
        parts.append(added)
    return head + " ".join(parts) + tail


def chain(length: int, *, link: str, end: str, head: str = "{ ...F0 }") -> str:
    """Fragments of the query, each with a link that names the next one as `NEXT`, and the last with an end."""
    links = (f" fragment F{number} on Query {{ {link} }}".replace("NEXT", f"F{number + 1}") for number in range(length))
    return head + "".join(links) + f" fragment F{length} on Query {{ {end} }}"


def _pages(levels: int) -> str:
    if levels == 0:
        return "totalCount"
    return " ".join(["nodes { dataSourceInstances { " + _pages(levels - 1) + " } }"] * 6)


COSTLY: dict[str, str] = {
    "a leaf again and again": filled("{ viewer {", "isAdmin", "} }"),
    "an object again and again": filled("{", "viewer { isAdmin }", "}"),
    "fields with arguments again and again": filled("{", "connections(first: 1) { totalCount }", "}"),
    "inline fragments again and again": filled("{", "... { viewer { isAdmin } }", "}"),
    "one name for two fields": filled("{ viewer { customer { id: name", "id", "} } }"),
    "repeated pages within repeated pages": "{ connections { " + _pages(3) + " } }",
    "repeated types of the schema": filled("{ __schema { types {", "fields { name type { name } }", "} } }"),
    "fragments that all ask the same": chain(
        120, link="viewer { isAdmin }", end="viewer { isAdmin }", head="{ " + " ".join(f"...F{n}" for n in range(121)) + " }"
    ),
    "a chain of fragments under many operations": chain(
        85, link="viewer { isAdmin } ...NEXT", end="viewer { isAdmin }", head=" ".join(f"query O{n} {{ ...F0 }}" for n in range(130))
    ),
    "fragments that are circles": "{ ...F0 }"
    + "".join(f" fragment F{one} on Query {{" + " ".join(f"...F{other}" for other in range(28)) + " }" for one in range(28)),
    "a variable again and again under many operations": "".join(f"query O{n}($v: ID!) {{ ...F }} " for n in range(80))
    + "fragment F on Query { nodes(ids: ["
    + "$v " * 350
    + "]) { id } }",
    "fields that are not there": filled("{ viewer {", lambda number: f"isAdmn{number}", "} }"),
    "types that are not there": filled("{", lambda number: f"... on DataSorceInstances{number} {{ id }}", "}"),
    "three types that are nearly there": "{ ... on DataSourceInstanceConnectio { id } ... on DataSourceInstancePayloadX { id } "
    "... on DataSourceInstancesConnectioX { id } }",
    "fields of an input that are not there": filled(
        "mutation { recordCreate(input: {", lambda number: f"a{number}: 1", "}) { userErrors { code } } }"
    ),
    "variables of an operation with a long name": filled(
        f"query {'N' * 190_000}(", lambda number: f"$v{number}: Int", ") { viewer { id } }"
    ),
    "a long line of nothing": "\n" * 180_000 + filled("{ viewer {", lambda number: f"u{number}", "} }"),
    "a long text": '{ node(id: """' + "z\n" * 95_000 + '""") { id } }',
}
"""By what they are full of."""
