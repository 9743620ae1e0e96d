"""Closed sets of words, described value by value."""

from enum import StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from gateway.models import (
    AuthType,
    ChangeType,
    CollectionOperation,
    ConnectionState,
    ElementState,
    EventMethod,
    FilterOperator,
    OrderDirection,
    SubscriptionStatus,
    SyncConclusion,
    SyncKind,
    SyncStatus,
)
from gateway.models.settings_in_force import SettingName, SettingOrigin

Words = TypeVar("Words", bound=type[StrEnum])


def described(words: Words, description: str, values: dict[str, str]) -> Words:
    """The set as the schema shows it; every value has its description."""
    strawberry.enum(words, description=description)
    definition: StrawberryEnumDefinition = vars(words)["__strawberry_definition__"]
    for value in definition.values:
        value.description = values[value.name]
    return words


described(
    AuthType,
    "How requests to an app prove who they come from.",
    {
        "NONE": "The app asks for nothing.",
        "API_KEY": "A key stands in a header, the query or a cookie.",
        "HTTP_BASIC": "A user name and a password go with every request.",
        "HTTP_BEARER": "A token goes with every request.",
        "SESSION": "A login gives a token that goes with the requests after it.",
        "OAUTH2": "The customer consents in the app's own pages.",
        "CUSTOM": "The connector has a way of its own.",
    },
)
described(
    ConnectionState,
    "Whether a connection can be used.",
    {
        "READY": "The connection can be used.",
        "DISCONNECTED": "The app refused the credentials: the customer must enter new ones.",
        "CONFIGURATION_ERROR": "The connection or its integration is configured wrongly; `errors` says what to do.",
    },
)
described(
    ElementState,
    "Whether an integration, a data source or an instance can be used.",
    {
        "READY": "The element can be used.",
        "CONFIGURATION_ERROR": "The element, or one that it depends on, is configured wrongly; `errors` says what to do.",
        "SETUP_FAILED": "The app could not be asked when the element was last set up; set it up again.",
    },
)
described(
    CollectionOperation,
    "What can be done with the records of a collection.",
    {
        "LIST": "Read the records page by page.",
        "SEARCH": "Find records by a text.",
        "MATCH": "Find one record by the values of fields.",
        "FIND_BY_ID": "Read one record by its id.",
        "CREATE": "Create a record.",
        "UPDATE": "Change fields of a record.",
        "DELETE": "Delete a record.",
    },
)
described(
    FilterOperator,
    "How a filter compares a field with a value.",
    {
        "EQ": "The field equals the value.",
        "NE": "The field does not equal the value.",
        "LT": "The field is less than the value.",
        "LTE": "The field is less than the value, or equals it.",
        "GT": "The field is greater than the value.",
        "GTE": "The field is greater than the value, or equals it.",
        "IN": "The field equals one of the values.",
        "CONTAINS": "The field contains the value.",
        "STARTS_WITH": "The field starts with the value.",
    },
)
described(
    OrderDirection,
    "Whether a list rises or falls.",
    {"ASC": "The least comes first.", "DESC": "The greatest comes first."},
)
described(
    ChangeType,
    "What happened to a record.",
    {"CREATED": "The record is new.", "UPDATED": "Fields of the record changed.", "DELETED": "The record is gone."},
)
described(
    EventMethod,
    "How the gateway learns of changes.",
    {
        "WEBHOOK": "The app calls the gateway.",
        "DELTA": "The app lists what changed since a point, deletions included.",
        "PULL": "The app lists what changed since a time, without deletions.",
        "FULL_SCAN": "The gateway reads the whole collection and compares.",
    },
)
described(
    SubscriptionStatus,
    "Whether changes of a type are looked for.",
    {
        "SUBSCRIBED": "Changes are looked for.",
        "UNSUBSCRIBED": "Nobody is interested (any more), so that no changes are looked for.",
        "ERROR": "Changes cannot be learned of at present; `error` says why. It is tried again.",
    },
)
described(
    SyncKind,
    "What a sync run does.",
    {
        "PULL_UPDATES": "It reads what changed since the run before.",
        "FULL_SYNC": "It reads the whole collection and compares.",
    },
)
described(
    SyncStatus,
    "How far a sync run is.",
    {
        "QUEUED": "It starts when its turn comes.",
        "IN_PROGRESS": "It has started; after a failure it goes on where it was.",
        "HELD": "So many records went missing that none was told as deleted. Unless `syncRunRelease` lets it, it lists them again later.",
        "COMPLETED": "It has ended; `conclusion` says how.",
    },
)
described(
    SyncConclusion,
    "How a sync run ended.",
    {
        "SUCCESS": "It has done all that it was to do.",
        "FAILURE": "It could not go on; `error` says why.",
        "CANCELLED": "Somebody ended it, or what it was for is over.",
    },
)
described(
    SettingName,
    "What can be set on a data source or an instance.",
    {
        "POINTER": "The collection pointed at: its key and its parameters, as one setting.",
        "PULL_UPDATES_INTERVAL_SECONDS": "How often changes are pulled.",
        "FULL_SYNC_INTERVAL_SECONDS": "How often the whole collection is read.",
        "EVENT_BODIES": "Whether change events keep the record as it was.",
    },
)
described(
    SettingOrigin,
    "The layer that decided a setting, from the farthest to the nearest.",
    {
        "DEFAULT": "Nothing decided it: it is what the gateway does by default.",
        "CONNECTOR": "The connector names it for the universal data model.",
        "UNIVERSAL": "The universal data source sets it.",
        "INTEGRATION": "The data source of the integration sets it.",
        "CONNECTION": "The instance in the connection sets it.",
    },
)
