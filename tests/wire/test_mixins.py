"""Operations, locations and policies: the methods that every service has besides its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trigpoint.core import errors, messages
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_pb import Dataset
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_service_pb import CreateDatasetOperationMetadata
from trigpoint.core.pb.google.iam.v1.iam_policy_pb import SetIamPolicyRequest
from trigpoint.core.pb.google.iam.v1.policy_pb import Binding, Policy
from trigpoint.core.pb.google.longrunning.operations_pb import GetOperationRequest, Operation
from trigpoint.store import Store, operations, resources

from .conftest import LOCATION, NUMBER, Build, Wire, opened

NAME = f"{LOCATION}/datasets/1/operations/7"
OPERATIONS, POLICIES = "google.longrunning.Operations", "google.iam.v1.IAMPolicy"
RESOURCE = f"{LOCATION}/datasets/1"
EMPTY_MESSAGE = messages.encode(Dataset())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = opened(tmp_path)
    yield made
    made.close()


def begun(wire: Wire, *, done: bool = True, version: str = "v1") -> None:
    held = {"metadata": messages.to_dict(messages.pack(CreateDatasetOperationMetadata()))}
    if done:
        held["response"] = messages.to_dict(messages.pack(Dataset(name="n")))
    operation = messages.from_dict(Operation, {"name": NAME, "done": done, **held})
    kept = operations.Operation(
        NAME,
        RESOURCE,
        RESOURCE,
        f"google.cloud.aiplatform.{version}.DatasetService.CreateDataset",
        messages.encode(operation),
        messages.to_json(operation),
        done,
    )
    wire.store.write(lambda tx: operations.add(tx, kept))


@pytest.mark.parametrize("path", ["v1", "v1beta1", "ui"])
async def test_operations_by_rest(build: Build, path: str) -> None:
    wire = build({})
    begun(wire)
    spelled = NAME.replace(NUMBER, "my-project")
    found = await wire.rest("GET", f"/{path}/{spelled}")
    version = "v1" if path == "ui" else path
    assert found.json["name"] == NAME
    assert found.json["response"]["@type"] == f"type.googleapis.com/google.cloud.aiplatform.{version}.Dataset"
    assert f".{version}." in found.json["metadata"]["@type"]
    listed = await wire.rest("GET", f"/{path}/{RESOURCE}/operations")
    assert [one["name"] for one in listed.json["operations"]] == [NAME]
    assert (await wire.rest("POST", f"/{path}/{NAME}:wait", {"timeout": "1s"})).json["done"] is True
    assert (await wire.rest("POST", f"/{path}/{NAME}:cancel")).error["status"] == "FAILED_PRECONDITION"
    assert (await wire.rest("DELETE", f"/{path}/{NAME}")).json == {}
    assert (await wire.rest("GET", f"/{path}/{NAME}")).status == 404


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_a_poll_answers_in_the_version_of_the_call_that_began_it(build: Build, version: str) -> None:
    wire = build({})
    begun(wire, version=version)
    raw = await wire.rpc(f"{OPERATIONS}.GetOperation", messages.encode(GetOperationRequest(name=NAME)))
    found = messages.decode(Operation, raw)
    assert found.metadata is not None
    assert f".{version}." in found.metadata.type_url
    assert f".{version}." in (await wire.rest("GET", f"/ui/{NAME}")).json["response"]["@type"]


async def test_waiting_ends_with_the_timeout(build: Build) -> None:
    wire = build({})
    begun(wire, done=False)
    answer = await wire.rest("POST", f"/v1/{NAME}:wait", {"timeout": "0.05s"})
    assert "done" not in answer.json


async def test_locations(build: Build) -> None:
    wire = build({})
    found = await wire.rest("GET", "/ui/projects/my-project/locations")
    assert [one["locationId"] for one in found.json["locations"]] == ["us-central1", "europe-west4"]
    assert found.json["locations"][0]["name"] == LOCATION
    first = await wire.rest("GET", "/v1/projects/my-project/locations", query="pageSize=1")
    assert [one["locationId"] for one in first.json["locations"]] == ["us-central1"]
    query = {"pageToken": first.json["nextPageToken"]}
    rest = await wire.rest("GET", "/v1/projects/my-project/locations", query=query)
    assert [one["locationId"] for one in rest.json["locations"]] == ["europe-west4"]
    assert (await wire.rest("GET", "/v1/projects/my-project/locations", query="pageToken=zz")).status == 400
    assert (await wire.rest("GET", f"/v1/{LOCATION}")).json["locationId"] == "us-central1"
    assert (await wire.rest("GET", "/v1/projects/my-project/locations/mars")).status == 400


def existing(wire: Wire) -> None:
    row = resources.Row(RESOURCE, "datasets", LOCATION, EMPTY_MESSAGE, b"{}")
    wire.store.write(lambda tx: resources.insert(tx, row))


async def test_policies(build: Build) -> None:
    wire = build({})
    assert (await wire.rest("POST", f"/v1/{RESOURCE}:getIamPolicy")).status == 404
    existing(wire)
    empty = (await wire.rest("GET", f"/v1/{RESOURCE}:getIamPolicy")).json
    assert empty == {"version": 1, "etag": "QUNBQg=="}
    policy: dict[str, Any] = {"bindings": [{"role": "roles/aiplatform.user", "members": ["user:a@b"]}]}
    stored = (await wire.rest("POST", f"/v1/{RESOURCE}:setIamPolicy", {"policy": {**policy, **empty}})).json
    assert stored["bindings"] == policy["bindings"]
    assert (await wire.rest("POST", f"/v1/{RESOURCE}:getIamPolicy", {})).json == stored
    again = await wire.rest("POST", f"/v1/{RESOURCE}:setIamPolicy", {"policy": {**policy, **empty}})
    assert again.error["status"] == "ABORTED"
    assert (await wire.rest("POST", f"/v1/{RESOURCE}:setIamPolicy", {})).status == 400
    given = Policy(bindings=[Binding(role="roles/viewer")])
    raw = messages.encode(SetIamPolicyRequest(resource=RESOURCE, policy=given))
    by_rpc = messages.decode(Policy, await wire.rpc(f"{POLICIES}.SetIamPolicy", raw))
    assert [one.role for one in by_rpc.bindings] == ["roles/viewer"]
    assert len(by_rpc.etag) == 16


async def test_permissions_in_the_query(build: Build) -> None:
    wire = build({})
    existing(wire)
    query = [("permissions", "aiplatform.datasets.get"), ("permissions", "aiplatform.datasets.delete")]
    answer = await wire.rest("POST", f"/v1/{RESOURCE}:testIamPermissions", b"", query)
    assert answer.json == {"permissions": ["aiplatform.datasets.get", "aiplatform.datasets.delete"]}
    for bad in ([], [("permissions", "aiplatform.*")]):
        assert (await wire.rest("POST", f"/v1/{RESOURCE}:testIamPermissions", b"", bad)).status == 400
    foreign = {"authorization": "Bearer other"}
    assert (await wire.rest("POST", f"/v1/{RESOURCE}:testIamPermissions", b"", query, foreign)).status == 403


async def test_an_unknown_operation(build: Build) -> None:
    with pytest.raises(errors.NotFound):
        await build({}).rpc(f"{OPERATIONS}.GetOperation", messages.encode(GetOperationRequest(name=NAME)))
