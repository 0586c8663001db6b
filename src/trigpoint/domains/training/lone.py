"""Writes the lineage of jobs that no pipeline launched, once they are over; a pipeline writes that of its own."""

from dataclasses import replace

from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJobSpec
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.domains.jobs import Jobs
from trigpoint.domains.lineage import Lineage
from trigpoint.domains.storage import Storage
from trigpoint.domains.training.record import Run, pieces, record
from trigpoint.domains.training.seen import packages, touched
from trigpoint.kernel.reconcile import Done, Outcome
from trigpoint.kernel.resource import Kernel

_STATES = {
    JobState.SUCCEEDED: Execution.State.COMPLETE,
    JobState.FAILED: Execution.State.FAILED,
    JobState.CANCELLED: Execution.State.CANCELLED,
}


class LoneJobs:
    """The reconciler of ended jobs without a pipeline."""

    def __init__(self, kernel: Kernel, jobs: Jobs, lineage: Lineage, storage: Storage) -> None:
        self._kernel, self._jobs, self._lineage, self._storage = kernel, jobs, lineage, storage

    def step(self, name: str) -> Outcome:
        """Write down what one job read and wrote; nothing of one that touched nothing, is not over, or is gone."""
        run = self._run(name)
        if run is not None and (run.seen or run.packages):
            for piece in [*pieces(run), replace(run, seen=())]:
                self._kernel.store.write(lambda tx, piece=piece: record(tx, self._lineage, piece))  # type: ignore[misc]
        return Done()

    def _run(self, name: str) -> Run | None:
        job = self._jobs.find(name)
        if job is None or job.message.state not in _STATES:
            return None
        replicas, seen = touched(self._kernel, self._jobs, self._storage, name)
        return Run(
            pipeline="",
            display_name=job.message.display_name,
            job=name,
            state=_STATES[job.message.state],
            packages=packages(job.message.job_spec or CustomJobSpec()),
            replicas=replicas,
            seen=seen,
        )
