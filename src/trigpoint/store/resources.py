"""The statements on the rows of resources: insert, compare-and-swap, delete, get and keyset-paged select.

The bytes that a change replaces go to `history`. What a row means, which states it may take and who may see it are
the kernel's and the slices' business. All functions are to be used inside a transaction and are safe in any thread.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, tuple_
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from trigpoint.core.clock import Micros
from trigpoint.core.errors import Aborted, AlreadyExists
from trigpoint.store import history, sentences
from trigpoint.store.rows import FIELDS, LABELS, RESOURCES, Row, pack, unpack, verified
from trigpoint.store.schema import seal
from trigpoint.store.tx import Prepared, Tx, Values

__all__ = ["Order", "Page", "Row", "count", "delete", "get", "get_all", "insert", "select", "update"]

_C = RESOURCES.c
_GET = Prepared(sql_select(*_C).where(_C.name == bindparam("name")))
_INSERT = Prepared(sql_insert(RESOURCES))
_UPDATE = Prepared(
    sql_update(RESOURCES).where(_C.name == bindparam("at_name"), _C.version == bindparam("at_version")),
    *FIELDS[1:],
    "seal",
)
_DELETE = Prepared(sql_delete(RESOURCES).where(_C.name == bindparam("name"), _C.version == bindparam("version")))
_LABEL = Prepared(sql_insert(LABELS))
_UNLABEL = Prepared(sql_delete(LABELS).where(LABELS.c.name == bindparam("name")))


@dataclass(frozen=True, slots=True)
class Order:
    """One term of an order: a column or one of the expressions of `queries`, which are never null."""

    by: ColumnElement[Any]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a select; `next` is the `after` of the following page, JSON values only, or None at the end."""

    rows: list[Row]
    next: tuple[Values, ...] | None


NEWEST = (Order(_C.create_time, descending=True),)


def get(tx: Tx, name: str) -> Row | None:
    """Return a resource, or None. DataLoss naming it when its bytes are damaged."""
    found = tx.one(_GET, name=name)
    return unpack(verified(found)) if found is not None else None


def get_all(tx: Tx, names: Iterable[str]) -> dict[str, Row]:
    """Return those of the named resources that exist, by name."""
    wanted = list(dict.fromkeys(names))
    found: dict[str, Row] = {}
    for start in range(0, len(wanted), 500):
        query = sql_select(*_C).where(_C.name.in_(wanted[start : start + 500]))
        found.update((values[0], unpack(verified(tuple(values)))) for values in tx.connection.execute(query))
    return found


def insert(tx: Tx, row: Row) -> Row:
    """Add a resource; return it with its version. AlreadyExists when the name is taken."""
    if tx.one(_GET, name=row.name) is not None:
        raise AlreadyExists(sentences.RESOURCE_EXISTS.format(name=row.name))
    stored = replace(row, version=history.last_version(tx, row.name) + 1)
    values = pack(stored)
    tx.run(_INSERT, **values, seal=seal(*values.values()))
    _label(tx, stored)
    tx.touch(row.name)
    return stored


def update(tx: Tx, row: Row) -> Row:
    """Replace a resource whose stored version is still `row.version`; return it with the next version.

    What it replaces goes to `history` as having held until `row.update_time`, unless only the notes change.
    Aborted when somebody else changed or deleted it meanwhile.
    """
    old = _current(tx, row)
    stored = replace(row, version=old.version + 1)
    values = pack(stored)
    changed = tx.run(_UPDATE, **values, seal=seal(*values.values()), at_name=row.name, at_version=row.version)
    if changed != 1:
        raise _aborted(row)
    if replace(old, notes=row.notes) != row:
        history.append(tx, old, row.update_time)
    if old.labels != row.labels:
        tx.run(_UNLABEL, name=row.name)
        _label(tx, stored)
    tx.touch(row.name)
    return stored


def delete(tx: Tx, row: Row, at: Micros | None = None) -> None:
    """Remove a resource whose stored version is still `row.version`, at the instant `at` (default `row.update_time`).

    Its last bytes stay in `history` until retention takes them. Aborted as for `update`.
    """
    old = _current(tx, row)
    if tx.run(_DELETE, name=row.name, version=row.version) != 1:
        raise _aborted(row)
    history.append(tx, old, row.update_time if at is None else at, deleted=True)
    if old.labels:
        tx.run(_UNLABEL, name=row.name)
    tx.touch(row.name)


def select(
    tx: Tx,
    kind: str,
    parent_prefix: str = "",
    where: ColumnElement[bool] | None = None,
    order: Sequence[Order] = NEWEST,
    after: Sequence[Values] | None = None,
    limit: int = 100,
    enough: int | None = None,
) -> Page:
    """Return one page of a kind, ordered, with the name as the last term (in the direction of the term before it).

    `parent_prefix` is a parent's full name; one that ends in `/` stands for every parent that begins with it, and an
    empty one for all. `where` is any expression on the columns of `RESOURCES` (see `queries`). `after` is the `next`
    of the page before: pages stay right while rows come and go, and cost the same at any depth. A page that has
    `enough` bytes of messages ends there.
    """
    terms = [*order, Order(_C.name, order[-1].descending if order else False)]
    query = sql_select(*_C, *(term.by for term in order)).where(*_within(kind, parent_prefix, where))
    if after is not None:
        query = query.where(_following(terms, after))
    query = query.order_by(*(term.by.desc() if term.descending else term.by.asc() for term in terms)).limit(limit + 1)
    width = len(FIELDS) + 1
    rows: list[Row] = []
    place: tuple[Any, ...] = ()
    held = 0
    with closing(tx.connection.execute(query)) as found:
        for values in found:
            if rows and (len(rows) == limit or (enough is not None and held >= enough)):
                return Page(rows, (*(_plain(value) for value in place), rows[-1].name))
            rows.append(unpack(verified(tuple(values[:width]))))
            place = tuple(values[width:])
            held += len(rows[-1].message) + len(rows[-1].json)
    return Page(rows[:limit], None)


def count(tx: Tx, kind: str, parent_prefix: str = "", where: ColumnElement[bool] | None = None) -> int:
    """Return how many resources a `select` without paging would give."""
    query = sql_select(func.count()).select_from(RESOURCES).where(*_within(kind, parent_prefix, where))
    return tx.connection.execute(query).scalar_one()


def _current(tx: Tx, row: Row) -> Row:
    old = get(tx, row.name)
    if old is None or old.version != row.version:
        raise _aborted(row)
    return old


def _aborted(row: Row) -> Aborted:
    return Aborted(sentences.RESOURCE_CHANGED.format(name=row.name))


def _label(tx: Tx, row: Row) -> None:
    tx.many(_LABEL, [{"name": row.name, "key": key, "value": value} for key, value in row.labels.items()])


def _within(kind: str, parent_prefix: str, where: ColumnElement[bool] | None) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = [_C.kind == kind]
    if parent_prefix.endswith("/"):
        # "0" is the character after "/": the range is exactly the parents that begin with the prefix.
        terms += [_C.parent >= parent_prefix, _C.parent < parent_prefix[:-1] + "0"]
    elif parent_prefix:
        terms.append(_C.parent == parent_prefix)
    return terms if where is None else [*terms, where]


def _following(terms: Sequence[Order], after: Sequence[Values]) -> ColumnElement[bool]:
    """Return the condition that a row comes after the one with these values."""
    directions = {term.descending for term in terms}
    if len(directions) == 1:
        # A row comparison is what both databases answer from an index.
        row = tuple_(*(term.by for term in terms))
        bound = tuple_(*(bindparam(None, value, term.by.type) for term, value in zip(terms, after, strict=True)))
        return row < bound if directions.pop() else row > bound
    choices: list[ColumnElement[bool]] = []
    for i, term in enumerate(terms):
        same = [earlier.by == value for earlier, value in zip(terms[:i], after, strict=False)]
        further = term.by < after[i] if term.descending else term.by > after[i]
        choices.append(and_(*same, further))
    return or_(*choices)


def _plain(value: Any) -> Values:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    plain: Values = value
    return plain
