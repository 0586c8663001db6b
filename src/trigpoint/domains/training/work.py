"""Takes a training pipeline one step further: looks, asks the rules, does one thing, saves if nothing changed."""

import hashlib
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any

from trigpoint.core import messages
from trigpoint.core.clock import SECOND
from trigpoint.core.errors import TrigpointError
from trigpoint.core.names import join, parent_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob, CustomJobSpec
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.core.pb.google.cloud.aiplatform.v1.pipeline_state_pb import PipelineState
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import TrainingPipeline
from trigpoint.core.pb.google.rpc.status_pb import Status
from trigpoint.domains.datasets import Datasets, Exported
from trigpoint.domains.jobs import CUSTOM_JOB, Jobs
from trigpoint.domains.lineage import Lineage
from trigpoint.domains.models import Models
from trigpoint.domains.storage import Storage
from trigpoint.domains.training import inputs, rules
from trigpoint.domains.training.kinds import TRAINING_PIPELINE
from trigpoint.domains.training.record import Recorded, Run, pieces, record
from trigpoint.domains.training.rules import Progress
from trigpoint.domains.training.seen import packages, touched
from trigpoint.kernel.reconcile import Again, Done, Outcome, Wait
from trigpoint.kernel.resource import Fact, Kernel, Stored
from trigpoint.store import Tx

_LOOK_EVERY = 30 * SECOND
"""A safety net: the job wakes its pipeline whenever it matters."""
_EXPORT_LOOK = SECOND // 10
_SOURCES_TOLD = 50
"""Sources of an export that the narrative names; it counts all."""
_JOB_STATES = {
    PipelineState.SUCCEEDED: Execution.State.COMPLETE,
    PipelineState.FAILED: Execution.State.FAILED,
    PipelineState.CANCELLED: Execution.State.CANCELLED,
}


@dataclass(frozen=True)
class Neighbours:
    """The lower slices that a pipeline is made of."""

    datasets: Datasets
    jobs: Jobs
    models: Models
    lineage: Lineage
    storage: Storage


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at a pipeline and its job."""

    stored: Stored[TrainingPipeline]
    progress: Progress
    job: Stored[CustomJob] | None

    @property
    def name(self) -> str:
        """The pipeline's full name."""
        return self.stored.row.name

    @property
    def location(self) -> str:
        """`projects/N/locations/L`."""
        return parent_of(self.name)


class Work:
    """The reconciler of training pipelines."""

    def __init__(self, kernel: Kernel, neighbours: Neighbours) -> None:
        self._kernel = kernel
        self._datasets = neighbours.datasets
        self._jobs = neighbours.jobs
        self._models = neighbours.models
        self._lineage = neighbours.lineage
        self._storage = neighbours.storage

    def step(self, name: str) -> Outcome:
        """Take one pipeline one step further."""
        stored = self._kernel.find(TRAINING_PIPELINE, name)
        if stored is None or stored.message.state in rules.FINAL:
            return Done()
        progress = Progress(**stored.notes)
        sight = Sight(stored, progress, self._jobs.find(progress.job or job_of(name)))
        step = rules.next_step(
            progress,
            has_dataset=stored.message.input_data_config is not None,
            wants_model=stored.message.model_to_upload is not None,
            job_state=sight.job.message.state if sight.job else None,
            job_error=sight.job.message.error if sight.job else None,
        )
        try:
            return self._take(sight, step)
        except TrigpointError as error:
            if error.http >= 500 or error.code == 10:
                raise
            failure = rules.End(PipelineState.FAILED, Status(code=error.code, message=error.message))
            return self._end(sight, failure)

    def _take(self, sight: Sight, step: rules.Step) -> Outcome:
        match step:
            case rules.Export():
                return self._export(sight)
            case rules.Launch():
                return self._launch(sight)
            case rules.CancelJob():
                return self._cancel(sight)
            case rules.Follow(state=state):
                return self._follow(sight, state)
            case rules.Upload():
                return self._upload(sight)
            case rules.Record():
                return self._record(sight)
            case rules.End():
                return self._end(sight, step)

    def _export(self, sight: Sight) -> Outcome:
        config = sight.stored.message.input_data_config
        assert config is not None
        state = self._datasets.export(sight.location, config, sight.name, sight.stored.row.create_time)
        if state is not None and not isinstance(state, Exported):
            self._tell_sources(sight)
            return Wait(self._kernel.clock.now() + _EXPORT_LOOK, "The dataset is being exported.")
        export = asdict(state) if state is not None else {}
        progress = replace(sight.progress, exported=True, export=export)
        told = {"rows": export.get("counts", {}), "to": export.get("directory", "")}
        told |= {name: export.get(name, {}) for name in ("bytes", "files")}
        fact = Fact("trainingPipeline.exported", told)
        self._save(sight, messages.copy(sight.stored.message), progress, fact)
        return Again()

    def _tell_sources(self, sight: Sight) -> None:
        """Say once what the export reads, as soon as it has begun."""
        sources = [] if sight.progress.exporting else self._datasets.reading(sight.name)
        if sources:
            total = sum(size for _, _, size in sources)
            data: dict[str, Any] = {"objects": len(sources), "bytes": total, "sources": sources[:_SOURCES_TOLD]}
            data["folders"] = _by_folder(sources)[:_SOURCES_TOLD]
            fact = Fact("trainingPipeline.exporting", data)
            progress = replace(sight.progress, exporting=True)
            self._save(sight, messages.copy(sight.stored.message), progress, fact)

    def _launch(self, sight: Sight) -> Outcome:
        """Create or get the job under its derived id; then point at it."""
        pipeline = sight.stored.message
        job = CustomJob(
            display_name=f"{pipeline.display_name[:117]}-custom-job",
            job_spec=_spec(pipeline),
            labels=dict(pipeline.labels),
            encryption_spec=pipeline.encryption_spec,
        )
        waker = (TRAINING_PIPELINE.collection, sight.name)
        variables = sight.progress.export.get("variables", {})
        made = self._jobs.launch(sight.location, derived_id(sight.name), job, variables, waker)
        message = messages.copy(pipeline)
        message.training_task_metadata = messages.value({"backingCustomJob": made.row.name})
        fact = Fact("trainingPipeline.launched", {"customJob": made.row.name})
        self._save(sight, message, replace(sight.progress, job=made.row.name), fact)
        return Again()

    def _follow(self, sight: Sight, state: PipelineState) -> Outcome:
        if sight.stored.message.state != state:
            message = messages.copy(sight.stored.message)
            message.state = state
            if state == PipelineState.RUNNING and message.start_time is None:
                message.start_time = messages.timestamp(self._kernel.clock.now())
            self._save(sight, message, sight.progress, Fact(f"trainingPipeline.{state.name.lower()}"))
        return Wait(self._kernel.clock.now() + _LOOK_EVERY, "The backing custom job is not over.")

    def _cancel(self, sight: Sight) -> Outcome:
        self._jobs.cancel(sight.progress.job)
        message = messages.copy(sight.stored.message)
        self._save(sight, message, replace(sight.progress, cancelling_job=True), Fact("trainingPipeline.cancelsJob"))
        return Again()

    def _upload(self, sight: Sight) -> Outcome:
        pipeline = sight.stored.message
        assert pipeline.model_to_upload is not None
        model = messages.copy(pipeline.model_to_upload)
        if not model.artifact_uri:
            output = _spec(pipeline).base_output_directory
            prefix = output.output_uri_prefix.rstrip("/") if output else ""
            model.artifact_uri = f"{prefix}/model" if prefix else ""
        name, version = self._models.register(
            sight.location,
            model,
            key=sight.name,
            parent_model=pipeline.parent_model,
            model_id=pipeline.model_id,
            training_pipeline=sight.name,
        )
        message = messages.copy(pipeline)
        assert message.model_to_upload is not None
        message.model_to_upload.name = name
        message.model_to_upload.version_id = version
        fact = Fact("trainingPipeline.uploaded", {"model": f"{name}@{version}"})
        self._save(sight, message, replace(sight.progress, model=f"{name}@{version}"), fact)
        return Again()

    def _record(self, sight: Sight) -> Outcome:
        run = self._run(sight)
        parts = [
            self._kernel.store.write(lambda tx, piece=piece: record(tx, self._lineage, piece))  # type: ignore[misc]
            for piece in pieces(run)
        ]

        def unit(tx: Tx) -> None:
            last = record(tx, self._lineage, replace(run, seen=()))
            fact = Fact("trainingPipeline.recorded", reduce(Recorded.with_, parts, last).counts())
            notes = asdict(replace(sight.progress, recorded=True))
            message = sight.stored.message
            self._kernel.save(tx, TRAINING_PIPELINE, sight.stored, message, notes=notes, facts=(fact,))

        self._kernel.store.write(unit)
        return Again()

    def _run(self, sight: Sight) -> Run:
        """Gather what is known of a run that is over."""
        pipeline, progress = sight.stored.message, sight.progress
        assert sight.job is not None
        replicas, seen = touched(self._kernel, self._jobs, self._storage, progress.job)
        config = pipeline.input_data_config
        dataset = self._datasets.artifact(f"{sight.location}/datasets/{config.dataset_id}") if config else ""
        variables: dict[str, Any] = progress.export.get("variables", {})
        splits = [variables[key] for key in sorted(variables) if key.endswith("_DATA_URI")]
        verdict = PipelineState[sight.job.message.state.name]
        return Run(
            pipeline=sight.name,
            display_name=pipeline.display_name,
            job=progress.job,
            state=_JOB_STATES[verdict],
            dataset_artifact=dataset,
            splits=splits,
            packages=packages(_spec(pipeline)),
            model_artifact=self._models.artifact(progress.model) if progress.model else "",
            replicas=replicas,
            seen=seen,
        )

    def _end(self, sight: Sight, step: rules.End) -> Outcome:
        if not sight.progress.job:
            self._datasets.abandon(sight.name)
        now = self._kernel.clock.now()
        message = messages.copy(sight.stored.message)
        message.state = step.verdict
        message.error = step.error
        message.end_time = messages.timestamp(now)
        job_start = sight.job.message.start_time if sight.job else None
        message.start_time = message.start_time or job_start
        data = {"error": step.error.message} if step.error else {}
        fact = Fact(f"trainingPipeline.{step.verdict.name.lower()}", data)

        def unit(tx: Tx) -> None:
            notes = asdict(sight.progress)
            self._kernel.save(tx, TRAINING_PIPELINE, sight.stored, message, notes=notes, facts=(fact,))
            self._jobs.let_go(tx, sight.name, sight.progress.job or job_of(sight.name))

        self._kernel.store.write(unit)
        return Done()

    def _save(self, sight: Sight, message: TrainingPipeline, progress: Progress, fact: Fact) -> None:
        self._kernel.store.write(
            lambda tx: self._kernel.save(
                tx, TRAINING_PIPELINE, sight.stored, message, notes=asdict(progress), facts=(fact,)
            )
        )


def job_of(name: str) -> str:
    """Return the full name of a pipeline's job, which is there before the pipeline points at it."""
    return join(parent_of(name), CUSTOM_JOB.collection, derived_id(name))


def derived_id(name: str) -> str:
    """Return the id of a pipeline's job: 19 digits that follow from the pipeline's name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return str(1_000_000_000_000_000_000 + number % 8_000_000_000_000_000_000)


def _by_folder(sources: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Return the folders of objects, each with how many there are and their bytes."""
    found: dict[str, tuple[int, int]] = {}
    for uri, _, size in sources:
        folder = uri.rpartition("/")[0] + "/"
        count, total = found.get(folder, (0, 0))
        found[folder] = count + 1, total + size
    return [(folder, count, total) for folder, (count, total) in found.items()]


def _spec(pipeline: TrainingPipeline) -> CustomJobSpec:
    return inputs.custom_job_spec(pipeline.training_task_inputs)
