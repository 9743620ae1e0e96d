"""Makes a plan of a place in an operation: one Python function for each selection, as the stock executor would complete it.

A place has a plan where all that is selected there comes from plain data: values of a source by their names, resolvers that
only compute, objects and lists of them. In the functions `s` is an object's source, `i` what resolvers get for `info`, `a` the
arguments of the calls, `v` a value at hand and `w0`, `w1` the items of lists within lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from inspect import iscoroutinefunction
from math import isfinite
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Undefined,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor import Executor
from strawberry.types.field import StrawberryField

from gateway.expressions.source import Source
from gateway.graphql.execution import values
from gateway.graphql.execution.arguments import Arguments
from gateway.graphql.execution.leaves import NUMBERS, classes_of
from gateway.graphql.execution.picking import picks_of
from gateway.graphql.execution.plans import Plan, Plans
from gateway.graphql.execution.resolvers import computed, definition_of, loads_of, plain_arguments
from gateway.graphql.fields import LOOKS_AT, PART, READS, TYPE_NAME, Look, Part, read
from gateway.models.answer_objects import answer_class

__all__ = ["plan_of"]

_ITEM, _GET = "<item>", "<get>"
"""Stand for an object, and for what gives its values by their names."""
_UNDERSTOOD_DIRECTIVES = {"skip", "include"}


class _UnplannedError(Exception):
    """The place needs the stock executor."""


def plan_of(executor: Executor[Any], plans: Plans, type: GraphQLObjectType | GraphQLList[Any], details: FieldDetailsList) -> Plan | None:
    """The plan that completes a value of a type, which is not null; None where the stock executor has to."""
    compiler = _Compiler(executor, plans)
    try:
        value = compiler.value(GraphQLNonNull(type), details, "s", "s")
    except (_UnplannedError, GraphQLError):
        # A condition may be null: where that is told, and whether at all, is the stock executor's to say.
        return None
    return compiler.plan(value)


@dataclass(slots=True)
class _Asked:
    """What an object asks loaders for."""

    names: dict[Any, str] = field(default_factory=dict)
    """Fields that ask for the same share what is found: `l0`, `l1`."""
    is_below: bool = False
    """Whether objects that are its own value of a field ask, too."""


class _Compiler:
    """Writes the functions of one plan."""

    def __init__(self, executor: Executor[Any], plans: Plans) -> None:
        self._executor = executor
        self._plans = plans
        self._source = Source(
            "compiled selection",
            type=type,
            str=str,
            int=int,
            float=float,
            bool=bool,
            dict=dict,
            getattr=getattr,
            isinstance=isinstance,
            isfinite=isfinite,
            partial=partial,
            list=list,
            map=map,
            items=values.items,
            items_beside=values.items_beside,
            plain=values.PLAIN,
            present=values.present,
            type_name=TYPE_NAME,
            deviate=values.deviate,
            later=values.LATER,
            nothing=values.NOTHING,
        )
        self._calls: list[Arguments] = []
        self._choices: list[tuple[dict[str, Any], dict[str, str]]] = []
        self._lists = 0
        self._loads = 0
        self._reads: list[str] = []
        """The names of functions that read what is picked of all objects of a list in one go."""
        self._inline: dict[str, str] = {}
        """What stands for the call of a function with an item of a list, but for what is to be done else."""
        self._known: dict[GraphQLObjectType, str] = {}
        """The names of the sets of classes whose objects all are of a type."""

    def plan(self, value: str) -> Plan:
        """The plan, once all is written."""
        root = self._source.function("i, a, s", f"return {self._alone(value)}")
        function = self._source.compiled()
        for choice, names in self._choices:
            choice.update({type_name: function(name) for type_name, name in names.items()})
        return Plan(function(root), tuple(self._calls))

    def value(self, type: GraphQLOutputType, details: FieldDetailsList, given: str, name: str) -> str:
        """An expression of the completed value that `given` is. Where it is not a name yet, it gets one first: it is looked at once."""
        if isinstance(type, GraphQLNonNull):
            return self._present(type.of_type, details, given, name)
        first = _named(given, name)
        if (is_left := self._is_left(type)) is not None:
            return f"({name} if ({first}) is None or {is_left.format(name, name)} else {self._leaf(type)}({name}))"
        return f"(None if ({first}) is None else {self._present(type, details, name, name)})"

    def _present(self, type: Any, details: FieldDetailsList, given: str, name: str) -> str:
        if (is_left := self._is_left(type)) is not None:
            return f"({name} if {is_left.format(_named(given, name), name)} else {self._leaf(type)}({name}))"
        if is_leaf_type(type):
            return f"{self._leaf(type)}({given})"
        if isinstance(type, GraphQLList):
            return self._list(type, details, given)
        if is_abstract_type(type):
            return self._abstract(type, details, _named(given, name), name)
        function = self._object(type, details)
        called = f"{function}({given}, i, a)"
        # Items of lists have names of their own; `v` is soon another value.
        is_item = given == name != "v" and function in self._inline
        return f"({self._inline[function].replace(_ITEM, given)} else {called})" if is_item else called

    def _is_left(self, type: GraphQLOutputType) -> str | None:
        """What a value must be in order to stand in an answer as it is; None for types that always have to be asked."""
        if type in NUMBERS:
            return NUMBERS[type]
        classes = classes_of(type)
        if classes is None:
            return None
        return f"type({{0}}) is {self._source.name(*classes)}" if len(classes) == 1 else f"type({{0}}) in {self._source.name(classes)}"

    def _leaf(self, type: Any) -> str:
        return self._source.name(values.leaf(type.coerce_output_value))

    def _list(self, type: GraphQLList[Any], details: FieldDetailsList, given: str) -> str:
        self._refuse_directives(details)
        self._lists += 1
        item = f"w{self._lists}"
        completed = self.value(type.of_type, details, item, item)
        if beside := {reads: f"r{number}" for number, reads in enumerate(self._reads) if _read_of(reads) in completed}:
            for reads, name in beside.items():
                completed = completed.replace(_read_of(reads), name)
            return f"[{completed} for {', '.join((item, *beside.values()))} in items_beside({', '.join((given, 'i', 'a', *beside))})]"
        if not given.isidentifier():
            # Where it is gone through it cannot be given a name, to be looked at before.
            return f"[{completed} for {item} in items({given})]"
        each = f"[{completed} for {item} in ({given} if type({given}) is list else items({given}))]"
        classes = classes_of(type.of_type)
        if classes is None:
            return each
        are_left = self._source.name(classes.issuperset)
        return f"({given} if type({given}) is list and {are_left}(map(type, {given})) else {each})"

    def _abstract(self, type: GraphQLAbstractType, details: FieldDetailsList, first: str, name: str) -> str:
        resolve_type = type.resolve_type
        if resolve_type is None or iscoroutinefunction(resolve_type):
            raise _UnplannedError
        is_by_name = _looks_at(resolve_type) is Look.TYPE_NAME
        names: dict[str, str] = {}
        for possible in self._executor.schema.get_possible_types(type):
            try:
                names[possible.name] = self._object(possible, details, is_named=is_by_name)
            except _UnplannedError:
                # A value of this type ends the function; those of others need not.
                continue
        if not names:
            raise _UnplannedError
        choice: dict[str, Any] = {}
        self._choices.append((choice, names))
        # What is not among them ends the function, as every error does.
        choose = self._source.name(choice)
        if is_by_name:
            return f"{choose}[{name}[type_name] if type({first}) is dict else deviate()]({name}, i, a)"
        resolve, abstract = map(self._source.name, (resolve_type, type))
        present = f"{name} if type({first}) in plain else present({name})"
        return f"{choose}[{resolve}({present}, i, {abstract})]({name}, i, a)"

    def _object(self, type: GraphQLObjectType, details: FieldDetailsList, *, is_named: bool = False) -> str:
        """A function for objects of the type; with `is_named` only for dicts that have its name."""
        self._refuse_directives(details)
        fields, deferred, _ = self._executor.collect_subfields(type, details)
        if deferred:
            raise _UnplannedError
        asked = _Asked()
        members = ", ".join(self._field(type, below, asked) for below in fields.values())
        made = self._source.name(answer_class(fields))
        lines = [*self._checked(type, is_named=is_named)]
        is_got_from = _GET in members
        if is_got_from:
            lines.append("get = s.get if type(s) is dict or isinstance(s, dict) else partial(getattr, s)")
        lines += [f"{name} = {self._source.name(values.loaded(asks))}(s, i)" for asks, name in asked.names.items()]
        if asked.names and not asked.is_below:
            # All readings that can begin have begun, and it is called again when they have ended.
            lines.append(f"if {' and '.join(f'{name} is later' for name in asked.names.values())}: return later")
        alone = self._alone(members.replace(_GET, "get").replace(_ITEM, "s"))
        function = self._source.function("s, i, a", *lines, f"return {made}({alone})")
        condition = self._is_plain_item(type, is_got_from=is_got_from)
        if condition is not None and not asked.names and " for " not in members:
            self._inline[function] = f"{made}({members.replace(_GET, f'{_ITEM}.get')}) if {condition}"
        return function

    def _alone(self, value: str) -> str:
        """The expression for an object that is not read together with others."""
        for reads in self._reads:
            value = value.replace(_read_of(reads), f"{reads}((s,), i, a)[0]")
        return value

    def _is_plain_item(self, type: GraphQLObjectType, *, is_got_from: bool) -> str | None:
        """When an item of a list needs no look but this one; None where that cannot be told.

        With `is_got_from` values are got from it by their names, which only a dict has ready.
        """
        known = self._known.get(type)
        if known is None and type.is_type_of is not None:
            return None
        if not is_got_from:
            return f"type({_ITEM}) in {known or 'plain'}"
        return f"type({_ITEM}) is dict" + (f" and dict in {known}" if known is not None else "")

    def _checked(self, type: GraphQLObjectType, *, is_named: bool) -> Iterator[str]:
        """Makes sure that the source is an object of the type."""
        is_type_of: Any = type.is_type_of
        if iscoroutinefunction(is_type_of):
            raise _UnplannedError
        look = _looks_at(is_type_of)
        if is_named and (is_type_of is None or look is Look.TYPE_NAME):
            return
        if look is Look.CLASS:
            known: set[Any] = set()
            self._known[type] = self._source.name(known)
            yield f"type(s) in {self._known[type]} or {self._source.name(values.judged(is_type_of, known))}(s, i)"
            return
        yield "type(s) in plain or present(s)"
        if is_type_of is not None:
            yield f"{self._source.name(is_type_of)}(s, i) is True or deviate()"

    def _field(self, parent: GraphQLObjectType, details: FieldDetailsList, asked: "_Asked") -> str:
        node = details[0].node
        field = self._executor.schema.get_field(parent, node.name.value)
        if field is None or not self._plans.has_room():
            raise _UnplannedError
        if node.name.value == "__typename":
            return self._source.name(parent.name)
        definition = definition_of(field)
        loads = loads_of(definition) if definition is not None else None
        if loads is not None:
            self._loads += 1
            found = asked.names.setdefault(loads.asks, f"l{len(asked.names)}")
            given = f"(None if {found} is nothing else {self._source.name(loads.value)}({_ITEM}, i, {found}))"
            return f"(later if {found} is later else {self.value(field.type, details, given, 'v')})"
        if definition is not None and (reads := definition.metadata.get(READS)) is not None:
            self._refuse_directives(details)
            picks = picks_of(self._executor, self._plans, field.type, details)
            if picks is not None:
                called = f"{self._source.name(reads)}(s, i, {self._source.name(picks)}{self._arguments(field, definition, details)})"
                self._reads.append(self._source.function("s, i, a", f"return {called}"))
                return _read_of(self._reads[-1])
        before = self._loads
        value = self.value(field.type, details, self._resolved(field, definition, details), "v")
        asked.is_below |= self._loads > before
        return value

    def _resolved(self, field: GraphQLField, definition: StrawberryField | None, details: FieldDetailsList) -> str:
        """An expression of what the field's resolver gives."""
        if definition is None:
            raise _UnplannedError
        if definition.is_basic_field:
            if field.args:
                raise _UnplannedError
            name = self._source.name(definition.python_name)
            is_read = definition.default_resolver is read
            return f"{_GET}({name})" if is_read else f"{self._source.name(definition.default_resolver)}({_ITEM}, {name})"
        part = definition.metadata.get(PART)
        if isinstance(part, Part):
            return f"{_ITEM}[{part.index}].{part.name}"
        found = computed(definition)
        if found is None:
            raise _UnplannedError
        info = f", {found.info_name}=i" if found.info_name is not None else ""
        return f"{self._source.name(found.resolver)}({_ITEM}{info}{self._arguments(field, definition, details)})"

    def _arguments(self, field: GraphQLField, definition: Any, details: FieldDetailsList) -> str:
        if not field.args:
            return ""
        call = plain_arguments(field, definition, details[0].node)
        if call is None:
            raise _UnplannedError
        if not details[0].node.arguments and not any(map(_has_default, field.args.values())):
            return ""
        self._calls.append(call)
        return f", **a[{len(self._calls) - 1}]"

    def _refuse_directives(self, details: FieldDetailsList) -> None:
        for detail in details:
            directives = {directive.name.value for directive in detail.node.directives or ()}
            if detail.defer_usage is not None or detail.fragment_variable_values is not None or directives - _UNDERSTOOD_DIRECTIVES:
                raise _UnplannedError


def _looks_at(judge: Any) -> Look | None:
    look = getattr(judge, LOOKS_AT, None)
    return look if isinstance(look, Look) else None


def _has_default(argument: GraphQLArgument) -> bool:
    return argument.default is not None or argument.default_value is not Undefined


def _read_of(reads: str) -> str:
    """Stands for what such a function gives for an object."""
    return f"<{reads}>"


def _named(given: str, name: str) -> str:
    return given if given == name else f"{name} := {given}"
