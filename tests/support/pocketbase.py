"""A real PocketBase (a backend over SQLite in one program) with a known content."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.plain_http import PLAIN
from tests.support.processes import free_port, installed, running

SUPERUSER = ("admin@example.com", "pocketbase-admin-secret")
USER = ("una@example.com", "pocketbase-user-secret")
OTHER_USER = ("otto@example.com", "pocketbase-other-secret")
COMPANIES = 3
CONTACTS = 230
DEALS = 12
STAGES = ("lead", "offer", "won", "lost")

_SIGNED_IN = "@request.auth.id != ''"
_RULES = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), _SIGNED_IN)
_READ_RULES = {"listRule": _SIGNED_IN, "viewRule": _SIGNED_IN}
_TIMES = (
    {"name": "created", "type": "autodate", "onCreate": True},
    {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
)
_BATCH = 50
_LEAST_COST = 4
"""The least that bcrypt has."""


@dataclass(frozen=True)
class PocketBase:
    """A running PocketBase.

    Who is signed in may read and write `companies`, `contacts`, `deals`, `samples` (one field of each type) and read the view
    `vips`; only the superuser may use `secrets`. `users` are PocketBase's own: each sees and changes itself.
    """

    server: str

    @contextmanager
    def client(self, who: tuple[str, str] | None = SUPERUSER) -> Iterator[httpx.Client]:
        """A client of its own HTTP API, signed in as the superuser, as a user, or as nobody."""
        with httpx.Client(base_url=f"{self.server}/api", trust_env=False, verify=PLAIN) as client:
            if who is not None:
                collection = "_superusers" if who == SUPERUSER else "users"
                answer = client.post(f"/collections/{collection}/auth-with-password", json={"identity": who[0], "password": who[1]})
                client.headers["Authorization"] = answer.raise_for_status().json()["token"]
            yield client

    def records(self, collection: str) -> list[dict[str, Any]]:
        """All records of a collection as PocketBase has them, the oldest first."""
        with self.client() as client:
            answer = client.get(f"/collections/{collection}/records", params={"perPage": 1000})
            items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
            return items


@contextmanager
def running_pocketbase(folder: Path) -> Iterator[PocketBase]:
    """A PocketBase with its content, until the block ends."""
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    # Without automigrate: a folder of migrations would bring back what a test deleted.
    folders = [f"--{name}={folder / name}" for name in ("dir", "hooksDir", "migrationsDir", "publicDir")]
    program = [installed("pocketbase"), "--automigrate=false", *folders]
    subprocess.run([*program, "superuser", "upsert", *SUPERUSER], check=True, capture_output=True)
    with running([*program, "serve", "--http", f"127.0.0.1:{port}"], log=folder / "pocketbase.log", ready=f"{server}/api/health"):
        app = PocketBase(server)
        with app.client() as client:
            _hash_cheaply(client)
        with app.client() as client:
            _fill(client)
        yield app


def contact(number: int) -> dict[str, Any]:
    """What the contact of that number holds beside its company."""
    return {
        "first_name": f"First {number}",
        "last_name": f"Last {number}",
        "email": f"contact{number}@example.com",
        "phone": f"+49 30 {number:04d}",
        "age": 20 + number % 60,
        "vip": number % 10 == 0,
    }


def deal(number: int) -> dict[str, Any]:
    """What the deal of that number holds beside its contact and its company."""
    return {
        "title": f"Deal {number}",
        "amount": 100 * number + 0.5,
        "stage": STAGES[number % len(STAGES)],
        "currency": "EUR",
        "close_date": f"2026-03-{number + 1:02d} 12:30:00.000Z",
    }


def _hash_cheaply(client: httpx.Client) -> None:
    """Passwords are as good as before, and checked in a hundredth of the time. It signs everybody out."""
    for name in ("_superusers", "users"):
        fields = client.get(f"/collections/{name}").raise_for_status().json()["fields"]
        cheap = [{**each, "cost": _LEAST_COST} if each["type"] == "password" else each for each in fields]
        client.patch(f"/collections/{name}", json={"fields": cheap}).raise_for_status()
    (superuser,) = client.get("/collections/_superusers/records").raise_for_status().json()["items"]
    password = {"password": SUPERUSER[1], "passwordConfirm": SUPERUSER[1]}
    client.patch(f"/collections/_superusers/records/{superuser['id']}", json=password).raise_for_status()


def _fill(client: httpx.Client) -> None:
    _allow_batches(client)
    companies = _collection(
        client, "companies", _text("name", required=True), _text("industry"), _number("employees"), _of("website", "url")
    )
    person = [
        _text("first_name"),
        _text("last_name"),
        _of("email", "email", required=True),
        _text("phone"),
        _number("age"),
        _of("vip", "bool"),
    ]
    contacts = _collection(client, "contacts", *person, _relation("company", companies), unique="email")
    sale = [_text("title", required=True), _number("amount"), _select("stage", STAGES), _text("currency"), _of("close_date", "date")]
    _collection(client, "deals", *sale, _relation("contact", contacts), _relation("company", companies))
    _samples(client, companies)
    _collection(client, "secrets", _text("text"), rules={})
    view = {"name": "vips", "type": "view", "viewQuery": "select id, email, age from contacts where vip = true", **_READ_RULES}
    client.post("/collections", json=view).raise_for_status()
    for name, (email, password) in (("Una", USER), ("Otto", OTHER_USER)):
        _create(client, "users", [{"name": name, "email": email, "password": password, "passwordConfirm": password, "verified": True}])
    _create_records(client)


def _create_records(client: httpx.Client) -> None:
    firms = _create(client, "companies", [{"name": f"Company {n}", "industry": "Tea", "employees": n * 10} for n in range(COMPANIES)])
    people = _create(client, "contacts", [{**contact(n), "company": firms[n % COMPANIES]} for n in range(CONTACTS)])
    _create(client, "deals", [{**deal(n), "contact": people[n], "company": firms[n % COMPANIES]} for n in range(DEALS)])
    _create(client, "secrets", [{"text": "for the superuser only"}])


def _allow_batches(client: httpx.Client) -> None:
    settings = {"batch": {"enabled": True, "maxRequests": _BATCH, "timeout": 10}, "rateLimits": {"enabled": False, "rules": []}}
    client.patch("/settings", json=settings).raise_for_status()


def _samples(client: httpx.Client, companies: str) -> None:
    """One field of each type that PocketBase has."""
    scalars = [
        _text("text"),
        _of("rich", "editor"),
        _number("number"),
        _of("whole", "number", onlyInt=True, min=1, max=9),
        _of("yes", "bool"),
    ]
    texts = [_of("mail", "email"), _of("link", "url"), _of("day", "date"), _of("place", "geoPoint"), _of("any", "json")]
    choices = [_select("one", ("a", "b")), _of("some", "select", values=["a", "b", "c"], maxSelect=3)]
    files = [_of("file", "file", maxSelect=1), _of("files", "file", maxSelect=5)]
    relations = [_relation("firm", companies), _of("firms", "relation", collectionId=companies, maxSelect=5)]
    _collection(client, "samples", *scalars, *texts, *choices, *files, *relations)


def _collection(
    client: httpx.Client, name: str, *fields: Mapping[str, Any], unique: str | None = None, rules: Mapping[str, str] = _RULES
) -> str:
    indexes = [f"create unique index idx_{name}_{unique} on {name} ({unique})"] if unique else []
    collection = {"name": name, "type": "base", "fields": [*fields, *_TIMES], "indexes": indexes, **rules}
    return str(client.post("/collections", json=collection).raise_for_status().json()["id"])


def _create(client: httpx.Client, collection: str, records: list[dict[str, Any]]) -> list[str]:
    requests = [{"method": "POST", "url": f"/api/collections/{collection}/records", "body": record} for record in records]
    answers = []
    for start in range(0, len(requests), _BATCH):
        answers += client.post("/batch", json={"requests": requests[start : start + _BATCH]}).raise_for_status().json()
    return [answer["body"]["id"] for answer in answers]


def _of(name: str, kind: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **options}


def _text(name: str, **options: Any) -> dict[str, Any]:
    return _of(name, "text", **options)


def _number(name: str) -> dict[str, Any]:
    return _of(name, "number")


def _select(name: str, values: tuple[str, ...]) -> dict[str, Any]:
    return _of(name, "select", values=list(values), maxSelect=1)


def _relation(name: str, collection: str) -> dict[str, Any]:
    return _of(name, "relation", collectionId=collection, maxSelect=1)
