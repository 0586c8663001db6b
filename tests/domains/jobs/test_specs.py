"""What a custom job must look like to be accepted."""

from typing import Any

import pytest

from trigpoint.core.messages import Oneof, duration
from trigpoint.core.pb.google.cloud.aiplatform.v1.accelerator_type_pb import AcceleratorType
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    ContainerSpec,
    CustomJob,
    CustomJobSpec,
    Scheduling,
    WorkerPoolSpec,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.encryption_spec_pb import EncryptionSpec
from trigpoint.core.pb.google.cloud.aiplatform.v1.machine_resources_pb import (
    DiskSpec,
    LustreMount,
    MachineSpec,
    NfsMount,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.reservation_affinity_pb import ReservationAffinity
from trigpoint.core.pb.google.cloud.aiplatform.v1.service_networking_pb import PscInterfaceConfig
from trigpoint.domains.jobs import specs, unheeded
from trigpoint.domains.jobs.admission import demand
from trigpoint.domains.jobs.offers import Types

KNOWN = specs.Known(machine_type=lambda _: "", image=lambda _: "")
POOL = "custom_job.job_spec.worker_pool_specs[0]"


def machine(**given: Any) -> MachineSpec:
    return MachineSpec(machine_type="n1-standard-4", **given)


def pool(container: ContainerSpec | None = None, **given: Any) -> WorkerPoolSpec:
    container = container or ContainerSpec(image_uri="sklearn", command=["python3", "-c", "1"])
    given.setdefault("machine_spec", machine())
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


T4 = AcceleratorType.NVIDIA_TESLA_T4


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"nfs_mounts": [NfsMount(server="10.0.0.2", path="/data", mount_point="data")]}, "nfs_mounts"),
        ({"lustre_mounts": [LustreMount(instance_ip="10.0.0.2", mount_point="data")]}, "lustre_mounts"),
        ({"machine_spec": machine(accelerator_type=T4)}, "machine_spec.accelerator_count"),
        ({"machine_spec": machine(accelerator_count=1)}, "machine_spec.accelerator_count"),
        ({"machine_spec": machine(accelerator_count=-1)}, "machine_spec.accelerator_count"),
        ({"machine_spec": machine(tpu_topology="2x2")}, "machine_spec.tpu_topology"),
        (
            {"machine_spec": machine(gpu_partition_size="1g")},
            "machine_spec.gpu_partition_size",
        ),
    ],
)
def test_what_a_program_would_miss_is_refused(given: dict[str, Any], field: str) -> None:
    assert list(wrong([pool(**given)])) == [f"{POOL}.{field}"]


def test_a_type_with_tpus_is_refused_and_accelerators_that_are_built_in_count() -> None:
    assert "TPUs" in Types().problem("ct5lp-hightpu-4t")
    assert Types().problem("a2-highgpu-2g") == ""
    spec = CustomJobSpec(worker_pool_specs=[pool(machine_spec=MachineSpec(machine_type="a2-highgpu-2g"))])
    assert demand(spec, Types()).accelerators == {"NVIDIA_TESLA_A100": 2}


def test_fields_that_change_nothing_are_named() -> None:
    spec = CustomJobSpec(
        worker_pool_specs=[
            pool(disk_spec=DiskSpec(boot_disk_type="pd-ssd", boot_disk_size_gb=100)),
            pool(
                disk_spec=DiskSpec(boot_disk_size_gb=500),
                machine_spec=machine(reservation_affinity=ReservationAffinity()),
            ),
        ],
        network="projects/1/global/networks/n",
        reserved_ip_ranges=["r"],
        psc_interface_config=PscInterfaceConfig(network_attachment="a"),
        enable_web_access=True,
        enable_dashboard_access=True,
        experiment="e",
        experiment_run="e-r",
        tensorboard="projects/1/locations/us-central1/tensorboards/2",
        protected_artifact_location_id="us",
        models=["m"],
        scheduling=Scheduling(strategy=Scheduling.Strategy.SPOT, max_wait_duration=duration(60)),
    )
    job = CustomJob(display_name="j", job_spec=spec, encryption_spec=EncryptionSpec(kms_key_name="k"))
    assert specs.check(job, KNOWN) == []
    named = [field for field, _ in unheeded.fields(job)]
    simple = ("network", "reserved_ip_ranges", "psc_interface_config", "enable_web_access", "enable_dashboard_access")
    others = ("experiment", "experiment_run", "tensorboard", "protected_artifact_location_id", "models")
    assert named == [
        "encryption_spec",
        *(f"job_spec.{field}" for field in (*simple, *others)),
        "job_spec.scheduling.strategy",
        "job_spec.scheduling.max_wait_duration",
        "job_spec.worker_pool_specs[1].machine_spec.reservation_affinity",
        "job_spec.worker_pool_specs[1].disk_spec.boot_disk_size_gb",
    ]


def test_a_plain_job_leaves_nothing_unheeded() -> None:
    usual = Scheduling(timeout=duration(60), restart_job_on_worker_restart=True, disable_retries=True)
    spec = CustomJobSpec(worker_pool_specs=[pool()], scheduling=usual, service_account="a@b.example")
    assert list(unheeded.fields(CustomJob(display_name="j", job_spec=spec))) == []
    assert list(unheeded.fields(CustomJob(display_name="j"))) == []


def test_every_field_of_a_job_is_heeded_refused_or_named() -> None:
    """A new field of the API has to be decided upon: add it here, and to `specs` or `unheeded`."""
    heeded = {"worker_pool_specs", "scheduling", "service_account", "base_output_directory"}
    refused = {"persistent_resource_id"}
    named = {"network", "reserved_ip_ranges", "psc_interface_config", "enable_web_access", "models"}
    named |= {
        "enable_dashboard_access",
        "experiment",
        "experiment_run",
        "tensorboard",
        "protected_artifact_location_id",
    }
    assert set(CustomJobSpec.__slots__) == heeded | refused | named
    of_pool = {"task", "machine_spec", "replica_count", "nfs_mounts", "lustre_mounts", "disk_spec"}
    assert set(WorkerPoolSpec.__slots__) == of_pool
