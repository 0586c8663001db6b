"""Due work: which resource wants its reconciler when, claimed by token; who works and on what is `workers`' business.

A wake that arrives while an item is being worked on is kept beside it and makes the item due again at its end.
"""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Table, Text, bindparam, delete, func, select, text

from trigpoint.core.clock import Micros
from trigpoint.core.errors import Aborted
from trigpoint.store.schema import METADATA, integer
from trigpoint.store.schema import text as text_column
from trigpoint.store.tx import Prepared, Tx, Values

WORK = Table(
    "work",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    integer("due"),
    Column("wake", BigInteger, nullable=True),
    text_column("token"),
    integer("failures"),
    Index("work_by_due", "due"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One claimed piece of work; it is its holder's until the lease it was claimed with ends."""

    kind: str
    name: str
    due: Micros
    """When the lease ends."""
    failures: int
    """As last given to `reschedule`: for back-off, the wakes between do not reset it."""
    token: str


# While an item is claimed, `due` is the end of its lease and `wake` the earliest instant asked for meanwhile.
_PUT = Prepared(
    text(
        "INSERT INTO work (kind, name, due, wake, token, failures) VALUES (:kind, :name, :due, NULL, '', 0) "
        "ON CONFLICT (kind, name) DO UPDATE SET "
        "due = CASE WHEN work.token = '' AND excluded.due < work.due THEN excluded.due ELSE work.due END, "
        "wake = CASE WHEN work.token = '' THEN NULL "
        "WHEN work.wake IS NULL OR excluded.due < work.wake THEN excluded.due ELSE work.wake END"
    )
)
_CLAIM = (
    "UPDATE work SET token = :token, due = :lease, wake = CASE WHEN wake <= :now THEN NULL ELSE wake END "
    "WHERE (kind, name) IN (SELECT kind, name FROM work WHERE due <= :now ORDER BY due LIMIT :limit{lock}) "
    "RETURNING kind, name, due, failures, token"
)
_CLAIM_SQLITE = Prepared(text(_CLAIM.format(lock="")))
_CLAIM_POSTGRES = Prepared(text(_CLAIM.format(lock=" FOR UPDATE SKIP LOCKED")))
_MINE = (
    WORK.c.kind == bindparam("kind"),
    WORK.c.name == bindparam("name"),
    WORK.c.token == bindparam("token"),
)
_FINISH = Prepared(delete(WORK).where(*_MINE, WORK.c.wake.is_(None)))
_WOKEN = Prepared(
    text(
        "UPDATE work SET due = wake, wake = NULL, token = '', failures = 0 "
        "WHERE kind = :kind AND name = :name AND token = :token AND wake IS NOT NULL"
    )
)
_RESCHEDULE = Prepared(
    text(
        "UPDATE work SET due = CASE WHEN wake < :due THEN wake ELSE :due END, wake = NULL, token = '', "
        "failures = :failures WHERE kind = :kind AND name = :name AND token = :token"
    )
)
_RENEW = Prepared(text("UPDATE work SET due = :lease WHERE kind = :kind AND name = :name AND token = :token"))
_RELEASE = Prepared(text("UPDATE work SET due = 0, token = '' WHERE token <> ''"))
_NEXT = Prepared(select(func.min(WORK.c.due)))
_DROP = Prepared(delete(WORK).where(WORK.c.kind == bindparam("kind"), WORK.c.name == bindparam("name")))


def put(tx: Tx, kind: str, name: str, due: Micros) -> None:
    """Have the reconciler of `kind` see `name` at `due` or earlier. Idempotent; never makes an item later."""
    tx.run(_PUT, kind=kind, name=name, due=due)


def claim(tx: Tx, now: Micros, token: str, lease_until: Micros, limit: int) -> list[Item]:
    """Take up to `limit` items that are due or whose lease has ended. No two claims hold one item at a time."""
    statement = _CLAIM_SQLITE if tx.sqlite else _CLAIM_POSTGRES
    return [Item(*row) for row in tx.rows(statement, now=now, token=token, lease=lease_until, limit=limit)]


def finish(tx: Tx, item: Item) -> None:
    """End the item, unless it was woken meanwhile: then it stays, due when asked. Aborted when the lease was lost."""
    mine: dict[str, Values] = {"kind": item.kind, "name": item.name, "token": item.token}
    if not tx.run(_FINISH, **mine) and not tx.run(_WOKEN, **mine):
        raise _lost(item)


def reschedule(tx: Tx, item: Item, due: Micros, failures: int = 0) -> None:
    """Give the item back, to be seen at `due` or at the earliest wake since. Aborted when the lease was lost."""
    mine: dict[str, Values] = {"kind": item.kind, "name": item.name, "token": item.token}
    if not tx.run(_RESCHEDULE, **mine, due=due, failures=failures):
        raise _lost(item)


def renew(tx: Tx, item: Item, lease_until: Micros) -> None:
    """Hold the item longer. Aborted when the lease was lost."""
    if not tx.run(_RENEW, kind=item.kind, name=item.name, token=item.token, lease=lease_until):
        raise _lost(item)


def release_all(tx: Tx) -> int:
    """Make every claimed item due at once; return how many. For the start of the only server of a database."""
    return tx.run(_RELEASE)


def next_due(tx: Tx) -> Micros | None:
    """Return the earliest instant at which `claim` will find something, or None when there is no work at all."""
    found = tx.one(_NEXT)
    return None if found is None else found[0]


def drop(tx: Tx, kind: str, name: str) -> None:
    """Forget the item, claimed or not: the resource is gone."""
    tx.run(_DROP, kind=kind, name=name)


def _lost(item: Item) -> Aborted:
    return Aborted(f"The work on {item.name} was taken over by another worker: leave it.")
