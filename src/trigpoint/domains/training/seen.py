"""What is known of a job that is over, for its lineage: the packages it was given, and what its replicas touched."""

from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJobSpec, PythonPackageSpec
from trigpoint.domains.jobs import Jobs, Replica
from trigpoint.domains.storage import Storage
from trigpoint.kernel.resource import Kernel
from trigpoint.store import Tx, telemetry


def packages(spec: CustomJobSpec) -> list[str]:
    """Return the URIs of all packages of a job, each once."""
    tasks = [pool.task.value for pool in spec.worker_pool_specs if pool.task is not None]
    return sorted({uri for task in tasks if isinstance(task, PythonPackageSpec) for uri in task.package_uris})


def touched(
    kernel: Kernel, jobs: Jobs, storage: Storage, job: str
) -> tuple[list[Replica], list[tuple[Replica, telemetry.Access]]]:
    """Return the replicas of all attempts of a job, and what each was seen to read and write."""
    storage.access.flush()
    replicas = jobs.replicas(job)

    def read(tx: Tx, replica: str) -> list[telemetry.Access]:
        return telemetry.accesses_of_attempt(tx, replica)

    seen = [
        (one, access)
        for one in replicas
        for access in kernel.store.telemetry.read(lambda tx, one=one: read(tx, one.name))  # type: ignore[misc]
    ]
    return replicas, seen
