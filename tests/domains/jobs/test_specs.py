"""What a custom job must look like to be accepted."""

from typing import Any

import pytest

from trigpoint.core.messages import Oneof
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    ContainerSpec,
    CustomJob,
    CustomJobSpec,
    WorkerPoolSpec,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.machine_resources_pb import MachineSpec
from trigpoint.domains.jobs import specs

KNOWN = specs.Known(machine_type=lambda _: "", image=lambda _: "")
POOL = "custom_job.job_spec.worker_pool_specs[0]"


def pool(container: ContainerSpec | None = None, **given: Any) -> WorkerPoolSpec:
    container = container or ContainerSpec(image_uri="sklearn", command=["python3", "-c", "1"])
    given.setdefault("machine_spec", MachineSpec(machine_type="n1-standard-4"))
    return WorkerPoolSpec(task=Oneof(field="container_spec", value=container), replica_count=1, **given)


def wrong(pools: list[WorkerPoolSpec], **spec: Any) -> dict[str, str]:
    job = CustomJob(display_name="j", job_spec=CustomJobSpec(worker_pool_specs=pools, **spec))
    return {violation.field: violation.description for violation in specs.check(job, KNOWN)}


@pytest.mark.parametrize(("command", "args"), [([], []), ([""], []), ([], ["", "--epochs=3"])])
def test_a_container_without_a_program_is_refused(command: list[str], args: list[str]) -> None:
    found = wrong([pool(ContainerSpec(image_uri="sklearn", command=command, args=args))])
    assert list(found) == [f"{POOL}.container_spec.command"]
    assert "give what to run" in found[f"{POOL}.container_spec.command"]


def test_arguments_alone_are_a_command_line() -> None:
    assert wrong([pool(ContainerSpec(image_uri="sklearn", args=["python3", "-c", "1"]))]) == {}
