"""List queries on declared resources: a filter becomes SQL, an order becomes a keyset, a page becomes messages.

Which fields may be filtered and ordered is declared with the kind; relations and functions of single kinds
(`in_context(...)`) are handed in. Semantics: AIP-160, AIP-132, AIP-158 and vertex-training.md section 8.4.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, and_, not_, or_

from trigpoint.core import contract, filters, messages, ordering
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.filters import Comparison, Node
from trigpoint.core.messages import Message
from trigpoint.core.names import LOCATION, numbered
from trigpoint.core.paging import Tokens, page_size
from trigpoint.kernel import sentences
from trigpoint.kernel.resource import Kernel, Kind
from trigpoint.store import queries, resources
from trigpoint.store.resources import Order, Row
from trigpoint.store.tx import Values

M = TypeVar("M", bound=Message)
Condition = ColumnElement[bool]
Relation = Callable[[Comparison], Condition]
Function = Callable[[filters.Call], Condition]

_TIMES = frozenset({"create_time", "update_time"})
_COLUMNS = frozenset({"name", "state", "display_name"}) | _TIMES
_TYPED = {"string_value": "text", "number_value": "number", "bool_value": "boolean"}
_ESCAPE = "\\"
_ENOUGH = 16 << 20
"""Bytes of rows with which a page ends before it has as many as were asked for."""
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    ":": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Extra:
    """What the filters of one kind know beyond its fields."""

    relations: Mapping[str, Relation] = field(default_factory=dict)
    """First part of a path -> the condition that a comparison with it stands for."""
    functions: Mapping[str, Function] = field(default_factory=dict)
    deepest: int = filters.DEEPEST


NOTHING = Extra()


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of a list and the token of the next; the token is empty at the end."""

    items: list[M]
    token: str


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of rows and the token of the next."""

    rows: list[Row]
    token: str


class Queries:
    """Answers lists. Thread-safe."""

    def __init__(
        self, kernel: Kernel, tokens: Tokens, number_of: Callable[[str], str | None] = lambda segment: None
    ) -> None:
        """`number_of` returns the number of a project's id, or None: names are stored with numbers."""
        self._kernel = kernel
        self._tokens = tokens
        self._number_of = number_of

    def page(self, kind: Kind[M], request: Any, *, extra: Extra = NOTHING, most: int = 1000) -> Page[M]:
        """Return the page that a standard List request asks for, decoded."""
        found = self.rows(kind, request, extra=extra, most=most)
        return Page([messages.decode(kind.message, row.message) for row in found.rows], found.token)

    def rows(self, kind: Kind[Any], request: Any, *, extra: Extra = NOTHING, most: int = 1000) -> Rows:
        """Return the rows of the page that a request with `parent` and the standard list fields asks for."""
        text, order_text = getattr(request, "filter", ""), getattr(request, "order_by", "")
        bound = (kind.collection, request.parent, text, order_text)
        after = self._tokens.read(request.page_token, *bound)
        where = self.condition(kind, text, extra)
        order = self.order(kind, order_text)
        limit = page_size(request.page_size, most=most)
        found = self._kernel.store.read(
            lambda tx: resources.select(
                tx, kind.collection, _parents(request.parent), where, order, after=after, limit=limit, enough=_ENOUGH
            )
        )
        return Rows(found.rows, self._tokens.issue(_plain(found.next), *bound) if found.next else "")

    def condition(self, kind: Kind[Any], text: str, extra: Extra = NOTHING) -> Condition | None:
        """Return what a filter means for a kind's rows; None for an empty one. InvalidArgument on `filter`."""
        node = filters.parse(text, deepest=extra.deepest)
        if node is None:
            return None
        holding = frozenset({"name", *extra.relations, *_references(kind.message)})
        return _condition(kind, filters.changed(node, lambda leaf: self._numbered(leaf, holding)), extra)

    def _numbered(self, leaf: filters.Comparison | filters.Call | filters.Bare, holding: frozenset[str]) -> Node:
        """Return a leaf with project numbers for ids in the resource names that it compares with."""
        match leaf:
            case filters.Call(arguments=(first, *others)):
                return replace(leaf, arguments=(self._named(first), *others))
            case Comparison(path=(path, *_), value=value) if snake(path) in holding:
                return replace(leaf, value=self._named(value))
            case _:
                return leaf

    def _named(self, operand: filters.Operand) -> filters.Operand:
        return replace(operand, text=numbered(operand.text, self._number_of))

    def order(self, kind: Kind[Any], text: str) -> Sequence[Order]:
        """Return the order that `order_by` asks for, by default the kind's own. InvalidArgument on `order_by`."""
        terms = ordering.parse(text)
        if not terms:
            return (Order(queries.COLUMNS["create_time"], descending=kind.newest_first),)
        return [Order(_order_column(kind, term.path), term.descending) for term in terms]


def _references(message: type[Message]) -> set[str]:
    """Return the fields of a message that name resources."""
    found = contract.rules(messages.full_name(message))
    return {name for name, rules in found.items() if rules.refers_to}


def _order_column(kind: Kind[Any], path: str) -> ColumnElement[Any]:
    name = snake(path)
    if name not in kind.order:
        text = sentences.NO_ORDER.format(path=repr(path[:100]), fields=", ".join(kind.order))
        raise InvalidArgument(violations=[Violation("order_by", text)])
    return queries.COLUMNS[name] if name in _COLUMNS else queries.json_at([camel(name)]).text


def _condition(kind: Kind[Any], node: Node, extra: Extra) -> Condition:
    match node:
        case filters.And(terms=terms):
            return and_(*(_condition(kind, term, extra) for term in terms))
        case filters.Or(terms=terms):
            return or_(*(_condition(kind, term, extra) for term in terms))
        case filters.Not(term=term):
            return not_(_condition(kind, term, extra))
        case filters.Call(name=name):
            if name not in extra.functions:
                raise wrong(node, sentences.NO_FUNCTION.format(name=repr(name[:60]), noun=kind.noun))
            return extra.functions[name](node)
        case filters.Bare(value=value):
            raise wrong(node, sentences.STANDS_ALONE.format(value=repr(value.text[:60])))
        case filters.Comparison():
            return _comparison(kind, node, extra)


def _comparison(kind: Kind[Any], node: Comparison, extra: Extra) -> Condition:
    first = snake(node.path[0])
    if first in extra.relations:
        return extra.relations[first](node)
    if first == "labels":
        return _label(node)
    whole = ".".join([first, *node.path[1:]])
    if whole in _TIMES:
        return _compared(queries.COLUMNS[whole], node, filters.instant(node.value))
    if whole in _COLUMNS:
        return _text(queries.COLUMNS[whole], node)
    if whole in kind.filters:
        return _json(kind.filters[whole].split("."), node, "")
    if first in kind.open_filters and len(node.path) > 1:
        kept, typed = list(node.path[1:]), _TYPED.get(snake(node.path[-1]), "")
        return _json([camel(first), *(kept[:-1] if typed else kept)], node, typed)
    path = repr(".".join(node.path)[:100])
    raise wrong(node, sentences.NO_FILTER.format(path=path, fields=_known(kind, extra)))


def _label(node: Comparison) -> Condition:
    if len(node.path) == 1:
        if node.operator != ":":
            raise wrong(node, sentences.LABELS_BY_KEY)
        return queries.has_label(node.value.text)
    key, value = ".".join(node.path[1:]), node.value
    if node.operator == ":" and value.text == "*" and not value.quoted:
        return queries.has_label(key)
    if node.operator in ("=", ":") and "*" not in value.text:
        return queries.label_is(key, value.text)
    found = queries.label(key)
    return and_(found.is_not(None), _text(found, node))


def _json(path: Sequence[str], node: Comparison, typed: str) -> Condition:
    place, value = queries.json_at(path), node.value
    if node.operator == ":" and value.text == "*":
        return place.present
    if typed == "number" or (not typed and not value.quoted and _numeric(value)):
        return and_(place.present, _compared(place.number, node, filters.number(value)))
    if typed == "boolean" or (not typed and not value.quoted and value.text in ("true", "false")):
        return _compared(place.text, node, str(filters.truth(value)).lower())
    return _text(place.text, node)


def _numeric(value: filters.Operand) -> bool:
    try:
        filters.number(value)
    except InvalidArgument:
        return False
    return True


def _text(column: ColumnElement[Any], node: Comparison) -> Condition:
    """Compare text: `*` is a wildcard for =, != and `:`, and `:` without one asks for a part."""
    value = node.value.text
    if node.operator in ("=", "!=", ":") and ("*" in value or node.operator == ":"):
        pattern = value.replace(_ESCAPE, _ESCAPE * 2).replace("%", r"\%").replace("_", r"\_").replace("*", "%")
        like = column.like(pattern if "*" in value else f"%{pattern}%", escape=_ESCAPE)
        return not_(like) if node.operator == "!=" else like
    return _compared(column, node, value)


def _compared(column: ColumnElement[Any], node: Comparison, value: Any) -> Condition:
    compare = _COMPARE.get(node.operator)
    if compare is None:
        raise wrong(node, sentences.NO_OPERATOR.format(operator=node.operator))
    condition: Condition = compare(column, value)
    return condition


def _parents(parent: str) -> str:
    """Return the parent, or for `projects/P/locations/-` the prefix of all locations."""
    found = LOCATION.match(parent)
    return parent.removesuffix("-") if found is not None and found["location"] == "-" else parent


def _plain(position: Sequence[Values]) -> list[str | int | float | bool | None]:
    return [value for value in position if not isinstance(value, bytes)]


def _known(kind: Kind[Any], extra: Extra) -> str:
    opened = [f"{prefix}.*" for prefix in kind.open_filters]
    return ", ".join(sorted({*_COLUMNS, "labels.KEY", *kind.filters, *opened, *extra.relations}))


def wrong(node: Any, why: str) -> InvalidArgument:
    """Return the refusal of a part of a filter."""
    text = sentences.AT_CHARACTER.format(position=node.position, problem=why)
    return InvalidArgument(violations=[Violation("filter", text)])


def snake(name: str) -> str:
    """Return a lowerCamel or CamelCase name in snake_case."""
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def camel(name: str) -> str:
    """Return a snake_case name in lowerCamel."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
