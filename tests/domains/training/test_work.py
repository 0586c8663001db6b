"""A pipeline and its job, however a cancel or a crash falls between the writes of the two."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from tests.domains.parts import NUMBER, Parts

from trigpoint.core import messages
from trigpoint.core.errors import Aborted
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.core.pb.google.cloud.aiplatform.v1.pipeline_state_pb import PipelineState
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import TrainingPipeline
from trigpoint.domains.jobs import CUSTOM_JOB
from trigpoint.domains.training import TRAINING_PIPELINE, Neighbours, Training, inputs
from trigpoint.domains.training.rules import Progress
from trigpoint.kernel.reconcile import Again
from trigpoint.kernel.resource import Stored

HERE = f"projects/{NUMBER}/locations/us-central1"


class Jobs:
    """The rows of jobs without what runs them; a test may let something happen right after one was made."""

    def __init__(self, parts: Parts) -> None:
        self._kernel = parts.kernel
        self.launched = 0
        self.cancelled: list[str] = []
        self.freed: list[str] = []
        self.meanwhile: list[Any] = []

    def find(self, name: str) -> Stored[CustomJob] | None:
        return self._kernel.find(CUSTOM_JOB, name)

    def launch(self, parent: str, ident: str, job: CustomJob, *_: object) -> Stored[CustomJob]:
        name = f"{parent}/customJobs/{ident}"
        found = self.find(name)
        if found is None:
            job.state = JobState.PENDING
            self._kernel.store.write(lambda tx: self._kernel.insert(tx, CUSTOM_JOB, name, job, notes={}))
            self.launched += 1
        for happens in self.meanwhile:
            happens()
        self.meanwhile.clear()
        return self._kernel.load(CUSTOM_JOB, name)

    def cancel(self, name: str) -> None:
        self.cancelled.append(name)

    def let_go(self, tx: Any, waker: str, name: str) -> None:
        self.freed.append(name)

    def end(self, name: str, state: JobState) -> None:
        def edit(tx: Any, stored: Stored[CustomJob]) -> Stored[CustomJob]:
            message = messages.copy(stored.message)
            message.state = state
            return self._kernel.save(tx, CUSTOM_JOB, stored, message, notes={})

        self._kernel.change(CUSTOM_JOB, name, edit)

    def drop(self, name: str) -> None:
        stored = self._kernel.load(CUSTOM_JOB, name)
        self._kernel.store.write(lambda tx: self._kernel.drop(tx, CUSTOM_JOB, stored))


class World:
    """One pipeline, what takes it further, and its jobs."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self.jobs = parts, Jobs(parts)
        others: dict[str, Any] = {"datasets": _Nothing(), "jobs": self.jobs, "models": None, "storage": None}
        self._training = Training(parts.standard, Neighbours(**others, lineage=parts.lineage))
        pool = {"machine_spec": {"machine_type": "n1-standard-4"}, "replica_count": 1}
        spec = inputs.custom_job_spec(messages.value({"workerPoolSpecs": [pool]}))
        pipeline = TrainingPipeline(
            display_name="p", training_task_inputs=inputs.canonical(spec), state=PipelineState.PENDING
        )
        made = parts.kernel.create(TRAINING_PIPELINE, HERE, pipeline, notes=asdict(Progress()), call=parts.call)
        self.name = made.row.name

    @property
    def state(self) -> str:
        return self._parts.kernel.load(TRAINING_PIPELINE, self.name).message.state.name

    def cancel(self) -> None:
        self._parts.ask("PipelineService", self._training.handlers(), "CancelTrainingPipeline", {"name": self.name})

    def go(self) -> None:
        """Take the pipeline as far as it goes now; a step that was overtaken is taken again."""
        step = self._training.reconcilers()["trainingPipelines"]
        for _ in range(20):
            with suppress(Aborted):
                if not isinstance(step(self.name), Again):
                    return
        raise AssertionError("it goes on and on")


class _Nothing:
    def abandon(self, _: str) -> None:
        """There is no export."""


def test_a_cancel_right_after_the_job_was_made_ends_the_job_too(parts: Parts) -> None:
    world = World(parts)
    world.jobs.meanwhile.append(world.cancel)
    world.go()
    assert world.state == "CANCELLING"
    assert (world.jobs.launched, len(world.jobs.cancelled)) == (1, 1)


def test_a_cancel_before_there_is_a_job_makes_none(parts: Parts) -> None:
    world = World(parts)
    world.cancel()
    world.go()
    assert (world.state, world.jobs.launched) == ("CANCELLED", 0)


def test_a_job_whose_pipeline_had_not_heard_of_it_is_taken_up(parts: Parts) -> None:
    world = World(parts)

    def crash() -> None:
        raise KeyboardInterrupt

    world.jobs.meanwhile.append(crash)
    try:
        world.go()
    except KeyboardInterrupt:
        world.jobs.meanwhile.clear()
    world.go()
    assert (world.state, world.jobs.launched) == ("PENDING", 1)


def test_a_job_that_was_deleted_is_not_run_again(parts: Parts) -> None:
    world = World(parts)
    world.go()
    name = parts.kernel.load(TRAINING_PIPELINE, world.name).notes["job"]
    world.jobs.end(name, JobState.SUCCEEDED)
    world.jobs.drop(name)
    world.go()
    pipeline = parts.kernel.load(TRAINING_PIPELINE, world.name).message
    assert (world.state, world.jobs.launched, world.jobs.freed) == ("FAILED", 1, [name])
    assert pipeline.error is not None
    assert "deleted" in pipeline.error.message
