"""CLUSTER_SPEC and its companions have the documented shapes (vertex-training.md section 3.7)."""

import json

from trigpoint.core.messages import Oneof
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    ContainerSpec,
    CustomJobSpec,
    PythonPackageSpec,
    WorkerPoolSpec,
)
from trigpoint.domains.jobs import cluster

PACKAGE = PythonPackageSpec(python_module="trainer.task", package_uris=["gs://b/p.tar.gz"], args=["--a=b"])


def pool(count: int) -> WorkerPoolSpec:
    return WorkerPoolSpec(replica_count=count, task=Oneof(field="python_package_spec", value=PACKAGE))


def variables(spec: CustomJobSpec, task: str) -> dict[str, str]:
    everyone = cluster.seats(spec, "4c1d6d97d0")
    me = next(seat for seat in everyone if seat.task == task)
    addresses = {seat.task: f"{seat.host}:2222" for seat in everyone}
    return cluster.cluster_variables(spec, everyone, me, addresses, (everyone[0].host, "3333"))


def test_one_replica_is_the_chief_and_gets_nothing_else() -> None:
    found = variables(CustomJobSpec(worker_pool_specs=[pool(1)]), "workerpool0-0")
    assert set(found) == {"CLUSTER_SPEC"}
    spec = json.loads(found["CLUSTER_SPEC"])
    assert spec["cluster"] == {"chief": ["cmle-training-workerpool0-4c1d6d97d0-0:2222"]}
    assert spec["task"] == {"type": "chief", "index": 0}
    assert json.loads(spec["job"]) == {
        "python_module": "trainer.task",
        "package_uris": ["gs://b/p.tar.gz"],
        "job_args": ["--a=b"],
    }


def test_many_replicas_with_a_skipped_pool() -> None:
    spec = CustomJobSpec(worker_pool_specs=[pool(1), WorkerPoolSpec(), pool(2), pool(1)])
    found = variables(spec, "workerpool2-1")
    told = json.loads(found["CLUSTER_SPEC"])
    assert list(told["cluster"]) == ["workerpool0", "workerpool2", "workerpool3"]
    assert told["task"] == {"type": "workerpool2", "index": 1}
    tf_config = json.loads(found["TF_CONFIG"])
    assert list(tf_config["cluster"]) == ["chief", "ps"]
    assert tf_config["task"] == {"type": "ps", "index": 1}
    assert (found["WORLD_SIZE"], found["RANK"]) == ("4", "2")
    assert found["MASTER_ADDR"] == "cmle-training-workerpool0-4c1d6d97d0-0"
    evaluator = json.loads(variables(spec, "workerpool3-0")["TF_CONFIG"])
    assert evaluator["task"]["type"] == "evaluator"


def test_a_container_job_names_no_module() -> None:
    container = Oneof(field="container_spec", value=ContainerSpec(image_uri="i", command=["c"]))
    spec = CustomJobSpec(worker_pool_specs=[WorkerPoolSpec(replica_count=1, task=container)])
    told = json.loads(variables(spec, "workerpool0-0")["CLUSTER_SPEC"])
    assert told["job"] == '{"python_module":"","package_uris":[],"job_args":[]}'


def test_output_directories_end_with_a_slash_and_need_a_base() -> None:
    assert cluster.output_variables("") == {}
    assert cluster.output_variables("gs://b/out/") == {
        "AIP_MODEL_DIR": "gs://b/out/model/",
        "AIP_CHECKPOINT_DIR": "gs://b/out/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": "gs://b/out/logs/",
    }
