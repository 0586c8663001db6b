"""What one replica exchanged with the rest of the world: its series as edges whose amounts grow in time. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trigpoint.console.picture.places import Place, Places, split
from trigpoint.console.picture.records import ASKS, COPIES, FOUND, OPENED, PRINTS, READS, SAVED, WRITES, Member, Series
from trigpoint.console.picture.sheet import edge
from trigpoint.console.picture.wire import Amount, Edge
from trigpoint.core.clock import Micros
from trigpoint.store import steps
from trigpoint.store.steps import Step
from trigpoint.store.telemetry import Heartbeat

MOST = 240
"""Amounts of an edge beyond which those that lie close together are left out."""
TOKENS = frozenset({"token", "identity"})
_LABELS = {OPENED: "gcs", SAVED: "gcs", FOUND: "found"}
MADE = frozenset({WRITES, SAVED, FOUND})
_FILES = frozenset({READS, OPENED, *MADE})
Steps = Sequence[Step]


@dataclass(frozen=True, slots=True)
class Touch:
    """An object (or many, with a star) as one replica touched it."""

    uri: str
    generation: str
    replica: str
    """Id of the replica's node."""
    time: Micros
    last: Micros
    read: int
    written: int
    opens: int
    size: int = 0
    """Bytes of the object where they are known from the access itself."""
    copies: Sequence[Steps] = ()
    """The series of what storage itself put into it from other objects."""
    made: bool = False
    """Whether it was written."""
    growth: Steps = ()
    """How the size of a file below /gcs came about."""

    def size_by(self, time: Micros) -> int:
        """Return the bytes that it had by a time."""
        return max((step.bytes for step in self.growth if step.time <= time), default=self.size or self.copied(time))

    def copied(self, time: float = math.inf) -> int:
        """Return the bytes that storage itself had put into it by a time."""
        passed = ([step.bytes for step in chain if step.time <= time] for chain in self.copies)
        return sum(found[-1] for found in passed if found)


@dataclass(frozen=True)
class Flow:
    """Everything of one replica."""

    edges: Sequence[Edge]
    touched: Mapping[Place, Sequence[Touch]]
    copied: Mapping[tuple[str, str], Sequence[Steps]]
    """Series of what storage copied from one place to another, by the ids of both."""
    tokens: Sequence[Steps]
    """The series of tokens that it was given."""


def node_of(member: Member) -> str:
    """Return the id of a replica's node."""
    return f"attempt/{member.attempt}/replica/{member.record.task}"


def flow(member: Member, series: Series, beat: Heartbeat | None, where: Places, since: Micros) -> Flow:
    """Return what a replica exchanged; `since` is when its node begins."""
    me = node_of(member)
    chains: dict[tuple[str, Place], list[Steps]] = {}
    touched: dict[Place, dict[str, Touch]] = {}
    copied: dict[tuple[str, str], list[Steps]] = {}
    asked: dict[str, list[Steps]] = {}
    for (what, thing), chain in series.items():
        if what in _FILES:
            if renamed(what, chain):
                continue
            place = where.of(thing)
            chains.setdefault((what, place), []).append(chain)
            _touch(touched.setdefault(place, {}), me, what, thing, chain, since)
        elif what == COPIES:
            of, _, to = thing.partition("\n")
            source, target = where.of(of), where.of(to)
            _touch(touched.setdefault(source, {}), me, READS, of, chain, since, copied=True)
            _touch(touched.setdefault(target, {}), me, WRITES, to, chain, since, copied=True)
            chains.setdefault((what, target), []).append(chain)
            if source != target:
                copied.setdefault((source.id, target.id), []).append(chain)
        elif what == ASKS:
            asked.setdefault("tokens" if thing in TOKENS else "other", []).append(chain)
    edges = [_edge(what, place, me, found, since) for (what, place), found in chains.items()]
    metadata = f"attempt/{member.attempt}/metadata"
    edges += [_made("asks", me, metadata, found, since, label) for label, found in asked.items()]
    said = printed(member, series, beat)
    if said:
        edges.append(_made("logs", me, "logs", said, since))
    things = {place: list(each.values()) for place, each in touched.items()}
    return Flow(edges, things, copied, asked.get("tokens", ()))


def printed(member: Member, series: Series, beat: Heartbeat | None) -> list[Steps]:
    """Return the series of what a replica printed: as reported on the way, and with what its end says."""
    found = {thing: chain for (what, thing), chain in series.items() if what == PRINTS}
    if not found and beat is not None:
        logs: Mapping[str, int] = beat.body.get("logs") or {}
        found = {thing: [_total(None, thing, beat.time, size, 0)] for thing, size in logs.items() if size}
    record = member.record
    ended = record.times.get("ENDED", 0)
    lines = record.printed.get("lines", {})
    for thing, size in record.printed.get("logs", {}).items():
        chain = found.get(thing, ())
        last = chain[-1] if chain else None
        if last is None or (last.bytes, last.lines) < (size, lines.get(thing, 0)):
            found[thing] = [*chain, _total(last, thing, ended, size, lines.get(thing, 0))]
    return [found[thing] for thing in sorted(found)]


def timeline(chains: Sequence[Steps], since: Micros) -> tuple[Amount, ...]:
    """Return series together as amounts, none before `since`; the same beginning for series that only go on."""
    if len(chains) == 1:
        found = [Amount(max(step.time, since), step.bytes, lines=step.lines, count=step.count) for step in chains[0]]
    else:
        found = _merged(chains, since)
    return tuple(_thinned(found) if len(found) > MOST else found)


def _merged(chains: Sequence[Steps], since: Micros) -> list[Amount]:
    passed: list[tuple[Micros, int, int, int]] = []
    for chain in chains:
        size = lines = count = 0
        for step in chain:
            passed.append((step.time, step.bytes - size, step.lines - lines, step.count - count))
            size, lines, count = step.bytes, step.lines, step.count
    passed.sort()
    found: list[Amount] = []
    size = lines = count = 0
    for time, more, further, opens in passed:
        size, lines, count = size + more, lines + further, count + opens
        made = Amount(max(time, since), size, lines=lines, count=count)
        if found and found[-1].time == made.time:
            found[-1] = made
        else:
            found.append(made)
    return found


def _thinned(found: list[Amount]) -> list[Amount]:
    """Return amounts of which later ones lie further apart, as in `store.steps`; the last one always stays."""
    kept = found[:1]
    for amount in found[1:-1]:
        if amount.time - kept[-1].time >= steps.width(len(kept)):
            kept.append(amount)
    return [*kept, found[-1]]


def _edge(what: str, place: Place, me: str, chains: Sequence[Steps], since: Micros) -> Edge:
    """Return the edge of reads, writes or orders to copy: it points the way the bytes go, or the copies."""
    if what == COPIES:
        return _made("orders", me, place.id, chains, since)
    label = _LABELS.get(what, "")
    if what in MADE:
        return _made("writes", me, place.id, chains, since, label)
    return _made("fetches" if place.kind == "package" else "reads", place.id, me, chains, since, label)


def _made(kind: str, source: str, target: str, chains: Sequence[Steps], since: Micros, label: str = "") -> Edge:
    amounts = timeline(chains, since)
    first = max(since, min(chain[0].begun for chain in chains))
    return edge(kind, source, target, first, until=amounts[-1].time, amounts=amounts, label=label)  # type: ignore[arg-type]


def _touch(
    touched: dict[str, Touch], me: str, what: str, thing: str, chain: Steps, since: Micros, *, copied: bool = False
) -> None:
    first, last = chain[0], chain[-1]
    begun = max(first.begun, since)
    made = what in MADE
    if copied:  # by storage itself: the replica neither read nor wrote
        size, copies = (0, (chain,)) if made else (first.bytes, ())
        found = Touch(*split(thing), me, begun, last.time, 0, 0, 0, size, copies, made)
    else:
        size = 0 if what == READS else first.bytes if what == WRITES else last.bytes
        read, written = last.bytes if what == READS else 0, last.bytes if made else 0
        growth = chain if what == SAVED else ()
        found = Touch(*split(thing), me, begun, last.time, read, written, last.count, size, (), made, growth)
    touched[thing] = found if thing not in touched else _both(touched[thing], found)


def _total(last: Step | None, thing: str, time: Micros, size: int, lines: int) -> Step:
    growth = steps.Growth(time, size, lines=lines, total=True)
    made = steps.grown(last, "", PRINTS, thing, growth)
    return made if last is None or made.number > last.number else replace(made, number=last.number + 1)


def joined(touches: Iterable[Touch]) -> dict[tuple[str, str], Touch]:
    """Return objects by URI and generation, whoever touched them; a file below /gcs as its newest generation."""
    known = list(touches)
    found: dict[tuple[str, str], Touch] = {}
    newest = newest_of((touch.uri, touch.generation) for touch in known)
    for touch in known:
        key = (touch.uri, touch.generation or newest[touch.uri])
        touch = touch if touch.generation == key[1] else replace(touch, generation=key[1])
        found[key] = touch if key not in found else replace(_both(found[key], touch), replica="")
    return found


def newest_of(keys: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the newest generation of each URI among URIs with generations; empty where none is known."""
    newest: dict[str, str] = {}
    for uri, generation in keys:
        newest[uri] = max(newest.get(uri, ""), generation, key=int_of)
    return newest


def renamed(what: str, chain: Steps) -> bool:
    """Return whether a file that was written below /gcs has another name now, and counts there."""
    return what == SAVED and not chain[-1].count


def int_of(generation: str) -> int:
    """Return a generation as a number; 0 where there is none."""
    return int(generation or 0)


def _both(one: Touch, other: Touch) -> Touch:
    return replace(
        one,
        time=min(one.time, other.time),
        last=max(one.last, other.last),
        read=one.read + other.read,
        written=one.written + other.written,
        opens=one.opens + other.opens,
        size=max(one.size, other.size),
        copies=(*one.copies, *other.copies),
        made=one.made or other.made,
        growth=(*one.growth, *other.growth),
    )
