"""The rows of long-running operations; when one begins, ends or is waited for is the kernel's business."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Index, Table, bindparam, delete, insert, select, tuple_, update

from trigpoint.core.clock import Micros
from trigpoint.core.errors import Aborted, AlreadyExists, DataLoss
from trigpoint.store import sentences
from trigpoint.store.schema import METADATA, binary, integer, key, seal, sealed, text
from trigpoint.store.tx import Prepared, Tx

OPERATIONS = sealed(
    Table(
        "operations",
        METADATA,
        key("name"),
        text("parent"),
        text("target"),
        text("method"),
        text("owner"),
        integer("done"),
        integer("create_time"),
        integer("update_time"),
        integer("version"),
        text("json"),
        binary("message"),
        integer("seal"),
        Index("operations_newest", "parent", "create_time", "name"),
        Index("operations_by_target", "target", "name"),
        Index("operations_by_age", "done", "update_time"),
    )
)
_FIELDS = tuple(column.name for column in OPERATIONS.c)


@dataclass(frozen=True, slots=True)
class Operation:
    """One google.longrunning.Operation as bytes, its JSON beside it, and what it is about."""

    name: str
    parent: str
    """What stands before `/operations/` in the name."""
    target: str
    """Full name of the resource it works on."""
    method: str
    """Full name of the RPC that began it."""
    message: bytes
    json: bytes = b""
    done: bool = False
    owner: str = ""
    """The identity that began it."""
    create_time: Micros = 0
    update_time: Micros = 0
    version: int = 0
    """Set by the store; what `save` compares."""


_C = OPERATIONS.c
_GET = Prepared(select(*_C).where(_C.name == bindparam("name")))
_INSERT = Prepared(insert(OPERATIONS))
_UPDATE = Prepared(
    update(OPERATIONS).where(_C.name == bindparam("at_name"), _C.version == bindparam("at_version")), *_FIELDS[1:]
)
_DELETE = Prepared(delete(OPERATIONS).where(_C.name == bindparam("name")))


def add(tx: Tx, operation: Operation) -> Operation:
    """Store a new operation; return it with its version. AlreadyExists when the name is taken."""
    if tx.one(_GET, name=operation.name) is not None:
        raise AlreadyExists(sentences.OPERATION_EXISTS.format(name=operation.name))
    stored = replace(operation, version=1)
    tx.run(_INSERT, **_values(stored))
    tx.touch(operation.name)
    return stored


def get(tx: Tx, name: str) -> Operation | None:
    """Return an operation, or None. DataLoss when its bytes are damaged."""
    found = tx.one(_GET, name=name)
    return _operation(found) if found is not None else None


def save(tx: Tx, operation: Operation) -> Operation:
    """Replace an operation whose stored version is still this one's; return it with the next. Aborted otherwise."""
    stored = replace(operation, version=operation.version + 1)
    if not tx.run(_UPDATE, **_values(stored), at_name=operation.name, at_version=operation.version):
        raise Aborted(sentences.OPERATION_CHANGED.format(name=operation.name))
    tx.touch(operation.name)
    return stored


def remove(tx: Tx, name: str) -> bool:
    """Forget an operation; return whether there was one."""
    tx.touch(name)
    return tx.run(_DELETE, name=name) > 0


def select_page(
    tx: Tx,
    parent: str,
    where: ColumnElement[bool] | None = None,
    after: Sequence[Any] | None = None,
    limit: int = 100,
) -> tuple[list[Operation], tuple[int, str] | None]:
    """Return operations of a parent (one ending in `/`: of all that begin so), newest first, and what comes `after`."""
    query = select(*_C)
    if parent.endswith("/"):
        query = query.where(_C.parent >= parent, _C.parent < parent[:-1] + "0")
    else:
        query = query.where(_C.parent == parent)
    if where is not None:
        query = query.where(where)
    key = tuple_(_C.create_time, _C.name)
    if after is not None:
        query = query.where(key < tuple_(*after))
    query = query.order_by(_C.create_time.desc(), _C.name.desc()).limit(limit + 1)
    found = [_operation(tuple(row)) for row in tx.connection.execute(query)]
    page = found[:limit]
    return page, (page[-1].create_time, page[-1].name) if len(found) > limit and page else None


def of_target(tx: Tx, target: str, *, running: bool = False) -> list[Operation]:
    """Return the operations on a resource, oldest first, on request only those not done."""
    query = select(*_C).where(_C.target == target).order_by(_C.create_time, _C.name)
    if running:
        query = query.where(_C.done == 0)
    return [_operation(tuple(row)) for row in tx.connection.execute(query)]


def prune(tx: Tx, before: Micros, limit: int = 1000) -> int:
    """Forget at most `limit` operations done before an instant; return how many. Repeat until it returns 0."""
    query = select(_C.name).where(_C.done == 1, _C.update_time < before).limit(limit)
    names = tx.connection.execute(query).scalars().all()
    tx.many(_DELETE, [{"name": name} for name in names])
    return len(names)


def _values(operation: Operation) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": operation.name,
        "parent": operation.parent,
        "target": operation.target,
        "method": operation.method,
        "owner": operation.owner,
        "done": int(operation.done),
        "create_time": operation.create_time,
        "update_time": operation.update_time,
        "version": operation.version,
        "json": operation.json.decode(),
        "message": operation.message,
    }
    values["seal"] = seal(*values.values())
    return values


def _operation(row: tuple[Any, ...]) -> Operation:
    name, parent, target, method, owner, done, created, updated, version, json, message, mark = row
    if seal(*row[:-1]) != mark:
        raise DataLoss(sentences.OPERATION_DAMAGED.format(name=name))
    return Operation(name, parent, target, method, message, json.encode(), bool(done), owner, created, updated, version)
