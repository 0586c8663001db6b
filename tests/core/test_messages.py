"""The codec's behaviour at its edges; agreement with Google's own library over all messages is test_codec_fuzz's."""

import json
from typing import Literal, assert_type

import pytest
from protobuf import Oneof
from protobuf.wkt import Empty, Timestamp, Value

from trigpoint.core import messages
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    ContainerSpec,
    CustomJob,
    CustomJobSpec,
    WorkerPoolSpec,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import TrainingPipeline
from trigpoint.core.pb.google.longrunning.operations_pb import Operation


def job() -> CustomJob:
    pool = WorkerPoolSpec(
        task=Oneof(field="container_spec", value=ContainerSpec(image_uri="image", args=["--a=1"])), replica_count=2
    )
    return CustomJob(display_name="né", labels={"k": "v"}, job_spec=CustomJobSpec(worker_pool_specs=[pool]))


def test_bytes_and_json_go_both_ways() -> None:
    assert messages.decode(CustomJob, messages.encode(job())) == job()
    text = messages.to_json(job())
    assert json.loads(text)["jobSpec"]["workerPoolSpecs"][0]["replicaCount"] == "2"
    assert messages.from_json(CustomJob, text) == job()
    assert messages.from_dict(CustomJob, messages.to_dict(job())) == job()
    assert messages.copy(job()) == job()
    assert_type(job().display_name, str)
    assert_type(job().job_spec, CustomJobSpec | None)


def test_any_is_resolved_by_name_without_importing_first() -> None:
    done = Operation(name="o", done=True, result=Oneof(field="response", value=messages.pack(job())))
    text = messages.to_json(done)
    assert json.loads(text)["response"]["@type"].endswith("google.cloud.aiplatform.v1.CustomJob")
    again = messages.from_json(Operation, text)
    assert again == done
    assert again.result is not None
    assert again.result.field == "response"
    assert messages.unpack(again.result.value) == job()
    empty = Operation(result=Oneof(field="response", value=messages.pack(Empty())))
    assert messages.from_json(Operation, messages.to_json(empty)) == empty


def test_recast_turns_the_type_urls() -> None:
    done = Operation(result=Oneof(field="response", value=messages.pack(job())))
    beta = messages.recast(done, Operation, version="v1beta1")
    assert beta.result is not None
    assert beta.result.field == "response"
    assert messages.full_name(messages.unpack(beta.result.value)) == "google.cloud.aiplatform.v1beta1.CustomJob"
    assert messages.recast(beta, Operation, version="v1") == done
    other = messages.message_class("google.cloud.aiplatform.v1beta1.CustomJob")
    assert messages.recast(messages.recast(job(), other), CustomJob) == job()


def test_plain_values() -> None:
    held = {"a": 1, "b": [None, True, "x", 1.5], "c": {"d": {}}}
    assert messages.plain(messages.struct(held)) == held
    assert messages.plain(Value()) is None
    assert messages.plain(messages.value([1, {}])) == [1, {}]
    assert messages.micros(messages.timestamp(-1)) == -1
    assert messages.timestamp(1_500_000) == Timestamp(seconds=1, nanos=500_000_000)
    assert messages.seconds(messages.duration(1.25)) == 1.25


def test_an_empty_value_is_written_as_null() -> None:
    assert messages.to_json(TrainingPipeline(training_task_inputs=Value())) == b'{"trainingTaskInputs":null}'


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"displayName":1}', "display_name"),
        ('{"foo":1}', "foo"),
        ('{"jobSpec":{"foo":1}}', "job_spec"),
        ('{"jobSpec":{"workerPoolSpecs":[{},{"replicaCount":"x"}]}}', "job_spec.worker_pool_specs[1].replica_count"),
        ('{"jobSpec":{"workerPoolSpecs":[null]}}', "job_spec.worker_pool_specs[0]"),
        ('{"jobSpec":{"workerPoolSpecs":[{"containerSpec":{},"pythonPackageSpec":{}}]}}',
         "job_spec.worker_pool_specs[0].python_package_spec"),
        ('{"labels":{"a":null}}', 'labels["a"]'),
        ('{"labels":[]}', "labels"),
        ('{"createTime":"yesterday"}', "create_time"),
        ('{"state":"JOB_STATE_DREAMING"}', "state"),
        ('{"state":2147483648}', "state"),
        ('{"state":-99999999999}', "state"),
        ('{"displayName":' + "[" * 90 + "]" * 90 + "}", "display_name"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(text: str, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        messages.from_json(CustomJob, text)
    assert [violation.field for violation in refused.value.violations] == [field]
    assert len(refused.value.message) < 500


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '"x"', "{} {}", b"\xff", b'{"displayName":"\xff"}', '{"displayName":"\\ud800"}',
     "\ufeff{}", '{"displayName":NaN}', "[" * 50_000, "[" * 50_000 + "]" * 50_000, '{"a":' * 50_000,
     '{"displayName":' + "[" * 50_000 + "]" * 50_000 + "}", '"' + '\\"' * 100_000, '["' * 200,
     '{"jobSpec":{"workerPoolSpecs":[{"replicaCount":' + "9" * 5000 + "}]}}"],
)  # fmt: skip
def test_no_text_does_worse_than_invalid_argument(text: str | bytes) -> None:
    with pytest.raises(InvalidArgument) as refused:
        messages.from_json(CustomJob, text)
    assert len(refused.value.message) < 500


def test_brackets_inside_strings_do_not_count_as_nesting() -> None:
    name = '[{"\\' * 1000
    assert messages.from_json(CustomJob, json.dumps({"displayName": name})).display_name == name
    assert len(messages.from_dict(CustomJob, {"jobSpec": {"workerPoolSpecs": [{}] * 500}}).to_binary()) > 500


@pytest.mark.parametrize("data", [b"\xff", b"\x12\x05a", b"\x12\x01\xff", b"\x00", b"\x0b" * 1000])
def test_no_bytes_do_worse_than_invalid_argument(data: bytes) -> None:
    with pytest.raises(InvalidArgument):
        messages.decode(CustomJob, data)


def test_an_unknown_type_in_an_any_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        messages.from_json(Operation, '{"response":{"@type":"type.googleapis.com/no.Such","a":1}}')
    with pytest.raises(InvalidArgument):
        messages.message_class("no.Such")


def test_a_number_that_json_lacks_is_named() -> None:
    with pytest.raises(InvalidArgument, match="training_task_inputs"):
        messages.to_json(messages.from_json(TrainingPipeline, '{"trainingTaskInputs":{"a":[1e400]}}'))
    with pytest.raises(InvalidArgument):
        messages.value(float("nan"))
    infinite: Oneof[Literal["number_value"], float] = Oneof(field="number_value", value=float("inf"))
    held = Value(kind=infinite)
    with pytest.raises(InvalidArgument, match="training_task_inputs"):
        messages.to_json(TrainingPipeline(training_task_inputs=held))


def test_a_oneof_is_set_and_matched_with_its_types() -> None:
    pool = WorkerPoolSpec()
    pool.task = Oneof(field="container_spec", value=ContainerSpec(image_uri="a"))
    match pool.task:
        case Oneof(field="container_spec", value=ContainerSpec() as spec):
            assert spec.image_uri == "a"
        case _:
            pytest.fail("another member is set")
