"""The typed fields of every model: what the types of the schema are made from."""

import re

import pytest

from gateway.udm import MODELS
from gateway.udm.fields import sibling_of
from gateway.udm.shapes import FieldKind, Shape, ShapeField, shape_of, shapes

SHAPES = shapes(MODELS)


def parts(shape: Shape):
    yield shape
    for field in shape.fields:
        if field.shape is not None:
            yield from parts(field.shape)


def field(model: str, name: str) -> ShapeField:
    return next(field for field in SHAPES[model].fields if field.name == name)


@pytest.mark.parametrize("key", SHAPES)
def test_every_name_can_stand_in_a_schema_and_none_stands_for_two_things(key):
    for shape in parts(SHAPES[key]):
        siblings = [field.sibling for field in shape.fields if field.sibling]
        names = [field.name for field in shape.fields] + siblings
        assert shape.name.startswith("Unified")
        assert all(re.fullmatch("[A-Za-z][A-Za-z0-9]*", name) for name in [shape.name, *names])
        assert len(set(names)) == len(names)
        assert not {"externalId", "record"} & set(names)


def test_types_of_one_name_are_equal():
    by_name: dict[str, Shape] = {}
    for each in (part for shape in SHAPES.values() for part in parts(shape)):
        assert by_name.setdefault(each.name, each) == each


@pytest.mark.parametrize("key", SHAPES)
def test_every_reference_leads_to_a_model_and_has_a_sibling(key):
    for shape in parts(SHAPES[key]):
        for each in shape.fields:
            assert (each.reference is None) == (each.sibling is None)
            assert each.reference is None or each.reference in MODELS


def test_the_id_of_a_model_is_no_field_but_that_of_a_part_is():
    assert "id" not in [field.name for field in SHAPES["invoices"].fields]
    items = field("invoices", "lineItems")
    assert items.shape is not None
    assert (items.kind, items.is_list, items.shape.name) == (FieldKind.OBJECT, True, "UnifiedInvoiceLineItem")
    assert items.shape.fields[0] == ShapeField(name="id", kind=FieldKind.TEXT)


@pytest.mark.parametrize(
    ("model", "name", "expected"),
    [
        ("tasks", "assigneeId", ShapeField(name="assigneeId", kind=FieldKind.TEXT, reference="users", sibling="assignee")),
        ("tasks", "followerIds", ShapeField(name="followerIds", kind=FieldKind.TEXT, is_list=True, reference="users", sibling="followers")),
        ("tasks", "createdBy", ShapeField(name="createdBy", kind=FieldKind.TEXT, reference="users", sibling="createdByUser")),
        (
            "jobs",
            "recruitersIds",
            ShapeField(name="recruitersIds", kind=FieldKind.TEXT, is_list=True, reference="users", sibling="recruiters"),
        ),
        (
            "bills",
            "payments",
            ShapeField(name="payments", kind=FieldKind.TEXT, is_list=True, reference="payments", sibling="paymentRecords"),
        ),
        ("tasks", "dueTime", ShapeField(name="dueTime", kind=FieldKind.TIME)),
        ("job-offers", "startDate", ShapeField(name="startDate", kind=FieldKind.DATE)),
        ("files", "size", ShapeField(name="size", kind=FieldKind.NUMBER)),
        ("deals", "status", ShapeField(name="status", kind=FieldKind.TEXT)),
        ("products", "isActive", ShapeField(name="isActive", kind=FieldKind.BOOLEAN)),
        ("employees", "employments", ShapeField(name="employments", kind=FieldKind.JSON, is_list=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_fields_have_the_kinds_of_the_catalog(model, name, expected):
    assert field(model, name) == expected


def test_models_are_named_as_types_by_their_singular_and_share_what_is_the_same():
    names = {key: shape.name for key, shape in SHAPES.items()}

    assert [names[key] for key in ("tasks", "deal-stages", "eeocs", "timeoff-requests", "companies")] == [
        *["UnifiedTask", "UnifiedDealStage", "UnifiedEEOC", "UnifiedTimeOffRequest", "UnifiedCompany"]
    ]
    assert field("contacts", "primaryAddress").shape is not None
    assert field("contacts", "primaryAddress").shape == field("orders", "billingAddress").shape
    assert shape_of(MODELS["tasks"]) == SHAPES["tasks"]


@pytest.mark.parametrize(
    ("name", "is_list", "expected"),
    [
        ("assigneeId", False, "assignee"),
        ("followerIds", True, "followers"),
        ("companyIds", True, "companies"),
        ("hiringManagersIds", True, "hiringManagers"),
        ("createdBy", False, None),
        ("Id", False, None),
        ("Ids", True, None),
        ("payments", True, None),
    ],
)
def test_what_a_sibling_is_called_follows_from_the_id_where_it_can(name, is_list, expected):
    assert sibling_of(name, is_list=is_list) == expected
