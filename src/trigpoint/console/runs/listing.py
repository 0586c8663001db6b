"""Lists runs over both kinds of resources, page by page, from the rows; and finds what belongs to one run."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, not_, or_

from trigpoint.console import sentences
from trigpoint.console.asking import whole
from trigpoint.console.runs import failures
from trigpoint.console.runs.wire import RunItem, RunPage
from trigpoint.core.clock import Micros, micros
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.names import id_of
from trigpoint.core.paging import Tokens
from trigpoint.store import Store, Tx, resources
from trigpoint.store.queries import COLUMNS, label_is
from trigpoint.store.resources import Order, Row
from trigpoint.store.rows import RESOURCES

PIPELINES, JOBS = "trainingPipelines", "customJobs"
KINDS = (PIPELINES, JOBS)
MOST = 500
_MOST_QUEUED = 5000
"""Pipelines in the queue that a list by state tells from those that start."""
ORDERS: Mapping[str, str] = {"created": "create_time", "changed": "update_time", "title": "display_name"}
# The job of a pipeline is part of its run. Its notes name who is woken by its end (domains/jobs/rules.Progress.parent).
_OF_PIPELINE = RESOURCES.c.notes.like(f'%"parent":["{PIPELINES}",%')


class Runs:
    """Answers lists. Thread-safe."""

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store, self._tokens = store, tokens

    def page(self, project: str, asked: Mapping[str, str]) -> RunPage:
        """Return a page of a project's runs. `asked`: q, state, kind, label, order, size, after, all as text."""
        field, descending = _order(asked.get("order", ""))
        order = (Order(COLUMNS[field], descending),)
        size = _size(asked.get("size", ""))
        bound = ("runs", project, *(asked.get(key, "") for key in ("q", "state", "kind", "label", "order")))
        kinds = [kind for kind in KINDS if asked.get("kind", "") in ("", kind)]
        after = self._after(asked.get("after", ""), bound, kinds)

        def read(tx: Tx) -> RunPage:
            where = _conditions(asked, lambda: _queued(tx, project))
            found = {
                kind: _rows(tx, kind, project, where, order, after.get(kind), size) for kind in kinds if kind in after
            }
            merged = _merged(found, field, descending=descending)[:size]
            more = sum(len(rows) for rows in found.values()) > len(merged)
            total = -1 if asked.get("after") else sum(_count(tx, kind, project, where) for kind in kinds)
            following = self._following(merged, after, field, kinds, bound) if more else ""
            return RunPage(items(tx, merged), following, total)

        return self._store.read(read)

    def _after(self, token: str, bound: Sequence[str], kinds: Sequence[str]) -> dict[str, tuple[Any, ...] | None]:
        """Return where each kind goes on; a kind that is not among them is at its end."""
        read = self._tokens.read(token, *bound)
        if read is None:
            return dict.fromkeys(kinds)
        places = orjson.loads(str(next(iter(read))))
        return {kind: tuple(place) if place else None for kind, place in places.items()}

    def _following(
        self, page: Sequence[Row], after: Mapping[str, Any], field: str, kinds: Sequence[str], bound: Sequence[str]
    ) -> str:
        places = {kind: list(after[kind]) if after.get(kind) else None for kind in kinds if kind in after}
        for row in page:
            places[row.kind] = [getattr(row, field), row.name]
        return self._tokens.issue([orjson.dumps(places).decode()], *bound)


def items(tx: Tx, rows: Sequence[Row]) -> list[RunItem]:
    """Return rows of runs as lists show them; pipelines are told with their jobs."""
    messages = {row.name: orjson.loads(row.json) for row in rows}
    backing = {name: job_of(message) for name, message in messages.items()}
    jobs = resources.get_all(tx, [job for job in backing.values() if job])
    return [_item(row, messages[row.name], jobs.get(backing[row.name])) for row in rows]


def job_of(pipeline: Mapping[str, Any]) -> str:
    """Return the name of a pipeline's custom job from its JSON; empty before there is one."""
    metadata = pipeline.get("trainingTaskMetadata") or {}
    return str(metadata.get("backingCustomJob", "")) if isinstance(metadata, dict) else ""


def find(tx: Tx, name: str) -> tuple[Row, Row | None] | None:
    """Return the run that a name belongs to, its own row first and then its job's; None when there is none.

    The job of a pipeline stands for the pipeline's run.
    """
    row = resources.get(tx, name)
    if row is None or row.kind not in KINDS:
        return None
    if row.kind == PIPELINES:
        job = job_of(orjson.loads(row.json))
        return row, resources.get(tx, job) if job else None
    parent = [str(part) for part in row.notes.get("parent", ())]
    above = resources.get(tx, parent[-1]) if parent else None
    return (above, row) if above is not None else (row, row)


def _rows(
    tx: Tx, kind: str, project: str, where: Sequence[Any], order: Sequence[Order], after: Any, size: int
) -> list[Row]:
    terms = [*where, *([not_(_OF_PIPELINE)] if kind == JOBS else [])]
    found = resources.select(tx, kind, f"projects/{project}/", and_(True, *terms), order, after, size + 1)
    return found.rows


def _count(tx: Tx, kind: str, project: str, where: Sequence[Any]) -> int:
    terms = [*where, *([not_(_OF_PIPELINE)] if kind == JOBS else [])]
    return resources.count(tx, kind, f"projects/{project}/", and_(True, *terms))


def _merged(found: Mapping[str, list[Row]], field: str, *, descending: bool) -> list[Row]:
    rows = [row for each in found.values() for row in each]
    return sorted(rows, key=lambda row: (getattr(row, field), row.name), reverse=descending)


def _queued(tx: Tx, project: str) -> list[str]:
    """Return the names of the pipelines whose jobs wait in the queue."""
    waits = and_(COLUMNS["state"] == "JOB_STATE_QUEUED", _OF_PIPELINE)
    order = (Order(COLUMNS["create_time"], False),)
    rows = resources.select(tx, JOBS, f"projects/{project}/", waits, order, None, _MOST_QUEUED).rows
    return [str(row.notes["parent"][-1]) for row in rows]


def _in_state(words: Sequence[str], queued: Callable[[], Sequence[str]]) -> ColumnElement[bool]:
    """Return what runs in any of some states have in common, as `_item` tells their states."""
    spelled = COLUMNS["state"].in_([f"{prefix}_STATE_{word}" for word in words for prefix in ("JOB", "PIPELINE")])
    if ("QUEUED" in words) == ("PENDING" in words):
        return spelled
    waiting = COLUMNS["name"].in_(queued())
    return or_(spelled, waiting) if "QUEUED" in words else and_(spelled, not_(waiting))


def _conditions(asked: Mapping[str, str], queued: Callable[[], Sequence[str]]) -> list[ColumnElement[bool]]:
    terms: list[ColumnElement[bool]] = []
    text = asked.get("q", "").strip()
    if text:
        part = text[:200].replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        terms.append(
            or_(
                COLUMNS["display_name"].like(f"%{part}%", escape="\\"),
                COLUMNS["name"].like(f"%/{part}", escape="\\"),
            )
        )
    states = [word for word in asked.get("state", "").split(",") if word]
    if states:
        terms.append(_in_state(states, queued))
    key, _, value = asked.get("label", "").partition("=")
    if key:
        terms.append(label_is(key, value))
    return terms


def _order(text: str) -> tuple[str, bool]:
    word, _, direction = (text or "created desc").partition(" ")
    if word not in ORDERS or direction not in ("", "asc", "desc"):
        raise InvalidArgument(violations=[Violation("order", sentences.BAD_ORDER.format(orders=", ".join(ORDERS)))])
    return ORDERS[word], direction == "desc"


def _size(text: str) -> int:
    size = whole(text or "100")
    if size is None or not 0 < size <= MOST:
        raise InvalidArgument(violations=[Violation("size", sentences.BAD_NUMBER.format(least=1, most=MOST))])
    return size


def _item(row: Row, message: Mapping[str, Any], backing: Row | None) -> RunItem:
    job = row if row.kind == JOBS else backing
    spec = _spec(message)
    pools = spec.get("workerPoolSpecs") or []
    first = pools[0] if pools else {}
    cause, printed = failures.cause(str((message.get("error") or {}).get("message", "")))
    return RunItem(
        name=row.name,
        title=row.display_name or id_of(row.name),
        state=_state(row, backing),
        created=row.create_time,
        started=_time(message, "startTime"),
        ended=_time(message, "endTime"),
        job=job.name if job is not None else "",
        reason=str(job.notes.get("reason", "")) if job is not None and not message.get("endTime") else "",
        cause=cause,
        printed=printed,
        replicas=sum(int(pool.get("replicaCount", 0)) for pool in pools),
        machines=_machines(pools),
        code=_code(first),
        labels=dict(row.labels),
    )


def _machines(pools: Sequence[Mapping[str, Any]]) -> str:
    """Return how many replicas a job has of each machine type, in the order of its pools."""
    counts: Counter[str] = Counter()
    for pool in pools:
        counts[str((pool.get("machineSpec") or {}).get("machineType", ""))] += int(pool.get("replicaCount", 0))
    return ", ".join(f"{count} × {machine}" for machine, count in counts.items() if count)


def _state(row: Row, backing: Row | None) -> str:
    queued = row.state == "PIPELINE_STATE_PENDING" and backing is not None and backing.state == "JOB_STATE_QUEUED"
    return "PIPELINE_STATE_QUEUED" if queued else row.state


def _spec(message: Mapping[str, Any]) -> Mapping[str, Any]:
    found = message.get("jobSpec") or message.get("trainingTaskInputs") or {}
    return found if isinstance(found, dict) else {}


def _code(pool: Mapping[str, Any]) -> str:
    package, container = pool.get("pythonPackageSpec") or {}, pool.get("containerSpec") or {}
    command = " ".join([*container.get("command", ()), *container.get("args", ())])
    return str(package.get("pythonModule") or command or container.get("imageUri", ""))[:200]


def _time(message: Mapping[str, Any], key: str) -> Micros:
    return micros(str(message[key])) if message.get(key) else 0
