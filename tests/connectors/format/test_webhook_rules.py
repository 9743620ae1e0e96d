"""What a connector file must satisfy where it says what apps send by themselves."""

import pytest

NAMED = ("    universal_data_models: {tasks: {}}\n", "    webhook: changes\n    universal_data_models: {tasks: {}}\n")
END = "default_collections:\n"
CHANGES = "webhooks.changes"
PARTS = {
    "register": 'register: {request: {method: POST, path: /hooks, json: {to: "${webhook.url}", key: "${webhook.secret}"}}, '
    'state: {id: "${body.id}"}}',
    "remove": 'remove: {request: {method: DELETE, path: "/hooks/${state.id}"}}',
    "verify": "verify: {type: hmac, header: X-Sign}",
    "events": 'events: [{type: updated, id: "${body.id}"}]',
}


def webhook(**parts):
    """The change that adds the webhook, with these parts in place of its own."""
    lines = "".join(f"    {part}\n" for part in (PARTS | parts).values() if part)
    return END, f"webhooks:\n  changes:\n{lines}{END}"


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"register": "", "remove": "", "verify": "verify: {type: shared_token, query: token}"},
        {"register": "", "remove": "", "verify": 'verify: {type: hmac, header: X-Sign, secret: "${credentials.key}"}'},
        {"remove": "", "register": PARTS["register"][:-1] + ', expires_in: "60"}'},
        {"verify": "verify: {type: standard_webhooks}", "dedupe": "dedupe: '${headers.\"x-id\"}'"},
        {"verify": "verify: {type: basic, username: bot}"},
        {
            "items": 'items: "${body}"',
            "events": 'events: [{when: item.gone, type: deleted, id: "${item.id}"}, {type: updated, id: "${item.id}"}]',
        },
        {"handshakes": 'handshakes: [{when: query.token, is_verified: false, answer: {text: "${query.token}"}}]'},
    ],
)
def test_a_file_that_takes_webhooks_is_right(load, parts):
    file = load(webhook(**parts), NAMED)

    assert file.collections["things"].webhook == "changes"
    assert list(file.webhooks) == ["changes"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"verify": "verify: {type: none}"},
            f"{CHANGES}.verify: the type must be hmac, standard_webhooks, shared_token or basic",
        ),
        ({"verify": ""}, f"{CHANGES}: the key `verify` is missing"),
        ({"verify": "verify: {type: hmac}"}, f"{CHANGES}.verify: the key `header` is missing"),
        (
            {"verify": "verify: {type: shared_token}"},
            f"{CHANGES}.verify: a shared token stands in a `header` or in the `query`, one of them",
        ),
        (
            {"verify": "verify: {type: hmac, header: X, algorithm: md5}"},
            f"{CHANGES}.verify.algorithm: input should be 'sha1', 'sha256', 'sha384' or 'sha512'",
        ),
        (
            {"register": PARTS["register"][:-1] + ', expires_in: "60", expires_at: "${body.end}"}'},
            f"{CHANGES}.register: say either `expires_at` or `expires_in`",
        ),
        (
            {"handshakes": "handshakes: [{when: body.a, answer: {text: a, json: b}}]"},
            f"{CHANGES}.handshakes.0.answer: an answer has one body, `json` or `text`",
        ),
        (
            {"events": 'events: [{type: changed, id: "${body.id}"}]'},
            f"{CHANGES}.events.0.type: input should be 'created', 'updated' or 'deleted'",
        ),
    ],
)
def test_a_mistake_in_shape_is_told_with_its_place(problems, parts, expected):
    [line] = problems(webhook(**parts), NAMED)

    assert line.split(": ", 1)[1] == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            {"register": PARTS["register"].replace('to: "${webhook.url}", ', "")},
            f"{CHANGES}.register.request: the request does not say `webhook.url`, so that the app would not know where to send",
        ),
        (
            {"register": PARTS["register"].replace(', key: "${webhook.secret}"', "")},
            f"{CHANGES}.verify: nobody tells the app the secret: say `webhook.secret` "
            "in the request of `register`, or read it from `credentials`",
        ),
        (
            {"register": PARTS["register"].replace("method: POST, ", "method: POST, read: true, ")},
            f"{CHANGES}.register.request: this changes something, and is no POST request and not `read`: those are repeated and shared",
        ),
        (
            {"register": "", "verify": "verify: {type: shared_token, query: token}"},
            f"{CHANGES}.remove: there is nothing to end or renew without `register`",
        ),
        (
            {"remove": ""},
            f"{CHANGES}.register: the app would send for ever: say how to "
            "end it under `remove`, or that it ends (`expires_at`, `expires_in`)",
        ),
        (
            {"renew": "renew: {request: {method: POST, path: /renew}}"},
            f"{CHANGES}.renew: nothing is renewed unless `register` says when it ends (`expires_at`, `expires_in`)",
        ),
        (
            {"remove": 'remove: {request: {method: DELETE, path: "/hooks/${state.key}"}}'},
            f"{CHANGES}.remove.request.path: 'state' has no 'key'; it has id",
        ),
        (
            {"verify": "verify: {type: hmac, header: X-Sign, secret: abc}"},
            f"{CHANGES}.verify.secret: a file is no place for a secret; it is `webhook.secret`, or read from `credentials`",
        ),
        (
            {"verify": "verify: {type: hmac, header: 'X Sign'}"},
            f"{CHANGES}.verify.header: 'X Sign' is not the name of a header",
        ),
        (
            {"verify": "verify: {type: hmac, header: X, signed: '{id}{body}'}"},
            f"{CHANGES}.verify.signed: {{id}} stands for nothing; there are {{body}}, {{timestamp}}, {{url}} and {{headers.<name>}}",
        ),
        (
            {"verify": "verify: {type: hmac, header: X, signed: '{url}'}"},
            f"{CHANGES}.verify.signed: a signature that does not cover {{body}} proves nothing of it",
        ),
        (
            {"verify": "verify: {type: hmac, header: X, timestamp: {header: T}}"},
            f"{CHANGES}.verify.signed: say {{timestamp}} and where it stands, under `timestamp`, both or neither: "
            "one that is not signed is worth nothing",
        ),
        ({"events": "events: []"}, f"{CHANGES}.events: without events the webhook says nothing; name at least one"),
        (
            {"events": 'events: [{type: updated, id: "${connection.server}"}]'},
            f"{CHANGES}.events.0.id: the id must be read from the delivery, or all would tell of one record",
        ),
        (
            {"events": 'events: [{type: updated, id: "${item.id}"}]'},
            f"{CHANGES}.events.0.id: there is no name 'item' here; there are "
            "body, collection, connection, headers, integration, parameters, query",
        ),
        (
            {"events": 'events: [{type: updated, id: "${body.id}"}, {when: body.gone, type: deleted, id: "${body.id}"}]'},
            f"{CHANGES}.events.0: it fits everything, so that those after it never count; give it a `when`, or put it last",
        ),
        (
            {"events": 'events: [{type: updated, id: "${body.id}", record: "${credentials.key}"}]'},
            f"{CHANGES}.events.0.record: credentials are known under `auth` "
            "only, so that no other part of a request can carry them elsewhere",
        ),
    ],
)
def test_what_would_not_work_is_told(problems, parts, expected):
    [line] = problems(webhook(**parts), NAMED)

    assert line.split(": ", 1)[1] == expected


def test_a_webhook_that_is_not_there_and_one_that_nobody_names_are_told(problems):
    [missing] = problems(NAMED)
    [unused] = problems(webhook())

    assert missing.split(": ", 1)[1] == "collections.things.webhook: there is no webhook 'changes'; there are none"
    assert (
        unused.split(": ", 1)[1] == f"{CHANGES}: no collection names this webhook; name it under `webhook` of a collection, or take it out"
    )
