"""Who runs and who waits, in memory: rebuilt from the rows at start, asked by the reconciler of each job.

First come, first served over the whole installation. What the rule is, `admission` says.
"""

import bisect
import threading
from dataclasses import dataclass

from trigpoint.core.clock import Micros
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.domains.jobs import admission
from trigpoint.domains.jobs.admission import Admitted, Demand, Host, Machines, Queued, Refused
from trigpoint.domains.jobs.kinds import CUSTOM_JOB
from trigpoint.domains.jobs.rules import Progress
from trigpoint.kernel.resource import Kernel, Stored
from trigpoint.store import resources
from trigpoint.store.queries import COLUMNS
from trigpoint.store.tx import Values

_LIVE = ("JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_CANCELLING")


@dataclass(frozen=True, slots=True)
class Load:
    """How full the installation is."""

    replicas: int
    """Of the jobs that run."""
    replicas_at_once: int
    vcpus: int
    """That the running jobs asked for."""
    vcpu_quota: int
    waiting: int
    """Jobs in the queue."""


class Queue:
    """Admits jobs. Thread-safe."""

    def __init__(self, kernel: Kernel, host: Host, machines: Machines) -> None:
        self._kernel = kernel
        self._host = host
        self._machines = machines
        self._lock = threading.Lock()
        self._running: dict[str, Demand] = {}
        self._waiting: dict[str, Micros] = {}
        """When they were created."""
        self._order: list[tuple[Micros, str]] = []
        """The same, the first first."""

    def recover(self) -> list[str]:
        """Learn from the rows who runs and who waits; return the names of all jobs that are not over."""
        names: list[str] = []
        after: tuple[Values, ...] | None = None
        while True:
            page = self._page(after)
            for row in page.rows:
                names.append(row.name)
                stored = self._kernel.load(CUSTOM_JOB, row.name)
                if Progress(**stored.notes).phase == "queued":
                    self._enter(row.name, row.create_time)
                else:
                    self._running[row.name] = self.demand(stored)
            after = page.next
            if after is None:
                return names

    def _page(self, after: tuple[Values, ...] | None) -> resources.Page:
        live = COLUMNS["state"].in_(_LIVE)
        return self._kernel.store.read(
            lambda tx: resources.select(tx, CUSTOM_JOB.collection, where=live, after=after, limit=500)
        )

    def refusal(self, job: CustomJob) -> Refused | None:
        """Return why a job can never run here, or None."""
        return admission.possible(admission.demand(job.job_spec, self._machines), self._host) if job.job_spec else None

    def ask(self, stored: Stored[CustomJob]) -> Admitted | Queued | Refused:
        """Admit a job, or say what it waits for; a job that was admitted stays so."""
        name, wanted = stored.row.name, self.demand(stored)
        never = admission.possible(wanted, self._host)
        with self._lock:
            if name in self._running:
                return Admitted()
            if never is not None:
                self._leave(name)
                return never
            ahead = bisect.bisect_left(self._order, (stored.row.create_time, name))
            verdict = admission.admit(wanted, self._host, list(self._running.values()), ahead)
            if isinstance(verdict, Admitted):
                self._leave(name)
                self._running[name] = wanted
            else:
                self._enter(name, stored.row.create_time)
        if isinstance(verdict, Admitted):
            self._wake_next()
        return verdict

    def left(self, name: str) -> None:
        """Forget a job that is over, and wake the first that waits."""
        with self._lock:
            known = self._running.pop(name, None) is not None or self._leave(name)
        if known:
            self._wake_next()

    def load(self) -> Load:
        """Return how much runs and waits now, and how much may."""
        with self._lock:
            running, waiting = list(self._running.values()), len(self._waiting)
        return Load(
            replicas=sum(one.replicas for one in running),
            replicas_at_once=self._host.replicas_at_once,
            vcpus=sum(one.vcpus for one in running),
            vcpu_quota=self._host.vcpu_quota,
            waiting=waiting,
        )

    def demand(self, stored: Stored[CustomJob]) -> Demand:
        """Return what a stored job asks for."""
        assert stored.message.job_spec is not None
        return admission.demand(stored.message.job_spec, self._machines)

    def _enter(self, name: str, since: Micros) -> None:
        if name not in self._waiting:
            self._waiting[name] = since
            bisect.insort(self._order, (since, name))

    def _leave(self, name: str) -> bool:
        since = self._waiting.pop(name, None)
        if since is None:
            return False
        del self._order[bisect.bisect_left(self._order, (since, name))]
        return True

    def _wake_next(self) -> None:
        with self._lock:
            first = self._order[0][1] if self._order else ""
        if first:
            self._kernel.store.write(lambda tx: self._kernel.wake(tx, CUSTOM_JOB.collection, first))
