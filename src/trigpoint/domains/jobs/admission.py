"""Whether a job may start now. Pure.

Capacity is virtual: a job whose machine types exceed the host runs over-committed, visibly. Only absent accelerators
and a demand above the quota are refused, and more with `strict` (architecture.md section 5, step 8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trigpoint.core.pb.google.cloud.aiplatform.v1.accelerator_type_pb import AcceleratorType
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJobSpec
from trigpoint.domains.jobs import sentences

_GIB = 2**30
_EXACT = 10


class Machine(Protocol):
    """A machine type."""

    @property
    def cpus(self) -> int:
        """Its virtual CPUs."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Its memory."""
        ...

    @property
    def accelerator(self) -> str:
        """The kind of accelerator that is built in; empty for none."""
        ...

    @property
    def accelerators(self) -> int:
        """How many are built in."""
        ...


class Machines(Protocol):
    """The machine types that there are (`runtime.machines`)."""

    def get(self, name: str) -> Machine | None:
        """Return a machine type, or None when there is none of that name."""
        ...

    def problem(self, name: str) -> str:
        """Return an empty string, or why the name can't be used and what to do."""
        ...


@dataclass(frozen=True, slots=True)
class Demand:
    """What a job asks for in all its replicas together."""

    replicas: int
    vcpus: int
    memory_gib: float
    accelerators: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Host:
    """What this installation can really give, and how much it lets run at once."""

    cpus: int
    memory_gib: float
    replicas_at_once: int
    vcpu_quota: int
    strict: bool
    accelerators: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """The job can never run here: HTTP 429 at create (vertex-training.md section 2.8)."""

    message: str


@dataclass(frozen=True, slots=True)
class Queued:
    """The job has to wait; `reason` says for what, `ahead` how many jobs go first."""

    reason: str
    ahead: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """The job may start. `overcommit` says what it asks for beyond the host; empty when nothing."""

    overcommit: str = ""


def demand(spec: CustomJobSpec, machines: Machines) -> Demand:
    """Return what a job's pools ask for; unknown machine types count as nothing (they are refused elsewhere)."""
    replicas = vcpus = 0
    memory = 0.0
    accelerators: dict[str, int] = {}
    for pool in spec.worker_pool_specs:
        if pool.task is None or pool.machine_spec is None:
            continue
        machine = machines.get(pool.machine_spec.machine_type)
        replicas += pool.replica_count
        if machine is not None:
            vcpus += machine.cpus * pool.replica_count
            memory += machine.memory_bytes / _GIB * pool.replica_count
        kind, count = pool.machine_spec.accelerator_type, pool.machine_spec.accelerator_count
        name = AcceleratorType(kind).name if kind != AcceleratorType.UNSPECIFIED else ""
        if machine is not None and not name:
            name, count = machine.accelerator, machine.accelerators
        if name:
            accelerators[name] = accelerators.get(name, 0) + count * pool.replica_count
    return Demand(replicas, vcpus, memory, accelerators)


def possible(wanted: Demand, host: Host) -> Refused | None:
    """Return why a job can never run here, or None."""
    absent = [name for name, count in wanted.accelerators.items() if host.accelerators.get(name, 0) < count]
    metrics = [f"custom_model_training_{name.lower()}_gpus" for name in absent]
    if wanted.vcpus > host.vcpu_quota:
        metrics.insert(0, "custom_model_training_cpus")
    if metrics:
        listed = ",".join(f"aiplatform.googleapis.com/{metric}" for metric in metrics)
        return Refused(sentences.OVER_QUOTA.format(metrics=listed, fix=_fix(wanted, host, absent)))
    if host.strict and (wanted.vcpus > host.cpus or wanted.memory_gib > host.memory_gib):
        return Refused(sentences.INSUFFICIENT.format(excess=_excess(wanted, host)))
    return None


def admit(wanted: Demand, host: Host, running: Sequence[Demand], ahead: int) -> Admitted | Queued:
    """Return whether a job may start beside those running; `ahead` jobs of the queue come before it.

    First come, first served. A job larger than everything the host lets run at once starts when nothing else runs.
    """
    if ahead:
        return Queued(_many(ahead), ahead)
    replicas = sum(other.replicas for other in running)
    vcpus = sum(other.vcpus for other in running)
    if running and replicas + wanted.replicas > host.replicas_at_once:
        return Queued(sentences.FULL.format(running=replicas, most=host.replicas_at_once), 0)
    if running and vcpus + wanted.vcpus > host.vcpu_quota:
        return Queued(sentences.QUOTA_USED.format(used=vcpus, quota=host.vcpu_quota, asked=wanted.vcpus), 0)
    exceeds = wanted.vcpus > host.cpus or wanted.memory_gib > host.memory_gib
    return Admitted(_excess(wanted, host) if exceeds else "")


def _many(jobs: int) -> str:
    """Return how many jobs go first; of many only a round number, so that not every start is news to all of them."""
    if jobs > _EXACT:
        step = 10 ** (len(str(jobs)) - 1)
        return sentences.AHEAD_MANY.format(count=jobs // step * step)
    return sentences.AHEAD.format(count=jobs) if jobs > 1 else sentences.AHEAD_ONE


def _excess(wanted: Demand, host: Host) -> str:
    return sentences.EXCESS.format(
        vcpus=wanted.vcpus, memory=wanted.memory_gib, cpus=host.cpus, machine_memory=host.memory_gib
    )


def _fix(wanted: Demand, host: Host, absent: Sequence[str]) -> str:
    if absent:
        return sentences.NO_ACCELERATOR.format(accelerator=absent[0])
    return sentences.OVER_VCPUS.format(asked=wanted.vcpus, quota=host.vcpu_quota)
