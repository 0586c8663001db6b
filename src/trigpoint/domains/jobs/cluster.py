"""Where each replica stands in its cluster, and the documented variables that tell it so. Pure.

Formats: vertex-training.md sections 3.2, 3.5 and 3.7. Every value here is what a program on Vertex sees.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJobSpec, WorkerPoolSpec

PORT = 2222
MASTER_PORT = 3333
_TF_ROLES = ("chief", "worker", "ps", "evaluator")


@dataclass(frozen=True, slots=True)
class Seat:
    """One replica's place: its pool, its index in the pool, its rank among all replicas."""

    pool: int
    index: int
    rank: int
    host: str

    @property
    def task(self) -> str:
        """The name Vertex's logs and errors use: `workerpool0-0`."""
        return f"workerpool{self.pool}-{self.index}"


def seats(spec: CustomJobSpec, token: str) -> list[Seat]:
    """Return the replicas of a job in rank order; `token` is the 10 hex digits that all its host names share."""
    found: list[Seat] = []
    for pool, pool_spec in enumerate(spec.worker_pool_specs):
        for index in range(pool_spec.replica_count if pool_spec.task else 0):
            host = f"cmle-training-workerpool{pool}-{token}-{index}"
            found.append(Seat(pool, index, len(found), host))
    return found


def cluster_variables(
    spec: CustomJobSpec, everyone: Sequence[Seat], me: Seat, addresses: Mapping[str, str], master: tuple[str, str]
) -> dict[str, str]:
    """Return CLUSTER_SPEC and, for more than one replica, TF_CONFIG, MASTER_ADDR, MASTER_PORT, WORLD_SIZE and RANK.

    `addresses` maps a task to the `host:port` where the others reach it; `master` is the host and the free port of
    workerpool0-0 for rendezvous.
    """
    job = json.dumps(_job_facts(spec.worker_pool_specs[me.pool]), separators=(",", ":"))
    single = len(everyone) == 1
    by_pool: dict[int, list[str]] = {}
    for seat in everyone:
        by_pool.setdefault(seat.pool, []).append(addresses[seat.task])
    names = {pool: "chief" if single else f"workerpool{pool}" for pool in by_pool}
    cluster_spec = {
        "cluster": {names[pool]: hosts for pool, hosts in by_pool.items()},
        "environment": "cloud",
        "task": {"type": names[me.pool], "index": me.index},
        "job": job,
        "open_ports": [int(master[1])],
    }
    variables = {"CLUSTER_SPEC": json.dumps(cluster_spec, separators=(",", ":"))}
    if single:
        return variables
    tf_config = {
        "cluster": {_TF_ROLES[pool]: hosts for pool, hosts in by_pool.items() if pool < 3},
        "environment": "cloud",
        "job": job,
        "task": {"type": _TF_ROLES[me.pool], "index": me.index},
    }
    return variables | {
        "TF_CONFIG": json.dumps(tf_config, separators=(",", ":")),
        "MASTER_ADDR": master[0],
        "MASTER_PORT": master[1],
        "WORLD_SIZE": str(len(everyone)),
        "RANK": str(me.rank),
    }


def output_variables(prefix: str) -> dict[str, str]:
    """Return the AIP_ directories below a base output directory, each with a trailing slash; none without one."""
    if not prefix:
        return {}
    base = prefix.rstrip("/")
    return {
        "AIP_MODEL_DIR": f"{base}/model/",
        "AIP_CHECKPOINT_DIR": f"{base}/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": f"{base}/logs/",
    }


def _job_facts(pool: WorkerPoolSpec) -> dict[str, object]:
    """Return the `job` member: empty values for containers (vertex-training.md section 3.7, observed)."""
    if pool.task is not None and pool.task.field == "python_package_spec":
        package = pool.task.value
        return {
            "python_module": package.python_module,
            "package_uris": list(package.package_uris),
            "job_args": list(package.args),
        }
    return {"python_module": "", "package_uris": [], "job_args": []}
