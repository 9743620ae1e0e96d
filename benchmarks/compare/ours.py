"""The gateway among the compared: how it is configured, what is put into it, and what it is asked.

It runs as an operator runs it, on an SQLite file, with a connector file for the app, which lets it be asked by 64 at a time. Only three
settings are not the default: loopback may be reached, and a customer's bucket of query costs is so large that it never runs dry.
"""

import base64
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from contenders import Contender, Rows, posted
from load import PAGE
from records import FIELDS
from tools import PYTHON, asked

COMMAND = [PYTHON, "-m", "gateway"]
CONNECTOR = """\
format: connector/v1
key: fixed
name: Fixed
version: 1.0.0
connection:
  schema: {type: object, required: [server], additionalProperties: false, properties: {server: {type: string}}}
  check: {request: {path: /items, query: {page: 1}}}
auth: {none: {type: none}}
http: {base_url: "${connection.server}", concurrency: 64}
locations: [{collection: items, parameters: {page: 1}}]
collections:
  items:
    name: Items
    parameters: {type: object, required: [page], additionalProperties: false, properties: {page: {type: integer}}}
    fields:
      type: object
      properties:
        id: {type: integer}
        title: {type: string}
        state: {type: string}
        priority: {type: string}
        assignee: {type: integer}
        labels: {type: array, items: {type: string}}
        due: {type: string, format: date-time}
        note: {type: string}
    record: {id: "${record.id}", name: "${record.title}"}
    operations: {list: {request: {path: /items, query: {page: "${parameters.page}"}}, records: "${body.items}"}}
    universal_data_models:
      tasks:
        fields: {subject: title, status: state, priority: priority, assigneeId: assignee, tags: labels, dueTime: due, content: note}
"""
TYPED = ("subject", "status", "priority", "assigneeId", "tags", "dueTime", "content")
"""What the fields after the id are called in the universal data model."""
RECORDS_QUERY = (
    "query Items($connection: ID!, $parameters: JSON!) { connection(by: {id: $connection}) "
    '{ collection(key: "items", parameters: $parameters) { records(first: 100) { nodes { %s } } } } }'
)
TYPED_QUERY = RECORDS_QUERY % f"externalId unified {{ ... on UnifiedTask {{ {' '.join(TYPED)} }} }}"
FIELDS_QUERY = RECORDS_QUERY % "externalId fields"
OWN_QUERY = (
    "{ dataSourceInstances(first: 100) { nodes "
    "{ id path state revision dataSource { key name } connection { name integration { key } } } } }"
)
_SPREAD = 10
"""So many connections, and so many data sources: an instance for each pair."""


def environment(folder: Path) -> dict[str, str]:
    """The configuration of the gateway."""
    (folder / "fixed.yaml").write_text(CONNECTOR)
    return {
        "GATEWAY_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'gateway.db'}",
        "GATEWAY_TOKEN_SECRET": "a-secret-of-more-than-32-bytes-for-benchmarks",
        "GATEWAY_ENCRYPTION_KEYS": "benchmark:" + base64.b64encode(b"k" * 32).decode(),
        "GATEWAY_CONNECTOR_FILES": str(folder / "fixed.yaml"),
        "GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8",
        "GATEWAY_COST_BUCKET": "1000000000",
        "GATEWAY_COST_RESTORED_PER_SECOND": "1000000000",
    }


class Setting:
    """What a gateway that runs is filled with: a customer's connections to the app, data sources, and instances."""

    def __init__(self, configuration: dict[str, str], *, port: int, app: str) -> None:
        self._port, self._app = port, app
        self._admin, self.token = (_token(configuration, *claims) for claims in (["--admin"], ["acme"]))
        self._done("integrationCreate", "integration { key }", by=self._admin, key="fixed", connectorKey="fixed")

    def contenders(self) -> list[Contender]:
        """Fills it with as many instances as a page holds; returns the rows of the table."""
        keys = [self._data_source(number) for number in range(_SPREAD)]
        connections = [self._connection(number) for number in range(_SPREAD)]
        for connection_id in connections:
            for key in keys:
                self._instance(connection_id, key)
        return _contenders(connections[0], self.token)

    def one_instance(self) -> tuple[str, str]:
        """The ids of a connection and of an instance on it."""
        connection_id = self._connection(0)
        return connection_id, self._instance(connection_id, self._data_source(0))

    def _connection(self, number: int) -> str:
        given = {"integrationKey": "fixed", "name": f"App {number}", "parameters": {"server": self._app}}
        return str(self._done("connectionCreate", "connection { id }", by=self.token, **given)["connection"]["id"])

    def _data_source(self, number: int) -> str:
        given = {"key": f"tasks-{number}", "udm": "tasks", "pointer": {"path": "/data/items?page=1"}}
        return str(self._done("dataSourceCreate", "dataSource { key }", by=self._admin, **given)["dataSource"]["key"])

    def _instance(self, connection_id: str, key: str) -> str:
        given = {"connection": {"id": connection_id}, "dataSource": {"key": key}}
        made = self._done("dataSourceInstanceCreate", "dataSourceInstance { id }", by=self.token, **given)
        return str(made["dataSourceInstance"]["id"])

    def _done(self, mutation: str, selection: str, *, by: str, **given: Any) -> Any:
        payload = f"{selection} userErrors {{ message }}"
        query = f"mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ {mutation}(input: $input) {{ {payload} }} }}"
        answer = asked(posted(query, token=by, input=given), port=self._port)
        if "errors" in answer or answer["data"][mutation]["userErrors"]:
            raise SystemExit(f"{mutation} did not work: {answer}")
        return answer["data"][mutation]


def _contenders(connection_id: str, token: str) -> list[Contender]:
    variables = {"connection": connection_id, "parameters": {"page": PAGE}}
    typed = Contender(
        key="typed",
        name="ours: typed fields of a model",
        server="gateway",
        request=posted(TYPED_QUERY, token=token, **variables),
        rows=_typed_rows,
    )
    fields = replace(
        typed, key="fields", name="ours: the app's fields as JSON", request=posted(FIELDS_QUERY, token=token, **variables), rows=_field_rows
    )
    shared = replace(typed, key="shared", name="ours: typed, all asking the same at once", is_same=True)
    own = Contender(
        key="own",
        name="ours: 100 of its own rows, each with three others",
        server="gateway",
        request=posted(OWN_QUERY, token=token),
        mark='"revision"',
        marks=_SPREAD**2,
        asks_app=False,
    )
    trivial = replace(
        own, key="trivial", name="ours: `{ __typename }`", request=posted("{ __typename }", token=token), mark="Query", marks=1
    )
    return [typed, fields, own, trivial, shared]


def _token(configuration: dict[str, str], *arguments: str) -> str:
    made = subprocess.run([*COMMAND, "token", *arguments], env={**os.environ, **configuration}, capture_output=True, text=True, check=True)
    return made.stdout.strip()


def _nodes(answer: Any) -> list[Any]:
    return list(answer["data"]["connection"]["collection"]["records"]["nodes"])


def _typed_rows(answer: Any) -> Rows:
    return [[node["externalId"], *(node["unified"][name] for name in TYPED)] for node in _nodes(answer)]


def _field_rows(answer: Any) -> Rows:
    return [[node["fields"][name] for name in FIELDS] for node in _nodes(answer)]
