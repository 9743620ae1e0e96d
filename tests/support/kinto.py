"""A real Kinto (Mozilla's JSON storage service) with a known content."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.plain_http import PLAIN
from tests.support.processes import free_port, installed, running

ADMIN = ("admin", "kinto-admin-secret")
READER = ("reader", "kinto-reader-secret")
CONTACT_SCHEMA = {
    "type": "object",
    "required": ["email"],
    "properties": {
        "name": {"type": "string"},
        "email": {"type": "string", "format": "email"},
        "age": {"type": "integer"},
        "vip": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
CONTACTS = 230
_PAGE = 100

_INI = """\
[server:main]
use = egg:waitress
host = 127.0.0.1
port = {port}
threads = 4
[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.default_bucket kinto.plugins.accounts
kinto.storage_backend = kinto.core.storage.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = for-tests-only
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.authentication.AccountsAuthenticationPolicy
kinto.account_create_principals = system.Everyone
kinto.account_write_principals = account:admin
kinto.bucket_create_principals = account:admin
kinto.bucket_read_principals = account:admin
kinto.experimental_collection_schema_validation = true
kinto.paginate_by = {page}
kinto.http_scheme = http
kinto.http_host = 127.0.0.1:{port}
"""


@dataclass(frozen=True)
class Kinto:
    """A running Kinto: buckets `crm` (contacts, companies; the reader may read it) and `support` (tickets; only the admin may)."""

    server: str

    def client(self) -> httpx.Client:
        """A client of its own HTTP API, as its admin."""
        return httpx.Client(base_url=f"{self.server}/v1", auth=ADMIN, trust_env=False, verify=PLAIN)


@contextmanager
def running_kinto(folder: Path) -> Iterator[Kinto]:
    """A Kinto with its content, until the block ends."""
    port = free_port()
    configuration = folder / "kinto.ini"
    configuration.write_text(_INI.format(port=port, page=_PAGE))
    server = f"http://127.0.0.1:{port}"
    command = [installed("kinto"), "start", "--ini", str(configuration), "--port", str(port)]
    with running(command, log=folder / "kinto.log", ready=f"{server}/v1/__heartbeat__"):
        kinto = Kinto(server)
        with kinto.client() as client:
            _fill(client)
        yield kinto


def contact(number: int) -> dict[str, object]:
    """The contact of that number."""
    return {
        "name": f"Contact {number}",
        "email": f"contact{number}@example.com",
        "age": 20 + number % 60,
        "vip": number % 10 == 0,
        "tags": ["eu"] if number % 3 == 0 else [],
    }


def _fill(client: httpx.Client) -> None:
    for name, password in (ADMIN, READER):
        client.put(f"/accounts/{name}", json={"data": {"password": password}}).raise_for_status()
    client.put("/buckets/crm", json={"permissions": {"read": ["account:reader"]}}).raise_for_status()
    client.put("/buckets/support", json={}).raise_for_status()
    client.put("/buckets/crm/collections/contacts", json={"data": {"schema": CONTACT_SCHEMA}}).raise_for_status()
    client.put("/buckets/crm/collections/companies", json={}).raise_for_status()
    client.put("/buckets/support/collections/tickets", json={}).raise_for_status()
    contacts = [(f"/buckets/crm/collections/contacts/records/c-{n:04d}", contact(n)) for n in range(CONTACTS)]
    companies = [
        (f"/buckets/crm/collections/companies/records/co-{n:04d}", {"title": f"Company {n}", "size": 10**20 + n}) for n in range(3)
    ]
    tickets = [(f"/buckets/support/collections/tickets/records/t-{n:04d}", {"subject": f"Ticket {n} – ünïcödé 漢字"}) for n in range(5)]
    requests = [{"path": path, "body": {"data": data}} for path, data in [*contacts, *companies, *tickets]]
    for start in range(0, len(requests), 25):
        answer = client.post("/batch", json={"defaults": {"method": "PUT"}, "requests": requests[start : start + 25]})
        failed = [part for part in answer.raise_for_status().json()["responses"] if part["status"] >= 300]
        if failed:
            raise RuntimeError(f"Kinto refused a record: {failed[0]}")
