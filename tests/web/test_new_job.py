"""The form of a new job, and whether the code beside it makes the same job."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.live.home import wait_until
from tests.live.jobs import FINAL, PIPELINE_FINAL, Plan
from tests.live.rest import Rest
from tests.web.conftest import Open, Served, settle

NEW = "/console/projects/demo-project/training/new"
LABELS = {"team": "vision", "stage": "test"}
OTHERS = "n1-highmem-2"
PROGRAM = """
import os
folder = os.environ.get("AIP_MODEL_DIR", "").replace("gs://", "/gcs/", 1)
if folder:
    os.makedirs(folder, exist_ok=True)
    open(folder + "/model.joblib", "w").write("x")
"""


def given(rest: Rest, token: str, *, alike: bool) -> dict[str, Any]:
    """Return a job with all that the form has fields for; nobody here has accelerators."""
    job = Plan(token, lines=1, replicas=2).job()
    job["labels"] = LABELS
    for pool in job["jobSpec"]["workerPoolSpecs"]:
        pool["containerSpec"] |= {"command": ["python3", "-c", PROGRAM], "args": ["--two words"]}
    job["jobSpec"] |= {"scheduling": {"timeout": "5400s"}, "serviceAccount": account(rest)}
    if not alike:
        job["jobSpec"]["workerPoolSpecs"][1]["machineSpec"] = {"machineType": OTHERS}
    return job


def account(rest: Rest) -> str:
    """Return the email of a service account of the project."""
    host = "iam.googleapis.com"
    wanted = {"accountId": "trainer"}
    rest.call("POST", "/v1/projects/demo-project/serviceAccounts", wanted, host=host)
    return "trainer@demo-project.iam.gserviceaccount.com"


def code_of(page: Page) -> str:
    """Return the code that the page shows."""
    return page.get_by_role("region", name="The same as code").locator("pre").inner_text()


def ran(served: Served, code: str, folder: Path) -> str:
    """Run Python code as `trig run` does; return what it printed."""
    script = folder / "same.py"
    script.write_text(code)
    trig = [sys.executable, "-m", "trigpoint.cli", "run", "--", sys.executable, str(script)]
    done = subprocess.run(trig, env=served.home.environ(), capture_output=True, text=True, timeout=120, cwd=folder)
    assert done.returncode == 0, f"{code}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def essence(resource: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked of a job or a pipeline, without what the SDK adds by itself."""
    spec = json.loads(json.dumps(resource.get("trainingTaskInputs") or resource["jobSpec"]))
    for pool in spec["workerPoolSpecs"]:
        pool.pop("diskSpec", None)
        pool["replicaCount"] = str(pool["replicaCount"])
    scheduling = spec["scheduling"]["timeout"]
    timeout = scheduling["seconds"] if isinstance(scheduling, dict) else scheduling.removesuffix("s")
    return {
        "labels": resource["labels"],
        "pools": spec["workerPoolSpecs"],
        "timeout": int(timeout),
        "account": spec["serviceAccount"],
        "model": resource.get("modelToUpload", {}).get("displayName"),
    }


def newest(rest: Rest, collection: str, title: str, but: str) -> dict[str, Any]:
    """Return the newest of a name that is not the given one, once it is over."""

    def found() -> dict[str, Any] | None:
        listed = rest.ask("GET", f"/v1/{rest.parent}/{collection}", query={"filter": f'display_name="{title}"'})
        others = [one for one in listed.get(collection, []) if one["name"] != but]
        return others[0] if others and others[0]["state"] in FINAL | PIPELINE_FINAL else None

    wait_until(lambda: found() is not None, 60)
    made = found()
    assert made is not None
    return made


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("model", ["", "same-model"])
def test_the_python_beside_a_clone_makes_the_same(
    look: Open, served: Served, tmp_path: Path, alike: bool, model: str
) -> None:
    rest = served.rest()
    title = f"same-{alike}-{model}".lower()
    job = given(rest, title, alike=alike)
    made = rest.ask("POST", f"/v1/{rest.parent}/customJobs", job)
    page = look(f"{NEW}?from={made['name']}").page
    expect(page.get_by_label("Labels", exact=True)).to_have_value("stage=test\nteam=vision")
    expect(page.get_by_label("Timeout")).to_have_value("90m")
    expect(page.get_by_label("Output directory")).to_have_value("")
    page.get_by_label("Output directory").fill(f"gs://console-data/same/{title}")
    if model:
        page.get_by_label("Register the model as").fill(model)
        page.get_by_role("combobox", name="Serving image of the model").click()
        page.get_by_role("option").first.click()
    ran(served, code_of(page), tmp_path)
    collection = "trainingPipelines" if model else "customJobs"
    wanted = {**essence(job), "model": model or None}
    assert essence(newest(rest, collection, title, made["name"])) == wanted
    rest.close()


def test_what_is_filled_in_is_sent(look: Open, served: Served) -> None:
    page = look(NEW).page
    page.get_by_label("Name").first.fill("by-form")
    page.get_by_text("Command", exact=True).click()
    page.get_by_role("textbox", name="Command").fill("python3 -c\n'print(1)'")
    page.get_by_role("button", name="Add workers").click()
    workers = page.get_by_role("group", name="Workers")
    workers.get_by_role("textbox", name="Replicas").fill("2")
    page.get_by_label("Labels", exact=True).fill("Team=vision")
    page.get_by_label("Timeout").fill("soon")
    page.get_by_role("button", name="Run the job").click()
    expect(page.get_by_label("Labels", exact=True)).to_be_focused()
    page.get_by_label("Labels", exact=True).fill("team=vision")
    page.get_by_role("button", name="Run the job").click()
    expect(page.get_by_label("Timeout")).to_be_focused()
    page.get_by_label("Timeout").fill("10m")
    page.get_by_role("button", name="Run the job").click()
    page.wait_for_url("**/customJobs/*")
    settle(page)
    rest = served.rest()
    job = rest.ask("GET", f"/v1/{page.url.split('/console/')[1].split('?')[0]}")
    rest.close()
    assert job["labels"] == {"team": "vision"}
    assert job["jobSpec"]["scheduling"]["timeout"] == "600s"
    pools = job["jobSpec"]["workerPoolSpecs"]
    assert [pool["replicaCount"] for pool in pools] == ["1", "2"]
    assert pools[1]["containerSpec"]["command"] == ["python3", "-c", "print(1)"]


def test_accelerators_that_are_not_there_are_refused_in_words(look: Open) -> None:
    watched = look(NEW)
    page = watched.page
    page.get_by_label("Name").first.fill("fast")
    page.get_by_text("Command", exact=True).click()
    page.get_by_role("textbox", name="Command").fill("python3 -V")
    page.get_by_role("combobox", name="Accelerator", exact=True).click()
    page.get_by_role("option", name="NVIDIA_TESLA_T4").click()
    expect(page.get_by_role("textbox", name="Accelerators each")).to_have_value("1")
    assert '"accelerator_type": "NVIDIA_TESLA_T4"' in code_of(page)
    page.get_by_role("button", name="Run the job").click()
    expect(page.get_by_text("This machine has no NVIDIA_TESLA_T4", exact=False)).to_be_visible()
