"""What agents say of their replicas, made durable and answered. The surface that speaks to agents is above.

Reports arrive at least once and in order per replica (agent.protocol); what is acknowledged is in the rows. A report
that matters to the job wakes it.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trigpoint.agent.protocol import OPENED, SAVED, STREAMS
from trigpoint.core.errors import FailedPrecondition, NotFound, Unauthenticated
from trigpoint.domains.jobs import cluster, records
from trigpoint.domains.jobs.kinds import CUSTOM_JOB
from trigpoint.domains.jobs.records import Replica
from trigpoint.domains.jobs.rules import FINAL, GRACE_SECONDS, Progress
from trigpoint.kernel.recorder import Recorder
from trigpoint.kernel.resource import Fact, Kernel, Stored
from trigpoint.store import Tx, telemetry
from trigpoint.store.steps import Growth

_STATES = {"hello": "CLAIMED", "prepared": "PREPARED", "started": "RUNNING", "outcome": "ENDED"}
PRINTS = "print"
"""The series (store.steps) of what a replica printed, by stream."""
_COUNTS = ("logs", "lines")
_MEASURED = frozenset({*_COUNTS, "files", "watched"})
"""What an outcome says besides the outcome."""
_METRICS = {
    "cpu_s": "cpu_seconds",
    "memory_bytes": "memory_bytes",
    "memory_peak_bytes": "memory_peak_bytes",
    "processes": "processes",
    "read_bytes": "disk_read_bytes",
    "write_bytes": "disk_written_bytes",
    "net_in_bytes": "network_received_bytes",
    "net_out_bytes": "network_sent_bytes",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent is told: what it need not repeat, and what to do."""

    ack: int
    commands: tuple[Mapping[str, Any], ...] = ()
    watch: tuple[str, ...] = ()
    """Names of the resources whose change may bring a command: what a held answer waits for."""


def token(secret: bytes, uid: str, task: str) -> str:
    """Return the bearer token of one replica's reports: derived, so that it survives the server and needs no row."""
    return hmac.new(secret, f"reports:{uid}:{task}".encode(), hashlib.sha256).hexdigest()


class Reports:
    """Takes reports. Thread-safe."""

    def __init__(self, kernel: Kernel, secret: bytes, recorder: Recorder) -> None:
        self._kernel = kernel
        self._secret = secret
        self._recorder = recorder

    def take(self, uid: str, task: str, bearer: str, body: Mapping[str, Any]) -> Answer:
        """Keep the reports of one post and return the answer.

        Unauthenticated for a wrong token; NotFound for an attempt that never was; FailedPrecondition (409 on that
        wire) when a newer agent holds the attempt or the attempt is over: the agent has to go.
        """
        if not hmac.compare_digest(token(self._secret, uid, task), bearer):
            raise Unauthenticated("The token does not belong to this replica.")
        reports = [r for r in body.get("reports", ()) if isinstance(r, Mapping)]
        fence = int(body.get("fence", 0))

        def unit(tx: Tx, taken: Sequence[Mapping[str, Any]] = reports) -> tuple[str, Answer]:
            name, answer = self._take(tx, uid, task, fence, taken)
            self._hear(name, reports)  # before the end is known: who then takes up what was left asks what was heard
            return name, answer

        if any(r.get("kind") == "hello" or int(r.get("seq", 0)) for r in reports):
            name, answer = self._kernel.store.write(unit)
        else:  # nothing of it is for the rows: the writer is left alone
            name, answer = self._kernel.store.read(lambda tx: unit(tx, ()))
        self._measure(name, uid, task, reports)
        return answer

    def _take(
        self, tx: Tx, uid: str, task: str, fence: int, reports: Sequence[Mapping[str, Any]]
    ) -> tuple[str, Answer]:
        row, replica = self._find(tx, uid, task)
        stored = self._kernel.load_in(tx, CUSTOM_JOB, replica.job)
        progress = Progress(**stored.notes)
        if fence < replica.fence or progress.attempt != int(uid.rsplit("-", 1)[-1]):
            raise FailedPrecondition("A newer agent or a newer attempt has taken over.")
        if stored.message.state in FINAL and replica.outcome is not None:
            raise FailedPrecondition("The job is over.")
        fresh = [r for r in reports if int(r.get("seq", 0)) > replica.seq or r.get("kind") == "hello"]
        changed = replace(replica, fence=fence) if reports else replica
        for report in fresh:
            changed = self._apply(tx, changed, report)
        if changed != replica:
            records.save(tx, row, changed, self._kernel.clock.now())
        if any(r.get("kind") in ("prepared", "started", "outcome") for r in fresh):
            self._kernel.wake(tx, CUSTOM_JOB.collection, replica.job)
        commands = self._commands(tx, stored, progress, changed)
        watched = (replica.job, changed.name.rsplit("/", 2)[0])
        return replica.name, Answer(changed.seq, commands, watched)

    def _find(self, tx: Tx, uid: str, task: str) -> tuple[Any, Replica]:
        found = records.find(tx, uid, task)
        if found is None:
            raise NotFound(f"There is no replica {task} of attempt {uid}.")
        return found

    def _apply(self, tx: Tx, replica: Replica, report: Mapping[str, Any]) -> Replica:
        kind, time = str(report.get("kind")), int(report.get("time", 0))
        body = report.get("body") or {}
        seq = max(replica.seq, int(report.get("seq", 0)))
        if kind not in _STATES or (kind == "hello" and replica.state != "PENDING"):
            return replace(replica, seq=seq)
        told: dict[str, Any] = {"seq": seq}
        if kind == "prepared":
            told |= {k: body.get(k) or d for k, d in (("address", None), ("runtime", ""), ("lost", []), ("facts", {}))}
        if kind == "started":
            told |= {"argv": list(body.get("argv") or ()), "environ": dict(body.get("env") or {})}
            told["watched"] = body.get("watched") is True
        if kind == "outcome":
            told["outcome"] = {name: value for name, value in body.items() if name not in _MEASURED}
            told["printed"] = _counts(body)
            told["missed"] = replica.watched and body.get("watched") is not True
        self._tell(tx, replica, kind, body)
        return replica.at(_STATES[kind], time, **told)

    def _tell(self, tx: Tx, replica: Replica, kind: str, body: Mapping[str, Any]) -> None:
        data: dict[str, Any] = {"task": replica.task, "attempt": replica.uid, "tenant": replica.tenant}
        if kind == "prepared":
            data |= {"runtime": body.get("runtime", ""), "lost": list(body.get("lost") or ())}
        if kind == "outcome":
            data |= {"reason": body.get("reason", ""), "exitCode": body.get("exit_code", 0)}
        word = {"hello": "claimed", "outcome": "ended"}.get(kind, kind)
        self._kernel.narrate(tx, replica.job, Fact(f"replica.{word}", data, where="tenant"))

    def _commands(self, tx: Tx, stored: Stored[Any], progress: Progress, me: Replica) -> tuple[Mapping[str, Any], ...]:
        if progress.phase in ("stopping", "ended") or progress.cancel:
            return ({"kind": "stop", "grace_s": GRACE_SECONDS},)
        if me.state != "PREPARED":
            return ()
        everyone = [
            me if replica.task == me.task else replica for replica in records.of_attempt(tx, me.job, progress.attempt)
        ]
        if any(replica.address is None for replica in everyone):
            return ()
        return (go(stored.message.job_spec, everyone, me),)

    def _hear(self, name: str, reports: Sequence[Mapping[str, Any]]) -> None:
        """Hand what is told of files to the recorder: totals, so that telling them twice changes nothing."""
        for report in reports:
            body = report.get("body")
            for what, thing, growth in _files(body) if isinstance(body, Mapping) else ():
                self._recorder.passed(name, what, (thing,), growth)

    def _measure(self, name: str, uid: str, task: str, reports: Sequence[Mapping[str, Any]]) -> None:
        """Hand what was measured to the recorder: heartbeats, and how much was printed."""
        for report in reports:
            body, time = report.get("body"), int(report.get("time", 0))
            if not isinstance(body, Mapping):
                continue
            if report.get("kind") == "heartbeat":
                points = [
                    telemetry.Point(f"{uid}/{task}", _METRICS[key], time, float(value))
                    for key, value in body.items()
                    if key in _METRICS and isinstance(value, int | float)
                ]
                self._recorder.beat(name, telemetry.Heartbeat(f"{uid}/{task}", time, dict(body)), points)
            counts = _counts(body)
            for stream, size in counts.get("logs", {}).items():
                growth = Growth(time, size, lines=counts.get("lines", {}).get(stream, 0), total=True)
                self._recorder.passed(name, PRINTS, (stream,), growth)


def _counts(body: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return bytes and lines by stream that a report carries, none of an agent of another version or with a mishap."""
    found: dict[str, dict[str, int]] = {}
    for name in _COUNTS:
        given = body.get(name)
        if isinstance(given, Mapping):
            found[name] = {s: n for s, n in given.items() if s in STREAMS and isinstance(n, int)}
    return found


def _files(body: Mapping[str, Any]) -> Iterator[tuple[str, str, Growth]]:
    """Yield the series of files below /gcs that a report tells of: kind, thing and totals."""
    for entry in body.get("files") or ():
        match entry:
            case [str(what), str(uri), int(size), int(count), int(first), int(last)] if what in (OPENED, SAVED):
                thing = f"{uri}*" if uri.endswith("/") else f"{uri}{records.IN_TREE}"
                yield what, thing, Growth(last, size, count=count, total=True, exact=True, begun=first)


def go(spec: Any, everyone: Sequence[Replica], me: Replica) -> Mapping[str, Any]:
    """Return the command that starts one replica of a gang: the variables of its cluster, and how to find the peers."""
    seats = [cluster.Seat(r.pool, r.index, r.rank, r.host) for r in everyone]
    addresses = {r.task: f"{r.host}:{_port(r, cluster.PORT)}" for r in everyone}
    chief = everyone[0]
    variables = cluster.cluster_variables(
        spec, seats, seats[me.rank], addresses, (chief.host, str(_port(chief, cluster.MASTER_PORT)))
    )
    hosts = {str(r.address["host"]): str(r.address["ip"]) for r in everyone if r.address}
    return {"kind": "go", "env": variables, "hosts": hosts}


def _port(replica: Replica, wanted: int) -> int:
    ports = (replica.address or {}).get("ports", {})
    return int(ports.get(str(wanted), wanted))
