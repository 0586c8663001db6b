"""The judge of the picture, the long part: runs that fail in every phase, wait, are cancelled, lost, interrupted."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.console.picture.judge import judge
from tests.console.picture.programs import GOOD, Plan, slow
from tests.console.picture.stage import Ran, Stage
from tests.live.home import Home, wait_until

from trigpoint.agent.limits import Group
from trigpoint.agent.protocol import Limits, load_status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SLOW = [plan.name for plan in slow("", "")]
STAY = Plan("stays", [["say", 2], ["email"], ["did"], ["sleep", 600]], state="CANCELLED")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[dict[str, Ran]]:
    home = Home(tmp_path_factory.mktemp("truth") / "home", environments)
    try:
        stage = Stage(home)
        probe = Group("probe-of-pictures", Limits(memory_bytes=1 << 30))
        enforced = not probe.lost
        probe.remove()
        plans = [plan for plan in slow(stage.dataset, stage.gone()) if plan.name != "memory" or enforced]
        yield stage.run(plans)
        stage.close()
    finally:
        home.clear()


@pytest.mark.parametrize("name", SLOW)
def test_the_picture_is_the_truth(runs: dict[str, Ran], name: str) -> None:
    if name not in runs:
        pytest.skip("this machine enforces no limit on memory")
    judge(runs[name])


@pytest.fixture
def narrow(tmp_path: Path, environments: Path) -> Iterator[Stage]:
    """A stage on which one replica runs at a time."""
    home = Home(tmp_path / "home", environments, parallel_jobs=1)
    stage = Stage(home)
    yield stage
    stage.close()


def test_jobs_that_wait_are_admitted_or_cancelled(narrow: Stage) -> None:
    first = narrow.create(STAY)
    narrow.until(first, "RUNNING")
    second = narrow.create(Plan("waits", [["did"]]))
    third = narrow.create(Plan("gives-up", [["did"]], state="CANCELLED", attempts=0))
    narrow.until(third, "QUEUED")
    time.sleep(1)
    narrow.cancel(third)
    narrow.cancel(first)
    narrow.finish([first, second, third])
    for ran in (first, second, third):
        judge(ran)
    queue = next(node for node in third.picture["nodes"] if node["id"] == "queue")
    assert [state["state"] for state in queue["states"]] == ["QUEUED", "LEFT"]
    assert queue["states"][0]["reason"]
    said = [str(entry.get("textPayload")) for entry in second.truth.entries]
    waiting = next(node for node in second.picture["nodes"] if node["id"] == "queue")["states"]
    for state in waiting:
        assert state["state"] != "QUEUED" or f"Job is queued: {state['reason']}" in said


def test_a_pipeline_is_cancelled_while_it_runs(narrow: Stage) -> None:
    plan = Plan(
        "stopped", [["email"], ["did"], ["sleep", 600]], pipeline=True, dataset=narrow.dataset, state="CANCELLED"
    )
    ran = narrow.create(plan, headers={})
    narrow.until(ran, "RUNNING")
    time.sleep(1)
    narrow.cancel(ran)
    narrow.finish([ran])
    judge(ran)


def test_a_run_goes_on_when_the_server_is_killed(narrow: Stage) -> None:
    does = [["say", 2], ["write", "${AIP_MODEL_DIR}a.bin", 10], ["sleep", 6]]
    after = [["token"], ["write", "${AIP_MODEL_DIR}b.bin", 20], ["did"]]
    ran = narrow.create(Plan("survives", [*does, *after], package=GOOD))
    narrow.until(ran, "RUNNING")
    time.sleep(2)
    assert ran.stream is not None
    before = list(ran.stream.heard)
    narrow.home.kill()
    ran.stream.close()
    time.sleep(1)
    narrow.home.start()
    narrow.console = type(narrow.console)(narrow.info)
    narrow.rest.close()
    narrow.rest = ran.truth.rest = narrow.home.client()
    ran.stream = narrow.console.follow(f"run/{ran.name}")
    narrow.finish([ran])
    assert len(before) > 2
    judge(ran)


def test_a_lost_agent_shows_as_one(narrow: Stage) -> None:
    ran = narrow.create(Plan("lost", [["say", 1], ["did"], ["sleep", 600]], state="CANCELLED", attempts=2))
    narrow.until(ran, "RUNNING")
    ident = ran.name.rpartition("/")[2]
    status = narrow.home.path / "attempts" / f"{ident}-1" / "workerpool0-0" / "status.json"
    time.sleep(1)
    os.kill(load_status(status.read_bytes()).pid, signal.SIGKILL)
    wait_until((narrow.home.path / "attempts" / f"{ident}-2" / "workerpool0-0" / "status.json").exists, 30)
    narrow.until(ran, "RUNNING")
    time.sleep(1)
    narrow.cancel(ran)
    narrow.finish([ran])
    nodes = {node["id"]: node for node in ran.picture["nodes"]}
    states = [state["state"] for state in nodes["attempt/1/replica/workerpool0-0"]["states"]]
    assert states == ["PENDING", "CLAIMED", "PREPARED", "RUNNING", "LOST"]
    assert nodes["attempt/1"]["states"][-1]["state"] == "RESTARTED"
    assert "disappeared" in nodes["attempt/1"]["states"][-1]["reason"]
    assert nodes["attempt/2"]["states"][-1]["state"] == "CANCELLED"
    assert {edge["id"].partition("#")[0] for edge in ran.picture["edges"] if edge["kind"] == "restarts"} == {
        "restarts:attempt/1>attempt/2"
    }


def test_outside_a_sandbox_the_secret_addresses_stay_secret(tmp_path: Path, environments: Path) -> None:
    home = Home(tmp_path / "home", environments, runtime="process")
    try:
        stage = Stage(home)
        ran = stage.create(Plan("plain", [["say", 1], ["env"]]))
        stage.finish([ran])
        printed = next(text for e in ran.truth.entries if (text := str(e.get("textPayload", ""))).startswith("ENV "))
        real = json.loads(printed[4:])
        secret = {real[name].removeprefix("http://").partition(":")[0] for name in ("GCE_METADATA_HOST", "http_proxy")}
        secret -= {"127.0.0.1"}
        assert secret
        text = json.dumps([ran.picture, ran.details, [message.data for message in ran.stream.heard]])  # type: ignore[union-attr]
        for address in secret:
            assert address not in text
        assert "(secret address)" in text
        lost = ran.details["attempt/1/replica/workerpool0-0"]["lost"]
        assert any("No sandbox" in line for line in lost)
        stage.close()
    finally:
        home.clear()


def test_work_of_many_replicas_adds_up(runs: dict[str, Ran]) -> None:
    ran = runs["package-pools"]
    replicas = [node for node in ran.picture["nodes"] if node["kind"] == "replica"]
    assert [node["facts"]["rank"] for node in replicas] == [0, 1, 2, 3]
    assert sum(edge["kind"] == "fetches" for edge in ran.picture["edges"]) == 4
