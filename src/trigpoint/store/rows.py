"""What the row of a resource is: its columns, its Python value, and the way between them with the seal verified.

`resources` and `history` keep such rows; this file runs no statement.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Column, Index, Table

from trigpoint.core.clock import Micros
from trigpoint.core.errors import DataLoss, InvalidArgument
from trigpoint.store import sentences
from trigpoint.store.schema import METADATA, binary, integer, key, seal, sealed, text
from trigpoint.store.tx import Values


@dataclass(frozen=True, slots=True)
class Row:
    """One resource. `json` is the rendering of `message`; an internal kind holds JSON in `message`, `json` is empty."""

    name: str
    kind: str
    """The collection id: `customJobs`."""
    parent: str
    message: bytes
    json: bytes = b""
    state: str = ""
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    create_time: Micros = 0
    update_time: Micros = 0
    version: int = 0
    """Set by the store; what `resources.update` and `resources.delete` compare."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Bookkeeping of the reconciler, JSON values only, saved in the same compare-and-swap and shown to nobody."""


def columns() -> list[Column[Any]]:
    """Return fresh columns for a table of such rows, in the order of `pack` and `unpack`; its key comes from `name`."""
    numbers = ("create_time", "update_time", "version")
    names = ("name", "kind", "parent", "state", "display_name", *numbers, "labels", "notes", "json")
    return [*(integer(n) if n in numbers else text(n) for n in names), binary("message")]


FIELDS = tuple(column.name for column in columns())

RESOURCES = sealed(
    Table(
        "resources",
        METADATA,
        key("name"),
        *columns()[1:],
        integer("seal"),
        Index("resources_newest", "kind", "parent", "create_time", "name"),
        Index("resources_state", "kind", "state", "name"),
        Index("resources_display_name", "kind", "display_name", "name"),
    )
)
LABELS = Table(
    "labels",
    METADATA,
    key("name"),
    key("key"),
    text("value"),
    Index("labels_by_value", "key", "value", "name"),
)


def pack(row: Row) -> dict[str, Values]:
    """Return the values of the columns by name, without the seal."""
    return {
        "name": row.name,
        "kind": row.kind,
        "parent": row.parent,
        "state": row.state,
        "display_name": row.display_name,
        "create_time": row.create_time,
        "update_time": row.update_time,
        "version": row.version,
        "labels": dump(row.labels, "labels"),
        "notes": dump(row.notes, "notes"),
        "json": row.json.decode(),
        "message": row.message,
    }


def unpack(values: tuple[Any, ...]) -> Row:
    """Return the row of a query's columns, in the order of `columns()`; what follows them is ignored."""
    name, kind, parent, state, display_name, created, updated, version, labels, notes, json, message = values[:12]
    return Row(
        name,
        kind,
        parent,
        message,
        json.encode(),
        state,
        display_name,
        load(labels),
        created,
        updated,
        version,
        load(notes),
    )


def verified(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values without the seal, which is the last; DataLoss naming the resource when it does not fit."""
    if seal(*values[:-1]) != values[-1]:
        raise DataLoss(sentences.RESOURCE_DAMAGED.format(name=values[0]))
    return values[:-1]


def dump(value: Mapping[str, Any], what: str) -> str:
    """Return JSON text of a mapping, keys sorted; InvalidArgument naming `what` when JSON cannot hold it."""
    if not value:
        return "{}"
    try:
        return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as error:
        raise InvalidArgument(sentences.NOT_STORABLE.format(what=what)) from error


def load(value: str) -> dict[str, Any]:
    """Return the mapping of a text that `dump` made."""
    found: dict[str, Any] = orjson.loads(value) if value != "{}" else {}
    return found
