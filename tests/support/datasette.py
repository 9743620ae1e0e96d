"""A real Datasette (an API over SQLite files) with a known content."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import free_port, running

_SECRET = "datasette-for-tests-only"
CONTACTS = 230

# Where rich is installed, Datasette draws every error into its log with all that its local variables hold: three seconds for a 404.
_PROGRAM = [sys.executable, "-c", "import sys; sys.modules['rich'] = None; from datasette.cli import cli; cli()"]

_SCHEMA = """
create table companies (id integer primary key, name text not null, employees integer);
create table contacts (
    id integer primary key, name text not null, email text not null, vip integer, company_id integer references companies(id), score real
);
create table line_items (deal_id integer, line integer, sku text, primary key (deal_id, line));
create table event_log (kind text, at integer);
create table "odd name & more" (id text primary key, note text);
create view vip_contacts as select * from contacts where vip = 1;
create table notes (
    id integer primary key, title text not null unique, body text, done boolean, score real, company_id integer references companies(id)
);
create table places (country text, town text, people integer, primary key (country, town));
create table lines (message text);
"""

# The tables that nobody reads but the tests that write them.
_WRITABLE = ("notes", "places", "lines")


@dataclass(frozen=True)
class Datasette:
    """A running Datasette: databases `crm` (tables with one, two and no key columns, a view) and `support` (tickets, with search).

    Nothing may be written but the tables `notes`, `places` and `lines` of `crm`, empty at first.
    """

    server: str
    token: str

    def token_for(self, *restrictions: str) -> str:
        """Another token of the same person, which may do only what the restrictions of `datasette create-token` say."""
        return _token(*restrictions)


@contextmanager
def running_datasette(folder: Path, *, also: Sequence[Path] = ()) -> Iterator[Datasette]:
    """A Datasette with its content, and these other databases, until the block ends."""
    _fill(folder)
    port = free_port()
    configuration = folder / "datasette.yaml"
    rights = {right: {"id": "admin"} for right in ("insert-row", "update-row", "delete-row")}
    tables = {table: {"permissions": rights} for table in _WRITABLE}
    configuration.write_text(json.dumps({"allow": {"id": "admin"}, "databases": {"crm": {"tables": tables}}}))
    token = _token()
    options = ["-h", "127.0.0.1", "-p", str(port), "--secret", _SECRET, "-c", str(configuration), "-s", "default_page_size", "100"]
    databases = [str(path) for path in (folder / "crm.db", folder / "support.db", *also)]
    command = [*_PROGRAM, "serve", *options, "--internal", str(folder / "internal.db"), *databases]
    server = f"http://127.0.0.1:{port}"
    headers = {"Authorization": f"Bearer {token}"}
    with running(command, log=folder / "datasette.log", ready=f"{server}/-/versions.json", headers=headers):
        yield Datasette(server, token)


def _token(*restrictions: str) -> str:
    command = [*_PROGRAM, "create-token", "admin", "--secret", _SECRET, *restrictions]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _fill(folder: Path) -> None:
    crm = sqlite3.connect(folder / "crm.db")
    with crm:
        crm.executescript(_SCHEMA)
        crm.executemany("insert into companies values (?, ?, ?)", [(n, f"Company {n}", n * 10) for n in range(1, 4)])
        contacts = [(n, f"Contact {n}", f"contact{n}@example.com", n % 10 == 0, 1 + n % 3, n / 2) for n in range(1, CONTACTS + 1)]
        crm.executemany("insert into contacts values (?, ?, ?, ?, ?, ?)", contacts)
        crm.executemany("insert into line_items values (?, ?, ?)", [(n // 3, n % 3, f"SKU-{n}") for n in range(9)])
        crm.executemany("insert into event_log values (?, ?)", [("click", n) for n in range(120)])
        crm.execute("""insert into "odd name & more" values ('a/b?c', 'slash')""")
    crm.close()
    support = sqlite3.connect(folder / "support.db")
    with support:
        support.execute("create table tickets (id text primary key, subject text)")
        support.executemany("insert into tickets values (?, ?)", [(f"T-{n}", f"Ticket {n}") for n in range(5)])
        support.execute('create virtual table tickets_fts using fts5 (subject, content="tickets")')
        support.execute("insert into tickets_fts (tickets_fts) values ('rebuild')")
    support.close()
