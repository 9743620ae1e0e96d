"""Keys of a mapping that would be ignored, and parts of what has none, are refused where they stand."""

import pytest

IGNORED = "`{}` says all of what is read and written here, so `{}` would be ignored; leave it out"
PLACE = "collections.things.universal_data_models.contacts.fields."


@pytest.fixture
def contact(problems):
    """What is wrong with a mapping of a field of contacts, which stands in line 45, without the start of each place."""

    def contact(mapping):
        found = problems(
            (
                "universal_data_models: {tasks: {}}",
                f"universal_data_models:\n      tasks: {{}}\n      contacts:\n        fields: {{{mapping}}}",
            ),
            ("thing: {type: object, properties: {id: {type: integer}}}", "thing: {type: object}"),
        )
        assert all(problem.startswith(f"45: {PLACE}") for problem in found), found
        return [problem.removeprefix(f"45: {PLACE}") for problem in found]

    return contact


@pytest.mark.parametrize(
    ("key", "mapping"),
    [
        ("field", "field: place"),
        ("from", "from: '${fields.place}'"),
        ("values", "values: {a: b}"),
        ("each", "each: {city: town}"),
    ],
)
def test_beside_the_parts_of_an_object_nothing_else_is_said(contact, key, mapping):
    found = contact(f"primaryAddress: {{{mapping}, fields: {{city: town}}}}")

    assert f"primaryAddress.{key}: {IGNORED.format('fields', key)}" in found


def test_what_is_written_of_an_object_is_said_of_its_parts(contact):
    found = contact("primaryAddress: {field: place, to: '${value}', fields: {city: {field: town, to: '${value}'}}}")

    assert found == [f"primaryAddress.{key}: {IGNORED.format('fields', key)}" for key in ("field", "to")]


@pytest.mark.parametrize(("key", "mapping"), [("to", "to: '${value}'"), ("values", "values: {a: {value: b}}")])
def test_the_items_of_a_list_are_written_by_their_parts_alone(contact, key, mapping):
    assert contact(f"emails: {{field: mails, {mapping}, each: {{value: address}}}}") == [f"emails.{key}: {IGNORED.format('each', key)}"]


def test_parts_are_those_of_objects(contact):
    assert contact("fullName: {fields: {first: name}}") == [
        "fullName.fields: this is a single value, which has no parts; map it by `field`"
    ]
    assert contact("primaryAddress: {fields: {city: {fields: {name: town}}}}") == [
        "primaryAddress.fields.city.fields: this is a single value, which has no parts; map it by `field`"
    ]


def test_items_with_parts_are_objects(problems):
    (found,) = problems(
        ("universal_data_models: {tasks: {}}", "universal_data_models: {tasks: {fields: {tags: {field: labels, each: {text: name}}}}}"),
        ("thing: {type: object, properties: {id: {type: integer}}}", "thing: {type: object}"),
    )

    assert found.endswith("fields.tags.each: the items of this list are single values, which have no parts; map the list by `field`")


@pytest.mark.parametrize(
    "mapping",
    [
        "emails: {field: mails, from: '${fields.mails}', each: {value: {field: address, values: {a: b}}}}",
        "primaryAddress: {fields: {city: {field: town, from: '${value}', to: '${value}'}}}",
    ],
)
def test_each_key_of_a_mapping_is_right_where_it_counts(load, mapping):
    file = load(
        ("universal_data_models: {tasks: {}}", f"universal_data_models: {{tasks: {{}}, contacts: {{fields: {{{mapping}}}}}}}"),
        ("thing: {type: object, properties: {id: {type: integer}}}", "thing: {type: object}"),
    )

    assert list(file.collections["things"].universal_data_models["contacts"].fields) == [mapping.partition(":")[0]]


def of_contacts(mapping):
    """The changes that map the emails of contacts, in an app whose lists are described."""
    mails = "mails: {type: array, items: {type: object, properties: {address: {type: string}, kind: {type: string}}}}"
    old = "old: {type: object, properties: {mails: {type: array, items: {type: object, properties: {address: {type: string}}}}}}"
    fields = f"id: {{type: integer}}, others: {{type: array}}, {mails}, {old}"
    return (
        ("thing: {type: object, properties: {id: {type: integer}}}", f"thing: {{type: object, properties: {{{fields}}}}}"),
        ("universal_data_models: {tasks: {}}", f"universal_data_models: {{tasks: {{}}, contacts: {{fields: {{emails: {mapping}}}}}}}"),
    )


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("{field: mails, each: {value: adress}}", "value: there is no field 'adress'; there are address, kind"),
        ("{field: old.mails, each: {value: adress}}", "value: there is no field 'adress'; there are address"),
        ("{field: mails, each: {value: {from: '${fields.adress}'}}}", "value.from: 'fields' has no 'adress'; it has address, kind"),
    ],
    ids=["unknown field", "in an object", "in an expression"],
)
def test_a_part_of_an_item_that_the_apps_items_do_not_have_is_told(problems, mapping, expected):
    (found,) = problems(*of_contacts(mapping))

    assert found.endswith(f"contacts.fields.emails.each.{expected}")


@pytest.mark.parametrize(
    "mapping",
    [
        "{field: mails, each: {value: address, type: {field: kind}}}",
        "{field: mails, from: '${fields.mails[].inner}', each: {value: anything}}",
        "{field: others, each: {value: anything}}",
    ],
    ids=["known fields", "made by an expression", "items that are not described"],
)
def test_the_parts_of_items_may_be_anything_that_the_app_may_have(load, mapping):
    assert load(*of_contacts(mapping)).collections["things"].universal_data_models["contacts"].fields.keys() == {"emails"}
