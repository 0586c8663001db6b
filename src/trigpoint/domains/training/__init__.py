"""Training pipelines: PipelineService's TrainingPipeline methods, and what a pipeline does with its lower slices.

Facade of the slice: `Training`.
"""

from collections.abc import Mapping

from trigpoint.domains.jobs import LONE_JOB
from trigpoint.domains.training.kinds import TRAINING_PIPELINE
from trigpoint.domains.training.lone import LoneJobs
from trigpoint.domains.training.rpc import Rpc
from trigpoint.domains.training.work import Neighbours, Work
from trigpoint.kernel.reconcile import Reconcilers
from trigpoint.kernel.standard import Handler, Standard

__all__ = ["TRAINING_PIPELINE", "Neighbours", "Training"]


class Training:
    """The facade. Thread-safe."""

    def __init__(self, standard: Standard, neighbours: Neighbours) -> None:
        self._rpc = Rpc(standard, neighbours)
        self._work = Work(standard.kernel, neighbours)
        self._lone = LoneJobs(standard.kernel, neighbours.jobs, neighbours.lineage, neighbours.storage)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of the API's methods by full name."""
        return self._rpc.handlers()

    def reconcilers(self) -> Reconcilers:
        """Return what takes a pipeline further, and what writes down jobs without one, by kind of work item."""
        return {TRAINING_PIPELINE.collection: self._work.step, LONE_JOB: self._lone.step}
