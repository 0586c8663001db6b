"""Refusals: the same code on both transports, with details, and never anything of ours in the text."""

import json
from typing import Any

import pytest

from trigpoint.core import errors, messages, status
from trigpoint.core.errors import Violation
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.core.pb.google.cloud.aiplatform.v1.featurestore_online_service_pb import (
    ReadFeatureValuesResponse,
    StreamingReadFeatureValuesRequest,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_service_pb import (
    CreateCustomJobRequest,
    GetCustomJobRequest,
    ListCustomJobsRequest,
)
from trigpoint.core.pb.google.rpc.status_pb import Status

from .conftest import GOOD, LOCATION, NUMBER, Build, Wire

JOBS = "google.cloud.aiplatform.v1.JobService"
GET, LIST, CREATE = f"{JOBS}.GetCustomJob", f"{JOBS}.ListCustomJobs", f"{JOBS}.CreateCustomJob"
STREAM = "google.cloud.aiplatform.v1.FeaturestoreOnlineServingService.StreamingReadFeatureValues"
JOB = f"{LOCATION}/customJobs/5"


def raising(error: Exception) -> Any:
    def handler(call: Any, request: Any) -> Any:
        raise error

    return handler


async def both(wire: Wire, name: str = JOB, **options: Any) -> tuple[Any, errors.TrigpointError]:
    """Get a job on both transports; both must refuse."""
    answer = await wire.rest("GET", f"/v1/{name}", **{k: v for k, v in options.items() if k == "headers"})
    with pytest.raises(errors.TrigpointError) as caught:
        await wire.rpc(GET, messages.encode(GetCustomJobRequest(name=name)), **options)
    assert answer.status == caught.value.http == answer.error["code"]
    assert answer.error["message"] == caught.value.message
    assert answer.error["status"] == caught.value.status
    return answer, caught.value


_TREE = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.TrigpointError) and kind is not errors.TrigpointError
]


@pytest.mark.parametrize("kind", _TREE, ids=lambda kind: kind.__name__)
async def test_every_error_of_the_tree(build: Build, kind: type[errors.TrigpointError]) -> None:
    await both(build({GET: raising(kind("so it is", reason="WHY"))}))


async def test_details_on_both_transports(build: Build) -> None:
    error = errors.InvalidArgument(violations=[Violation("job.x", "bad"), Violation("job.y", "worse")], reason="WHY")
    answer, caught = await both(build({GET: raising(error)}))
    found = messages.decode(Status, status.status_bytes(caught))
    by_rpc = [messages.to_dict(detail) for detail in found.details]
    assert answer.error["details"] == by_rpc
    assert by_rpc == [
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "job.x", "description": "bad"}, {"field": "job.y", "description": "worse"}],
        },
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "WHY", "domain": "aiplatform.googleapis.com"},
    ]
    assert (found.code, found.message) == (3, caught.message)


@pytest.mark.parametrize("body", ['{"displayName": "\\ud800"}', '{"\\ud800": 1}', '{"createTime": "\\ud800"}'])
async def test_what_no_text_can_hold_is_refused_in_a_text_that_can(build: Build, body: str) -> None:
    answer = await build({CREATE: lambda call, request: request}).rest("POST", f"/v1/{LOCATION}/customJobs", body)
    assert answer.status == 400
    assert "?" in answer.error["message"]
    assert "?" in json.dumps(answer.error["details"])


@pytest.mark.parametrize("error", [RuntimeError("/home/secret"), KeyError("x"), AssertionError(), RecursionError()])
async def test_a_fault_of_ours_tells_nothing(build: Build, error: Exception) -> None:
    answer, _ = await both(build({GET: raising(error)}))
    assert answer.error == {"code": 500, "message": "Internal error encountered.", "status": "INTERNAL"}


async def test_what_is_not_built_says_so(build: Build) -> None:
    answer, _ = await both(build({}))
    assert answer.status == 501
    assert "JobService.GetCustomJob" in answer.error["message"]
    assert "api-coverage.md" in answer.error["message"]


@pytest.mark.parametrize("token", ["", "Bearer bad", "Bearer", "Basic eA==", "Bearer slow but bad"])
async def test_nothing_is_answered_without_an_identity(build: Build, token: str) -> None:
    wire = build({GET: lambda call, request: pytest.fail("it was called")})
    answer, _ = await both(wire, headers={"authorization": token} if token else {})
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    for verb, path in [("GET", "/v1/nothing"), ("POST", f"/v1/{LOCATION}/customJobs"), ("GET", f"/v1/{LOCATION}/x/1")]:
        assert (await wire.rest(verb, path, b"{", headers={})).status == 401
    for method, row in wire.vertex.rpcs.items():
        if not hasattr(row, "handle") or type(row).__name__ == "ServerStream":
            with pytest.raises(errors.Unauthenticated):
                await wire.rpc_stream(method, b"", {})
        else:
            with pytest.raises(errors.Unauthenticated):
                await wire.rpc(method, b"", {})


async def test_a_token_that_must_be_looked_up(build: Build) -> None:
    wire = build({GET: lambda call, request: request})
    assert (await wire.rest("GET", f"/v1/{JOB}", headers={"authorization": "Bearer slow"})).status == 200
    assert (await wire.rest("GET", f"/v1/{JOB}", query={"access_token": "good"}, headers={})).status == 200


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("projects/nobody/locations/us-central1/customJobs/5", 403),
        ("projects/other/locations/us-central1/customJobs/5", 403),
        ("projects/999999999999/locations/us-central1/customJobs/5", 403),
        (f"projects/{NUMBER}/locations/mars/customJobs/5", 400),
        (f"projects/{NUMBER}/locations/-/customJobs/5", 400),
        (f"projects/{NUMBER}/locations/../customJobs/5", 400),
    ],
)
async def test_addresses(build: Build, name: str, code: int) -> None:
    answer, _ = await both(build({GET: lambda call, request: pytest.fail("it was called")}), name)
    assert answer.status == code


async def test_an_unknown_project_reads_like_a_forbidden_one(build: Build) -> None:
    wire = build({GET: lambda call, request: pytest.fail("it was called")})
    texts = []
    for project in ("nobody", "other"):
        answer, _ = await both(wire, f"projects/{project}/locations/us-central1/customJobs/5")
        texts.append(answer.error["message"].replace(project, "P"))
        assert answer.error["details"][0]["reason"] == "IAM_PERMISSION_DENIED"
    assert texts[0] == texts[1]
    assert "aiplatform.customJobs.get" in texts[0]


async def test_the_location_must_be_that_of_the_host(build: Build) -> None:
    wire = build({GET: lambda call, request: request})
    raw = messages.encode(GetCustomJobRequest(name=JOB))
    for host, fine in [
        ("us-central1-aiplatform.googleapis.com", True),
        ("europe-west4-aiplatform.googleapis.com", False),
    ]:
        answer = await wire.rest("GET", f"/v1/{JOB}", headers={**GOOD, "host": f"{host}:443"})
        assert answer.status == (200 if fine else 400)
        if fine:
            await wire.rpc(GET, raw, host=host)
        else:
            with pytest.raises(errors.InvalidArgument, match="endpoint"):
                await wire.rpc(GET, raw, host=host)


async def test_lists_over_all_locations(build: Build) -> None:
    wire = build({LIST: lambda call, request: request})
    await wire.rpc(LIST, messages.encode(ListCustomJobsRequest(parent=f"projects/{NUMBER}/locations/-")))


async def test_a_missing_name(build: Build) -> None:
    wire = build({GET: lambda call, request: request})
    for bad in ("", "x", "projects", "locations/us-central1"):
        with pytest.raises(errors.InvalidArgument, match="name"):
            await wire.rpc(GET, messages.encode(GetCustomJobRequest(name=bad)))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"nonsense",
        b"\xff\xfe",
        b'{"displayName": 1}',
        b'{"labels": {"a": 1}}',
        b'{"jobSpec": []}',
        b'{"unknown": 1}',
        b'{"createTime": "yesterday"}',
        b'{"jobSpec": {"workerPoolSpecs": [{"replicaCount": "many"}]}}',
        b'{"a":' * 5000,
        b'{"displayName": "' + b"x" * 100 + b'", "displayName": 7}',
    ],
)
async def test_malformed_bodies(build: Build, body: bytes) -> None:
    wire = build({CREATE: lambda call, request: pytest.fail("it was called")})
    for version in ("v1", "v1beta1", "ui"):
        answer = await wire.rest("POST", f"/{version}/{LOCATION}/customJobs", body)
        assert (answer.status, answer.error["status"]) == (400, "INVALID_ARGUMENT")
        assert len(answer.body) < 4000
        assert b"Traceback" not in answer.body


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x12\x02\x0a\x80"])
async def test_malformed_bytes(build: Build, data: bytes) -> None:
    wire = build({CREATE: lambda call, request: pytest.fail("it was called")})
    with pytest.raises(errors.InvalidArgument):
        await wire.rpc(CREATE, data)


async def test_giant_bodies_are_refused_before_they_are_read(build: Build) -> None:
    wire = build({CREATE: lambda call, request: request.custom_job}, max_body=1_000_000)
    small = {"displayName": "x" * 900_000}
    assert (await wire.rest("POST", f"/v1/{LOCATION}/customJobs", small)).status == 200
    told = {**GOOD, "content-length": "2000000"}
    for body, headers in [(b"", told), (b"x" * 1_100_000, GOOD)]:
        answer = await wire.rest("POST", f"/v1/{LOCATION}/customJobs", body, headers=headers)
        assert answer.status == 400
        assert "1000000 bytes" in answer.error["message"]


@pytest.mark.parametrize(
    ("verb", "path", "query", "code"),
    [
        ("GET", "/v1/nothing", "", 404),
        ("GET", "/", "", 404),
        ("PUT", f"/v1/{JOB}", "", 404),
        ("GET", "/v1/" + "x/" * 5000, "", 404),
        ("GET", f"/v1/{LOCATION}/customJobs", "nothing=1", 400),
        ("GET", f"/v1/{LOCATION}/customJobs", "pageSize=many", 400),
        ("GET", f"/v1/{LOCATION}/customJobs", "&".join(f"filter={i}" for i in range(2000)), 400),
        ("GET", f"/v1/{LOCATION}/customJobs", "%ff=%ff", 400),
        ("GET", f"/v1/{LOCATION}/customJobs", "$alt=json;enum-encoding=int&key=x&prettyPrint=true&alt=json", 200),
        ("GET", f"/v1/{LOCATION}/customJobs", "fields=customJobs(name)", 200),
        ("GET", f"/v1/{LOCATION}/customJobs", "fields=customJobs.name,nextPageToken", 200),
        ("GET", f"/v1/{LOCATION}/customJobs", "fields=customJobs(name", 400),
        ("GET", f"/ui/{LOCATION}/customJobs", "", 200),
        ("GET", f"/v1beta1/{LOCATION}/customJobs", "page_size=3&readMask=name", 200),
    ],
)
async def test_paths_and_queries(build: Build, verb: str, path: str, query: str, code: int) -> None:
    wire = build({LIST: lambda call, request: messages.message_class(f"{JOBS[:26]}.ListCustomJobsResponse")()})
    answer = await wire.rest(verb, path, b"", query)
    assert answer.status == code
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    json.loads(answer.body)


async def test_wrong_fields_are_refused_before_anything_is_done(build: Build) -> None:
    wire = build({CREATE: lambda call, request: pytest.fail("it was called")})
    answer = await wire.rest("POST", f"/v1/{LOCATION}/customJobs", {"displayName": "x"}, "$fields=name(")
    assert (answer.status, answer.error["status"]) == (400, "INVALID_ARGUMENT")


async def test_a_stream_that_breaks(build: Build) -> None:
    def handler(call: Any, request: Any) -> Any:
        for _ in range(int(request.entity_ids[0])):
            yield ReadFeatureValuesResponse()
        raise errors.NotFound("no more")

    wire = build({STREAM: handler})
    path = f"/v1/{LOCATION}/featurestores/1/entityTypes/2:streamingReadFeatureValues"
    early = await wire.rest("POST", path, {"entityIds": ["0"]})
    assert (early.status, early.error["status"]) == (404, "NOT_FOUND")
    late = await wire.rest("POST", path, {"entityIds": ["2"]})
    assert late.status == 200
    assert [*late.json[:2], late.json[2]["error"]["status"]] == [{}, {}, "NOT_FOUND"]
    sse = await wire.rest("POST", path, {"entityIds": ["1"]}, {"alt": "sse"})
    events = [json.loads(line[6:]) for line in sse.body.split(b"\r\n\r\n") if line]
    assert (events[0], events[1]["error"]["code"]) == ({}, 404)
    request = StreamingReadFeatureValuesRequest(
        entity_type=f"{LOCATION}/featurestores/1/entityTypes/2", entity_ids=["2"]
    )
    with pytest.raises(errors.NotFound):
        await wire.rpc_stream(STREAM, messages.encode(request))


async def test_an_empty_stream_is_an_empty_array(build: Build) -> None:
    wire = build({STREAM: lambda call, request: iter([])})
    path = f"/v1/{LOCATION}/featurestores/1/entityTypes/2:streamingReadFeatureValues"
    assert (await wire.rest("POST", path, {"entityIds": ["2"]})).json == []


async def test_what_the_headers_tell(build: Build) -> None:
    calls: list[Any] = []

    def handler(call: Any, request: Any) -> Any:
        calls.append(call)
        return CustomJob()

    agent = (
        "model-builder/2.7.0+top_google_constructor_method+google.cloud.aiplatform.jobs.CustomJob.__init__"
        "+environment+WORKBENCH_INSTANCE grpc-python/1.85"
    )
    wire = build({CREATE: handler})
    sent = CreateCustomJobRequest(parent=LOCATION)
    await wire.rpc(CREATE, messages.encode(sent), {**GOOD, "user-agent": agent, "x-goog-api-client": agent})
    client = calls[0].client
    assert client.library == "model-builder/2.7.0"
    assert client.method == "google.cloud.aiplatform.jobs.CustomJob.__init__"
    assert client.environment == "WORKBENCH_INSTANCE"
    assert (calls[0].caller.email, calls[0].project, calls[0].location) == ("me@x", NUMBER, "us-central1")
