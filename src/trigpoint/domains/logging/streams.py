"""Which replicas have logs, and their lines as Cloud Logging entries, in order of time.

The bytes are in the attempts' directories (`runtime.logs`); a row per replica says whose they are. What the service
itself says of a job comes from the narrative: facts that carry a `log` line.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from trigpoint.core.clock import Micros, rfc3339
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.messages.refusals import check_depth
from trigpoint.core.names import id_of
from trigpoint.domains.logging.filters import SEVERITIES
from trigpoint.runtime.logs import Line, LogReader
from trigpoint.store import Store, Tx, events, resources
from trigpoint.store.queries import COLUMNS
from trigpoint.store.resources import Order, Row

KIND = "logStreams"
SERVICE = "service"
"""The task whose entries are the platform's own."""
_CHUNK = 500
_CHUNK_BYTES = 1 << 20
"""Lines, and about how many bytes of them, that are read at a time of each stream of output."""
_DEEPEST = 40
"""Levels of a structured payload: each takes two of the hundred that a message may have."""
_LIFTED = ("severity", "message", "timestamp", "time", "timestampSeconds", "timestampNanos")


@dataclass(frozen=True, slots=True)
class Stream:
    """The log of one replica of one attempt."""

    project: str
    """Number of the project that the entries belong to."""
    job: str
    """Full name of the job."""
    job_id: str
    task: str
    attempt: str
    begun: Micros
    ended: bool = False
    labels: Mapping[str, str] | None = None
    """Labels of every entry."""


@dataclass(frozen=True, slots=True)
class Found:
    """One entry with its place in the order of entries."""

    time: Micros
    insert_id: str
    entry: Mapping[str, Any]
    size: int
    """Bytes of its line, about."""

    @property
    def place(self) -> tuple[Micros, str]:
        """What it is ordered by."""
        return self.time, self.insert_id


class Streams:
    """Opens, closes and reads them. Thread-safe. `attempts` is the folder of the attempts' directories."""

    def __init__(self, store: Store, attempts: Path, project_id: Callable[[str], str]) -> None:
        self._store = store
        self._attempts = attempts
        self._project_id = project_id

    def open(self, tx: Tx, stream: Stream) -> None:
        """Have a replica's log be found from this transaction on."""
        resources.insert(tx, _row(stream, stream.begun, 0))

    def announce(self, tx: Tx, project: str, job: str, now: Micros) -> None:
        """Have what the service says of a job be found from this transaction on, before any replica starts."""
        job_id = id_of(job)
        resources.insert(tx, _row(Stream(project, job, job_id, SERVICE, f"{job_id}-{SERVICE}", now), now, 0))

    def close(self, tx: Tx, attempt: str, now: Micros) -> None:
        """Say that nothing will follow in the logs of an attempt: their last lines need no newline."""
        for row in resources.select(tx, KIND, f"{KIND}/{attempt}", limit=10_000).rows:
            ended = replace(_read(row), ended=True)
            resources.update(tx, replace(_row(ended, now, row.version), create_time=row.create_time))

    def entries(self, project: str, job_id: str, task: str, since: Micros) -> Iterator[Found]:
        """Yield a project's entries in order, from an instant on; of one job or one task when these are given."""
        streams = self._streams(project, job_id)
        sources: list[Iterator[Found]] = [
            self._lines(stream, since) for stream in streams if stream.task != SERVICE and task in ("", stream.task)
        ]
        if task in ("", SERVICE):
            jobs = {stream.job: stream for stream in streams}
            sources += [self._service(project, job, jobs[job].job_id, since) for job in jobs]
        return heapq.merge(*sources, key=lambda found: found.place)

    def names(self, project: str) -> list[str]:
        """Return the full names of a project's logs that have entries."""
        streams = self._streams(project, "")
        tasks = {one.task for one in streams if one.task == SERVICE or self._reader(one).size()}
        return sorted(f"projects/{self._project_id(project)}/logs/{task}" for task in tasks)

    def _streams(self, project: str, job_id: str) -> list[Stream]:
        where = (COLUMNS["display_name"] == job_id) if job_id else (COLUMNS["state"] == project)
        order = (Order(COLUMNS["create_time"]),)
        found: list[Stream] = []
        after = None
        while True:
            page = self._store.read(
                lambda tx, after=after: resources.select(tx, KIND, where=where, order=order, after=after, limit=1000)  # type: ignore[misc]
            )
            found += [stream for row in page.rows if (stream := _read(row)).project == project]
            after = page.next
            if after is None:
                return found

    def _lines(self, stream: Stream, since: Micros) -> Iterator[Found]:
        reader = self._reader(stream)
        cursor = reader.at(since) if since else ""
        while True:
            lines, cursor = reader.read(cursor, limit=_CHUNK, ended=stream.ended, enough=_CHUNK_BYTES)
            for line in lines:
                if line.time >= since:
                    yield self._entry(stream, line)
            if not lines:
                return

    def _reader(self, stream: Stream) -> LogReader:
        return LogReader(self._attempts / stream.attempt / stream.task / "logs")

    def _entry(self, stream: Stream, line: Line) -> Found:
        attempt = stream.attempt.rpartition("-")[2].rjust(4, "0")
        insert_id = f"{stream.task}.{attempt}.{_padded(line.id)}"
        severity = "ERROR" if line.stream == "stderr" else "INFO"
        body = _payload(line.data.decode("utf-8", "replace"), severity)
        entry = self._frame(stream.project, stream.job_id, stream.task, line.time, insert_id) | body
        if stream.labels:
            entry["labels"] = dict(stream.labels)
        return Found(line.time, insert_id, entry, len(line.data))

    def _service(self, project: str, job: str, job_id: str, since: Micros) -> Iterator[Found]:
        """Yield what the service says of one job."""
        seq = 0
        while True:
            told = self._store.read(lambda tx, seq=seq: events.after(tx, seq, _CHUNK, subject_prefix=job))  # type: ignore[misc]
            for event in told:
                text = event.data.get("log")
                if isinstance(text, str) and event.subject == job and event.time >= since:
                    insert_id = f"service.{event.seq:020d}"
                    entry = self._frame(project, job_id, SERVICE, event.time, insert_id)
                    severity = str(event.data.get("severity", "INFO"))
                    said = entry | {"severity": severity, "textPayload": text}
                    yield Found(event.time, insert_id, said, len(text))
            if len(told) < _CHUNK:
                return
            seq = told[-1].seq

    def _frame(self, project: str, job_id: str, task: str, time: Micros, insert_id: str) -> dict[str, Any]:
        ident = self._project_id(project)
        stamp = rfc3339(time)
        return {
            "logName": f"projects/{ident}/logs/{task}",
            "resource": {"type": "ml_job", "labels": {"job_id": job_id, "task_name": task, "project_id": ident}},
            "timestamp": stamp,
            "receiveTimestamp": stamp,
            "insertId": insert_id,
        }


def _payload(text: str, severity: str) -> dict[str, Any]:
    """Return the payload of one line: a JSON object is structured, with its special members lifted out.

    One that nests deeper than an entry may is text: it must not keep people from the rest of the log.
    """
    if text.startswith("{") and text.endswith("}"):
        try:
            check_depth(text, _DEEPEST)
            given = orjson.loads(text)
        except (orjson.JSONDecodeError, InvalidArgument):
            given = None
        if isinstance(given, dict):
            own = str(given.get("severity", "")).upper()
            rest = {k: v for k, v in given.items() if k not in _LIFTED or k == "message"}
            return {"severity": own if own in SEVERITIES else severity, "jsonPayload": rest}
    return {"severity": severity, "textPayload": text}


def _padded(ident: str) -> str:
    """Return a line's id with its numbers at constant width, so that text order is line order."""
    stream, *numbers = ident.split("-")
    return "-".join([*(f"{int(number):012d}" for number in numbers), stream])


def _read(row: Row) -> Stream:
    return Stream(**orjson.loads(row.message))


def _row(stream: Stream, updated: Micros, version: int) -> Row:
    return Row(
        name=f"{KIND}/{stream.attempt}/{stream.task}",
        kind=KIND,
        parent=f"{KIND}/{stream.attempt}",
        message=orjson.dumps(asdict(stream)),
        state=stream.project,
        display_name=stream.job_id,
        create_time=stream.begun,
        update_time=updated,
        version=version,
    )
