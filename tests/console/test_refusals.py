"""What the console's pages can be refused is said in sentences that they word in Chinese, every line of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from tests.console.conftest import World
from tests.live.browser import Browser
from tests.live.environments import IMAGE
from tests.live.jobs import CUSTOM_TASK, Plan
from tests.live.sentences import unknown

STORAGE = "storage/storage/v1/b"
POOL: dict[str, Any] = {
    "machineSpec": {"machineType": "n1-standard-4"},
    "replicaCount": 1,
    "containerSpec": {"imageUri": IMAGE, "command": ["true"]},
}


def job(*pools: Any, name: str = "a", **more: Any) -> dict[str, Any]:
    return {"displayName": name, "jobSpec": {"workerPoolSpecs": pools, **more}}


def pool(**changes: Any) -> dict[str, Any]:
    return {**POOL, **changes}


def package(**changes: Any) -> dict[str, Any]:
    spec = {"executorImageUri": IMAGE, "packageUris": ["gs://refused/a.tar.gz"], "pythonModule": "a.b", **changes}
    return {**{key: value for key, value in POOL.items() if key != "containerSpec"}, "pythonPackageSpec": spec}


JOBS: dict[str, dict[str, Any]] = {
    "no name": job(POOL, name=""),
    "a long name": job(POOL, name="x" * 129),
    "an odd name": job(POOL, name="a\tb"),
    "no pools": job(),
    "many at once": {**job(pool(replicaCount=0, machineSpec={}), name=""), "labels": {"A": "B"}},
    "two primaries": job(pool(replicaCount=2)),
    "a number past its range": job(pool(replicaCount="99999999999999999999")),
    "a number that is none": job(pool(replicaCount="many")),
    "an unknown accelerator": job(
        pool(machineSpec={"machineType": "n1-standard-4", "acceleratorType": "NVIDIA_T5", "acceleratorCount": 1})
    ),
    "an accelerator without a count": job(
        pool(machineSpec={"machineType": "n1-standard-4", "acceleratorType": "NVIDIA_TESLA_T4"})
    ),
    "an accelerator that is not there": job(
        pool(machineSpec={"machineType": "n1-standard-4", "acceleratorType": "NVIDIA_TESLA_T4", "acceleratorCount": 1})
    ),
    "an unknown machine": job(pool(machineSpec={"machineType": "n9-huge"})),
    "a machine with TPUs": job(pool(machineSpec={"machineType": "cloud-tpu"})),
    "another image": job(pool(containerSpec={"imageUri": "gcr.io/mine/image", "command": ["true"]})),
    "no image": job(pool(containerSpec={"imageUri": "", "command": ["true"]})),
    "a bad variable": job(pool(containerSpec={**POOL["containerSpec"], "env": [{"name": "=", "value": "x"}]})),
    "a negative timeout": job(POOL, scheduling={"timeout": "-1s"}),
    "a timeout that is none": job(POOL, scheduling={"timeout": "soon"}),
    "no account": job(POOL, serviceAccount="me"),
    "another account": job(POOL, serviceAccount="x@y.iam.gserviceaccount.com"),
    "no directory": job(POOL, baseOutputDirectory={"outputUriPrefix": "/tmp"}),
    "a directory without a bucket": job(POOL, baseOutputDirectory={"outputUriPrefix": "gs://nobody/there"}),
    "a directory in an odd bucket": job(POOL, baseOutputDirectory={"outputUriPrefix": "gs://No/there"}),
    "a package that is none": job(package(packageUris=["a.tar.gz"])),
    "no module": job(package(pythonModule="a b")),
    "a label in capitals": {**job(POOL), "labels": {"Team": "x"}},
    "an unknown field": {**job(POOL), "nonsense": 1},
    "an unknown field within": job(pool(nonsense=1)),
}

PIPELINES: dict[str, dict[str, Any]] = {
    "no task": {"displayName": "a"},
    "no inputs": {"displayName": "a", "trainingTaskDefinition": CUSTOM_TASK},
    "a number that is none": {
        "displayName": "a",
        "trainingTaskDefinition": CUSTOM_TASK,
        "trainingTaskInputs": {"workerPoolSpecs": [pool(replicaCount="many")]},
    },
    "no dataset": {
        "displayName": "a",
        "trainingTaskDefinition": CUSTOM_TASK,
        "trainingTaskInputs": {"workerPoolSpecs": [POOL]},
        "inputDataConfig": {"datasetId": "7", "gcsDestination": {"outputUriPrefix": "gs://refused/x"}},
    },
    "bad fractions": {
        "displayName": "a",
        "trainingTaskDefinition": CUSTOM_TASK,
        "trainingTaskInputs": {"workerPoolSpecs": [POOL]},
        "inputDataConfig": {
            "datasetId": "7",
            "gcsDestination": {"outputUriPrefix": "x"},
            "fractionSplit": {"trainingFraction": 2},
        },
        "modelToUpload": {"displayName": ""},
    },
}

FILTERS = (
    "nonsense = 1",
    "display_name",
    "display_name =",
    "display_name = ) 1",
    "display_name and state",
    "create_time > yesterday",
    "labels = x",
    "state:(a b) AND near(1)",
    "state =~ x",
    "(" * 200,
)


@pytest.fixture(scope="module")
def owner(world: World) -> Browser:
    made = world.owner()
    for name in ("refused", "refused-full"):
        made.ask("POST", f"{STORAGE}?project={world.number}", {"name": name})
    begun = made.api("POST", "storage/upload/storage/v1/b/refused-full/o?uploadType=media&name=a", {"a": 1})
    assert begun.status == 200, begun.body
    return made


def refused(browser: Browser, method: str, path: str, body: Any = None) -> str:
    """Return what a request was refused with."""
    told = browser.api(method, path, body)
    assert told.status >= 400, (path, told.body)
    return str(told.json["error"]["message"])


def test_a_refusal_that_nobody_words_is_seen() -> None:
    text = "List of found errors:\t1.Field: a; Message: it is required\t2.Field: b; Message: A new rule.\t"
    assert unknown(text) == ["2.Field: b; Message: A new rule."]
    assert unknown("name: A new rule.") == ["name: A new rule."]


@pytest.mark.parametrize("name", JOBS)
def test_refused_jobs(world: World, owner: Browser, name: str) -> None:
    assert unknown(refused(owner, "POST", f"vertex/v1/{world.rest.parent}/customJobs", JOBS[name])) == []


@pytest.mark.parametrize("name", PIPELINES)
def test_refused_pipelines(world: World, owner: Browser, name: str) -> None:
    assert unknown(refused(owner, "POST", f"vertex/v1/{world.rest.parent}/trainingPipelines", PIPELINES[name])) == []


@pytest.mark.parametrize("text", FILTERS, ids=lambda text: text[:30])
def test_refused_filters(world: World, owner: Browser, text: str) -> None:
    told = [
        refused(owner, "GET", f"vertex/v1/{world.rest.parent}/{kind}?filter={quote(text)}")
        for kind in ("datasets", "models", "metadataStores/default/artifacts")
    ]
    assert [unknown(each) for each in told] == [[], [], []], told


def test_refused_lists_and_things(world: World, owner: Browser) -> None:
    parent, store = world.rest.parent, "metadataStores/default"
    number = parent.split("/")[1]
    asked = [
        ("GET", "datasets?orderBy=nonsense"),
        ("GET", "datasets?orderBy=a%20b%20c"),
        ("GET", "datasets?orderBy=create_time,create_time"),
        ("GET", "datasets?pageToken=x"),
        ("GET", "datasets?pageSize=-1"),
        ("GET", "datasets?pageSize=many"),
        *(("GET", f"{kind}/77") for kind in ("customJobs", "trainingPipelines", "datasets", "models")),
        *(("DELETE", f"{kind}/77") for kind in ("customJobs", "trainingPipelines", "models")),
        *(("POST", f"{kind}/77:cancel") for kind in ("customJobs", "trainingPipelines")),
        ("GET", "models/77:listVersions"),
        ("POST", "models/77@1:mergeVersionAliases"),
        ("DELETE", "models/77@1:deleteVersion"),
        ("DELETE", "models/77@1"),
        ("DELETE", "models/77:deleteVersion"),
        ("GET", f"{store}/artifacts/77"),
        ("GET", f"{store}/artifacts/77:queryArtifactLineageSubgraph?maxHops=1"),
        ("GET", f"{store}/artifacts/77:queryArtifactLineageSubgraph?maxHops=-1"),
        ("GET", f"{store}/contexts/77:queryContextLineageSubgraph"),
        ("GET", f"{store}/executions/77:queryExecutionInputsAndOutputs"),
        ("GET", "nonsense/77"),
        ("GET", "endpoints/77"),
        ("GET", "operations/77"),
    ]
    paths = [(method, f"{parent}/{rest}") for method, rest in asked]
    paths += [
        ("GET", "projects/nobody/locations/us-central1/datasets"),
        ("GET", f"projects/{number}/locations/nowhere/datasets"),
    ]
    told = {path: refused(owner, verb, f"vertex/v1/{path}", {} if verb == "POST" else None) for verb, path in paths}
    assert {path: text for path, text in told.items() if unknown(text)} == {}


def test_refused_changes_of_models_and_jobs(world: World, owner: Browser) -> None:
    parent = f"vertex/v1/{world.rest.parent}"
    made = owner.ask("POST", f"{parent}/models:upload", {"model": {"displayName": "refused"}})
    model = f"vertex/v1/{made['response']['model']}"
    job_name = world.job(Plan("models", then="wait"), wait=False)
    told = [
        *(
            refused(owner, "POST", f"{model}@1:mergeVersionAliases", {"versionAliases": aliases})
            for aliases in ([], ["X"], ["-default"], ["-"], [""])
        ),
        refused(owner, "POST", f"{model}@9:mergeVersionAliases", {"versionAliases": ["best"]}),
        refused(owner, "DELETE", f"{model}@1:deleteVersion"),
        refused(owner, "DELETE", f"{model}@1"),
        refused(owner, "DELETE", f"vertex/v1/{job_name}"),
    ]
    assert [text for text in told if unknown(text)] == []
    owner.ask("POST", f"vertex/v1/{job_name}:cancel", {})


def test_refused_buckets_and_objects(world: World, owner: Browser) -> None:
    number = world.number
    bad = ["", "ab", "Upper", "1.2.3.4", "google-x", "refused"]
    upload = "storage/upload/storage/v1/b"
    told = [refused(owner, "POST", f"{STORAGE}?project={number}", {"name": name}) for name in bad]
    told += [
        refused(owner, "POST", f"{STORAGE}?project=nobody", {"name": "abc-def"}),
        refused(owner, "POST", f"{STORAGE}", {"name": "abc-def"}),
        refused(owner, "GET", f"{STORAGE}?project=nobody"),
        refused(owner, "GET", f"{STORAGE}/nobody-has-this/o"),
        refused(owner, "GET", f"{STORAGE}/refused/o?pageToken=x"),
        refused(owner, "GET", f"{STORAGE}/refused/o?maxResults=many"),
        refused(owner, "GET", f"{STORAGE}/refused/o/nothing"),
        refused(owner, "GET", f"{STORAGE}/refused/o/nothing?alt=media"),
        refused(owner, "DELETE", f"{STORAGE}/refused/o/nothing"),
        refused(owner, "DELETE", f"{STORAGE}/refused-full/o/a?ifGenerationMatch=1"),
        refused(owner, "DELETE", f"{STORAGE}/refused-full"),
        refused(owner, "GET", f"{STORAGE}/refused/o/%ff"),
        refused(owner, "POST", f"{upload}/refused/o?uploadType=resumable", {}),
        refused(owner, "POST", f"{upload}/refused/o?uploadType=nonsense&name=a", {}),
        refused(owner, "POST", f"{upload}/refused/o?uploadType=resumable&name=a%0Ab", {"name": "a\nb"}),
        refused(owner, "POST", f"{upload}/refused/o?uploadType=resumable&name={'x' * 1025}", {}),
        refused(owner, "POST", f"{upload}/nobody-has-this/o?uploadType=resumable&name=a", {"name": "a"}),
        refused(owner, "PUT", f"{upload}/refused/o?uploadType=resumable&upload_id=x", {}),
        refused(owner, "GET", "storage/nonsense"),
        refused(owner, "GET", f"{STORAGE}/refused/nonsense"),
    ]
    assert [text for text in told if unknown(text)] == []


def test_refused_reads_of_the_console(world: World, owner: Browser) -> None:
    run = f"{world.rest.parent}/customJobs/77"
    asked = [
        "runs",
        f"runs?project={world.number}&order=nonsense",
        f"runs?project={world.number}&size=0",
        "runs?project=nobody",
        "run",
        f"run?run={run}",
        f"picture?run={run}",
        f"picture/node?run={run}&id=x",
        f"logs?job={run}",
        "logs",
        f"usage?run={run}",
        "links?project=nobody",
        "datasets/profile",
        f"datasets/profile?dataset={world.rest.parent}/datasets/77",
        "live",
        "live?topic=nonsense",
        "offers?location=nowhere&nonsense=%00",
        "nonsense",
        "home?project=nobody",
    ]
    told = {path: refused(owner, "GET", path) for path in asked}
    assert {path: text for path, text in told.items() if unknown(text)} == {}


def test_refused_links_and_what_those_who_came_by_one_may_not_do(world: World, owner: Browser) -> None:
    name = world.job(Plan("links", then="wait"), wait=False)
    viewer = world.viewer(name)
    logs = f"logs?job={name}"
    told = [
        *(refused(owner, "GET", f"{logs}&{rest}") for rest in ("severity=LOUD", "before=x", "after=x", "limit=many")),
        refused(owner, "GET", f"{logs}&before=1-x&after=1-x"),
        refused(owner, "GET", f"logs/stream?job={name}&after=x"),
        refused(owner, "GET", f"picture/node?run={name}&id=nonsense"),
        *(refused(owner, "POST", "links", {"run": name, "days": days}) for days in (0, 999, "x")),
        refused(owner, "POST", "links", {"run": f"{name}7"}),
        refused(owner, "DELETE", "links?id=nonsense"),
        refused(owner, "POST", "codes", {"to": "//elsewhere"}),
        refused(owner, "POST", "session", {"code": "wrong"}),
        refused(world.browser(), "GET", "session"),
        refused(viewer, "POST", f"vertex/v1/{name}:cancel", {}),
        refused(viewer, "GET", f"runs?project={world.number}"),
        refused(viewer, "POST", "links", {"run": name}),
    ]
    assert [text for text in told if unknown(text)] == []
    owner.ask("POST", f"vertex/v1/{name}:cancel", {})
