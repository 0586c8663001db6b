"""What a custom job does next, decided from what is known. Pure: no clock, no store, no runtime.

The order of decisions in `next_step` is the job's life: vertex-training.md section 3.10.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trigpoint.core.clock import Micros
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.core.pb.google.rpc.status_pb import Status
from trigpoint.domains.jobs import failures, sentences
from trigpoint.domains.jobs.failures import Ending

FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
TRANSIENT_STATUSES = frozenset({6, 11, 134, 139})
"""SIGABRT and SIGSEGV: possibly transient, the job is restarted (vertex-training.md section 3.10)."""
MAX_CRASH_RESTARTS = 3
MAX_LOSS_RESTARTS = 2
GRACE_SECONDS = 30.0
"""From SIGTERM to SIGKILL on cancel and timeout; undocumented on Vertex, a common default."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A job's bookkeeping beside its API message; saved with it as the row's notes."""

    phase: str = "queued"
    """queued -> preparing -> launched -> stopping -> ended."""
    attempt: int = 1
    cancel: bool = False
    crash_restarts: int = 0
    loss_restarts: int = 0
    reason: str = ""
    """Why the job waits, for people."""
    started: Micros = 0
    """When the current attempt's programs were all started; 0 before."""
    verdict: int = 0
    """The final JobState decided on while replicas are being stopped; 0 before."""
    error_code: int = 0
    error: str = ""
    launched: Micros = 0
    boot: str = ""
    """The engine's boot when the attempt was written down: an attempt of an earlier boot never starts again."""
    environments: Mapping[str, Any] = field(default_factory=dict)
    """What each image became: what `images` resolved, by image URI."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that the parent hands to every replica (AIP_*_DATA_URI)."""
    parent: Sequence[str] = ()
    """Kind and name of the work item to wake when the job ends."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the gang of the current attempt."""

    tasks: tuple[str, ...]
    """All replicas' tasks in rank order; the first is the primary."""
    started: frozenset[str] = frozenset()
    endings: Mapping[str, Ending] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    """Tasks whose agent the engine cannot find any more and that never reported an outcome."""

    @property
    def all_over(self) -> bool:
        """Whether nothing of the gang runs any more."""
        return all(task in self.endings or task in self.gone for task in self.tasks)


@dataclass(frozen=True, slots=True)
class Admit:
    """Ask for a place; then provide the environments."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Have the engine start the gang of the current attempt (idempotent)."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Nothing to do until a report arrives or the deadline passes."""

    until: Micros | None = None


@dataclass(frozen=True, slots=True)
class MarkRunning:
    """All programs have started: the job is RUNNING."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop what still runs; the job will end in `verdict`."""

    verdict: JobState
    error: Status | None
    grace_seconds: float = GRACE_SECONDS


@dataclass(frozen=True, slots=True)
class Restart:
    """Forget this attempt and begin the next."""

    cause: str
    """`crash` or `loss`."""
    why: str


@dataclass(frozen=True, slots=True)
class End:
    """Everything is over: store the final state."""

    verdict: JobState
    error: Status | None


Step = Admit | Launch | Watch | MarkRunning | Stop | Restart | End


@dataclass(frozen=True, slots=True)
class Terms:
    """What the job's spec says about its life."""

    project: str
    job_id: str
    timeout_seconds: float
    retries: bool
    """False with `scheduling.disableRetries`."""


def next_step(state: JobState, progress: Progress, seen: Seen, terms: Terms, now: Micros) -> Step:
    """Return the one thing to do next for a job that is not in a final state."""
    if progress.phase == "stopping":
        verdict = JobState(progress.verdict)
        error = Status(code=progress.error_code, message=progress.error) if progress.error_code else None
        return End(verdict, error) if seen.all_over else Watch()
    if progress.phase in ("queued", "preparing"):
        return End(JobState.CANCELLED, failures.of_cancel()) if progress.cancel else Admit()
    if progress.cancel:
        return Stop(JobState.CANCELLED, failures.of_cancel())
    decided = _outcome(seen, progress, terms)
    if decided is not None:
        return decided
    deadline = _deadline(progress, terms)
    if deadline is not None and now >= deadline:
        return Stop(JobState.FAILED, failures.of_timeout(terms.timeout_seconds, terms.job_id))
    if state != JobState.RUNNING and len(seen.started) == len(seen.tasks):
        return MarkRunning()
    return Watch(deadline)


def _outcome(seen: Seen, progress: Progress, terms: Terms) -> Step | None:
    """Return what the replicas' endings mean, or None while they mean nothing yet.

    The primary's exit 0 ends the job as SUCCEEDED whatever the others do; any other failure ends it as FAILED.
    """
    primary = seen.endings.get(seen.tasks[0])
    if primary is not None and primary.succeeded:
        return Stop(JobState.SUCCEEDED, None)
    ended = [seen.endings[task] for task in seen.tasks if task in seen.endings]
    bad = [ending for ending in ended if not ending.succeeded and not ending.lost]
    if bad:
        return _of_failure(_first_cause(bad), progress, terms)
    lost = seen.gone | {ending.task for ending in ended if ending.lost}
    if lost:
        task = next(task for task in seen.tasks if task in lost)
        if terms.retries and progress.loss_restarts < MAX_LOSS_RESTARTS:
            return Restart("loss", sentences.DISAPPEARED.format(task=task))
        return Stop(JobState.FAILED, failures.of_loss(task))
    return None


def _of_failure(ending: Ending, progress: Progress, terms: Terms) -> Step:
    crashed = ending.status in TRANSIENT_STATUSES and not ending.out_of_memory and not ending.reason
    if crashed and terms.retries and progress.crash_restarts < MAX_CRASH_RESTARTS:
        return Restart("crash", sentences.CRASHED.format(task=ending.task, status=ending.status))
    return Stop(JobState.FAILED, failures.of_ending(ending, terms.project, terms.job_id))


def _first_cause(bad: Sequence[Ending]) -> Ending:
    """Return the ending that explains the others: an own failure before one that a signal made."""
    own = [ending for ending in bad if not ending.signal or ending.out_of_memory]
    return (own or list(bad))[0]


def _deadline(progress: Progress, terms: Terms) -> Micros | None:
    begun = progress.started or progress.launched
    return begun + int(terms.timeout_seconds * 1_000_000) if begun and terms.timeout_seconds else None
