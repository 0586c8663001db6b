"""The append-only narrative: what happened, to whom, in which project; who reads it and why is others' business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Index, Integer, Table, and_, func, insert, or_, select
from sqlalchemy import delete as sql_delete
from sqlalchemy import text as sql_text

from trigpoint.core.clock import Micros
from trigpoint.core.errors import DataLoss
from trigpoint.store import sentences
from trigpoint.store.rows import dump, load
from trigpoint.store.schema import METADATA, SEALED, integer, seal, sealed, text
from trigpoint.store.tx import Prepared, Tx, Values

EVENTS = sealed(
    Table(
        "events",
        METADATA,
        Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        integer("time"),
        text("project"),
        text("subject"),
        text("kind"),
        text("place"),
        text("actor"),
        text("data"),
        integer("seal"),
        Index("events_by_subject", "subject", "seq"),
        Index("events_by_project", "project", "seq"),
        # Numbers are never used twice, also when the newest events were pruned.
        sqlite_autoincrement=True,
    ),
    "time",
    "project",
    "subject",
    "kind",
    "place",
    "actor",
    "data",
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    seq: int
    """Increases in the order of commits, with gaps; never used twice."""
    time: Micros
    project: str
    """Number of the project it happened in; empty for the home itself."""
    subject: str
    """Full name of the resource it happened to."""
    kind: str
    """A dotted word that says what: `job.state`."""
    where: str = ""
    """Where it happened: a replica, a node, a tenant project."""
    actor: str = ""
    """The identity that caused it; empty for the server's own doing."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Details, JSON values only."""


_INSERT = Prepared(insert(EVENTS).returning(EVENTS.c.seq), *(column.name for column in SEALED[EVENTS]), "seal")
# The numbers must become visible in their order, or a follower would miss the one that commits late.
_LOCK = Prepared(sql_text("SELECT pg_advisory_xact_lock(7400)"))
_LAST = Prepared(select(func.max(EVENTS.c.seq)))


def append(
    tx: Tx,
    *,
    time: Micros,
    project: str,
    subject: str,
    kind: str,
    where: str = "",
    actor: str = "",
    data: Mapping[str, Any] | None = None,
) -> int:
    """Add an event and return its number; the notifier wakes who watches `subject`."""
    if not tx.sqlite:
        tx.one(_LOCK)
    values: dict[str, Values] = {
        "time": time,
        "project": project,
        "subject": subject,
        "kind": kind,
        "place": where,
        "actor": actor,
        "data": dump(data or {}, "data of an event"),
    }
    found = tx.one(_INSERT, **values, seal=seal(*values.values()))
    assert found is not None
    tx.touch(subject)
    return int(found[0])


def after(
    tx: Tx, seq: int, limit: int = 1000, subject_prefix: str | None = None, project: str | None = None
) -> list[Event]:
    """Return events after a number, oldest first; of a resource and all below it, and of a project, when given."""
    query = select(*EVENTS.c).where(EVENTS.c.seq > seq, *_about(subject_prefix, project))
    return [_event(tuple(row)) for row in tx.connection.execute(query.order_by(EVENTS.c.seq).limit(limit))]


def before(
    tx: Tx, seq: int | None = None, limit: int = 100, subject_prefix: str | None = None, project: str | None = None
) -> list[Event]:
    """Return events before a number (default: from the newest), newest first, narrowed as in `after`."""
    query = select(*EVENTS.c).where(*_about(subject_prefix, project))
    if seq is not None:
        query = query.where(EVENTS.c.seq < seq)
    return [_event(tuple(row)) for row in tx.connection.execute(query.order_by(EVENTS.c.seq.desc()).limit(limit))]


def last(tx: Tx) -> int:
    """Return the number of the newest event kept, or 0: following `after` it shows only what comes."""
    found = tx.one(_LAST)
    return int(found[0]) if found and found[0] else 0


def prune(tx: Tx, before: Micros, limit: int = 1000) -> int:
    """Forget the oldest events, at most `limit`, up to an instant; return how many. Repeat until it returns 0."""
    oldest = tx.connection.execute(select(EVENTS.c.seq, EVENTS.c.time).order_by(EVENTS.c.seq).limit(limit)).all()
    old = [seq for seq, time in oldest if time < before]
    for start in range(0, len(old), 500):
        tx.connection.execute(sql_delete(EVENTS).where(EVENTS.c.seq.in_(old[start : start + 500])))
    return len(old)


def _about(subject_prefix: str | None, project: str | None) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    if subject_prefix:
        # "0" is the character after "/": the range is what lies below the resource.
        below = and_(EVENTS.c.subject > subject_prefix + "/", EVENTS.c.subject < subject_prefix + "0")
        terms.append(or_(EVENTS.c.subject == subject_prefix, below))
    if project is not None:
        terms.append(EVENTS.c.project == project)
    return terms


def _event(row: tuple[Any, ...]) -> Event:
    seq, time, project, subject, kind, place, actor, data, mark = row
    if seal(*row[1:-1]) != mark:
        raise DataLoss(sentences.EVENT_DAMAGED.format(seq=seq))
    return Event(seq, time, project, subject, kind, place, actor, load(data))
