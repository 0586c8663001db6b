"""What passed between replicas and the rest of the world, as steps in time: totals that never fall, telemetry only.

A series is what one replica did to one thing: read an object, asked for tokens, printed to a stream. What the words
in `what` and `thing` mean is for those who write and read them. The first step of a series stays as it was; later
ones are at least a second apart, and further the more there are, so that a week needs some hundreds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Index, Table, bindparam, delete, func, select
from sqlalchemy import text as sql_text

from trigpoint.core.clock import SECOND, Micros
from trigpoint.store.schema import TELEMETRY, integer, key
from trigpoint.store.tx import Prepared, Tx

STEPS = Table(
    "steps",
    TELEMETRY,
    key("replica"),
    key("what"),
    key("thing"),
    integer("number", primary_key=True, autoincrement=False),
    integer("begun"),
    integer("time"),
    integer("bytes"),
    integer("lines"),
    integer("count"),
    integer("stamp"),
    Index("steps_by_stamp", "stamp"),
)
_FINE = 60
"""Steps of a series that are only a second apart."""
_OCTAVE = 20
"""Steps after which the time between two of them doubles."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a series had come by a time."""

    replica: str
    """Full name of the replica."""
    what: str
    thing: str
    number: int
    """Place in its series, from 0."""
    begun: Micros
    """When the first thing that it counts passed."""
    time: Micros
    """When the last did: from then on the totals hold."""
    bytes: int = 0
    lines: int = 0
    count: int = 0
    stamp: Micros = 0
    """Grows with every write of a process: what a follower has not seen is above the newest it has."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What passed by a time: increments, or with `total` the totals themselves, which fall only if they are `exact`."""

    time: Micros
    bytes: int = 0
    lines: int = 0
    count: int = 0
    total: bool = False
    exact: bool = False
    begun: Micros = 0
    """When the first of it passed, where it is more than one thing."""

    def and_(self, later: "Growth") -> "Growth":
        """Return both together."""
        if later.total:
            return later
        sums = {name: getattr(self, name) + getattr(later, name) for name in ("bytes", "lines", "count")}
        return replace(self, time=max(self.time, later.time), **sums)


def width(number: int) -> Micros:
    """Return how long a step goes on taking up what passes; the first one takes nothing more."""
    return 0 if number == 0 else SECOND << max(0, (number - _FINE) // _OCTAVE)


def grown(last: Step | None, replica: str, what: str, thing: str, more: Growth) -> Step:
    """Return the step that follows from the last one of a series, which it replaces or comes after. Pure."""
    base = last or Step(replica, what, thing, -1, more.begun or more.time, more.time)
    time = max(base.time, more.time)
    totals = {name: getattr(more, name) for name in ("bytes", "lines", "count")}
    if more.total and not more.exact:
        totals = {name: max(value, getattr(base, name)) for name, value in totals.items()}
    elif not more.total:
        totals = {name: value + getattr(base, name) for name, value in totals.items()}
    if last is not None and time - last.begun < width(last.number):
        return replace(last, time=time, **totals)
    begun = time if last is not None else base.begun
    return replace(base, number=base.number + 1, begun=begun, time=time, **totals)


_C = STEPS.c
_PUT = Prepared(
    sql_text(
        "INSERT INTO steps (replica, what, thing, number, begun, time, bytes, lines, count, stamp) "
        "VALUES (:replica, :what, :thing, :number, :begun, :time, :bytes, :lines, :count, :stamp) "
        "ON CONFLICT (replica, what, thing, number) DO UPDATE SET begun = excluded.begun, time = excluded.time, "
        "bytes = excluded.bytes, lines = excluded.lines, count = excluded.count, stamp = excluded.stamp"
    )
)
_OF = Prepared(
    select(*_C).where(_C.replica == bindparam("replica")).order_by(_C.what, _C.thing, _C.number),
)
_NEWEST = Prepared(select(func.max(_C.stamp)))
# The prefix is compared as a substring so that the index by stamp is what is read: it holds just what is new.
_AFTER = Prepared(
    sql_text(
        "SELECT replica, what, thing, number, begun, time, bytes, lines, count, stamp FROM steps "
        "WHERE stamp > :stamp AND substr(replica, 1, :size) = :prefix ORDER BY stamp, replica, what, thing, number"
    )
)


def put(tx: Tx, steps: Iterable[Step]) -> None:
    """Keep steps, each in place of the one with its number; the notifier wakes who watches their replicas."""
    taken = list(steps)
    tx.many(_PUT, [{name: getattr(step, name) for name in Step.__slots__} for step in taken])
    for replica in {step.replica for step in taken}:
        tx.touch(replica)


def of_replica(tx: Tx, replica: str) -> list[Step]:
    """Return all steps of a replica, series by series, each in order."""
    return [Step(*row) for row in tx.rows(_OF, replica=replica)]


def newest(tx: Tx) -> Micros:
    """Return the newest stamp, or 0: following `after` it shows only what comes."""
    found = tx.one(_NEWEST)
    return int(found[0]) if found and found[0] else 0


def after(tx: Tx, stamp: Micros, prefix: str) -> list[Step]:
    """Return what was written after a stamp about replicas whose names begin with `prefix`, oldest first."""
    return [Step(*row) for row in tx.rows(_AFTER, stamp=stamp, prefix=prefix, size=len(prefix))]


def prune(tx: Tx, before: Micros, limit: int = 1000) -> int:
    """Forget at most `limit` steps written before an instant; return how many. Repeat until it returns 0."""
    keys = STEPS.primary_key.columns
    old = tx.connection.execute(select(*keys).where(_C.stamp < before).limit(limit)).all()
    for row in old:
        tx.connection.execute(delete(STEPS).where(*(c == value for c, value in zip(keys, row, strict=True))))
    return len(old)
