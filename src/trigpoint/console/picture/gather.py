"""Reads what a picture is drawn from: all of it at first, then only what was touched since.

One look is one snapshot of each database, telemetry last; what it says of replicas that are not in the rows yet is
read again with the rows that have them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from trigpoint.console.access import denied
from trigpoint.console.picture.places import split
from trigpoint.console.picture.records import (
    ASKS,
    COPIES,
    FOUND,
    OPENED,
    PRINTS,
    READS,
    SAVED,
    WRITES,
    Member,
    Records,
    Resource,
)
from trigpoint.console.runs.listing import JOBS, KINDS, PIPELINES, job_of
from trigpoint.core.clock import Micros
from trigpoint.core.names import LOCATION, location_of, project_of
from trigpoint.domains.jobs import Jobs
from trigpoint.domains.models import Models
from trigpoint.domains.projects import Projects
from trigpoint.store import Store, Tx, events, history, objects, resources, steps, telemetry
from trigpoint.store.events import Event
from trigpoint.store.resources import Row
from trigpoint.store.steps import Step
from trigpoint.store.telemetry import Access, Heartbeat

_PAGE = 1000
_MOST_EVENTS = 20_000
_MOST_SIZES = 400
"""Objects whose sizes one look finds out."""
_KINDS = frozenset({READS, WRITES, COPIES, ASKS, PRINTS, OPENED, SAVED, FOUND})


@dataclass(frozen=True)
class Sources:
    """Where it is read from."""

    store: Store
    jobs: Jobs
    models: Models
    projects: Projects


@dataclass
class _Told:
    """What was read of the narrative of one subject."""

    seq: int = 0
    events: list[Event] = field(default_factory=list)


class Gatherer:
    """The records of one run. Not thread-safe: one look at a time."""

    def __init__(self, sources: Sources, run: str) -> None:
        self._sources = sources
        self.store = sources.store
        self.run = run
        self.job = ""
        """Full name of the job, once there is one."""
        self._told: dict[str, _Told] = {}
        self._kept: Mapping[str, Any] = {}
        self._members: list[Member] = []
        self._series: dict[str, dict[tuple[str, str], list[Step]]] = {}
        self._beats: dict[str, Heartbeat] = {}
        self._stamp: Micros = -1
        self._sizes: dict[str, int] = {}
        self._rows: Records | None = None

    def concerns(self, names: frozenset[str]) -> bool:
        """Return whether a commit that touched these names may change the picture. Quick, and safe in any thread."""
        job = self.job
        return self.run in names or (bool(job) and any(name == job or name.startswith(f"{job}/") for name in names))

    def look(self, *, rows: bool = True, measured: bool = True) -> Records:
        """Return the records as they are now; what was not touched need not be read again.

        The refusal of what is absent when there is no such run, and never was.
        """
        if rows or self._rows is None:
            self._rows = self.store.read(self._read)
        fresh = [member for member in self._members if member.record.name not in self._series]
        if measured or fresh:
            self.store.telemetry.read(lambda tx: self._measure(tx, fresh))
            self._find_sizes()
        return replace(self._rows, series=dict(self._series), beats=dict(self._beats), sizes=self._sizes)

    def _read(self, tx: Tx) -> Records:
        main = _resource(tx, self.run)
        if main is None:
            raise denied(self.run)
        own, job = (main, _backing(tx, main)) if f"/{PIPELINES}/" in self.run else (None, main)
        self.job = job.name if job is not None else ""
        self._members = self._replicas(tx)
        project = self._sources.projects.find(project_of(self.run))
        return Records(
            project=project.id if project is not None else project_of(self.run),
            tenant=project.tenant if project is not None else "",
            pipeline=own,
            job=job,
            events=self._events(tx, [name for name in (own.name if own else "", self.job) if name]),
            members=self._members,
            dataset=_dataset(tx, own) if own is not None else None,
            model=self._model(own) if own is not None else None,
        )

    def _events(self, tx: Tx, subjects: Sequence[str]) -> list[Event]:
        for subject in subjects:
            told = self._told.setdefault(subject, _Told())
            while len(told.events) < _MOST_EVENTS:
                page = events.after(tx, told.seq, _PAGE, subject)
                told.events += [event for event in page if event.subject == subject]
                told.seq = page[-1].seq if page else told.seq
                if len(page) < _PAGE:
                    break
        return sorted((event for subject in subjects for event in self._told[subject].events), key=lambda e: e.seq)

    def _replicas(self, tx: Tx) -> list[Member]:
        if not self.job:
            return []
        kept = self._sources.jobs.kept(tx, self.job, self._kept)
        if self._kept.keys() == kept.keys() and all(self._kept[name] is kept[name] for name in kept):
            return self._members
        self._kept = kept
        return [Member(each.replica, each.created) for each in kept.values()]

    def _model(self, pipeline: Resource) -> Resource | None:
        name = str(pipeline.notes.get("model", ""))
        if self._rows is not None and self._rows.model is not None and self._rows.model.name == name:
            return self._rows.model
        found = self._sources.models.find(name) if name else None
        return _of(found.row, name) if found is not None else None

    def _measure(self, tx: Tx, fresh: Sequence[Member]) -> None:
        """Read the telemetry that is new, and all of replicas that were not known before."""
        changed: dict[str, dict[tuple[str, str], list[Step]]] = {}
        found = steps.after(tx, self._stamp, f"{self.job}/attempts/") if self._stamp >= 0 else []
        for step in found:
            if step.what in _KINDS and step.replica in self._series:
                if step.replica not in changed:
                    changed[step.replica] = dict(self._series[step.replica])
                series = changed[step.replica]
                series[step.what, step.thing] = [*series.get((step.what, step.thing), ())[: step.number], step]
        self._stamp = max(self._stamp, found[-1].stamp if found else steps.newest(tx))
        self._series |= changed
        self._series |= {member.record.name: _grouped(_steps(tx, member)) for member in fresh}
        names = {f"{member.record.uid}/{member.record.task}": member.record.name for member in self._members}
        beats = telemetry.heartbeats(tx, list(names)) if names else {}
        self._beats = {names[ident]: beat for ident, beat in beats.items()}

    def _find_sizes(self) -> None:
        """Look up the sizes of objects that were read: a generation never changes."""
        wanted = [
            thing
            for series in self._series.values()
            for what, thing in series
            if what == READS and thing not in self._sizes and split(thing)[1]
        ][:_MOST_SIZES]
        if wanted:
            found = self.store.read(lambda tx: {thing: _size(tx, thing) for thing in wanted})
            self._sizes = {**self._sizes, **found}


def run_of(store: Store, name: str) -> str:
    """Return the full name of the run that a name belongs to: the pipeline of its backing job, else itself."""

    def read(tx: Tx) -> str:
        found = _resource(tx, name)
        if found is None:
            raise denied(name)
        parent = list(found.notes.get("parent") or ())
        above = str(parent[-1]) if parent and parent[0] == PIPELINES else ""
        return above if above and _resource(tx, above) is not None else name

    return store.read(read)


def _resource(tx: Tx, name: str) -> Resource | None:
    """Return a run's row, or of one that was deleted the last row that history keeps."""
    row = resources.get(tx, name)
    if row is None:
        before = history.before(tx, name, 1)
        row = before[0][0] if before and before[0][2] else None
    return _of(row, name) if row is not None and row.kind in KINDS else None


def _backing(tx: Tx, pipeline: Resource) -> Resource | None:
    name = str(pipeline.notes.get("job") or job_of(pipeline.message))
    return _resource(tx, name) if name else None


def _of(row: Row, name: str) -> Resource:
    return Resource(name, row.state, row.create_time, row.update_time, orjson.loads(row.json), dict(row.notes))


def _dataset(tx: Tx, pipeline: Resource) -> Resource | None:
    ident = (pipeline.message.get("inputDataConfig") or {}).get("datasetId", "")
    location = LOCATION.build(project=project_of(pipeline.name), location=location_of(pipeline.name))
    row = resources.get(tx, f"{location}/datasets/{ident}") if ident else None
    return _of(row, row.name) if row is not None else None


def _steps(tx: Tx, member: Member) -> list[Step]:
    """Return the steps of a replica; of one of an older version, what its accesses tell."""
    found = [step for step in steps.of_replica(tx, member.record.name) if step.what in _KINDS]
    if any(step.what not in (ASKS, PRINTS) for step in found):
        return found
    return [*found, *(s for access in telemetry.accesses_of_attempt(tx, member.record.name) for s in _older(access))]


def _older(access: Access) -> list[Step]:
    """Return an access that was kept without its way there: at its first time it had begun, at its last it was all."""
    what, thing = WRITES if access.write else READS, f"{access.uri}#{access.generation}"
    whole = Step(access.attempt, what, thing, 0, access.first_time, access.last_time, access.bytes, 0, access.count)
    if access.first_time == access.last_time:
        return [whole]
    return [replace(whole, time=access.first_time, bytes=0, count=1), replace(whole, number=1)]


def _grouped(found: Sequence[Step]) -> dict[tuple[str, str], list[Step]]:
    series: dict[tuple[str, str], list[Step]] = {}
    for step in found:
        series.setdefault((step.what, step.thing), []).append(step)
    return series


def _size(tx: Tx, thing: str) -> int:
    uri, generation = split(thing)
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    row = objects.get(tx, bucket, name.encode("utf-8", "replace"), int(generation))
    return row.size if row is not None else -1


__all__ = ["JOBS", "Gatherer", "Sources", "run_of"]
