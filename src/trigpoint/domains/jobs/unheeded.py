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

_DISK_GB = 100
"""The size that Google's SDK asks for by itself."""
_KEY = "nothing is encrypted with the key {0}; the home lies on the machine's disks as they are"
_NETWORK = "replicas reach what this machine reaches and may reach, not a network of Google Cloud"
_SHELL = "nobody can enter a replica; what its programs print is in the log"
_RUN = "the service links no experiment; what the program logs to one by itself is kept"
_PROMPT = "the job takes its turn in this machine's queue, however long that is, and is not preempted"
_OF_SPEC = {
    "network": _NETWORK,
    "reserved_ip_ranges": _NETWORK,
    "psc_interface_config": _NETWORK,
    "enable_web_access": _SHELL,
    "enable_dashboard_access": _SHELL,
    "experiment": _RUN,
    "experiment_run": _RUN,
    "tensorboard": "nothing is streamed to it; what the program writes to AIP_TENSORBOARD_LOG_DIR is in the bucket",
    "protected_artifact_location_id": "everything lies on this machine",
    "models": "only jobs that Google provides are given models",
}


def fields(job: CustomJob) -> Iterator[tuple[str, str]]:
    """Yield the path of each field that was given in vain, and what holds instead: a clause for people."""
    if job.encryption_spec is not None and job.encryption_spec.kms_key_name:
        yield "encryption_spec", _KEY.format(job.encryption_spec.kms_key_name[:200])
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
        yield "scheduling.strategy", _PROMPT
    if scheduling.max_wait_duration is not None:
        yield "scheduling.max_wait_duration", _PROMPT


def _of_pool(pool: WorkerPoolSpec) -> Iterator[tuple[str, str]]:
    machine, disk = pool.machine_spec, pool.disk_spec
    if machine is not None and machine.reservation_affinity is not None:
        yield "machine_spec.reservation_affinity", "there are no reservations"
    if disk is not None and disk.boot_disk_size_gb > _DISK_GB:
        yield "disk_spec.boot_disk_size_gb", "replicas share the free space of this machine's disk"
