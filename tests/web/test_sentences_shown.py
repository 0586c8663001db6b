"""Runs that wait, fail in each phase, are cancelled and tried again: their Chinese pages hold no English of ours."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.live.environments import IMAGE
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, PIPELINE_FINAL, Plan
from tests.live.rest import STORAGE, Rest
from tests.web.conftest import Open, Served, marked, pipeline, put, settle, submit

SHOTS = os.environ.get("CONSOLE_SHOTS", "")
BAD_TABLE = "species,mass\nGentoo,1,2,3\n"
WITHOUT = "print('no model is written')"
OURS = "The agent of x disappeared without reporting an outcome."
SAYS = f"import sys; sys.exit({OURS!r})"
"""A program that prints a sentence of ours as its last line."""
RUNS = [
    "raises",
    "absent",
    "broken",
    "endless",
    "crashes",
    "cancelled",
    "badTable",
    "noModel",
    "reserved",
    "waiting",
    "behind",
]
PAGES = {
    "home": "/console/projects/demo-project",
    "training": "/console/projects/demo-project/training",
    **{f"{run}-overview": f"/console/{{{run}}}?tab=overview" for run in RUNS},
    **{f"{run}-text": f"/console/{{{run}}}?as=text" for run in RUNS},
    **{f"{run}-picture": f"/console/{{{run}}}" for run in RUNS},
}
PROGRAMS = (
    OURS,
    "ValueError: no rows for raises",
    "Traceback (most",
    'File "<string>", line',
    "uv ",
    "python3 -c",
    "3.",
)
"""What programs say, or the beginning of it: nobody translates that."""
SENTENCE = re.compile(r"(?<![\w./-])[A-Za-z']+,? [a-z']+,? [a-z']+(?![\w./-])")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Served]:
    """A home of its own, in which one job runs at a time and others wait."""
    home = Home(tmp_path_factory.mktemp("sentences") / "home", environments, parallel_jobs=2)
    home.start()
    try:
        yield Served(home, furnish(home.client()), "", "")
    finally:
        home.clear()


def furnish(rest: Rest) -> dict[str, str]:
    """Make runs of each kind; those that are over first."""
    rest.ask("POST", "/storage/v1/b", {"name": "console-data"}, host=STORAGE, query={"project": "demo-project"})
    put(rest, "tables/bad.csv", BAD_TABLE.encode(), "text/csv")
    put(rest, "tables/good.csv", b"species,mass\nGentoo,1\n" * 30, "text/csv")
    put(rest, "code/broken-1.0.tar.gz", b"this is no archive", "application/gzip")
    bad, good = (_dataset(rest, name) for name in ("bad", "good"))
    made = {
        "raises": {**Plan("raises", then="raise", machine="m1-ultramem-160").job()},
        "absent": _package("absent"),
        "broken": _package("broken"),
        "endless": Plan("endless", then="wait", timeout=2).job(),
        "crashes": Plan("crashes", then="signal11").job(),
        "badTable": pipeline(bad),
        "noModel": _with_program(pipeline(good), WITHOUT),
        "reserved": _reserved(),
    }
    says = Plan("says").job()
    says["jobSpec"]["workerPoolSpecs"][0]["containerSpec"] = {"imageUri": IMAGE, "command": ["python3", "-c", SAYS]}
    made["says"] = says
    runs = {}
    for name, body in made.items():
        runs[name] = submit(rest, {**body, "displayName": name})
        _until_over(rest, runs[name])
    runs["cancelled"] = submit(rest, Plan("cancelled", then="trap").job())
    wait_until(lambda: rest.ask("GET", f"/v1/{runs['cancelled']}")["state"] == "JOB_STATE_RUNNING", 60)
    rest.ask("POST", f"/v1/{runs['cancelled']}:cancel", {})
    _until_over(rest, runs["cancelled"])
    running = submit(rest, Plan("running", then="wait").job())
    wait_until(lambda: rest.ask("GET", f"/v1/{running}")["state"] == "JOB_STATE_RUNNING", 60)
    runs["waiting"] = submit(rest, Plan("waiting", replicas=2).job())
    runs["behind"] = submit(rest, Plan("behind").job())
    for name in ("waiting", "behind"):
        wait_until(lambda name=name: rest.ask("GET", f"/v1/{runs[name]}")["state"] == "JOB_STATE_QUEUED", 30)  # type: ignore[misc]
    rest.close()
    return runs


def _until_over(rest: Rest, name: str) -> None:
    wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] in FINAL | PIPELINE_FINAL, 90)


def _dataset(rest: Rest, name: str) -> str:
    made: dict[str, Any] = rest.ask("POST", f"/v1/{rest.parent}/datasets", {
        "displayName": name,
        "metadataSchemaUri": "gs://google-cloud-aiplatform/schema/dataset/metadata/tabular_1.0.0.yaml",
        "metadata": {"inputConfig": {"gcsSource": {"uri": [f"gs://console-data/tables/{name}.csv"]}}},
    })  # fmt: skip
    return str(made["response"]["name"]).rsplit("/", 1)[-1]


def _package(name: str) -> dict[str, Any]:
    package = {
        "executorImageUri": IMAGE,
        "packageUris": [f"gs://console-data/code/{name}-1.0.tar.gz"],
        "pythonModule": "trainer.task",
    }
    pool = {"replicaCount": 1, "machineSpec": {"machineType": "n1-standard-4"}, "pythonPackageSpec": package}
    return {"displayName": name, "jobSpec": {"workerPoolSpecs": [pool]}}


def _with_program(body: dict[str, Any], program: str) -> dict[str, Any]:
    for pool in body["trainingTaskInputs"]["workerPoolSpecs"]:
        pool["containerSpec"]["command"] = ["python3", "-c", program]
    return body


def _reserved() -> dict[str, Any]:
    """A job that asks in vain for much of what there is to ask for."""
    body = Plan("reserved").job()
    spec = body["jobSpec"]
    spec |= {"enableWebAccess": True, "network": "projects/1/global/networks/default"}
    spec |= {
        "scheduling": {"strategy": "SPOT"},
        "experiment": "projects/1/locations/us-central1/metadataStores/default/contexts/x",
    }
    spec["workerPoolSpecs"][0]["diskSpec"] = {"bootDiskType": "pd-ssd", "bootDiskSizeGb": 500}
    return {**body, "encryptionSpec": {"kmsKeyName": "projects/1/locations/us-central1/keyRings/r/cryptoKeys/k"}}


@pytest.mark.parametrize("name", PAGES)
def test_no_sentence_of_ours_is_english(look: Open, served: Served, name: str) -> None:
    page = look(PAGES[name].format(**served.runs), language="zh", probe=True).page
    page.wait_for_timeout(500)
    settle(page)
    if name == "home":
        page.get_by_text("Python 版本").wait_for()
    if name.endswith("-picture"):
        for replica in page.locator(".react-flow__node[data-id*='/replica/']").all()[:1]:
            replica.click()
            page.locator("aside section").first.wait_for()
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/zh-{name}.png", full_page=True)
    texts, foreign = marked(page)
    assert [text for text in foreign if not text.strip().startswith(PROGRAMS)] == []
    lines = [line.strip() for text in texts for line in text.splitlines()]
    ours = [line for line in lines if not line.startswith(PROGRAMS) and not re.search(r"[\u4e00-\u9fff]", line)]
    assert [line for line in ours if SENTENCE.search(line)] == []


@pytest.mark.parametrize("view", ["", "?as=text", "?tab=overview"])
def test_what_a_program_printed_is_not_told_as_ours(look: Open, served: Served, view: str) -> None:
    page = look(f"/console/{served.runs['says']}{view}", language="zh").page
    expect(page.locator("[lang=en]", has_text=OURS).first).to_be_visible()
    if not view:
        page.locator(".react-flow__node[data-id*='/replica/']").click()
        expect(page.locator("aside section [lang=en]", has_text=OURS).first).to_be_visible()
    assert "代理在报告结果之前消失" not in page.locator("main").inner_text()
