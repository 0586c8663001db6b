"""The judge of the picture: real runs on a real server, every node and edge, state and total against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.console.picture.judge import judge
from tests.console.picture.programs import BUCKET, GOOD, quick
from tests.console.picture.stage import Ran, Stage, ended
from tests.live.home import Home

QUICK = [plan.name for plan in quick("")]
SHELL = {"PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}
"""Variables that a shell or Python itself sets."""


@dataclass
class Played:
    """A stage after its runs."""

    stage: Stage
    runs: dict[str, Ran]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Played]:
    home = Home(tmp_path_factory.mktemp("truth") / "home", environments)
    try:
        stage = Stage(home)
        yield Played(stage, stage.run(quick(stage.dataset)))
        stage.close()
    finally:
        home.clear()


@pytest.mark.parametrize("name", QUICK)
def test_the_picture_is_the_truth(played: Played, name: str) -> None:
    judge(played.runs[name])


def test_resources_open_to_what_they_were_at_each_instant(played: Played) -> None:
    ran = played.runs["pipeline"]
    for ident, prefix in (("pipeline", "PIPELINE_STATE_"), ("job", "JOB_STATE_")):
        known, states = ran.details[ident]["known"], ran.details[ident]["node"]["states"]
        assert known[0]["time"] <= states[0]["time"]
        assert len(known) > 2
        for one in known:  # a row's time is that of its writing, just before the line of the narrative beside it
            told = one["resource"]["state"].removeprefix(prefix)
            near = [state["state"] for state in states if state["time"] <= one["time"] + 50_000]
            assert told in near[-2:], ident
            assert ("endTime" in one["resource"]) == (told == "SUCCEEDED")


@pytest.mark.parametrize("name", ["single", "package"])
def test_variables_are_those_that_the_program_really_had(played: Played, name: str) -> None:
    ran = played.runs[name]
    details = ran.details["attempt/1/replica/workerpool0-0"]
    printed = next(text for e in ran.truth.entries if (text := str(e.get("textPayload", ""))).startswith("ENV "))
    real: dict[str, str] = json.loads(printed[4:])
    told = {one["name"]: one["value"] for one in details["variables"]}
    assert {key: value for key, value in told.items() if key not in SHELL} == {
        key: value for key, value in real.items() if key not in SHELL
    }
    assert details["cluster"] == json.loads(real["CLUSTER_SPEC"])
    origins = {one["name"]: one["origin"] for one in details["variables"]}
    assert (origins["CLUSTER_SPEC"], origins["AIP_MODEL_DIR"]) == ("cluster", "service")
    assert name != "single" or origins["MINE"] == "user"
    assert details["command"][-1] == json.dumps({"all": [list(one) for one in ran.plan.does]})


def test_nodes_open_to_what_they_stand_for(played: Played) -> None:
    ran = played.runs["pipeline"]
    details = ran.details
    assert details["pipeline"]["resource"] == ran.truth.main
    assert details["job"]["resource"]["name"] == ran.truth.job
    assert details["dataset"]["resource"]["displayName"] == "data/table.csv"
    model = next(node for node in details if node.startswith("model/"))
    assert details[model]["resource"]["displayName"] == "pipeline-model"
    image = next(node for node in details if node.startswith("image/"))
    assert details[image]["packages"]["scikit-learn"].startswith("1.6")
    context = details["lineage"]
    assert context["node"]["resource"].endswith(f"contexts/training-{ran.name.rpartition('/')[2]}")
    assert any("/executions/replica-" in name for name in context["members"])
    files = details[f"files/{ran.plan.output}/model/"]["objects"]
    assert [(one["size"], one["written"], one["read"]) for one in files] == [(500, 500, 0), (700, 700, 0)]
    assert details[f"package/{GOOD}"]["objects"][0]["replicas"] == ["attempt/1/replica/workerpool0-0"]
    training = details["splits/training"]["objects"]
    assert [(one["uri"], one["size"]) for one in training] == ran.truth.exported["training"]
    assert training[0]["opens"] == 2
    assert details["splits/validation"]["objects"][0]["opens"] == 0
    assert details[f"source/gs://{BUCKET}/data/"]["objects"][0]["uri"] == f"gs://{BUCKET}/data/table.csv"
    replica = details["attempt/1/replica/workerpool0-0"]
    assert replica["node"]["states"][-1]["facts"]["exitCode"] == 0
    assert not any("/gcs" in line for line in replica["lost"])


def test_what_was_read_and_written_below_gcs_is_in_the_lineage(played: Played) -> None:
    ran = played.runs["folders-pipeline"]
    context = ran.details["lineage"]["node"]["resource"]
    graph = played.stage.rest.ask("GET", f"/v1/{context}:queryContextLineageSubgraph")
    uris = {artifact["name"]: artifact["uri"] for artifact in graph["artifacts"]}
    linked = {(event["type"], uris[event["artifact"]]) for event in graph["events"] if "replica-" in event["execution"]}
    [(split, _)] = ran.truth.exported["validation"]
    assert {("INPUT", split), ("OUTPUT", f"{ran.plan.output}/model/m.bin")} <= linked


def test_who_called_and_how_is_told(played: Played) -> None:
    picture = played.runs["pipeline"].picture
    caller = next(node for node in picture["nodes"] if node["kind"] == "caller")
    assert caller["facts"]["email"].startswith("operator@")
    assert (caller["facts"]["library"], caller["facts"]["environment"]) == ("model-builder/2.7.0", "COLAB_ENTERPRISE")
    calls = next(edge for edge in picture["edges"] if edge["kind"] == "calls")
    assert calls["facts"]["transport"] == "rest"
    assert calls["facts"]["method"] == "google.cloud.aiplatform.jobs.CustomJob.__init__"
    assert (calls["facts"]["verb"], calls["facts"]["rpc"]) == ("create", "PipelineService.CreateTrainingPipeline")


def test_nothing_of_it_is_a_secret(played: Played) -> None:
    home = played.stage.home.path
    secrets = _secrets(home)
    assert len(secrets) > 10
    for ran in played.runs.values():
        text = json.dumps([ran.picture, ran.details, [message.data for message in ran.stream.heard if ran.stream]])  # type: ignore[union-attr]
        for secret in secrets:
            assert secret not in text, (ran.plan.name, secret[:12])
        assert "ya29." not in text


def test_a_read_only_link_shows_one_run_and_keeps_secrets_back(played: Played) -> None:
    console, ran = played.stage.console, played.runs["single"]
    viewer = console.viewer(ran.name)
    assert viewer.get("picture", run=ran.name) == ran.picture
    assert viewer.status("picture", run=played.runs["pools"].name) == 403
    told = ended(viewer.get("picture/node", run=ran.name, id="attempt/1/replica/workerpool0-0"))
    assert _value(told, "MY_TOKEN") == ("", True)
    assert _value(told, "MINE") == ("1", False)
    owners = ended(console.get("picture/node", run=ran.name, id="attempt/1/replica/workerpool0-0"))
    assert _value(owners, "MY_TOKEN") == ("hush", False)
    job = viewer.get("picture/node", run=ran.name, id="job")
    assert "hush" not in json.dumps(job)
    assert "hush" not in json.dumps(viewer.get("run", run=ran.name))
    assert "hush" in json.dumps(console.get("run", run=ran.name))
    stream = viewer.follow(f"run/{ran.name}")
    stream.wait(lambda heard: heard)
    assert stream.heard[0].data == ran.picture
    stream.close()


def test_what_is_not_there_is_refused(played: Played) -> None:
    console, ran = played.stage.console, played.runs["single"]
    assert console.status("picture", run=f"{ran.name}0") == 403
    assert console.status("picture", run=played.stage.dataset) == 400
    assert console.status("picture/node", run=ran.name, id="attempt/2") == 404
    by_id = "/".join(["projects", "demo-project", *ran.name.split("/")[2:]])
    assert console.get("picture", run=by_id) == ran.picture


def test_a_deleted_run_is_still_shown(played: Played) -> None:
    ran = played.runs["bare-pipeline"]
    played.stage.rest.ask("DELETE", f"/v1/{ran.name}")
    picture = played.stage.console.get("picture", run=ran.name)
    assert {node["id"] for node in picture["nodes"]} >= {node["id"] for node in ran.picture["nodes"]}


def _value(details: Any, name: str) -> tuple[str, bool]:
    return next((one["value"], one["hidden"]) for one in details["variables"] if one["name"] == name)


def _secrets(home: Path) -> set[str]:
    """Return what nobody may see of a home: keys, tokens of reports, secret files."""
    found = {json.loads(path.read_bytes())["token"] for path in home.glob("attempts/*/*/spec.json")}
    for path in (home / "keys").rglob("*"):
        if path.is_file() and path.suffix in (".json", ".secret", ".pem") and path.name != "ca.pem":
            text = path.read_text(errors="replace")
            found |= {line for line in text.splitlines() if len(line) > 30 and "CERTIFICATE" not in line}
    return {secret for secret in found if secret}
