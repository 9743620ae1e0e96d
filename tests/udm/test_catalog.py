"""The catalog of universal data models is whole: every reference leads somewhere, every schema is one."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from gateway.udm import MODELS, UniversalDataModel
from gateway.udm.fields import fields_schema

KEYS = [
    "activities",
    "bills",
    "campaign-members",
    "campaigns",
    "companies",
    "contact-lists",
    "contacts",
    "credit-notes",
    "customers",
    "deal-products",
    "deal-stages",
    "deals",
    "documents",
    "drive-items",
    "drives",
    "eeocs",
    "emails",
    "employees",
    "files",
    "folders",
    "invoices",
    "job-applications",
    "job-candidates",
    "job-interviews",
    "job-offers",
    "jobs",
    "journal-entries",
    "leads",
    "ledger-accounts",
    "meetings",
    "messages",
    "notes",
    "orders",
    "payments",
    "payrolls",
    "products",
    "projects",
    "suppliers",
    "tasks",
    "tax-rates",
    "timeoff-balances",
    "timeoff-requests",
    "users",
]


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "x-reference" in schema:
            yield schema["x-reference"]["udm"]
        for part in schema.values():
            yield from references(part)


def test_the_forty_three_models_are_there_in_the_order_of_their_keys():
    assert list(MODELS) == KEYS
    assert [model.key for model in MODELS.values()] == KEYS


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_a_model_has_names_a_description_that_is_a_sentence_and_a_valid_schema(model: UniversalDataModel):
    assert model.name[0].isupper()
    assert model.plural_name[0].isupper()
    assert model.description.endswith(".")
    assert jsonschema_rs.meta.is_valid(model.fields_schema)
    assert "required" not in model.fields_schema


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_what_a_model_refers_to_and_falls_back_to_is_in_the_catalog(model: UniversalDataModel):
    assert set(references(model.fields_schema)) <= set(MODELS)
    assert set(model.fallbacks) <= set(MODELS) - {model.key}


def test_a_task_reads_as_documented():
    task = MODELS["tasks"]

    assert (task.name, task.plural_name, task.fallbacks) == ("Task", "Tasks", ("activities",))
    assert list(task.fields_schema["properties"]) == [
        *["id", "subject", "content", "status", "type", "priority", "ownerId", "assigneeId", "followerIds", "parentTaskId", "projectId"],
        *["tags", "contactId", "leadId", "companyId", "dealId", "dueTime", "startTime", "endTime"],
        *["createdTime", "createdBy", "updatedTime", "updatedBy"],
    ]
    assert task.fields_schema["properties"]["assigneeId"] == {"type": "string", "x-reference": {"udm": "users"}}


def test_a_deal_stage_is_not_audited_and_its_state_is_a_choice():
    assert MODELS["deal-stages"].fields_schema == {
        "type": "object",
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "name": {"type": "string"},
            "state": {"type": "string", "enum": ["open", "won", "lost"]},
        },
    }


def test_the_catalog_cannot_be_changed():
    with pytest.raises(TypeError):
        MODELS["tasks"] = MODELS["users"]  # type: ignore[index]


def test_every_notation_becomes_its_schema():
    notation = {
        "list": ["-> users"],
        "objects": [{"at": "time", "done": "boolean"}],
        "home": "address",
        "mail": "labelled value",
        "n": "number",
        "seen": ["-> users, read-only"],
    }

    assert fields_schema(notation, audited=False)["properties"] == {
        "id": {"type": "string", "readOnly": True},
        "list": {"type": "array", "items": {"type": "string", "x-reference": {"udm": "users"}}},
        "objects": {
            "type": "array",
            "items": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}, "done": {"type": "boolean"}}},
        },
        "home": {
            "title": "Address",
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("type", "full", "street", "city", "state", "country", "zip")},
        },
        "mail": {"title": "Labelled value", "type": "object", "properties": {"value": {"type": "string"}, "type": {"type": "string"}}},
        "n": {"type": "number"},
        "seen": {"type": "array", "items": {"type": "string", "x-reference": {"udm": "users"}}, "readOnly": True},
    }


def test_a_word_outside_the_notation_is_refused():
    with pytest.raises(KeyError, match="strnig"):
        fields_schema({"name": "strnig"}, audited=True)
