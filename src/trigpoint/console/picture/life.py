"""How a run went, from the narrative: the states of pipeline, job, queue, images and attempts, and the moments. Pure.

Where lines of the narrative are gone (retention, an older version), the rows tell at least the beginning and the end.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from trigpoint.console.picture.records import Records, Resource
from trigpoint.console.picture.wire import Moment, State
from trigpoint.core.clock import Micros
from trigpoint.store.events import Event

FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
_JOB, _PIPELINE = "customJob.", "trainingPipeline."
_STATES = {
    "created": "PENDING",
    "pending": "PENDING",
    "queued": "QUEUED",
    "preparing": "PENDING",
    "launched": "PENDING",
    "restarted": "PENDING",
    "running": "RUNNING",
    "cancelling": "CANCELLING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
"""The API's state that an event of a job or pipeline leads to."""
_BUILDING = re.compile(r"Building the environment of ([^\s:]+(?::[^\s:]+)?):")
_SILENT = frozenset({"log", "severity", "client"})


@dataclass
class Chain:
    """States that grow in time; a state that says nothing new is left out, and no time lies before an earlier one."""

    states: list[State] = field(default_factory=list)

    def enter(self, time: Micros, state: str, reason: str = "", **facts: Any) -> None:
        """Add a state."""
        last = self.states[-1] if self.states else None
        if last is not None and (last.state, last.reason) == (state, reason) and not facts:
            return
        self.states.append(State(max(time, last.time) if last else time, state, reason, facts=facts))

    @property
    def since(self) -> Micros:
        """When the first was entered; 0 for none."""
        return self.states[0].time if self.states else 0

    @property
    def over(self) -> bool:
        """Whether nothing follows."""
        return bool(self.states) and self.states[-1].state in FINAL


@dataclass
class Try:
    """One attempt."""

    number: int
    launched: Micros
    chain: Chain = field(default_factory=Chain)
    ended: Micros = 0

    def end(self, time: Micros, state: str, reason: str) -> None:
        """Close it."""
        if not self.ended:
            self.chain.enter(time, state, reason)
            self.ended = self.chain.states[-1].time


@dataclass
class Life:
    """What the narrative says of a run."""

    pipeline: Chain = field(default_factory=Chain)
    job: Chain = field(default_factory=Chain)
    dataset: Chain = field(default_factory=Chain)
    queue: Chain = field(default_factory=Chain)
    images: dict[str, Chain] = field(default_factory=dict)
    attempts: dict[int, Try] = field(default_factory=dict)
    restarts: list[tuple[int, Micros, str]] = field(default_factory=list)
    """Attempt that another followed, when it was given up, why."""
    told: dict[str, Event] = field(default_factory=dict)
    """The first event of each kind."""
    overcommit: str = ""


def live(records: Records) -> Life:
    """Return the life of a run."""
    life = Life()
    for event in records.events:
        life.told.setdefault(event.kind, event)
        if event.kind.startswith(_PIPELINE):
            _pipeline(life, event, event.kind.removeprefix(_PIPELINE))
        elif event.kind.startswith(_JOB):
            _job(life, event, event.kind.removeprefix(_JOB), records)
    _mend(life.pipeline, records.pipeline)
    _mend(life.job, records.job)
    for member in records.members:
        if member.attempt not in life.attempts:
            life.attempts[member.attempt] = Try(
                member.attempt, member.created, Chain([State(member.created, "PENDING")])
            )
    _close(life)
    return life


def _pipeline(life: Life, event: Event, word: str) -> None:
    if word == "exporting":
        life.dataset.enter(event.time, "EXPORTING")
    elif word == "exported" and event.data.get("to"):
        life.dataset.enter(event.time, "EXPORTED")
    if word in _STATES and word != "launched":
        life.pipeline.enter(event.time, _STATES[word], str(event.data.get("error", "")))
    if word in ("failed", "cancelled") and life.dataset.states and life.dataset.states[-1].state == "EXPORTING":
        life.dataset.enter(event.time, word.upper(), str(event.data.get("error", "")))


def _job(life: Life, event: Event, word: str, records: Records) -> None:
    data, time, reason = event.data, event.time, _reason(event)
    if word in _STATES:
        life.job.enter(time, _STATES[word], reason)
    match word:
        case "overcommitted":
            life.overcommit = str(data.get("detail", ""))
        case "queued":
            life.queue.enter(time, "QUEUED", reason, ahead=data.get("ahead", 0))
        case "preparing":
            _preparing(life, event)
        case "launched":
            _launched(life, time, _number(data.get("attempt")), records)
        case "running" | "stopping":
            for attempt in _last(life):
                attempt.chain.enter(time, word.upper(), str(data.get("verdict", "")).removeprefix("JOB_STATE_"))
        case "restarted":
            _restarted(life, event)
        case "succeeded" | "failed" | "cancelled":
            _ended(life, time, word.upper(), reason)


def _reason(event: Event) -> str:
    return str(event.data.get("error") or event.data.get("reason") or "")


def _preparing(life: Life, event: Event) -> None:
    _admitted(life, event.time)
    image = str(event.data.get("image") or "") or _named(_reason(event))
    if image:
        life.images.setdefault(image, Chain()).enter(event.time, "PREPARING", _reason(event))


def _restarted(life: Life, event: Event) -> None:
    life.restarts.append((_number(event.data.get("attempt")), event.time, _reason(event)))
    for attempt in _last(life):
        attempt.end(event.time, "RESTARTED", _reason(event))


def _admitted(life: Life, time: Micros) -> None:
    if not life.queue.states or life.queue.states[-1].state == "QUEUED":
        facts = {"overcommit": life.overcommit} if life.overcommit else {}
        life.queue.enter(time, "ADMITTED", **facts)


def _launched(life: Life, time: Micros, number: int, records: Records) -> None:
    _admitted(life, time)
    for attempt in _last(life):
        attempt.end(time, "RESTARTED", "")
    life.attempts[number] = Try(number, time, Chain([State(time, "PENDING")]))
    for member in records.members:
        if member.attempt == number:
            chain = life.images.setdefault(member.record.image, Chain())
            if not chain.states or chain.states[-1].state == "PREPARING":
                chain.enter(time, "READY", **_environment(member.record.environment))


def _environment(known: Mapping[str, Any]) -> dict[str, Any]:
    return {key: known[key] for key in ("key", "python", "substituted", "seconds") if known.get(key) not in (None, "")}


def _ended(life: Life, time: Micros, state: str, reason: str) -> None:
    if life.queue.states and life.queue.states[-1].state == "QUEUED":
        life.queue.enter(time, "LEFT", reason)
    for chain in life.images.values():
        if chain.states[-1].state == "PREPARING":
            chain.enter(time, state, reason)
    for attempt in _last(life):
        attempt.end(time, state, reason)


def _last(life: Life) -> list[Try]:
    """Return the newest attempt, if it is open."""
    newest = life.attempts[max(life.attempts)] if life.attempts else None
    return [newest] if newest is not None and not newest.ended else []


def _mend(chain: Chain, row: Resource | None) -> None:
    """Add what the row says and the narrative does not."""
    if row is None:
        return
    if not chain.states or chain.states[0].state != "PENDING" or chain.states[0].time > row.updated:
        chain.states.insert(0, State(min(row.created, chain.since or row.created), "PENDING"))
    state = short(row.state)
    if chain.states[-1].state != state and state in FINAL:
        chain.enter(row.updated, state, str((row.message.get("error") or {}).get("message", "")))


def _close(life: Life) -> None:
    """End what cannot go on: attempts before the newest, and the newest of a job that is over."""
    numbers = sorted(life.attempts)
    for number, following in pairwise(numbers):
        life.attempts[number].end(life.attempts[following].launched, "RESTARTED", "")
    if life.job.over and numbers:
        last = life.job.states[-1]
        life.attempts[numbers[-1]].end(last.time, last.state, last.reason)


def short(state: str) -> str:
    """Return a state without the API's prefix: RUNNING for JOB_STATE_RUNNING."""
    return state.rpartition("_STATE_")[2] or "PENDING"


def _number(uid: Any) -> int:
    tail = str(uid or "").rpartition("-")[2]
    return int(tail) if tail.isdecimal() else 1


def _named(reason: str) -> str:
    found = _BUILDING.match(reason)
    return found[1] if found else ""


_NODES = {
    f"{_PIPELINE}exporting": "dataset",
    f"{_PIPELINE}exported": "dataset",
    f"{_PIPELINE}launched": "job",
    f"{_PIPELINE}recorded": "lineage",
    f"{_JOB}queued": "queue",
    f"{_JOB}overcommitted": "queue",
}


def moments(events: Sequence[Event], known: Mapping[str, Any]) -> list[Moment]:
    """Return the narrative as marks on the time line; `known` are the nodes that there are."""
    found = []
    for event in events:
        node = _node_of(event)
        home = "pipeline" if event.kind.startswith(_PIPELINE) else "job"
        data = {key: value for key, value in event.data.items() if key not in _SILENT}
        found.append(Moment(event.seq, event.time, event.kind, node if node in known else home, data))
    return found


def _node_of(event: Event) -> str:
    data, kind = event.data, event.kind
    if kind.startswith("replica."):
        return f"attempt/{_number(data.get('attempt'))}/replica/{data.get('task', '')}"
    if kind == f"{_PIPELINE}uploaded":
        return f"model/{data.get('model', '')}"
    if kind == f"{_JOB}preparing":
        return f"image/{data.get('image') or _named(str(data.get('reason', '')))}"
    if kind in (f"{_JOB}launched", f"{_JOB}restarted"):
        return f"attempt/{_number(data.get('attempt'))}"
    return _NODES.get(kind, "pipeline" if kind.startswith(_PIPELINE) else "job")


def clamped(states: Sequence[State], since: Micros) -> list[State]:
    """Return states none of which lies before an instant or before the one before it: clocks differ."""
    found: list[State] = []
    for state in states:
        least = found[-1].time if found else since
        found.append(state if state.time >= least else replace(state, time=least))
    return found
