"""What these tests find in the real apps beside what everybody's tests find there."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.kinto import Kinto

SHELVES = 130
STEPS = 45
NUMBERS = [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1]
"""Integers that floats and other languages get wrong. Of larger ones Kinto itself makes floats."""
TEXTS = ["ünïcödé", "漢字かな", "👩‍👩‍👧 family", "عربى", "a\u2028line", "'; drop table x; --", "<script>alert(1)</script>", '"${x}"']

ODD_NAME = "odd & name.v2 ünï"
ODD_TABLE = "100% ünï/cödé?#[x]"
KEYED = [("a", "b"), ("x,y", "z/ü"), ("", " "), ("a~b", "c.d")]
LINES = 230
SQLITE_NUMBERS = [number for number in NUMBERS if -(2**63) <= number < 2**63]

_SCHEMA = f"""
create table numbers (id integer primary key, value integer);
create table texts (id integer primary key, value text);
create table keyed (a text, b text, note text, primary key (a, b));
create table log (message text);
create table changing (id integer primary key, first text);
create table "{ODD_TABLE}" ("naïve column" text primary key, "select" integer);
create table many (id text primary key);
create table by_text (id text primary key, kind text);
create table by_two (a integer, b text, kind text, primary key (a, b));
create table indexed (id integer primary key, kind text);
create table keyless (kind text);
create index indexed_kind on indexed (kind);
create index keyless_kind on keyless (kind);
create table untyped (id integer primary key, any);
insert into untyped values (1, 7), (2, '7'), (3, 7.5), (4, 'x');
create view sums as select id / 3 * 10 + 10 as id, 20 * count(*) / 2 as count from untyped group by 1;
create view "late lines" as select rowid as id, message from log where rowid > 110;
create view "lines without keys" as select message from log;
"""


SHUFFLED = 40
"""How many rows stand, in no order and of three kinds, in each of `by_text`, `by_two`, `indexed` and `keyless`."""


def fill_kinto(app: Kinto) -> None:
    """A bucket of many collections, one of things that are hard to carry, and one that everybody with an account may read."""
    with app.client() as client:
        client.put("/buckets/library", json={}).raise_for_status()
        _put_all(client, [(f"/buckets/library/collections/shelf-{number:03d}", {}) for number in range(SHELVES)])
        client.put("/buckets/odd", json={}).raise_for_status()
        for collection in ("numbers", "texts", "steps", "empty"):
            client.put(f"/buckets/odd/collections/{collection}", json={}).raise_for_status()
        _put_all(client, [(f"/buckets/odd/collections/numbers/records/n{n}", {"value": value}) for n, value in enumerate(NUMBERS)])
        _put_all(client, [(f"/buckets/odd/collections/texts/records/t{n}", {"title": text}) for n, text in enumerate(TEXTS)])
        _put_all(client, [(f"/buckets/odd/collections/steps/records/s{number:02d}", {}) for number in range(STEPS)])
        client.put("/buckets/open", json={"permissions": {"read": ["system.Authenticated"]}}).raise_for_status()
        client.put("/buckets/open/collections/notes", json={}).raise_for_status()
        _put_all(client, [(f"/buckets/open/collections/notes/records/note-{n}", {"title": f"Note {n}"}) for n in range(5)])


def odd_database(folder: Path) -> Path:
    """A database whose name, tables, keys and values need care."""
    path = folder / f"{ODD_NAME}.db"
    with opened(path) as database:
        database.executescript(_SCHEMA)
        database.executemany("insert into numbers (value) values (?)", [(number,) for number in SQLITE_NUMBERS])
        database.executemany("insert into texts (value) values (?)", [(text,) for text in TEXTS])
        database.executemany("insert into keyed values (?, ?, 'note')", KEYED)
        database.executemany("insert into log values (?)", [(f"line {number}",) for number in range(1, LINES + 1)])
        shuffled = [(number * 23 % SHUFFLED, (None, "a", "b")[number % 3]) for number in range(SHUFFLED)]
        database.executemany("insert into by_text values (?, ?)", [(f"{key:02d}", kind) for key, kind in shuffled])
        database.executemany("insert into by_two values (?, ?, ?)", [(key % 3, f"ä{key:02d}", kind) for key, kind in shuffled])
        database.executemany("insert into indexed values (?, ?)", shuffled)
        database.executemany("insert into keyless values (?)", [(kind,) for _, kind in shuffled])
        database.executemany("insert into many values (?)", [(f"ä/{number:02d}",) for number in range(STEPS)])
        database.execute(f'insert into "{ODD_TABLE}" values (?, 7)', ("größe/1",))
    return path


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database of a file, committed and closed at the end."""
    database = sqlite3.connect(path)
    try:
        with database:
            yield database
    finally:
        database.close()


def _put_all(client: httpx.Client, objects: list[tuple[str, dict[str, object]]]) -> None:
    requests = [{"path": path, "body": {"data": data}} for path, data in objects]
    for start in range(0, len(requests), 25):
        answer = client.post("/batch", json={"defaults": {"method": "PUT"}, "requests": requests[start : start + 25]})
        refused = [part for part in answer.raise_for_status().json()["responses"] if part["status"] >= 300]
        if refused:
            raise RuntimeError(f"Kinto refused an object: {refused[0]}")
