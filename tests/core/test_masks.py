"""Read masks are tolerant, update masks are strict, and neither shares anything with the messages they are given."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trigpoint.core import masks, messages
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.messages import FieldMask
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.core.pb.google.cloud.aiplatform.v1.pipeline_job_pb import PipelineJob

PIPELINE = messages.from_dict(
    PipelineJob,
    {
        "name": "n",
        "displayName": "d",
        "labels": {"a": "1", "dotted.key": "2"},
        "pipelineSpec": {"pipelineInfo": {"name": "x"}, "root": {"dag": {}}, "list": [1]},
        "templateMetadata": {"version": "7"},
        "runtimeConfig": {"parameterValues": {"p": 1, "q": [1, 2]}, "gcsOutputDirectory": "g"},
    },
)
JOB = messages.from_dict(
    CustomJob,
    {
        "displayName": "d",
        "jobSpec": {
            "workerPoolSpecs": [
                {"machineSpec": {"machineType": "a"}, "replicaCount": 1, "containerSpec": {"imageUri": "i"}},
                {"machineSpec": {"machineType": "b"}, "replicaCount": 2},
            ]
        },
    },
)


@pytest.mark.parametrize("path", ["metadata" + ".b" * 100, "metadata." + "b" * 2000])
def test_a_path_that_leads_nowhere_for_sure_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match="mask"):
        masks.read(PIPELINE, [path])
    with pytest.raises(InvalidArgument, match="mask"):
        masks.merged(PIPELINE, PIPELINE, FieldMask(paths=[path]), ["metadata"])


def test_many_long_paths_into_a_large_struct_take_no_time() -> None:
    large = messages.from_dict(PipelineJob, {"pipelineSpec": {f"key_{n}": n for n in range(3000)}})
    paths = ["pipeline_spec" + ".a" * 90 + str(n) for n in range(200)]
    begun = time.process_time()
    assert messages.to_dict(masks.read(large, paths)) == {"pipelineSpec": {}}
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["name"], {"name": "n"}),
        (["displayName", "display_name"], {"displayName": "d"}),
        (["pipeline_spec.pipeline_info"], {"pipelineSpec": {"pipelineInfo": {"name": "x"}}}),
        (["pipelineSpec.pipelineInfo.name"], {"pipelineSpec": {"pipelineInfo": {"name": "x"}}}),
        (["pipeline_spec.nothing", "no.such", "", "name.deeper"], {}),
        (["pipeline_spec.list.x"], {}),
        (["labels.a"], {"labels": {"a": "1"}}),
        (["labels.dotted.key"], {"labels": {"dotted.key": "2"}}),
        (["labels.`dotted.key`"], {"labels": {"dotted.key": "2"}}),
        (["labels.none"], {}),
        (["template_metadata.version"], {"templateMetadata": {"version": "7"}}),
        (["runtime_config.parameter_values.p"], {"runtimeConfig": {"parameterValues": {"p": 1}}}),
        (["error.code", "job_detail"], {}),
    ],
)
def test_a_read_mask_keeps_what_it_names(paths: list[str], kept: dict[str, object]) -> None:
    found = messages.to_dict(masks.read(PIPELINE, paths))
    assert {key: value for key, value in found.items() if value != {}} == kept


def test_a_read_mask_goes_through_lists_and_oneofs() -> None:
    paths = ["job_spec.worker_pool_specs.machine_spec", "jobSpec.workerPoolSpecs.*.containerSpec"]
    assert messages.to_dict(masks.read(JOB, paths)) == {
        "jobSpec": {
            "workerPoolSpecs": [
                {"machineSpec": {"machineType": "a"}, "containerSpec": {"imageUri": "i"}},
                {"machineSpec": {"machineType": "b"}},
            ]
        }
    }


def test_no_mask_and_the_star_are_everything() -> None:
    assert masks.read(PIPELINE, []) == masks.read(PIPELINE, ["*"]) == PIPELINE


def test_an_update_sets_and_clears() -> None:
    target = messages.copy(PIPELINE)
    new = messages.from_dict(PipelineJob, {"displayName": "e", "labels": {"b": "3"}})
    masks.update(target, new, ["display_name", "labels.a", "labels.b", "templateMetadata.version", "name"])
    assert (target.display_name, target.labels, target.name) == ("e", {"b": "3", "dotted.key": "2"}, "")
    assert target.template_metadata is not None
    assert target.template_metadata.version == ""
    masks.update(target, new, ["template_metadata", "error.code"])
    assert "templateMetadata" not in messages.to_dict(target)
    target.labels["c"] = "4"
    assert "c" not in new.labels


def test_an_update_reaches_into_a_struct() -> None:
    target = messages.copy(PIPELINE)
    new = messages.from_dict(PipelineJob, {"pipelineSpec": {"pipelineInfo": {"name": "y"}, "root": 1}})
    masks.update(target, new, ["pipeline_spec.pipeline_info.name", "pipeline_spec.list", "pipeline_spec.none.x"])
    assert target.pipeline_spec is not None
    assert messages.plain(target.pipeline_spec) == {"pipelineInfo": {"name": "y"}, "root": {"dag": {}}}
    masks.update(target, new, ["pipeline_spec.root.dag"])
    masks.update(target, new, ["pipeline_spec.root"])
    assert messages.plain(target.pipeline_spec)["root"] == 1


@pytest.mark.parametrize("path", ["no_such", "display_name.x", "job_spec.worker_pool_specs.machine_spec", "", "."])
def test_an_update_of_what_is_no_field_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        masks.update(messages.copy(JOB), JOB, [path])
    assert refused.value.violations[0].field == "update_mask"


def test_merging_as_a_resource_is_updated() -> None:
    new = messages.from_dict(PipelineJob, {"displayName": "e", "name": "other"})
    mutable = {"display_name", "labels"}
    assert masks.merged(PIPELINE, new, None, mutable).display_name == "e"
    assert masks.merged(PIPELINE, new, FieldMask(), mutable).labels == PIPELINE.labels
    starred = masks.merged(PIPELINE, new, FieldMask(paths=["*"]), mutable)
    assert (starred.display_name, starred.labels, starred.name) == ("e", {}, "n")
    assert masks.merged(PIPELINE, new, FieldMask(paths=["displayName"]), mutable).name == "n"
    for path in ("name", "nothing", "createTime"):
        with pytest.raises(InvalidArgument, match="these can: display_name, labels"):
            masks.merged(PIPELINE, new, FieldMask(paths=[path]), mutable)
    assert PIPELINE.display_name == "d"


_PATHS = st.lists(
    st.lists(
        st.sampled_from(
            ["name", "displayName", "labels", "a", "pipeline_spec", "pipelineInfo", "runtime_config", "p", "*", "x"]
        ),
        min_size=1,
        max_size=4,
    ).map(".".join),
    max_size=4,
)


@given(_PATHS)
@example(["pipeline_spec.pipelineInfo.name.name"])
def test_reading_twice_is_reading_once(paths: list[str]) -> None:
    once = masks.read(PIPELINE, paths)
    assert masks.read(once, paths) == once


@given(_PATHS)
def test_an_update_with_what_is_there_changes_nothing(paths: list[str]) -> None:
    target = messages.copy(PIPELINE)
    try:
        masks.update(target, PIPELINE, paths)
    except InvalidArgument:
        return
    assert target == PIPELINE
