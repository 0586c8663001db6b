"""What plots of usage are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trigpoint.core.clock import Micros


@dataclass(frozen=True, slots=True)
class Series:
    """One measure of one replica."""

    metric: Literal["cpu", "memory", "diskRead", "diskWritten", "received", "sent", "processes"]
    """cpu in cores; memory in bytes; disk and network in bytes per second."""
    times: Sequence[Micros]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class ReplicaUsage:
    """What one replica used."""

    replica: str
    """Full name of the replica."""
    task: str
    attempt: int
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Usage:
    """What the replicas of a job used, over all attempts."""

    replicas: Sequence[ReplicaUsage]
    memory_limit: int
    """Bytes that a replica of the job may use at most; 0 where no limit is known."""
