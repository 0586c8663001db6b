"""What lists of runs are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trigpoint.console.wire import EventInfo
from trigpoint.core.clock import Micros

Hint = Literal[
    "missingModule",
    "noSuchObject",
    "forbidden",
    "tenantProject",
    "outOfMemory",
    "timeout",
    "badPackage",
    "noSuchFile",
    "badArguments",
    "crash",
    "lost",
    "quota",
    "image",
]


@dataclass(frozen=True, slots=True)
class RunItem:
    """A training run: a pipeline with its job, or a job by itself."""

    name: str
    """Full name of the pipeline, or of the job where there is no pipeline."""
    title: str
    state: str
    """As the API spells it: PIPELINE_STATE_RUNNING, JOB_STATE_QUEUED, ... A pipeline that the API calls pending is
    queued here while its job is."""
    created: Micros
    started: Micros
    ended: Micros
    job: str
    """Full name of the custom job; empty until a pipeline has launched it."""
    reason: str
    """Why it waits; empty while it does not."""
    cause: str
    """Why it failed, in a line: what the program said last, or the service."""
    printed: bool
    """Whether the program said that: no sentence of the service then, whatever it reads like."""
    replicas: int
    machines: str
    """How many replicas of which machine types, such as `1 × n1-standard-4, 2 × n1-standard-8`."""
    code: str
    """What it runs: a module, a command or an image."""
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs and where the next page begins."""

    runs: Sequence[RunItem]
    next: str
    """Token of the next page; empty at the end."""
    total: int
    """How many there are in all; counted for the first page only, -1 on others."""


@dataclass(frozen=True, slots=True)
class FailureInfo:
    """Why a run failed: what happened, the line that shows it, and where to look for the fix."""

    what: str
    """One sentence, as the service says it."""
    task: str
    """The replica at fault; empty when none is."""
    evidence: str
    """The end of what that replica printed; empty when it says nothing of the cause."""
    line: str
    """The line of the evidence that says most."""
    printed: bool
    """Whether a program printed that line; else the service says it."""
    hints: Sequence[Hint]
    """What kind of failure this looks like, the most likely first; the page has words for each."""


@dataclass(frozen=True, slots=True)
class ReplicaInfo:
    """One replica of one attempt."""

    name: str
    task: str
    attempt: int
    pool: int
    index: int
    machine: str
    host: str
    image: str
    python: str
    account: str
    """Email of the service account that it acts as."""
    tenant: str
    """Id of the project that it runs in."""
    runtime: str
    lost: Sequence[str]
    """What the machine could not enforce."""
    state: str
    times: Mapping[str, Micros]
    """State -> when it was entered."""
    reason: str
    """How its program ended: SUCCEEDED, FAILED, OUT_OF_MEMORY, STOPPED, LOST, ...; empty while it lives."""
    exit_code: int


@dataclass(frozen=True, slots=True)
class RunDetails:
    """Everything about one run but its picture, logs and measurements."""

    run: RunItem
    pipeline: Mapping[str, Any] | None
    """The training pipeline as the API shows it."""
    job: Mapping[str, Any] | None
    """The custom job as the API shows it."""
    timeline: Sequence[EventInfo]
    """The narrative of both, oldest first."""
    failure: FailureInfo | None
    replicas: Sequence[ReplicaInfo]
    """Of all attempts, by attempt and rank."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What a new job may ask for here."""

    images: Sequence[str]
    """Training images that become environments on this machine."""
    serving_images: Sequence[str]
    machines: Sequence[str]
    accelerators: Sequence[str]
    """Kinds that a machine type may have attached; whether this machine has any is found out at the job's creation."""
