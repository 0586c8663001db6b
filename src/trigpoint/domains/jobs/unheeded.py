"""Which fields of an accepted job change nothing here, and what holds instead. Pure.

A job runs as well without them, so that scripts need no change; what a program cannot do without is refused (`specs`).
"""

from collections.abc import Iterator

from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    CustomJob,
    CustomJobSpec,
    Scheduling,
    WorkerPoolSpec,
)
from trigpoint.domains.jobs import sentences

_DISK_GB = 100
"""The size that Google's SDK asks for by itself."""
_OF_SPEC = {
    "network": sentences.OWN_NETWORK,
    "reserved_ip_ranges": sentences.OWN_NETWORK,
    "psc_interface_config": sentences.OWN_NETWORK,
    "enable_web_access": sentences.NO_SHELL,
    "enable_dashboard_access": sentences.NO_SHELL,
    "experiment": sentences.NO_RUN,
    "experiment_run": sentences.NO_RUN,
    "tensorboard": sentences.NO_STREAM,
    "protected_artifact_location_id": sentences.ONE_MACHINE,
    "models": sentences.NO_MODELS,
}


def fields(job: CustomJob) -> Iterator[tuple[str, str]]:
    """Yield the path of each field that was given in vain, and what holds instead: a sentence for people."""
    if job.encryption_spec is not None and job.encryption_spec.kms_key_name:
        yield "encryption_spec", sentences.NO_KEY.format(key=job.encryption_spec.kms_key_name[:200])
    if job.job_spec is None:
        return
    for field, text in _of_spec(job.job_spec):
        yield f"job_spec.{field}", text
    for index, pool in enumerate(job.job_spec.worker_pool_specs):
        for field, text in _of_pool(pool):
            yield f"job_spec.worker_pool_specs[{index}].{field}", text


def _of_spec(spec: CustomJobSpec) -> Iterator[tuple[str, str]]:
    for field, text in _OF_SPEC.items():
        if getattr(spec, field):
            yield field, text
    if spec.scheduling is not None:
        yield from _of_scheduling(spec.scheduling)


def _of_scheduling(scheduling: Scheduling) -> Iterator[tuple[str, str]]:
    strategy = scheduling.strategy
    if strategy in (Scheduling.Strategy.LOW_COST, Scheduling.Strategy.SPOT, Scheduling.Strategy.FLEX_START):
        yield "scheduling.strategy", sentences.IN_TURN
    if scheduling.max_wait_duration is not None:
        yield "scheduling.max_wait_duration", sentences.IN_TURN


def _of_pool(pool: WorkerPoolSpec) -> Iterator[tuple[str, str]]:
    machine, disk = pool.machine_spec, pool.disk_spec
    if machine is not None and machine.reservation_affinity is not None:
        yield "machine_spec.reservation_affinity", sentences.NO_RESERVATIONS
    if disk is not None and disk.boot_disk_size_gb > _DISK_GB:
        yield "disk_spec.boot_disk_size_gb", sentences.SHARED_DISK
