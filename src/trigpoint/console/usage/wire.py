"""What plots of usage are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trigpoint.core.clock import Micros

Metric = Literal["cpu", "memory", "diskRead", "diskWritten", "received", "sent", "processes"]


@dataclass(frozen=True, slots=True)
class Series:
    """One measure of one replica."""

    metric: Metric
    """cpu in cores; memory in bytes; disk and network in bytes per second."""
    times: Sequence[Micros]
    """At most 600, however long the job ran; what is asked for `since` an instant goes on from the point there."""
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
    """Bytes that a replica of the job may use at most, by its machine type; 0 where that is not known."""
