"""The second database: log indexes, series, heartbeats and who read and wrote which object; never through the writer.

Its functions run inside `store.telemetry.write` and `store.telemetry.read`, from any thread: batches of many threads
share a commit (synchronous NORMAL: a power cut may take the last seconds, a killed process nothing). `replica` is
whatever names a replica of an attempt throughout; the store does not look into it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Index, Table, bindparam, delete, func, select
from sqlalchemy import text as sql_text

from trigpoint.core.clock import Micros
from trigpoint.store.rows import dump, load
from trigpoint.store.schema import TELEMETRY, integer, key, real, text
from trigpoint.store.tx import Prepared, Tx, Values

LOG_BLOCKS = Table(
    "log_blocks",
    TELEMETRY,
    key("replica"),
    key("stream"),
    integer("segment", primary_key=True, autoincrement=False),
    integer("start", primary_key=True, autoincrement=False),
    integer("size"),
    integer("first_line"),
    integer("lines"),
    integer("first_time"),
    integer("last_time"),
    text("severities"),
)
SERIES = Table(
    "series",
    TELEMETRY,
    key("replica"),
    key("metric"),
    integer("time", primary_key=True, autoincrement=False),
    real("value"),
)
HEARTBEATS = Table(
    "heartbeats", TELEMETRY, key("replica"), integer("time"), text("body"), Index("heartbeats_by_time", "time")
)
ACCESSES = Table(
    "accesses",
    TELEMETRY,
    key("attempt"),
    key("identity"),
    key("uri"),
    integer("generation", primary_key=True, autoincrement=False),
    key("verb"),
    text("project"),
    integer("bytes"),
    integer("count"),
    integer("first_time"),
    integer("last_time"),
    Index("accesses_by_uri", "uri", "generation"),
    Index("accesses_by_time", "last_time"),
)


@dataclass(frozen=True, slots=True)
class LogBlock:
    """A stretch of one segment of a replica's log stream, so that a reader of a time or severity opens little."""

    replica: str
    stream: str
    segment: int
    start: int
    """Bytes into the segment's file."""
    size: int
    first_line: int
    """Lines of the stream before this block, in all segments."""
    lines: int
    first_time: Micros
    last_time: Micros
    severities: Mapping[str, int] = field(default_factory=dict)
    """Lines by severity."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric of a replica: cpu, memory, disk, net and what else its agent reports."""

    replica: str
    metric: str
    time: Micros
    value: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """The points of a part of a series, in short."""

    count: int
    first: Micros
    last: Micros
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The newest sign of life of a replica."""

    replica: str
    time: Micros
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """What an identity did to one generation of an object, merged over time."""

    attempt: str
    """The replica it happened in; empty for people and their scripts."""
    identity: str
    uri: str
    generation: int
    write: bool
    project: str = ""
    bytes: int = 0
    count: int = 1
    first_time: Micros = 0
    last_time: Micros = 0


_BLOCK = Prepared(
    sql_text(
        "INSERT INTO log_blocks (replica, stream, segment, start, size, first_line, lines, first_time, last_time, "
        "severities) VALUES (:replica, :stream, :segment, :start, :size, :first_line, :lines, :first_time, :last_time, "
        ":severities) ON CONFLICT (replica, stream, segment, start) DO UPDATE SET size = excluded.size, "
        "first_line = excluded.first_line, lines = excluded.lines, first_time = excluded.first_time, "
        "last_time = excluded.last_time, severities = excluded.severities"
    )
)
_POINT = Prepared(
    sql_text(
        "INSERT INTO series (replica, metric, time, value) VALUES (:replica, :metric, :time, :value) "
        "ON CONFLICT (replica, metric, time) DO UPDATE SET value = excluded.value"
    )
)
_BEAT = Prepared(
    sql_text(
        "INSERT INTO heartbeats (replica, time, body) VALUES (:replica, :time, :body) "
        "ON CONFLICT (replica) DO UPDATE SET time = excluded.time, body = excluded.body "
        "WHERE excluded.time >= heartbeats.time"
    )
)
_ACCESS = Prepared(
    sql_text(
        "INSERT INTO accesses (attempt, identity, uri, generation, verb, project, bytes, count, first_time, last_time) "
        "VALUES (:attempt, :identity, :uri, :generation, :verb, :project, :bytes, :count, :first_time, :last_time) "
        "ON CONFLICT (attempt, identity, uri, generation, verb) DO UPDATE SET "
        "bytes = accesses.bytes + excluded.bytes, count = accesses.count + excluded.count, "
        "first_time = CASE WHEN excluded.first_time < accesses.first_time THEN excluded.first_time "
        "ELSE accesses.first_time END, "
        "last_time = CASE WHEN excluded.last_time > accesses.last_time THEN excluded.last_time "
        "ELSE accesses.last_time END"
    )
)
_S = SERIES.c
_POINTS = Prepared(
    select(*_S)
    .where(
        _S.replica == bindparam("replica"),
        _S.metric == bindparam("metric"),
        _S.time >= bindparam("start"),
        _S.time < bindparam("end"),
    )
    .order_by(_S.time)
    .limit(bindparam("limit"))
)
_SPAN = Prepared(
    select(func.count(), func.min(_S.time), func.max(_S.time)).where(
        _S.replica == bindparam("replica"), _S.metric == bindparam("metric"), _S.time >= bindparam("start")
    )
)
_STRETCHES = Prepared(
    sql_text(
        "SELECT count(*), min(time), max(time), min(value), max(value) FROM series WHERE replica = :replica "
        "AND metric = :metric AND time >= :start GROUP BY (time - :start) / :width ORDER BY 2"
    )
)
_METRICS = Prepared(select(_S.metric).where(_S.replica == bindparam("replica")).distinct().order_by(_S.metric))
_FORGET = (
    Prepared(delete(SERIES).where(_S.replica == bindparam("replica"))),
    Prepared(delete(LOG_BLOCKS).where(LOG_BLOCKS.c.replica == bindparam("replica"))),
    Prepared(delete(HEARTBEATS).where(HEARTBEATS.c.replica == bindparam("replica"))),
)


def index_logs(tx: Tx, blocks: Iterable[LogBlock]) -> None:
    """Add blocks or replace those that begin at the same place (the last block of a stream grows). Idempotent."""
    tx.many(
        _BLOCK,
        [
            {
                "replica": b.replica,
                "stream": b.stream,
                "segment": b.segment,
                "start": b.start,
                "size": b.size,
                "first_line": b.first_line,
                "lines": b.lines,
                "first_time": b.first_time,
                "last_time": b.last_time,
                "severities": dump(b.severities, "severities"),
            }
            for b in blocks
        ],
    )


def log_blocks(
    tx: Tx, replica: str, *, stream: str | None = None, since: Micros | None = None, until: Micros | None = None
) -> list[LogBlock]:
    """Return a replica's blocks in the order of its streams, only those that touch [since, until) when given."""
    c = LOG_BLOCKS.c
    query = select(*c).where(c.replica == replica).order_by(c.stream, c.segment, c.start)
    if stream is not None:
        query = query.where(c.stream == stream)
    if since is not None:
        query = query.where(c.last_time >= since)
    if until is not None:
        query = query.where(c.first_time < until)
    return [_block(row) for row in map(_plain, tx.connection.execute(query))]


def add_points(tx: Tx, points: Iterable[Point]) -> None:
    """Add points; one that is there already takes the new value. Idempotent."""
    tx.many(_POINT, [{"replica": p.replica, "metric": p.metric, "time": p.time, "value": p.value} for p in points])


def points(
    tx: Tx, replica: str, metric: str, start: Micros = 0, end: Micros = 2**62, limit: int = 100_000
) -> list[Point]:
    """Return a series within [start, end), oldest first."""
    rows = tx.rows(_POINTS, replica=replica, metric=metric, start=start, end=end, limit=limit)
    return [Point(*row) for row in rows]


def stretches(tx: Tx, replica: str, metric: str, start: Micros, most: int) -> list[Stretch]:
    """Return a series from an instant on as at most `most` stretches of equal length, however long it is."""
    found = tx.one(_SPAN, replica=replica, metric=metric, start=start)
    count, first, last = found or (0, 0, 0)
    if not count:
        return []
    width = 1 if count <= most else (last - first) // most + 1
    rows = tx.rows(_STRETCHES, replica=replica, metric=metric, start=first, width=width)
    return [Stretch(*row) for row in rows]


def metrics(tx: Tx, replica: str) -> list[str]:
    """Return which metrics a replica has points of."""
    return [row[0] for row in tx.rows(_METRICS, replica=replica)]


def beat(tx: Tx, beats: Iterable[Heartbeat]) -> None:
    """Keep the newest heartbeat of each replica; an older one that arrives late changes nothing."""
    values: list[dict[str, Values]] = [
        {"replica": b.replica, "time": b.time, "body": dump(b.body, "heartbeat")} for b in beats
    ]
    tx.many(_BEAT, values)


def heartbeats(tx: Tx, replicas: Sequence[str]) -> dict[str, Heartbeat]:
    """Return the newest heartbeat of each of these replicas that has one."""
    query = select(*HEARTBEATS.c).where(HEARTBEATS.c.replica.in_(replicas))
    rows = map(_plain, tx.connection.execute(query))
    return {replica: Heartbeat(replica, time, load(body)) for replica, time, body in rows}


def silent(tx: Tx, since: Micros, limit: int = 1000) -> list[str]:
    """Return replicas whose newest heartbeat is older than an instant, the longest silent first."""
    c = HEARTBEATS.c
    return list(tx.connection.execute(select(c.replica).where(c.time < since).order_by(c.time).limit(limit)).scalars())


def record_accesses(tx: Tx, accesses: Iterable[Access]) -> None:
    """Add what was observed to what is known: bytes and counts add up, times widen. Not idempotent."""
    tx.many(
        _ACCESS,
        [
            {
                "attempt": a.attempt,
                "identity": a.identity,
                "uri": a.uri,
                "generation": a.generation,
                "verb": "write" if a.write else "read",
                "project": a.project,
                "bytes": a.bytes,
                "count": a.count,
                "first_time": a.first_time,
                "last_time": a.last_time,
            }
            for a in accesses
        ],
    )


def accesses_of_attempt(tx: Tx, attempt: str) -> list[Access]:
    """Return what happened in a replica, in the order of first times."""
    c = ACCESSES.c
    query = select(*c).where(c.attempt == attempt).order_by(c.first_time, c.uri)
    return [_access(row) for row in map(_plain, tx.connection.execute(query))]


def accesses_of_object(tx: Tx, uri: str, generation: int | None = None) -> list[Access]:
    """Return who touched an object, or one generation of it, in the order of first times."""
    c = ACCESSES.c
    query = select(*c).where(c.uri == uri).order_by(c.first_time, c.identity)
    if generation is not None:
        query = query.where(c.generation == generation)
    return [_access(row) for row in map(_plain, tx.connection.execute(query))]


def forget(tx: Tx, replica: str) -> None:
    """Drop the series, log index and heartbeat of a replica whose files are gone. Its accesses stay. Idempotent."""
    for statement in _FORGET:
        tx.run(statement, replica=replica)


def prune(tx: Tx, before: Micros, limit: int = 100) -> int:
    """Forget up to `limit` replicas silent since before an instant, and accesses as old; return how many things went.

    Repeat until it returns 0.
    """
    gone = silent(tx, before, limit)
    for replica in gone:
        forget(tx, replica)
    old = tx.connection.execute(
        select(*ACCESSES.primary_key.columns).where(ACCESSES.c.last_time < before).limit(limit)
    ).all()
    for row in old:
        terms = [column == value for column, value in zip(ACCESSES.primary_key.columns, row, strict=True)]
        tx.connection.execute(delete(ACCESSES).where(*terms))
    return len(gone) + len(old)


def _block(row: tuple[Any, ...]) -> LogBlock:
    replica, stream, segment, start, size, first_line, lines, first, last, severities = row
    return LogBlock(replica, stream, segment, start, size, first_line, lines, first, last, load(severities))


def _access(row: tuple[Any, ...]) -> Access:
    attempt, identity, uri, generation, verb, project, size, count, first, last = row
    return Access(attempt, identity, uri, generation, verb == "write", project, size, count, first, last)


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(row)
