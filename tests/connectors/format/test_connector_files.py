"""Connector files: what they become, and how their mistakes in shape are told."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connectors.format.auth import ApiKeyAuth
from gateway.connectors.format.requests import PagePagination
from gateway.connectors.loading import load_connector_file
from gateway.errors import ConfigurationError
from gateway.expressions import Template
from tests.connectors.format.conftest import SMALL


def test_a_file_becomes_the_models_of_its_parts(load):
    file = load()

    assert (file.key, file.name, file.version) == ("small", "Small", "1.2.3")
    assert isinstance(file.auth["key"], ApiKeyAuth)
    assert file.auth["key"].value == Template.compile("${credentials.key}")
    assert isinstance(file.pagination["pages"], PagePagination)
    assert file.locations[1].locations[0].parameters["shelf"].render({"parameters": {"shelf": 3}}) == 3
    assert file.collections["things"].operations.list.request.is_safe is True


def test_a_shared_schema_stands_where_it_was_referred_to(load):
    assert load().collections["things"].fields == {"type": "object", "properties": {"id": {"type": "integer"}}}


def test_keys_beside_a_reference_add_to_the_shared_schema(load):
    file = load(('{$ref: "#/schemas/thing"}', '{$ref: "#/schemas/thing", title: Thing}'))

    assert file.collections["things"].fields == {"type": "object", "properties": {"id": {"type": "integer"}}, "title": "Thing"}


def test_x_secret_is_another_spelling_of_write_only(load):
    file = load(("writeOnly: true", "x-secret: true"))

    assert file.auth["key"].credentials["properties"]["key"]["writeOnly"] is True


def test_notes_that_start_with_x_are_free_anywhere(load):
    assert load(("name: Small", "name: Small\nx-source: https://docs.example.com"), ("path: /me", "path: /me, x-note: 1")).key == "small"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("name: Small", "nmae: Small")], ["1: the key `name` is missing", "3: nmae: unknown key; did you mean `name`?"]),
        ([("path: /me", "paht: /me")], ["7: connection.check.request: the key `path` is missing",
                                        "7: connection.check.request.paht: unknown key; did you mean `path`?"]),
        ([("name: Things", "name: Things\n    zzz: 1")],
         ["34: collections.things.zzz: unknown key; take it out, or start it with `x-` to keep a note"]),
        ([("path: /me", "path: /me, records: 1")],
         ["7: connection.check.request.records: unknown key; "
          "the format has it, but not here; move it to where it belongs, or take it out"]),
        ([("connector/v1", "connector/v2")], ["1: format: input should be 'connector/v1'"]),
        ([("type: apiKey", "type: magic")],
         ["9: auth.key: the type must be none, apiKey, session, jwt, or http with a scheme of bearer or basic"]),
        ([("type: apiKey", "type: http")],
         ["9: auth.key: the type must be none, apiKey, session, jwt, or http with a scheme of bearer or basic"]),
        ([("parameter: X-Key", "parameter: 5")], ["11: auth.key.parameter: input should be a valid string"]),
        ([("type: page,", "type: pages,")], ["19: pagination.pages: the type must be none, page, offset, cursor or next_url"]),
        ([("pagination: pages\n", "pagination: [pages]\n")],
         ["40: collections.things.operations.list.pagination: a pagination is a key of `pagination`, or a mapping with a `type`"]),
        ([("pagination: pages\n", "pagination: {type: cursor}\n")],
         ["40: collections.things.operations.list.pagination: the key `next` is missing"]),
        ([("{name: limit}", "{name: limit, default: 200}")],
         ["19: pagination.pages.size: the default of 200 is larger than the max of 100"]),
        ([("{collection: things, name: All things}", "{table: things}")],
         ["23: locations.0: a location has a `directory` or a `collection` key that names it"]),
        ([("{status: [409]}", "{}")],
         ["17: http.errors.0.when: a rule needs a condition: status, header_present, header or body"]),
        ([("size: {name: limit}", 'has_more: "${body.more}"')],
         ["19: pagination.pages.has_more: a condition is an expression already; write it without ${}"]),
        ([("action: retry", "action: panic")],
         ["17: http.errors.0.action: input should be 'retry', 'rate_limited', 'reauth', 'rejected', 'not_found', 'conflict', "
          "'empty', 'gone' or 'fail'"]),
        ([('"${body.items}"', '"${body.items"')],
         ["41: collections.things.operations.list.records: '${' without its '}' in '${body.items'"]),
        ([('"${body.items}"', '"${body..items}"')],
         ["41: collections.things.operations.list.records: 'body..items' is not JMESPath: unexpected '.' at character 6"]),
        ([("key: small", "key: 9small")], ["2: key: string should match pattern '^[A-Za-z][A-Za-z0-9_-]{0,99}$'"]),
        ([("1.2.3", "1.2")], ["4: version: input should be a valid string"]),
        ([("version: 1.2.3\n", "")], ["1: the key `version` is missing"]),
    ],
)  # fmt: skip
def test_a_mistake_in_shape_is_told_with_its_line_and_key(problems, changes, expected):
    assert problems(*changes) == expected


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(problems):
    found = problems(("name: Small", "nam: Small"), ("path: /me", "pth: /me"), ("type: page,", "type: pages,"))

    assert [line.split(":")[0] for line in found] == ["1", "3", "7", "7", "19"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty."),
        (b"# only a note\n", "the file is empty."),
        (b"- a\n- b\n", ":1: a connector file is a mapping that starts with `format: connector/v1`."),
        (b"just text", ":1: a connector file is a mapping that starts with `format: connector/v1`."),
        (b"a: [1, 2\nb: 3", ":2: not YAML: "),
        (b"a: b: c", ":1: not YAML: mapping values are not allowed here."),
        (b"\xff\xfe\x00", "the file is not UTF-8 text (byte 0)."),
        (b"a: \x07", "not YAML: "),
        (b"--- {}\n--- {}\n", "not YAML: but found another document."),
        (b"a: *missing", ":1: not YAML: found undefined alias"),
        (b"a: 1\nb: {c: 1, c: 2}\na: 2\n", "line 3 gives the key 'a' a second time; keep one"),
        (b"a: .nan\n", ":1: a: .nan is not a number that JSON can carry"),
        (b"a: -1e999\n", ":1: a: -1e999 is not a number that JSON can carry"),
        (b"a: !!python/object/apply:os.system [id]\n", ":1: a: "),
        (b"a: !secret x\n", ":1: a: the tag !secret means nothing here; write a plain value"),
        (b"? [a, b]\n: 1\n", ":1: a key must be text"),
        (b'a: "\\ud800"\n', ":1: a: the text holds half of a surrogate pair, which is no character"),
        (b'"\\udfff": 1\n', ":1: the text holds half of a surrogate pair, which is no character"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(tmp_path, content, expected):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        load_connector_file(path)

    assert caught.value.message.startswith(str(path))
    assert expected in caught.value.message


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.yaml: the file cannot be read \(No such file or directory\)\."):
        load_connector_file(tmp_path / "missing.yaml")
    with pytest.raises(ConfigurationError, match=r"the file cannot be read \(Is a directory\)\."):
        load_connector_file(tmp_path)


def bomb(levels: int) -> str:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: " + "x" * 300_000, "the file is larger than 262144 bytes, the most that is read."),
        (bomb(12), "the file holds more than 50000 values, counting what its aliases repeat."),
        ("a: &a {b: *a}", "values nest deeper than 64 levels."),
        ("a: " + "[" * 100 + "]" * 100, "values nest deeper than 64 levels."),
        ("a: " + "[" * 5_000, "values nest too deeply."),
        ("a: " + "- " * 50_000, "not YAML: sequence entries are not allowed here."),
        ("{a: " * 5_000, "values nest too deeply."),
    ],
    ids=["long", "aliases that multiply", "alias of itself", "100 lists", "5000 open lists", "50000 dashes", "5000 open mappings"],
)
def test_a_file_that_asks_for_too_much_is_refused(tmp_path, text, expected):
    path = tmp_path / "bomb.yaml"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        load_connector_file(path)

    assert expected in caught.value.message


def test_more_than_50_problems_are_counted(load, tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        load(("name: Small", "name: Small\n" + "\n".join(f"y{n}: 1" for n in range(80))))

    lines = caught.value.message.splitlines()
    assert len(lines) == 51
    assert lines[-1] == f"{tmp_path / 'small.yaml'}: and 30 more problems."


def test_a_key_that_looks_like_a_mark_of_ours_or_ends_a_line_is_told_as_it_is(load, tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        load(("name: Small", 'name: Small\n"!type": 1\n"[key]": 2\n"a\\nb.yaml:1: c": 3'))

    assert [line.split(": unknown key; ")[0] for line in caught.value.message.splitlines()] == [
        f"{tmp_path / 'small.yaml'}:{line}: {key}" for line, key in [(4, "!type"), (5, "[key]"), (6, "a\\nb.yaml:1: c")]
    ]


def test_a_file_of_nothing_but_unknown_keys_is_told_briefly(load, tmp_path):
    unknown = "\n".join([f"{'k' * 1000}{n}: 1" for n in range(200)])

    with pytest.raises(ConfigurationError) as caught:
        load(("name: Small", f"name: Small\n{unknown}"))

    assert len(caught.value.message) < 51 * 800


@given(
    position=st.integers(0, len(SMALL)), length=st.integers(0, 12), put=st.text(alphabet="{}[]:,&*!|>'\"%@`#-?$.\n\t ax0~\x00ü", max_size=6)
)
def test_a_file_with_any_damage_loads_or_is_refused(tmp_path, position, length, put):
    path = tmp_path / "damaged.yaml"
    path.write_text(SMALL[:position] + put + SMALL[position + length :], encoding="utf-8")

    with suppress(ConfigurationError):
        load_connector_file(path)


@given(content=st.binary(max_size=60))
def test_any_bytes_are_refused(tmp_path, content):
    path = tmp_path / "bytes.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError):
        load_connector_file(path)


def test_scalars_are_read_by_yaml_1_2(load):
    constants = "{a: no, b: 12:30:45, c: 2026-11-21, d: 0x1F, e: 1_000, f: ~, g: 1e3, h: 'true', i: True, j: 012, k: !!str 5, l: '', m: on}"
    file = load(("query: {shelf:", f"query: {{all: {constants}, shelf:"))

    assert file.collections["things"].operations.list.request.query["all"].render({}) == {
        "a": "no",
        "b": "12:30:45",
        "c": "2026-11-21",
        "d": 31,
        "e": "1_000",
        "f": None,
        "g": 1000.0,
        "h": "true",
        "i": True,
        "j": 12,
        "k": "5",
        "l": "",
        "m": "on",
    }


def test_aliases_repeat_a_part(load):
    file = load(("{path: /me}", "&me {path: /me}"), ("{path: /things, query:", "{x-check: *me, path: /things, query:"))

    assert file.connection.check.request.path.source == "/me"
