"""Answers as clients read them."""

from typing import Any

from gateway.models.answer_objects import AnswerObject, answer_class, members_of


def plain(value: Any) -> Any:
    """The data of an answer, with dictionaries for its objects."""
    if isinstance(value, AnswerObject):
        value = members_of(value)
    if type(value) is dict:
        return {name: plain(member) for name, member in value.items()}
    return [plain(item) for item in value] if type(value) is list else value


def compact(value: Any) -> Any:
    """Data with objects of an answer for its dictionaries, as compiled functions make them; their names have to be GraphQL's."""
    if type(value) is dict:
        return answer_class(value)(*map(compact, value.values()))
    return [compact(item) for item in value] if type(value) is list else value
