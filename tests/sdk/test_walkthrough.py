"""The main job: the walkthrough, unmodified, against a server that `trig demo` starts; twice on one home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "penguins"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def demo(home: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "trigpoint.cli", "demo", "--json"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "TRIGPOINT_HOME": str(home)},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


@pytest.fixture(scope="module")
def facts(home: Path) -> dict[str, Any]:
    return demo(home)


def test_both_runs_succeed_as_the_api_spells_it(facts: dict[str, Any]) -> None:
    assert [run["state"] for run in facts["runs"]] == ["PIPELINE_STATE_SUCCEEDED"] * 2
    assert [run["job_state"] for run in facts["runs"]] == ["JOB_STATE_SUCCEEDED"] * 2


def test_the_replicas_ran_in_a_project_that_is_not_the_users_and_did_all_folds(facts: dict[str, Any]) -> None:
    replicas = facts["runs"][0]["metrics"]["replicas"]
    assert [replica["replica"] for replica in replicas] == ["workerpool0-0", "workerpool1-0"]
    assert {replica["project"] for replica in replicas} != {facts["project"]}
    assert all(replica["project"].endswith("-tp") for replica in replicas)
    assert all("@gcp-sa-aiplatform-cc.iam.gserviceaccount.com" in replica["identity"] for replica in replicas)
    assert sorted(int(fold) for replica in replicas for fold in replica["folds"]) == [0, 1, 2, 3]


def test_the_model_is_good_and_its_files_lie_where_the_account_says(facts: dict[str, Any]) -> None:
    run = facts["runs"][0]
    assert run["metrics"]["test"]["accuracy"] > 0.9
    folder = Path(facts["bucket_folder"])
    for uri in run["files"]:
        assert (folder / uri.removeprefix(f"{facts['bucket']}/")).is_file()
    assert {Path(uri).name for uri in run["files"]} >= {"model.joblib", "metrics.json"}


def test_lineage_reaches_from_the_model_to_the_data_and_to_what_each_replica_did(facts: dict[str, Any]) -> None:
    for graph in facts["lineage"]:
        job = graph["tree"]["children"][0]
        assert job["schema"] == "system.CustomJobExecution"
        assert "google.VertexDataset" in {one.get("schema") for one in job["children"] if one["role"] == "from"}
    forest, baseline = (graph["tree"]["children"][0]["children"] for graph in facts["lineage"])
    assert facts["package"] in {one.get("uri") for one in forest}
    for made, replicas in ((forest, ["workerpool0-0", "workerpool1-0"]), (baseline, ["workerpool0-0"])):
        found = [one for one in made if one["role"] == "replica"]
        assert [one["title"] for one in found] == replicas
        primary = {(one["role"], one["title"]) for one in found[0]["children"]}
        assert {("wrote", "model.joblib"), ("wrote", "metrics.json")} <= primary
        assert any(role == "read" and title.startswith("training-0") for role, title in primary)
    alone = {one["title"] for one in next(one for one in baseline if one["role"] == "replica")["children"]}
    assert not any(title.startswith("validation-") for title in alone), "the baseline never reads that split"


def test_every_replica_has_log_entries(facts: dict[str, Any]) -> None:
    assert facts["runs"][0]["log_entries"]["workerpool0-0"] > 0
    assert facts["runs"][0]["log_entries"]["workerpool1-0"] > 0


def test_it_works_again_on_the_same_home(home: Path, facts: dict[str, Any]) -> None:
    again = demo(home)
    assert [run["state"] for run in again["runs"]] == ["PIPELINE_STATE_SUCCEEDED"] * 2
    assert again["runs"][0]["model"] != facts["runs"][0]["model"]


def test_the_walkthrough_mentions_nothing_of_ours() -> None:
    text = "".join(path.read_text().lower() for path in EXAMPLE.rglob("*.py"))
    for word in ("trig", "endpoint", "credentials=", "transport=", "localhost:8", "emulator"):
        assert word not in text, word
