"""What an engine is: it decides where agents start, and nothing else; agents alone report how a program ended.

All methods are idempotent and thread-safe, return within a second, and look at the world each time (level-triggered):
a caller that crashed in between simply calls again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from trigpoint.agent.protocol import RunSpec, Status

ReplicaSpec = RunSpec
"""One replica: a RunSpec, in which the engine fills what only it knows (network namespace, uid, layers, installer)."""


@dataclass(frozen=True, slots=True)
class GangSpec:
    """The replicas of one attempt. They start together or not at all."""

    uid: str
    """The attempt's id: [a-zA-Z0-9-], at most 63 characters. The key of everything an engine does."""
    replicas: tuple[ReplicaSpec, ...]
    boot: str = ""
    """`Engine.boot()` when the attempt became durable. An attempt of another boot of the machine is GONE and never
    starts again, whatever the power cut left of its directory. Empty: not checked."""


class Placement(Enum):
    """PENDING: no agent yet, for a reason. PLACED: an agent lives. GONE: none lives, or ever will again."""

    PENDING = "PENDING"
    PLACED = "PLACED"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class ReplicaObservation:
    """One replica, as its engine sees it."""

    placement: Placement
    node: str = ""
    reason: str = ""
    """Why PENDING, or why GONE without an outcome; for people."""
    status: Status | None = None
    """What its agent last wrote down, where this engine can read it: the same facts as the agent's reports, for when
    the server was away. GONE without `status.outcome` means that the agent died: the program ended unobserved."""


@dataclass(frozen=True, slots=True)
class GangObservation:
    """A gang. PENDING when any replica is; GONE when all are; else PLACED."""

    placement: Placement
    reason: str = ""
    replicas: Mapping[str, ReplicaObservation] = field(default_factory=dict)
    """By replica name. Empty for a gang that the engine does not know, which is GONE."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine that an engine can place replicas on."""

    name: str
    cpus: float
    memory_bytes: int
    accelerators: Mapping[str, int] = field(default_factory=dict)
    replicas: int = 0
    """Replicas whose agents live on it now."""
    labels: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Places gangs of agents. It never says that something succeeded."""

    @property
    def name(self) -> str:
        """Return a word for people, such as `local`."""
        ...

    def boot(self) -> str:
        """Return an id that changes when the machines lose all processes; for `GangSpec.boot`."""
        ...

    def nodes(self) -> list[Node]:
        """Return the machines that it can use now."""
        ...

    def ensure(self, gang: GangSpec) -> None:
        """Start the gang's agents unless they were started before. Never raises for want of room: see `observe`.

        Raises InvalidArgument for a spec that cannot be placed anywhere. Agents that were started once for this uid
        are never started again, except when none of them had claimed its attempt.
        """
        ...

    def observe(self, uids: Collection[str]) -> dict[str, GangObservation]:
        """Return how these gangs stand; one entry per uid asked for."""
        ...

    def stop(self, uid: str, grace_s: float) -> None:
        """Ask every agent of the gang to end its program: TERM, and after `grace_s` seconds KILL. Returns at once.

        A later call with a shorter grace shortens it. For an unknown or ended gang: nothing. A gang stopped before it
        was ensured is never started.
        """
        ...

    def release(self, uid: str) -> None:
        """Give back what a gang that is over has of its machines, but for what it left to be read. Idempotent."""
        ...

    def forget(self, uid: str) -> None:
        """Remove everything of a gang, logs included; what still lives is killed first."""
        ...

    def close(self) -> None:
        """Let go of it in an orderly way; agents that run programs stay alive."""
        ...
