"""What lists of runs are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trigpoint.core.clock import Micros


@dataclass(frozen=True, slots=True)
class RunItem:
    """A training run: a pipeline with its job, or a job by itself."""

    name: str
    """Full name of the pipeline, or of the job where there is no pipeline."""
    title: str
    state: str
    """As the API spells it: PIPELINE_STATE_RUNNING, JOB_STATE_QUEUED, ..."""
    created: Micros
    started: Micros
    ended: Micros
    job: str
    """Full name of the custom job; empty until a pipeline has launched it."""
    reason: str
    """Why it waits; empty while it does not."""
    cause: str
    """Why it failed, in a line: what the program said last, or the service."""
    replicas: int
    machine: str
    """Machine type of the primary."""
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
