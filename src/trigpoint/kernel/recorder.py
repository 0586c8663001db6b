"""Remembers what was observed of replicas for a moment, merged, and writes it down in batches for those who follow.

What nobody had seen before (a replica opens an object, prints its first line) is written at once, everything else a
fifth of a second later at most. A kill loses what is in memory; what is written down is whole.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from trigpoint.core.clock import Clock
from trigpoint.core.errors import TrigpointError
from trigpoint.store import Store, Tx, steps, telemetry
from trigpoint.store.steps import Growth, Step
from trigpoint.store.telemetry import Access, Heartbeat, Point

log = structlog.get_logger(__name__)

SOON, LATER = 0.01, 0.2
"""Seconds from an observation to its being written: of a new thing, of anything else."""
_GAP = 0.03
"""Least seconds between two batches."""
_RETRY = 2.0
FULL = 2000
"""Accesses that are remembered before a flush is due at once, whoever calls it."""
MOST_THINGS = 300
"""Things of one kind that a replica gets a series for each, and as many groups; the rest goes to the largest group."""
_REPLICAS = 500
_FIRSTS = 50_000

Things = Sequence[str]
"""A thing and the groups that it belongs to, from the smallest to the largest."""
_Key = tuple[str, str, tuple[str, ...]]


@dataclass
class _Batch:
    """What waits to be written."""

    accesses: dict[tuple[str, str, str, int, bool], Access] = field(default_factory=dict)
    growths: dict[_Key, list[Growth]] = field(default_factory=dict)
    """Of each series its first growth by itself, and everything after together."""
    beats: dict[str, Heartbeat] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """Replicas whose heartbeats these are."""

    def __bool__(self) -> bool:
        return bool(self.accesses or self.growths or self.beats)

    def access(self, access: Access) -> None:
        key = (access.attempt, access.identity, access.uri, access.generation, access.write)
        old = self.accesses.get(key)
        self.accesses[key] = access if old is None else _merged(old, access)

    def grow(self, key: _Key, growth: Growth) -> None:
        known = self.growths.setdefault(key, [])
        if len(known) < 2:
            known.append(growth)
        else:
            known[1] = known[1].and_(growth)

    def beat(self, name: str, beat: Heartbeat, points: Sequence[Point]) -> None:
        old = self.beats.get(beat.replica)
        if old is None or old.time <= beat.time:
            self.beats[beat.replica] = beat
        self.points += points
        self.names.add(name)

    def before(self, later: "_Batch") -> "_Batch":
        """Return both together: this one could not be written."""
        for access in later.accesses.values():
            self.access(access)
        for key, growths in later.growths.items():
            for growth in growths:
                self.grow(key, growth)
        self.beats |= later.beats
        self.points += later.points
        self.names |= later.names
        return self


@dataclass
class _Known:
    """The series of a replica: the newest step of each, None where the first is not written yet."""

    newest: dict[tuple[str, str], Step | None]
    things: Counter[str]

    def place(self, what: str, things: tuple[str, ...]) -> str:
        """Return the first of the things that has a series, or room for one."""
        for level, thing in enumerate(things, 1):
            if (what, thing) in self.newest:
                return thing
            if self.things[what] < MOST_THINGS * level or thing == things[-1]:
                self.newest[what, thing] = None
                self.things[what] += thing != things[-1]
                return thing
        raise AssertionError("a series needs a thing")


class Recorder:
    """Takes observations. Thread-safe; taking one never raises and never waits for the disk."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._wake = threading.Condition()
        self._batch = _Batch()
        self._due = float("inf")
        self._closed = False
        self._firsts: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._writing = threading.Lock()
        self._replicas: OrderedDict[str, _Known] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write by itself; without it, only `flush` writes."""
        self._thread.start()

    def close(self) -> None:
        """Write what is left and end."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self.flush()
        except TrigpointError as error:
            log.warning("observations not written", reason=error.message)

    def access(self, access: Access, what: str, things: Things) -> None:
        """Note that somebody touched an object; of a replica, it is a step of a series `what` of `things` as well."""
        growth = Growth(access.last_time, access.bytes, count=access.count)
        with self._wake:
            self._batch.access(access)
            if access.attempt and what:
                self._grow(access.attempt, what, things, growth)
            else:
                self._hurry(LATER)

    def passed(self, replica: str, what: str, things: Things, growth: Growth) -> None:
        """Note that something passed between a replica and a thing."""
        with self._wake:
            self._grow(replica, what, things, growth)

    def beat(self, replica: str, beat: Heartbeat, points: Sequence[Point]) -> None:
        """Note a sign of life of the replica of this full name."""
        with self._wake:
            self._batch.beat(replica, beat, points)
            self._hurry(LATER)

    @property
    def full(self) -> bool:
        """Whether so much is remembered that a flush is due at once."""
        return len(self._batch.accesses) >= FULL

    def flush(self) -> int:
        """Write down what was noted before this call; return how many facts. They are noted again when it fails."""
        with self._writing:
            with self._wake:
                batch, self._batch = self._batch, _Batch()
                self._due = float("inf")
            if not batch:
                return 0
            try:
                self._write(batch)
            except BaseException:
                with self._wake:
                    self._batch = batch.before(self._batch)
                    self._hurry(_RETRY)
                raise
            return len(batch.accesses) + len(batch.growths) + len(batch.beats)

    def _grow(self, replica: str, what: str, things: Things, growth: Growth) -> None:
        self._batch.grow((replica, what, tuple(things)), growth)
        first = (replica, what, things[0])
        new = first not in self._firsts
        if new:
            self._firsts[first] = None
            if len(self._firsts) > _FIRSTS:
                self._firsts.popitem(last=False)
        self._hurry(SOON if new else LATER)

    def _hurry(self, seconds: float) -> None:
        due = self._clock.monotonic() + seconds
        if due < self._due:
            self._due = due
            self._wake.notify_all()

    def _run(self) -> None:
        earliest = 0.0
        while True:
            with self._wake:
                while not self._closed and (left := max(self._due, earliest) - self._clock.monotonic()) > 0:
                    self._wake.wait(min(left, 3600.0))
                if self._closed:
                    return
            try:
                self.flush()
            except TrigpointError as error:
                log.warning("observations not written", reason=error.message)
            earliest = self._clock.monotonic() + _GAP

    def _write(self, batch: _Batch) -> None:
        fresh = self._steps(batch)
        stamp = self._clock.now()
        written = [replace(step, stamp=stamp) for chain in fresh.values() for step in chain]

        def unit(tx: Tx) -> None:
            telemetry.record_accesses(tx, batch.accesses.values())
            steps.put(tx, written)
            telemetry.add_points(tx, batch.points)
            telemetry.beat(tx, batch.beats.values())
            for name in batch.names:
                tx.touch(name)

        self._store.telemetry.write(unit)
        for chain in fresh.values():
            newest = chain[-1]
            self._known(newest.replica).newest[newest.what, newest.thing] = newest
        while len(self._replicas) > _REPLICAS:
            self._replicas.popitem(last=False)

    def _steps(self, batch: _Batch) -> dict[tuple[str, str, str], list[Step]]:
        """Return the steps that a batch makes, by series: a step that is only taken further has its old number."""
        fresh: dict[tuple[str, str, str], list[Step]] = {}
        for (replica, what, things), growths in batch.growths.items():
            known = self._known(replica)
            thing = known.place(what, things)
            chain = fresh.setdefault((replica, what, thing), [])
            for growth in growths:
                last = chain[-1] if chain else known.newest[what, thing]
                step = steps.grown(last, replica, what, thing, growth)
                if chain and chain[-1].number == step.number:
                    chain[-1] = step
                else:
                    chain.append(step)
        return fresh

    def _known(self, replica: str) -> _Known:
        """Return what is known of a replica; read when it was not heard of for long."""
        if replica not in self._replicas:
            found = self._store.telemetry.read(lambda tx: steps.of_replica(tx, replica))
            newest: dict[tuple[str, str], Step | None] = {(step.what, step.thing): step for step in found}
            self._replicas[replica] = _Known(newest, Counter(what for what, _ in newest))
        self._replicas.move_to_end(replica)
        return self._replicas[replica]


def _merged(old: Access, new: Access) -> Access:
    return replace(
        old,
        bytes=old.bytes + new.bytes,
        count=old.count + new.count,
        first_time=min(old.first_time, new.first_time),
        last_time=max(old.last_time, new.last_time),
    )
