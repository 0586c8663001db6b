"""Replays what was acknowledged and what the home wrote down, and says what does not agree; it calls no server."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.mix import Journal
from tests.live.jobs import FINAL, PIPELINE_FINAL, Plan

from trigpoint.domains.jobs.rules import MAX_CRASH_RESTARTS, MAX_LOSS_RESTARTS
from trigpoint.store import Store, Tx, events, history, resources
from trigpoint.store.events import Event

_P = "JOB_STATE_"
_EDGES: Mapping[str, frozenset[str]] = {
    "": frozenset({"PENDING"}),
    "QUEUED": frozenset({"QUEUED", "PENDING", "CANCELLING", "FAILED", "CANCELLED"}),
    "PENDING": frozenset({"PENDING", "QUEUED", "RUNNING", "CANCELLING", "SUCCEEDED", "FAILED", "CANCELLED"}),
    "RUNNING": frozenset({"RUNNING", "CANCELLING", "SUCCEEDED", "FAILED", "CANCELLED", "PENDING"}),
    "CANCELLING": frozenset({"CANCELLING", "CANCELLED", "SUCCEEDED", "FAILED"}),
    "SUCCEEDED": frozenset(),
    "FAILED": frozenset(),
    "CANCELLED": frozenset(),
}
"""State of a run -> states that may follow it (vertex-training.md 3.2); RUNNING to PENDING only by a restart."""


@dataclass
class Life:
    """What the rows say of one run."""

    states: list[str] = field(default_factory=list)
    """Of every version in order, without the prefix."""
    deleted: bool = False
    attempts: int = 1
    restarts: int = 0
    finals: int = 0
    """How many events say that it ended."""


@dataclass
class Record:
    """A home's rows, read without a server."""

    lives: dict[str, Life]
    events: list[Event]


def read(home: Path) -> Record:
    """Read the lives of all runs of a home and its whole narrative."""
    store = Store.open(f"sqlite:///{home}/trigpoint.db", f"sqlite:///{home}/telemetry.db", read_only=True)
    try:
        told = list(_events(store))
        subjects = {event.subject for event in told if "/customJobs/" in event.subject or _pipeline(event.subject)}
        names = {name for name in subjects if "/replicas/" not in name}
        lives = {name: store.read(lambda tx, name=name: _life(tx, name)) for name in names}  # type: ignore[misc]
    finally:
        store.close()
    for event in told:
        life = lives.get(event.subject)
        if life is not None:
            word = event.kind.partition(".")[2]
            life.finals += any(word.endswith(final) for final in ("succeeded", "failed", "cancelled"))
            life.restarts += word == "restarted"
    return Record(lives, told)


def check(home: Path, journal: Journal, restarts: int = 0) -> list[str]:
    """Return everything that is wrong, once all runs are over and the server has ended.

    `restarts` is how often agents were killed: without that no attempt may be repeated.
    """
    record = read(home)
    problems = [*journal.problems]
    for name, plan in journal.created.items():
        life = record.lives.get(name)
        if life is None or not life.states:
            problems.append(f"lost: {name} was acknowledged and is not there")
            continue
        if life.deleted and name not in journal.maybe_deleted:
            problems.append(f"lost: {name} is gone and nobody deleted it")
        if name in journal.deleted and not life.deleted:
            problems.append(f"back again: {name} was deleted")
        problems += _outcome(name, plan, life, journal)
    for name, life in record.lives.items():
        problems += _edges(name, life)
        if journal.ended.get(name, _final(name, life)) != _final(name, life):
            problems.append(f"{name}: the clients saw {journal.ended[name]}, the rows say {life.states[-1]}")
    problems += _attempts(record, restarts)
    return problems


def marks(folder: Path) -> list[str]:
    """Return which attempts' programs were started more than once, by the files that each start leaves."""
    counts = Counter(file.name.rsplit(".", 2)[0] for file in folder.glob("*") if file.is_file())
    return [f"{attempt} was started {count} times" for attempt, count in counts.items() if count > 1]


def printed(plan: Plan, entries: list[dict[str, object]], state: str, whole: bool) -> list[str]:
    """Return what is wrong with the log of one replica: byte-exact, or a beginning of it when it was stopped."""
    lines = [str(entry.get("textPayload", "")) for entry in entries]
    own = [line for line in lines if line.split(" ")[0] in (plan.token, "END", "TRAPPED")]
    wanted = plan.printed()
    if own != wanted[: len(own)]:
        at = next(n for n, line in enumerate(own) if n >= len(wanted) or line != wanted[n])
        met, expected = own[at : at + 2], wanted[at : at + 2]
        return [f"log of {plan.token} ({state}): line {at} of {len(own)} and {len(wanted)} is {met}, not {expected}"]
    if whole and len(own) != len(wanted):
        return [f"log of {plan.token} ({state}): {len(own)} of {len(wanted)} lines"]
    starts = [line for line in lines if line.startswith("START ")]
    return [f"log of {plan.token}: started {len(starts)} times"] if len(starts) > 1 else []


def _events(store: Store) -> Iterator[Event]:
    seq = 0
    while True:
        page = store.read(lambda tx, seq=seq: events.after(tx, seq, 1000))  # type: ignore[misc]
        yield from page
        if len(page) < 1000:
            return
        seq = page[-1].seq


def _life(tx: Tx, name: str) -> Life:
    kept = history.before(tx, name, limit=10_000)
    rows = [row for row, _, _ in reversed(kept)]
    current = resources.get(tx, name)
    deleted = bool(kept) and kept[0][2] and current is None
    if current is not None:
        rows.append(current)
    life = Life([row.state.rpartition("STATE_")[2] for row in rows], deleted)
    if rows and "/customJobs/" in name:
        life.attempts = max(int(dict(row.notes).get("attempt", 1)) for row in rows)
    return life


def _outcome(name: str, plan: Plan, life: Life, journal: Journal) -> Iterator[str]:
    final = _final(name, life)
    if final not in FINAL and final not in PIPELINE_FINAL:
        yield f"{name} ({plan.then}) never ended: {life.states[-1]}"
        return
    word = life.states[-1]
    if name in journal.cancelled and plan.endless and word != "CANCELLED":
        yield f"{name} was cancelled while it ran and ended as {word}"
    if word == "CANCELLED" and name not in journal.maybe_cancelled:
        yield f"{name} is CANCELLED and nobody asked for it"
    if name not in journal.maybe_cancelled and plan.expected() and not plan.expected().endswith(word):
        yield f"{name} ({plan.then}) ended as {word}"


def _edges(name: str, life: Life) -> Iterator[str]:
    before = ""
    for state in life.states:
        restarted = before == "RUNNING" and state == "PENDING" and not life.restarts
        if state not in _EDGES.get(before, frozenset()) or (restarted and not _pipeline(name)):
            yield f"{name}: {before or 'nothing'} -> {state} is no legal step ({' '.join(life.states)})"
        before = state
    if life.finals != 1 and life.states:
        yield f"{name}: {life.finals} events say that it ended ({' '.join(life.states)})"


def _attempts(record: Record, restarts: int) -> Iterator[str]:
    launched: dict[str, int] = defaultdict(int)
    started: dict[str, int] = defaultdict(int)
    for event in record.events:
        if event.kind == "customJob.launched":
            launched[str(event.data["attempt"])] += 1
        if event.kind == "replica.started":
            started[f"{event.data['attempt']}/{event.data['task']}"] += 1
    yield from (f"attempt {uid} was launched {count} times" for uid, count in launched.items() if count > 1)
    yield from (f"{uid} was reported as started {count} times" for uid, count in started.items() if count > 1)
    allowed = 1 + (MAX_CRASH_RESTARTS + MAX_LOSS_RESTARTS if restarts else 0)
    for name, life in record.lives.items():
        if life.attempts > allowed:
            yield f"{name}: {life.attempts} attempts, at most {allowed} are allowed"


def _final(name: str, life: Life) -> str:
    last = life.states[-1] if life.states else ""
    return f"{'PIPELINE_STATE_' if _pipeline(name) else _P}{last}"


def _pipeline(name: str) -> bool:
    return "/trainingPipelines/" in name
