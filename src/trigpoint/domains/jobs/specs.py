"""What a CustomJob must look like to be accepted. Pure: every check returns violations with request-relative paths.

Rules and limits: vertex-training.md sections 3.1, 3.3, 3.4 and 3.6.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trigpoint.core import checks, messages
from trigpoint.core.errors import Violation
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    ContainerSpec,
    CustomJob,
    CustomJobSpec,
    PythonPackageSpec,
    WorkerPoolSpec,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.env_var_pb import EnvVar
from trigpoint.core.pb.google.cloud.aiplatform.v1.machine_resources_pb import MachineSpec
from trigpoint.domains.jobs import sentences

MAX_POOLS = 4
MAX_ENV = 100
MAX_ARGS_CHARACTERS = 100_000
MAX_PACKAGES = 100
MAX_REPLICAS = 1000
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_ENV_NAME = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")
_EMAIL = re.compile(r"[^@\s/]+@[^@\s/]+\.[^@\s/]+")


@dataclass(frozen=True, slots=True)
class Known:
    """What this installation can offer, as questions: each returns an empty string or what is wrong and the fix."""

    machine_type: Callable[[str], str]
    image: Callable[[str], str]


def check(job: CustomJob, known: Known) -> list[Violation]:
    """Return everything wrong with a job that is to be created."""
    found = checks.display_name("custom_job.display_name", job.display_name)
    found += checks.labels("custom_job.labels", job.labels)
    if job.job_spec is None:
        return [*found, Violation("custom_job.job_spec", sentences.NO_SPEC)]
    return found + check_spec(job.job_spec, known, "custom_job.job_spec")


def check_spec(spec: CustomJobSpec, known: Known, path: str) -> list[Violation]:
    """Return everything wrong with a job specification found at `path` of a request."""
    pools, at = spec.worker_pool_specs, f"{path}.worker_pool_specs"
    if not pools or pools[0].task is None:
        return [Violation(at, sentences.NO_POOL)]
    found: list[Violation] = []
    if len(pools) > MAX_POOLS:
        found.append(Violation(at, sentences.MANY_POOLS.format(count=len(pools), most=MAX_POOLS)))
    if pools[0].replica_count != 1:
        text = sentences.ONE_PRIMARY.format(count=pools[0].replica_count)
        found.append(Violation(f"{at}[0].replica_count", text))
    for index, pool in enumerate(pools):
        if pool.task is not None:
            found += _pool(pool, known, f"{at}[{index}]")
        elif pool.replica_count or pool.machine_spec:
            found.append(Violation(f"{at}[{index}]", sentences.NO_TASK))
    return found + _surroundings(spec, path)


def _surroundings(spec: CustomJobSpec, path: str) -> list[Violation]:
    found: list[Violation] = []
    if spec.base_output_directory is not None and spec.base_output_directory.output_uri_prefix:
        prefix = spec.base_output_directory.output_uri_prefix
        found += checks.gs_uri(f"{path}.base_output_directory.output_uri_prefix", prefix)
    timeout = spec.scheduling.timeout if spec.scheduling is not None else None
    if timeout is not None and messages.seconds(timeout) < 0:
        found.append(Violation(f"{path}.scheduling.timeout", sentences.NEGATIVE_TIMEOUT))
    if spec.service_account and not _EMAIL.fullmatch(spec.service_account):
        text = sentences.NO_ACCOUNT.format(account=repr(spec.service_account[:200]))
        found.append(Violation(f"{path}.service_account", text))
    if spec.persistent_resource_id:
        text = sentences.NO_PERSISTENT
        found.append(Violation(f"{path}.persistent_resource_id", text))
    return found


def _pool(pool: WorkerPoolSpec, known: Known, path: str) -> list[Violation]:
    found: list[Violation] = []
    if not 1 <= pool.replica_count <= MAX_REPLICAS:
        text = sentences.BAD_COUNT.format(most=MAX_REPLICAS, count=pool.replica_count)
        found.append(Violation(f"{path}.replica_count", text))
    found += _machine(pool.machine_spec or MachineSpec(), known, f"{path}.machine_spec")
    for field in ("nfs_mounts", "lustre_mounts"):
        if getattr(pool, field):
            text = sentences.NO_SHARES
            found.append(Violation(f"{path}.{field}", text))
    task = pool.task.value if pool.task is not None else None
    if isinstance(task, PythonPackageSpec):
        found += _python(task, known, f"{path}.python_package_spec")
    elif isinstance(task, ContainerSpec):
        found += _container(task, known, f"{path}.container_spec")
    return found


def _machine(spec: MachineSpec, known: Known, path: str) -> list[Violation]:
    found: list[Violation] = []
    if not spec.machine_type:
        found.append(Violation(f"{path}.machine_type", sentences.NO_MACHINE_TYPE))
    elif wrong := known.machine_type(spec.machine_type):
        found.append(Violation(f"{path}.machine_type", wrong))
    if bool(spec.accelerator_type) != (spec.accelerator_count > 0) or spec.accelerator_count < 0:
        text = sentences.BOTH_OR_NEITHER.format(count=spec.accelerator_count)
        found.append(Violation(f"{path}.accelerator_count", text))
    for field in ("gpu_partition_size", "tpu_topology"):
        if getattr(spec, field):
            found.append(Violation(f"{path}.{field}", sentences.NOT_HERE))
    return found


def _python(spec: PythonPackageSpec, known: Known, path: str) -> list[Violation]:
    found = _image(spec.executor_image_uri, known, f"{path}.executor_image_uri")
    if not 1 <= len(spec.package_uris) <= MAX_PACKAGES:
        text = sentences.PACKAGE_COUNT.format(most=MAX_PACKAGES, count=len(spec.package_uris))
        found.append(Violation(f"{path}.package_uris", text))
    for index, package in enumerate(spec.package_uris[:MAX_PACKAGES]):
        found += checks.gs_uri(f"{path}.package_uris[{index}]", package)
    if not _MODULE.fullmatch(spec.python_module):
        text = sentences.NO_MODULE.format(module=repr(spec.python_module[:200]))
        found.append(Violation(f"{path}.python_module", text))
    return found + _env(spec.env, path) + _args(spec.args, path)


def _container(spec: ContainerSpec, known: Known, path: str) -> list[Violation]:
    found = _image(spec.image_uri, known, f"{path}.image_uri")
    line = [*spec.command, *spec.args]
    if not line or not line[0]:
        text = sentences.NO_PROGRAM
        found.append(Violation(f"{path}.command", text))
    return found + _env(spec.env, path) + _args(line, path)


def _image(image: str, known: Known, path: str) -> list[Violation]:
    if not image:
        return [Violation(path, sentences.NO_IMAGE_URI)]
    wrong = known.image(image)
    return [Violation(path, wrong)] if wrong else []


def _env(env: Sequence[EnvVar], path: str) -> list[Violation]:
    if len(env) > MAX_ENV:
        return [Violation(f"{path}.env", sentences.MANY_VARIABLES.format(count=len(env), most=MAX_ENV))]
    return [
        Violation(f"{path}.env[{i}].name", sentences.BAD_VARIABLE.format(name=repr(variable.name[:80])))
        for i, variable in enumerate(env)
        if not _ENV_NAME.fullmatch(variable.name) or "\0" in variable.value
    ]


def _args(args: Sequence[str], path: str) -> list[Violation]:
    total = sum(map(len, args))
    if total > MAX_ARGS_CHARACTERS:
        return [Violation(f"{path}.args", sentences.LONG_ARGUMENTS.format(count=total))]
    if any("\0" in arg for arg in args):
        return [Violation(f"{path}.args", sentences.NUL_ARGUMENT)]
    return []
