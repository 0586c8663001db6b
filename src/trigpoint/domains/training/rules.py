"""What a training pipeline does next, decided from what is known. Pure.

A pipeline exports its dataset, launches one custom job, waits for it, registers the model, records lineage. Sources:
vertex-training.md section 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.core.pb.google.cloud.aiplatform.v1.pipeline_state_pb import PipelineState
from trigpoint.core.pb.google.rpc.status_pb import Status
from trigpoint.domains.training import sentences

FINAL = frozenset({PipelineState.SUCCEEDED, PipelineState.FAILED, PipelineState.CANCELLED})
JOB_FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Progress:
    """A pipeline's bookkeeping beside its API message; saved with it as the row's notes."""

    cancel: bool = False
    exporting: bool = False
    """Whether it has been told that the export reads the sources."""
    exported: bool = False
    export: Mapping[str, Any] = field(default_factory=dict)
    """What the export made: `variables` for the replicas, `counts` per split, `directory`."""
    job: str = ""
    """Full name of the backing custom job once it exists."""
    model: str = ""
    """Full name of the registered model with its version once it exists."""
    recorded: bool = False
    """Whether lineage has been written."""
    cancelling_job: bool = False
    parent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """Write the dataset's splits where the replicas will read them."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Create (or find) the backing custom job."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Wait for the backing job; mirror its state."""

    state: PipelineState


@dataclass(frozen=True, slots=True)
class CancelJob:
    """Cancel the backing job."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Register the model from the job's model directory."""


@dataclass(frozen=True, slots=True)
class Record:
    """Write the lineage of the run."""


@dataclass(frozen=True, slots=True)
class End:
    """Store the final state."""

    verdict: PipelineState
    error: Status | None


Step = Export | Launch | Follow | CancelJob | Upload | Record | End


def next_step(
    progress: Progress, *, has_dataset: bool, wants_model: bool, job_state: JobState | None, job_error: Status | None
) -> Step:
    """Return the one thing to do next for a pipeline that is not in a final state.

    `job_state` is None where there is no backing job. A job may be there before the pipeline points at it: whatever
    happened in between, it is taken up first. A cancel wins over everything but a job that already ended well: the
    model of a finished job is still registered, as a cancel is best effort.
    """
    if job_state is None:
        if progress.cancel:
            return End(PipelineState.CANCELLED, cancelled())
        if progress.job:
            return End(PipelineState.FAILED, deleted())
        return Export() if has_dataset and not progress.exported else Launch()
    if not progress.job:
        return Launch()
    if job_state not in JOB_FINAL:
        if progress.cancel and not progress.cancelling_job:
            return CancelJob()
        return Follow(PipelineState.CANCELLING if progress.cancel else pipeline_state(job_state))
    if job_state == JobState.CANCELLED:
        return _recorded(progress, End(PipelineState.CANCELLED, job_error or cancelled()))
    if job_state == JobState.FAILED:
        return _recorded(progress, End(PipelineState.FAILED, job_error or unexplained()))
    if wants_model and not progress.model:
        return Upload()
    return _recorded(progress, End(PipelineState.SUCCEEDED, None))


def pipeline_state(job_state: JobState) -> PipelineState:
    """Return the pipeline state that a live backing job stands for."""
    if job_state in (JobState.QUEUED, JobState.PENDING):
        return PipelineState.PENDING
    return PipelineState.RUNNING


def cancelled() -> Status:
    """Return the error of a cancelled pipeline; its code is never 0, or the SDK would report success."""
    return Status(code=1, message=sentences.CANCELLED)


def deleted() -> Status:
    """Return the error for a job that was deleted before its pipeline had ended."""
    return Status(code=9, message=sentences.JOB_DELETED)


def unexplained() -> Status:
    """Return the error for a failed job that left none."""
    return Status(code=13, message=sentences.UNEXPLAINED)


def _recorded(progress: Progress, end: End) -> Step:
    return end if progress.recorded else Record()
