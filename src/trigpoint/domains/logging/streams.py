"""Which replicas have logs, and their lines as Cloud Logging entries, in order of time.

The bytes are in the attempts' directories (`runtime.logs`); a row per replica says whose they are. What the service
itself says of a job comes from the narrative: facts that carry a `log` line.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from trigpoint.agent.protocol import RUNNER
from trigpoint.core.clock import Micros, rfc3339
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.messages.refusals import check_depth
from trigpoint.core.names import id_of
from trigpoint.domains.logging.filters import SEVERITIES
from trigpoint.runtime.logs import START, Line, LogReader
from trigpoint.runtime.marks import Marks
from trigpoint.store import Store, Tx, events, resources
from trigpoint.store.events import Event
from trigpoint.store.queries import COLUMNS
from trigpoint.store.resources import Order, Row

KIND = "logStreams"
SERVICE = "service"
"""The task whose entries are the platform's own."""
_CHUNK = 500
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

    @property
    def key(self) -> str:
        """What tells it from every other stream."""
        return f"{self.attempt}/{self.task}"


Ends = Mapping[str, str]
"""Keys of streams -> where each ended when somebody looked: a reader's cursor, or a number of the narrative."""


class Entry(NamedTuple):
    """One line of a job's log. The first two members are its place in the order of entries."""

    time: Micros
    id: str
    stream: Stream
    text: str
    body: Mapping[str, Any]
    """Severity and payload, as Cloud Logging shows them."""
    whole: bool = True
    """False for a piece that the next entry continues."""
    printed: bool = False
    """Whether the program itself said it."""

    @property
    def severity(self) -> str:
        """Its own where a structured line says so."""
        return str(self.body["severity"])

    @property
    def attempt(self) -> int:
        """Which attempt it is of; 0 for what the service says."""
        number = self.stream.attempt.rpartition("-")[2]
        return int(number) if number.isdecimal() else 0


class Streams:
    """Opens, closes and reads them. Thread-safe. `attempts` is the folder of the attempts' directories."""

    def __init__(self, store: Store, attempts: Path, project_id: Callable[[str], str]) -> None:
        self._store = store
        self._attempts = attempts
        self._project_id = project_id
        self._marks = Marks()

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

    def find(self, project: str, job_id: str, task: str = "") -> list[Stream]:
        """Return a project's streams, oldest first; of one job or one task when these are given."""
        where = (COLUMNS["display_name"] == job_id) if job_id else (COLUMNS["state"] == project)
        order = (Order(COLUMNS["create_time"]),)
        found: list[Stream] = []
        after = None
        while True:
            page = self._store.read(
                lambda tx, after=after: resources.select(tx, KIND, where=where, order=order, after=after, limit=1000)  # type: ignore[misc]
            )
            streams = [_read(row) for row in page.rows]
            found += [one for one in streams if one.project == project and task in ("", one.task)]
            after = page.next
            if after is None:
                return found

    def ends(self, streams: Sequence[Stream]) -> Ends:
        """Return where these streams end now."""
        seq = str(self._store.read(events.last))
        return {one.key: seq if one.task == SERVICE else self.reader(one).end(one.ended) for one in streams}

    def entries(self, streams: Sequence[Stream], since: Micros = 0, ends: Ends | None = None) -> Iterator[Entry]:
        """Yield entries in order, from an instant on, and up to where the streams ended where that is given."""
        sources = [
            (self._told if one.task == SERVICE else self._lines)(one, since, ends[one.key] if ends else None)
            for one in streams
        ]
        return heapq.merge(*sources, key=_place)

    def entries_back(
        self, streams: Sequence[Stream], until: Micros | None, ends: Ends | None = None
    ) -> Iterator[Entry]:
        """Yield entries up to an instant, or up to where the streams end, the last first; reads only what is taken."""
        ends = ends if until is not None or ends is not None else self.ends(streams)
        sources = [
            (self._told_back if one.task == SERVICE else self._lines_back)(one, until, ends[one.key] if ends else None)
            for one in streams
        ]
        return heapq.merge(*sources, key=_place, reverse=True)

    def reader(self, stream: Stream) -> LogReader:
        """Return what reads the bytes of a replica's stream."""
        return LogReader(self._attempts / stream.attempt / stream.task / "logs", self._marks)

    def told(self, stream: Stream, seq: int) -> tuple[list[Entry], int]:
        """Return what the service said of a job after a line of the narrative, and the number to go on from."""
        found: list[Entry] = []
        while True:
            told = self._store.read(lambda tx, seq=seq: events.after(tx, seq, _CHUNK, subject_prefix=stream.job))  # type: ignore[misc]
            found += [entry for event in told if (entry := self._of_event(stream, event)) is not None]
            seq = told[-1].seq if told else seq
            if len(told) < _CHUNK:
                return found, seq

    def of_line(self, stream: Stream, line: Line) -> Entry:
        """Return the entry of a replica's line."""
        ident = f"{stream.task}.{stream.attempt.rpartition('-')[2].rjust(4, '0')}.{_padded(line.id)}"
        text = line.data.decode("utf-8", "replace")
        body = _payload(text, "ERROR" if line.stream == "stderr" else "INFO")
        return Entry(line.time, ident, stream, text, body, line.whole, line.stream != RUNNER)

    def shown(self, entry: Entry) -> dict[str, Any]:
        """Return an entry as Cloud Logging shows it."""
        stream, stamp = entry.stream, rfc3339(entry.time)
        ident = self._project_id(stream.project)
        shown: dict[str, Any] = {
            "logName": f"projects/{ident}/logs/{stream.task}",
            "resource": {
                "type": "ml_job",
                "labels": {"job_id": stream.job_id, "task_name": stream.task, "project_id": ident},
            },
            "timestamp": stamp,
            "receiveTimestamp": stamp,
            "insertId": entry.id,
            **entry.body,
        }
        if stream.labels:
            shown["labels"] = dict(stream.labels)
        return shown

    def names(self, project: str) -> list[str]:
        """Return the full names of a project's logs that have entries."""
        tasks = {one.task for one in self.find(project, "") if one.task == SERVICE or self.reader(one).size()}
        return sorted(f"projects/{self._project_id(project)}/logs/{task}" for task in tasks)

    def _lines(self, stream: Stream, since: Micros, end: str | None) -> Iterator[Entry]:
        reader = self.reader(stream)
        for line in reader.lines(reader.at(since) if since else START, end, stream.ended):
            if line.time >= since:
                yield self.of_line(stream, line)

    def _lines_back(self, stream: Stream, until: Micros | None, end: str | None) -> Iterator[Entry]:
        reader = self.reader(stream)
        place = end if end is not None else reader.after(until or 0)
        for line in reader.lines_back(place, stream.ended):
            if until is None or line.time <= until:
                yield self.of_line(stream, line)

    def _told(self, stream: Stream, since: Micros, end: str | None) -> Iterator[Entry]:
        """Yield what the service says of one job."""
        found, _ = self.told(stream, 0)
        last = f"service.{int(end):020d}" if end is not None else "t"
        return (one for one in found if one.time >= since and one.id <= last)

    def _told_back(self, stream: Stream, until: Micros | None, end: str | None) -> Iterator[Entry]:
        found = [*self._told(stream, 0, end)]
        return (one for one in reversed(found) if until is None or one.time <= until)

    def _of_event(self, stream: Stream, event: Event) -> Entry | None:
        """Return the entry that a fact of the job is; None for one without a line for the log."""
        text = event.data.get("log")
        if not isinstance(text, str) or event.subject != stream.job:
            return None
        body = {"severity": str(event.data.get("severity", "INFO")), "textPayload": text}
        return Entry(event.time, f"service.{event.seq:020d}", stream, text, body)


def _place(entry: Entry) -> tuple[Micros, str]:
    return entry.time, entry.id


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
