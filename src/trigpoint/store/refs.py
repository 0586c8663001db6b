"""Who uses whom: a user says so in its own transaction, so that delete rules and derived fields read rows."""

from dataclasses import dataclass

from sqlalchemy import Index, Table, bindparam, delete, select, text

from trigpoint.store.schema import METADATA, key
from trigpoint.store.tx import Prepared, Tx

REFS = Table(
    "refs",
    METADATA,
    key("user_name"),
    key("used_name"),
    key("kind"),
    Index("refs_by_used", "used_name", "kind", "user_name"),
)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """`user` uses `used`, both full resource names; `kind` is the user's word for how."""

    user: str
    used: str
    kind: str


_ADD = Prepared(
    text("INSERT INTO refs (user_name, used_name, kind) VALUES (:user, :used, :kind) ON CONFLICT DO NOTHING")
)
_OF_USER = REFS.c.user_name == bindparam("user")
_OF_USED = REFS.c.used_name == bindparam("used")
_OF_KIND = REFS.c.kind == bindparam("kind")
_DROP_ALL = Prepared(delete(REFS).where(_OF_USER))
_DROP_USED = Prepared(delete(REFS).where(_OF_USER, _OF_USED))
_DROP = Prepared(delete(REFS).where(_OF_USER, _OF_USED, _OF_KIND))
_USERS = Prepared(select(*REFS.c).where(_OF_USED).order_by(REFS.c.kind, REFS.c.user_name))
_USERS_OF_KIND = Prepared(select(*REFS.c).where(_OF_USED, _OF_KIND).order_by(REFS.c.user_name))
_USED = Prepared(select(*REFS.c).where(_OF_USER).order_by(REFS.c.used_name, REFS.c.kind))


def add(tx: Tx, user: str, used: str, kind: str) -> None:
    """Record a use. Idempotent."""
    tx.run(_ADD, user=user, used=used, kind=kind)


def drop(tx: Tx, user: str, used: str | None = None, kind: str | None = None) -> int:
    """Forget what `user` uses: everything, all of one resource, or one kind of use of it; return how many."""
    if used is None:
        return tx.run(_DROP_ALL, user=user)
    return tx.run(_DROP_USED, user=user, used=used) if kind is None else tx.run(_DROP, user=user, used=used, kind=kind)


def users(tx: Tx, used: str, kind: str | None = None) -> list[Ref]:
    """Return the uses of a resource, of one kind when given."""
    rows = tx.rows(_USERS, used=used) if kind is None else tx.rows(_USERS_OF_KIND, used=used, kind=kind)
    return [Ref(*row) for row in rows]


def used_by(tx: Tx, user: str) -> list[Ref]:
    """Return what a resource uses."""
    return [Ref(*row) for row in tx.rows(_USED, user=user)]
