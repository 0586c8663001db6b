"""What resources were before: each commit's replaced row with the instant until which it held; read by time travel."""

from sqlalchemy import Column, Index, Table, bindparam, delete, insert, select

from trigpoint.core.clock import Micros
from trigpoint.store.rows import RESOURCES, Row, columns, pack, unpack, verified
from trigpoint.store.schema import METADATA, integer, seal, sealed
from trigpoint.store.tx import Prepared, Tx

HISTORY = sealed(
    Table(
        "history",
        METADATA,
        *(Column(c.name, c.type, nullable=False, primary_key=c.name in ("name", "version")) for c in columns()),
        integer("until"),
        integer("deleted"),
        integer("seal"),
        Index("history_by_age", "until"),
    )
)

_INSERT = Prepared(insert(HISTORY))
_LAST = Prepared(
    select(HISTORY.c.version).where(HISTORY.c.name == bindparam("name")).order_by(HISTORY.c.version.desc()).limit(1)
)
_BEFORE = Prepared(
    select(*HISTORY.c)
    .where(HISTORY.c.name == bindparam("name"))
    .order_by(HISTORY.c.version.desc())
    .limit(bindparam("limit"))
)
_AT = Prepared(
    select(*HISTORY.c)
    .where(
        HISTORY.c.name == bindparam("name"),
        HISTORY.c.update_time <= bindparam("at"),
        HISTORY.c.until > bindparam("at"),
    )
    .order_by(HISTORY.c.version.desc())
    .limit(1)
)
_NOW = Prepared(select(*RESOURCES.c).where(RESOURCES.c.name == bindparam("name")))
_OLD = select(HISTORY.c.name, HISTORY.c.version).where(HISTORY.c.until < bindparam("before")).limit(bindparam("limit"))
_DROP = Prepared(delete(HISTORY).where(HISTORY.c.name == bindparam("name"), HISTORY.c.version == bindparam("version")))
_OLDEST = Prepared(_OLD)


def append(tx: Tx, row: Row, until: Micros, *, deleted: bool = False) -> None:
    """Keep a row that is being replaced or deleted at `until`. Called by `resources`."""
    values = {**pack(row), "until": until, "deleted": int(deleted)}
    tx.run(_INSERT, **values, seal=seal(*values.values()))


def last_version(tx: Tx, name: str) -> int:
    """Return the newest version kept of a name, or 0: a name used again goes on counting, so no stale write wins."""
    found = tx.one(_LAST, name=name)
    return int(found[0]) if found else 0


def as_of(tx: Tx, name: str, at: Micros) -> Row | None:
    """Return the resource as it was at an instant, or None when it did not exist then or retention has taken it."""
    current = tx.one(_NOW, name=name)
    if current is not None:
        row = unpack(verified(current))
        if row.update_time <= at:
            return row
    found = tx.one(_AT, name=name, at=at)
    return unpack(verified(found)) if found else None


def before(tx: Tx, name: str, limit: int = 100) -> list[tuple[Row, Micros, bool]]:
    """Return earlier rows of a name, newest first: each with the instant it ended and whether by deletion."""
    found = [verified(values) for values in tx.rows(_BEFORE, name=name, limit=limit)]
    return [(unpack(values), values[-2], bool(values[-1])) for values in found]


def prune(tx: Tx, before: Micros, limit: int = 1000) -> int:
    """Forget at most `limit` rows that ended before an instant; return how many. Call again until it returns 0."""
    found = tx.rows(_OLDEST, before=before, limit=limit)
    tx.many(_DROP, [{"name": name, "version": version} for name, version in found])
    return len(found)
