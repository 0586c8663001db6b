"""A client may say a project's id or its number, in every resource name that a request holds; handlers see numbers."""

from typing import Any

import pytest

from trigpoint.core import contract, messages
from trigpoint.core.call import Call

from .conftest import LOCATION, NUMBER, Build, Wire

API = "google.cloud.aiplatform.v1"
MINE = "projects/my-project/locations/us-central1"
STORE, NUMBERED = f"{MINE}/metadataStores/default", f"{LOCATION}/metadataStores/default"


@pytest.fixture
def seen() -> list[Any]:
    return []


@pytest.fixture
def surface(build: Build, seen: list[Any]) -> Wire:
    names = (
        "ModelService.UploadModel",
        "MetadataService.AddExecutionEvents",
        "MetadataService.AddContextArtifactsAndExecutions",
        "MetadataService.CreateArtifact",
        "PipelineService.CreateTrainingPipeline",
        "JobService.CreateCustomJob",
    )

    def handler(call: Call, request: Any) -> Any:
        seen.append(messages.to_dict(request))
        method = contract.methods()[call.method]
        return messages.message_class(method.output)()

    return build({f"{API}.{name}": handler for name in names})


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_the_parent_of_a_version_may_be_named_by_the_project_id(
    surface: Wire, seen: list[Any], version: str
) -> None:
    body = {"parentModel": f"{MINE}/models/7", "model": {"displayName": "m"}}
    answer = await surface.rest("POST", f"/{version}/{MINE}/models:upload", body)
    assert answer.status == 200, answer.body
    assert seen[0]["parentModel"] == f"{LOCATION}/models/7"


async def test_names_in_lists_and_in_messages_of_a_request_are_found(surface: Wire, seen: list[Any]) -> None:
    events = {"events": [{"artifact": f"{STORE}/artifacts/a"}, {"artifact": f"{NUMBERED}/artifacts/b"}]}
    await surface.rest("POST", f"/v1/{STORE}/executions/e:addExecutionEvents", events)
    assert [event["artifact"] for event in seen[0]["events"]] == [f"{NUMBERED}/artifacts/{one}" for one in "ab"]
    members = {"artifacts": [f"{STORE}/artifacts/a"], "executions": [f"{STORE}/executions/e"]}
    await surface.rest("POST", f"/v1/{STORE}/contexts/c:addContextArtifactsAndExecutions", members)
    assert seen[1]["artifacts"] == [f"{NUMBERED}/artifacts/a"]
    assert seen[1]["executions"] == [f"{NUMBERED}/executions/e"]


async def test_grpc_requests_are_treated_alike(surface: Wire, seen: list[Any]) -> None:
    spec = {"experiment": f"{STORE}/contexts/c", "models": [f"{MINE}/models/7@2"]}
    given = {"parent": MINE, "customJob": {"jobSpec": spec}}
    request = messages.from_dict(messages.message_class(f"{API}.CreateCustomJobRequest"), given)
    await surface.rpc(f"{API}.JobService.CreateCustomJob", messages.encode(request))
    found = seen[0]["customJob"]["jobSpec"]
    assert found == {"experiment": f"{NUMBERED}/contexts/c", "models": [f"{LOCATION}/models/7@2"]}


async def test_what_is_no_name_stays_as_it_was_written(surface: Wire, seen: list[Any]) -> None:
    container = {"imageUri": "i", "args": [f"{MINE}/models/7"], "env": [{"name": "MODEL", "value": f"{MINE}/models/7"}]}
    job = {"displayName": f"{MINE}/models/7", "jobSpec": {"workerPoolSpecs": [{"containerSpec": container}]}}
    await surface.rest("POST", f"/v1/{MINE}/customJobs", job)
    assert seen[0]["customJob"] == job
    artifact = {"uri": f"{MINE}/models/7", "metadata": {"name": f"{MINE}/models/7"}, "description": f"{MINE}/x"}
    await surface.rest("POST", f"/v1/{STORE}/artifacts", artifact)
    assert seen[1]["artifact"] == artifact


@pytest.mark.parametrize("project", ["other", "unknown", NUMBER, "999999999999"])
async def test_projects_that_the_caller_cannot_act_in_keep_their_spelling(
    surface: Wire, seen: list[Any], project: str
) -> None:
    parent = f"projects/{project}/locations/us-central1/models/7"
    await surface.rest("POST", f"/v1/{MINE}/models:upload", {"parentModel": parent})
    assert seen[0]["parentModel"] == parent


@pytest.mark.parametrize("text", ["", "projects", "projects/", "projects/my-project", "my-project", "7"])
async def test_texts_of_any_shape_are_taken(surface: Wire, seen: list[Any], text: str) -> None:
    assert (await surface.rest("POST", f"/v1/{MINE}/models:upload", {"parentModel": text})).status == 200
    assert seen[0].get("parentModel", "") == text.replace("my-project", NUMBER if "/" in text else "my-project")
