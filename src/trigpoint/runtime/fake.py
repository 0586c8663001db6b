"""An engine without processes, for tests of what stands above: it does what it is told, and misbehaves on request."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from trigpoint.agent import protocol
from trigpoint.agent.protocol import Address, Outcome, Status
from trigpoint.core.errors import InvalidArgument, Unavailable
from trigpoint.runtime.engine import GangObservation, GangSpec, Node, Placement, ReplicaObservation


class Fault(Enum):
    """Ways to misbehave, each until it is taken back."""

    NO_ROOM = "ensured gangs stay PENDING"
    REFUSE = "ensure raises Unavailable"
    LOSE = "agents die without an outcome as soon as they are placed"
    DEAF = "stop is ignored"
    BLIND = "observe raises Unavailable"


@dataclass
class _Gang:
    spec: GangSpec
    statuses: dict[str, Status] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    grace_s: float | None = None


class FakeEngine:
    """Keeps gangs in memory. The test plays the agents: `run`, `finish`, `lose`."""

    def __init__(self, boot: str = "boot-1") -> None:
        self.faults: set[Fault] = set()
        self.ensured: list[str] = []
        """Uid of every call of ensure, in order."""
        self._boot = boot
        self._lock = threading.RLock()
        self._gangs: dict[str, _Gang] = {}
        self._stopped: set[str] = set()

    @property
    def name(self) -> str:
        """Return `fake`."""
        return "fake"

    def boot(self) -> str:
        """Return the boot id that `reboot` last set."""
        return self._boot

    def nodes(self) -> list[Node]:
        """Return one node."""
        return [Node("fake", 4, 16 << 30)]

    def ensure(self, gang: GangSpec) -> None:
        """Place the gang at once, unless a fault forbids it."""
        if not gang.replicas or len({spec.replica for spec in gang.replicas}) != len(gang.replicas):
            raise InvalidArgument(f"attempt {gang.uid}: replicas must have different, plain names")
        with self._lock:
            self.ensured.append(gang.uid)
            if Fault.REFUSE in self.faults:
                raise Unavailable("this machine cannot start another process now")
            if gang.uid in self._stopped or (gang.boot and gang.boot != self._boot):
                return
            held = self._gangs.setdefault(gang.uid, _Gang(gang))
            if Fault.NO_ROOM in self.faults:
                return
            for spec in held.spec.replicas:
                self._place(held, spec.replica, spec.hostname)

    def observe(self, uids: Collection[str]) -> dict[str, GangObservation]:
        """Return what the test has made of the gangs."""
        if Fault.BLIND in self.faults:
            raise Unavailable("the engine does not answer")
        with self._lock:
            return {uid: self._observe(uid) for uid in uids}

    def stop(self, uid: str, grace_s: float) -> None:
        """End every replica that still runs, as STOPPED."""
        with self._lock:
            self._stopped.add(uid)
            gang = self._gangs.get(uid)
            if gang is None or Fault.DEAF in self.faults:
                return
            gang.grace_s = grace_s if gang.grace_s is None else min(grace_s, gang.grace_s)
            for name, status in gang.statuses.items():
                if status.outcome is None and name not in gang.lost:
                    self.finish(uid, name, Outcome(protocol.STOPPED, 143, 15))

    def release(self, uid: str) -> None:
        """Do nothing: a gang here has nothing."""

    def forget(self, uid: str) -> None:
        """Drop the gang."""
        with self._lock:
            self._gangs.pop(uid, None)
            self._stopped.discard(uid)

    def close(self) -> None:
        """Do nothing."""

    def run(self, uid: str, replica: str) -> None:
        """Play the agent that starts its program."""
        self._change(uid, replica, state=protocol.RUNNING)

    def finish(self, uid: str, replica: str, outcome: Outcome, at: int = 0) -> None:
        """Play the agent that writes down its outcome at an instant and goes."""
        self._change(uid, replica, state=protocol.ENDED, outcome=outcome, times={protocol.ENDED: at} if at else {})

    def lose(self, uid: str, replica: str) -> None:
        """Play the agent that is killed."""
        with self._lock:
            self._gangs[uid].lost.add(replica)

    def reboot(self, boot: str) -> None:
        """Play a power cut: every agent dies."""
        with self._lock:
            self._boot = boot
            for gang in self._gangs.values():
                gang.lost.update(spec.replica for spec in gang.spec.replicas)

    def statuses(self, uid: str) -> Mapping[str, Status]:
        """Return what the gang's agents have written down."""
        with self._lock:
            return dict(self._gangs[uid].statuses)

    def _place(self, gang: _Gang, replica: str, hostname: str) -> None:
        if replica in gang.statuses or replica in gang.lost:
            return
        address = Address(hostname, "127.0.0.1", {"2222": 2222})
        gang.statuses[replica] = Status(protocol.PREPARED, 1, runtime="fake", boot=self._boot, address=address)
        if Fault.LOSE in self.faults:
            gang.lost.add(replica)

    def _observe(self, uid: str) -> GangObservation:
        gang = self._gangs.get(uid)
        if gang is None:
            known = uid in self._stopped
            return GangObservation(Placement.GONE, "stopped before it was started" if known else "unknown attempt")
        seen = {spec.replica: self._replica(gang, spec.replica) for spec in gang.spec.replicas}
        placements = {observation.placement for observation in seen.values()}
        if Placement.PENDING in placements:
            return GangObservation(Placement.PENDING, "no room", seen)
        placement = Placement.GONE if placements == {Placement.GONE} else Placement.PLACED
        return GangObservation(placement, "", seen)

    def _replica(self, gang: _Gang, replica: str) -> ReplicaObservation:
        status = gang.statuses.get(replica)
        if replica in gang.lost:
            return ReplicaObservation(Placement.GONE, "fake", "the process that watched over it died", status)
        if status is None:
            if gang.spec.uid in self._stopped:
                return ReplicaObservation(Placement.GONE, "fake", "stopped before it was started")
            return ReplicaObservation(Placement.PENDING, reason="no room")
        placement = Placement.PLACED if status.outcome is None else Placement.GONE
        return ReplicaObservation(placement, "fake", status=status)

    def _change(self, uid: str, replica: str, **changes: object) -> None:
        with self._lock:
            gang = self._gangs[uid]
            gang.statuses[replica] = replace(gang.statuses[replica], **changes)  # type: ignore[arg-type]
