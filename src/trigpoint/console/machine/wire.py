"""What the start page is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from trigpoint.console.runs.wire import RunItem


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the machine has, and how much of it is in use."""

    cpus: int
    cpu_share: float
    """Of all CPUs together, 0 to 1, since the last question."""
    load: float
    """Programs that want a CPU, over the last minute."""
    memory_bytes: int
    memory_used: int
    disk_bytes: int
    disk_used: int
    replicas: int
    """Replicas that run now."""
    replicas_at_once: int
    vcpus: int
    """That the running jobs asked for: virtual capacity."""
    vcpu_quota: int
    waiting: int
    """Jobs in the queue."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that this machine can do for programs, or not."""

    name: str
    works: bool
    seen: str
    otherwise: str
    """What its absence costs, and what to do."""


@dataclass(frozen=True, slots=True)
class HomeInfo:
    """The start page."""

    active: Sequence[RunItem]
    """What runs and waits now, newest first."""
    failed: Sequence[RunItem]
    """What failed lately, newest first."""
    recent: Sequence[RunItem]
    """What ended well lately, newest first."""
    capacity: Capacity
    findings: Sequence[Finding]
    """Empty until the machine has been examined."""
    runs: int
    datasets: int
    models: int
    buckets: int
