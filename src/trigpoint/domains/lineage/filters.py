"""The relations that lineage filters speak of, as conditions on the rows of resources (vertex-services.md section 1.3).

`in_context("C")`, `with_execution("E")`, `with_artifact("A")` and the has-relations of contexts. A function's first
argument may be `"*"`; a second one is a filter on the related resources, in which `input` and `event_time` speak of
the event between the two.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, select

from trigpoint.core import filters
from trigpoint.core.filters import Call, Comparison
from trigpoint.domains.lineage import sentences
from trigpoint.domains.lineage.kinds import ARTIFACT, CONTEXT, EXECUTION, SCHEMA
from trigpoint.kernel.query import Condition, Extra, Queries, wrong
from trigpoint.kernel.resource import Kind
from trigpoint.store.graph import CHILDREN, EDGES, MEMBERS
from trigpoint.store.rows import RESOURCES

DEEPEST = 5
"""Levels of parentheses that a filter may have."""

_NAME = RESOURCES.c.name
_COMPARE: Mapping[str, Callable[[Column[int], int], ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


class Relations:
    """What filters of each kind know beyond its fields. Immutable."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        within = self._function("in_context", CONTEXT, MEMBERS.c.context, MEMBERS.c.node)
        self.artifacts = self._extra(
            in_context=within,
            with_execution=self._function("with_execution", EXECUTION, EDGES.c.execution, EDGES.c.artifact),
        )
        self.executions = self._extra(
            in_context=within,
            with_artifact=self._function("with_artifact", ARTIFACT, EDGES.c.artifact, EDGES.c.execution),
        )
        has_member = (MEMBERS.c.node, MEMBERS.c.context)
        self.contexts = Extra(
            relations={
                "parent_contexts": _kinship(CHILDREN.c.parent, CHILDREN.c.child),
                "child_contexts": _kinship(CHILDREN.c.child, CHILDREN.c.parent),
            },
            functions={
                "with_artifact": self._function("with_artifact", ARTIFACT, *has_member),
                "with_execution": self._function("with_execution", EXECUTION, *has_member),
            },
            deepest=DEEPEST,
        )
        self.schemas = Extra(relations={"schema_title": self._title}, deepest=DEEPEST)

    def of(self, kind: Kind[Any]) -> Extra:
        """Return what filters of a kind of node know."""
        return {"artifacts": self.artifacts, "executions": self.executions, "contexts": self.contexts}[kind.collection]

    def _extra(self, **functions: Callable[[Call], Condition]) -> Extra:
        return Extra(functions=functions, deepest=DEEPEST)

    def _function(
        self, name: str, kind: Kind[Any], theirs: Column[str], ours: Column[str]
    ) -> Callable[[Call], Condition]:
        """Return what `name("X", "filter")` means: an edge joins the row (`ours`) with such a resource (`theirs`)."""

        def meaning(call: Call) -> Condition:
            if not 1 <= len(call.arguments) <= 2:
                raise wrong(call, sentences.RESOURCE_FUNCTION.format(name=name))
            first = call.arguments[0].text
            found = select(ours)
            if first != "*":
                found = found.where(theirs == first)
            if len(call.arguments) == 2:
                extra = _EVENT if theirs.table is EDGES else Extra(deepest=DEEPEST)
                condition = self._queries.condition(kind, call.arguments[1].text, extra)
                if condition is not None:
                    others = and_(theirs == _NAME, RESOURCES.c.kind == kind.collection, condition)
                    found = found.join_from(theirs.table, RESOURCES, others).correlate(None)
            return _NAME.in_(found)

        return meaning

    def _title(self, node: Comparison) -> Condition:
        """Compare a schema's title, which its row keeps where others have the display name."""
        text = f"display_name {node.operator} {json.dumps(node.value.text, ensure_ascii=False)}"
        condition = self._queries.condition(SCHEMA, text)
        assert condition is not None
        return condition


def _kinship(theirs: Column[str], ours: Column[str]) -> Callable[[Comparison], Condition]:
    def meaning(node: Comparison) -> Condition:
        if node.operator not in (":", "="):
            raise wrong(node, sentences.KINSHIP.format(field=node.path[0]))
        return _NAME.in_(select(ours).where(theirs == node.value.text))

    return meaning


def _input(node: Comparison) -> Condition:
    if node.operator not in ("=", ":"):
        raise wrong(node, sentences.INPUT)
    return EDGES.c.output == ("input" if filters.truth(node.value) else "output")


def _time(node: Comparison) -> Condition:
    compare = _COMPARE.get(node.operator)
    if compare is None:
        raise wrong(node, sentences.EVENT_TIME)
    return compare(EDGES.c.time, filters.instant(node.value))


_EVENT = Extra(relations={"input": _input, "event_time": _time}, deepest=DEEPEST)
