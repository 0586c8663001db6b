"""What is kept of each replica of each attempt: an internal resource beside its job, written only from its reports.

The API has no such resource; the console, lineage and errors read it. Its message is JSON of `Replica`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import orjson

from trigpoint.agent.protocol import Status
from trigpoint.core.clock import Micros
from trigpoint.domains.jobs.failures import Ending
from trigpoint.runtime.engine import GangObservation
from trigpoint.store import Tx, resources
from trigpoint.store.queries import COLUMNS
from trigpoint.store.resources import Row

KIND = "replicas"

IN_TREE = "#0"
"""Stands for the generation of a file below /gcs in the name of its series: it had none when it was touched."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica of one attempt of a job."""

    job: str
    uid: str
    """The attempt's id, which is also its gang's."""
    task: str
    pool: int
    index: int
    rank: int
    host: str
    machine_type: str
    image: str
    identity: str
    """Email of the service account it acts as."""
    tenant: str
    """Id of the tenant project that it runs in."""
    metadata: str = ""
    """Address of its metadata server where it has no network of its own; empty otherwise."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    """What its image became: key, Python, substitutions."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The program's environment variables as they were given, those of the cluster included once known."""
    command: Sequence[str] = ()
    """Module and arguments, or the command line, as given."""
    argv: Sequence[str] = ()
    """The command line that was really started; empty before, and for records of older versions."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """The whole environment that the program really got, but for addresses that only it may know; empty as `argv`."""
    printed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What it had printed at its end: `logs` are bytes and `lines` lines, by stream."""
    watched: bool = False
    """Whether what its program does to files below /gcs is heard."""
    missed: bool = False
    """Whether some of that was lost: it was too much at once, or its end was never reported."""
    state: str = "PENDING"
    """PENDING, CLAIMED, PREPARED, RUNNING, ENDED or LOST."""
    seq: int = 0
    """The last report that is kept."""
    fence: int = 0
    node: str = ""
    runtime: str = ""
    lost: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    address: Mapping[str, Any] | None = None
    outcome: Mapping[str, Any] | None = None
    times: Mapping[str, Micros] = field(default_factory=dict)
    """State -> when it was entered, by the agent's clock."""

    @property
    def name(self) -> str:
        """Its full name: `JOB/attempts/N/replicas/workerpool0-0`."""
        return f"{self.job}/attempts/{self.attempt}/{KIND}/{self.task}"

    @property
    def attempt(self) -> int:
        """The number of its attempt, from 1."""
        return int(self.uid.rsplit("-", 1)[-1])

    def at(self, state: str, time: Micros, **changes: Any) -> "Replica":
        """Return this record in another state."""
        times = {**changes.pop("times", self.times), state: time}
        return replace(self, state=state, times=times, **changes)

    def ending(self) -> Ending | None:
        """Return how it ended, in the words of the job's rules; None while it lives."""
        if self.outcome is None:
            return None
        reason = str(self.outcome.get("reason", ""))
        started = reason in ("SUCCEEDED", "FAILED", "OUT_OF_MEMORY", "STOPPED")
        code = int(self.outcome.get("exit_code") or 0)
        signal = int(self.outcome.get("signal") or 0) or None
        return Ending(
            self.task,
            exit_code=code if started or code else None,
            signal=signal,
            out_of_memory=reason == "OUT_OF_MEMORY",
            reason="" if started else str(self.outcome.get("message") or reason),
            tail=str(self.outcome.get("tail", "")),
            lost=reason == "LOST",
        )


def insert(tx: Tx, replica: Replica, now: Micros) -> None:
    """Keep a new replica."""
    resources.insert(tx, _row(replica, now, now, 0))


def save(tx: Tx, row: Row, replica: Replica, now: Micros) -> None:
    """Replace a replica that is still as read; Aborted otherwise."""
    resources.update(tx, _row(replica, row.create_time, now, row.version))


def get(tx: Tx, name: str) -> tuple[Row, Replica] | None:
    """Return a replica with its row, or None."""
    row = resources.get(tx, name)
    return (row, read(row)) if row is not None and row.kind == KIND else None


def find(tx: Tx, uid: str, task: str) -> tuple[Row, Replica] | None:
    """Return a replica with its row by its attempt's id and its task, or None."""
    page = resources.select(tx, KIND, where=COLUMNS["display_name"] == f"{uid}/{task}", limit=1)
    return (page.rows[0], read(page.rows[0])) if page.rows else None


def of_attempt(tx: Tx, job: str, attempt: int) -> list[Replica]:
    """Return the replicas of one attempt in rank order."""
    page = resources.select(tx, KIND, f"{job}/attempts/{attempt}", limit=10_000)
    return sorted((read(row) for row in page.rows), key=lambda replica: replica.rank)


def of_job(tx: Tx, job: str) -> list[Replica]:
    """Return the replicas of all attempts of a job, by attempt and rank."""
    return [kept.replica for kept in kept_of_job(tx, job, {}).values()]


@dataclass(frozen=True, slots=True)
class Kept:
    """A replica's record as a row holds it."""

    version: int
    created: Micros
    replica: Replica


def kept_of_job(tx: Tx, job: str, known: Mapping[str, Kept]) -> dict[str, Kept]:
    """Return the records of all attempts of a job by full name; those that did not change are the `known` ones."""
    found: dict[str, Kept] = {}
    for row in resources.select(tx, KIND, f"{job}/attempts/", limit=10_000).rows:
        old = known.get(row.name)
        same = old is not None and old.version == row.version
        found[row.name] = old if old is not None and same else Kept(row.version, row.create_time, read(row))
    return dict(sorted(found.items(), key=lambda pair: (pair[1].replica.attempt, pair[1].replica.rank)))


def read(row: Row) -> Replica:
    """Return the record that a row holds; members of a newer version are ignored."""
    known = {f.name for f in fields(Replica)}
    return Replica(**{key: value for key, value in orjson.loads(row.message).items() if key in known})


def told(replica: Replica, status: Status) -> Replica:
    """Return the record with what the agent wrote down in its directory, for when its report never came."""
    if status.outcome is None:
        return replica
    time = status.times.get("ENDED", 0)
    outcome, times = asdict(status.outcome), {**status.times, **replica.times}
    return replica.at("ENDED", time, outcome=outcome, times=times, missed=replica.watched)


def close(tx: Tx, replicas: Sequence[Replica], gang: GangObservation | None, now: Micros) -> None:
    """Write down the end of every replica that has not reported one: from its directory, else as lost."""
    for replica in replicas:
        found = get(tx, replica.name)
        if found is None or found[1].outcome is not None:
            continue
        observed = gang.replicas.get(replica.task) if gang else None
        ended = told(found[1], observed.status) if observed and observed.status else found[1]
        if ended.outcome is None:
            ended = ended.at("LOST", now)
        save(tx, found[0], ended, now)


def _row(replica: Replica, created: Micros, updated: Micros, version: int) -> Row:
    return Row(
        name=replica.name,
        kind=KIND,
        parent=replica.name.rsplit("/", 2)[0],
        message=orjson.dumps(asdict(replica)),
        state=replica.state,
        display_name=f"{replica.uid}/{replica.task}",
        create_time=created,
        update_time=updated,
        version=version,
    )
