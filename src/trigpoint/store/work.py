"""The durable list of unfinished work: which resource's reconciler has to look at it again after a crash.

What is due when, and who works on it, is kept in memory by the kernel's schedule; one process works on a database.
"""

from sqlalchemy import Table, bindparam, delete, select, text

from trigpoint.core.clock import Micros
from trigpoint.store.schema import METADATA, integer, key
from trigpoint.store.tx import Prepared, Tx

WORK = Table(
    "work",
    METADATA,
    key("kind"),
    key("name"),
    integer("due"),
    integer("stamp"),
)
_C = WORK.c
_PUT = Prepared(
    text(
        "INSERT INTO work (kind, name, due, stamp) VALUES (:kind, :name, :due, :stamp) "
        "ON CONFLICT (kind, name) DO UPDATE SET stamp = excluded.stamp, "
        "due = CASE WHEN excluded.due < work.due THEN excluded.due ELSE work.due END"
    )
)
_FINISH = Prepared(
    delete(WORK).where(_C.kind == bindparam("kind"), _C.name == bindparam("name"), _C.stamp <= bindparam("stamp"))
)
_ALL = Prepared(select(_C.kind, _C.name, _C.due, _C.stamp))


def put(tx: Tx, kind: str, name: str, due: Micros, stamp: int) -> None:
    """Have the reconciler of `kind` see `name`. `stamp` grows with every put of one item. Idempotent."""
    tx.run(_PUT, kind=kind, name=name, due=due, stamp=stamp)


def finish(tx: Tx, kind: str, name: str, stamp: int) -> bool:
    """Remove an item unless it was put again after `stamp`; return whether it was removed."""
    return tx.run(_FINISH, kind=kind, name=name, stamp=stamp) > 0


def everything(tx: Tx) -> list[tuple[str, str, Micros, int]]:
    """Return all unfinished items: kind, name, due, stamp."""
    return [(row[0], row[1], row[2], row[3]) for row in tx.rows(_ALL)]
