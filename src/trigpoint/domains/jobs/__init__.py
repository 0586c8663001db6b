"""Custom jobs: JobService's CustomJob methods, the queue, the life of each attempt's replicas.

Facade of the slice: `Jobs`. Agents' reports arrive through `Jobs.reports`; `training` launches jobs through `launch`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from trigpoint.core.checks import refuse
from trigpoint.core.errors import AlreadyExists
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob, CustomJobSpec
from trigpoint.domains.jobs import records, specs
from trigpoint.domains.jobs.admission import Host, Machines
from trigpoint.domains.jobs.failures import told_by_agent
from trigpoint.domains.jobs.kinds import AWAITED, CUSTOM_JOB, LONE_JOB
from trigpoint.domains.jobs.launch import Accounts, Images, Launcher, Places
from trigpoint.domains.jobs.queue import Load, Queue
from trigpoint.domains.jobs.records import Kept, Replica
from trigpoint.domains.jobs.reports import Answer, Reports
from trigpoint.domains.jobs.rpc import Rpc
from trigpoint.domains.jobs.rules import Progress
from trigpoint.domains.jobs.work import Surroundings, Work
from trigpoint.domains.logging import Logging
from trigpoint.domains.storage import Files
from trigpoint.kernel.reconcile import Reconcilers
from trigpoint.kernel.recorder import Recorder
from trigpoint.kernel.resource import Stored
from trigpoint.kernel.standard import Handler, Standard
from trigpoint.runtime.engine import Engine
from trigpoint.store import Tx, refs

__all__ = ["CUSTOM_JOB", "LONE_JOB", "Answer", "Host", "Jobs", "Load", "Parts", "Places", "Replica", "told_by_agent"]


@dataclass(frozen=True)
class Parts:
    """What the slice is made of; `server` hands it over."""

    standard: Standard
    engine: Engine
    images: Images
    accounts: Accounts
    files: Files
    logging: Logging
    machines: Machines
    host: Host
    places: Places
    recorder: Recorder


class Jobs:
    """The facade. Thread-safe."""

    def __init__(self, parts: Parts) -> None:
        kernel = parts.standard.kernel
        self._kernel = kernel
        self._queue = Queue(kernel, parts.host, parts.machines)
        launcher = Launcher(parts.images, parts.accounts, parts.machines, parts.places)
        self._known = specs.Known(parts.machines.problem, parts.images.problem)
        surroundings = Surroundings(parts.files, parts.logging)
        self._rpc = Rpc(parts.standard, self._queue, self._known, parts.accounts, surroundings)
        self._work = Work(kernel, parts.engine, self._queue, launcher, surroundings)
        self.reports = Reports(kernel, parts.places.secret, parts.recorder)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of the API's methods by full name."""
        return self._rpc.handlers()

    def reconcilers(self) -> Reconcilers:
        """Return what takes a job further, by kind of work item."""
        return {CUSTOM_JOB.collection: self._work.step}

    def check(self, spec: CustomJobSpec, path: str, project: str) -> None:
        """Refuse a job specification found at `path` of a request of a project, with everything that is wrong."""
        refuse(specs.check_spec(spec, self._known, path))
        self._rpc.examine(spec, path, project)

    def launch(
        self, parent: str, ident: str, job: CustomJob, variables: Mapping[str, str], waker: tuple[str, str]
    ) -> Stored[CustomJob]:
        """Create or get a job under a derived id; `waker` (kind, name) is woken when it runs and when it ends.

        It cannot be deleted until the waker lets go of it.
        """
        progress = Progress(variables=dict(variables), parent=waker)
        try:
            return self._rpc.accept(parent, job, ident=ident, progress=progress)
        except AlreadyExists:
            return self._kernel.load(CUSTOM_JOB, f"{parent}/customJobs/{ident}")

    def find(self, name: str) -> Stored[CustomJob] | None:
        """Return a job or None."""
        return self._kernel.find(CUSTOM_JOB, name)

    def cancel(self, name: str) -> None:
        """Ask for the end of a job; nothing happens when it has ended."""
        self._rpc.cancel_if_live(name)

    def let_go(self, tx: Tx, waker: str, name: str) -> None:
        """Let a job be deleted that its launcher waited for."""
        refs.drop(tx, waker, name, AWAITED)

    def replica(self, uid: str, task: str) -> Replica | None:
        """Return one replica by its attempt's id and its task."""
        found = self._kernel.store.read(lambda tx: records.find(tx, uid, task))
        return found[1] if found is not None else None

    def replicas(self, name: str) -> list[Replica]:
        """Return the replicas of all attempts of a job."""
        return self._kernel.store.read(lambda tx: records.of_job(tx, name))

    def kept(self, tx: Tx, name: str, known: Mapping[str, Kept]) -> dict[str, Kept]:
        """Return the records of all replicas of a job by full name; those that did not change are the `known` ones."""
        return records.kept_of_job(tx, name, known)

    def load(self) -> Load:
        """Return how much runs and waits now, and how much may."""
        return self._queue.load()

    def recover(self) -> list[Replica]:
        """Learn at start who runs and who waits; return the replicas that may still live: their doors must be open."""
        names = self._queue.recover()
        return [replica for name in names for replica in self.replicas(name) if replica.outcome is None]
