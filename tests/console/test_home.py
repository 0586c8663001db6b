"""The start page of a real home: empty at first, then with what runs, what failed and why, and what the machine has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.console.conftest import World
from tests.live.home import wait_until
from tests.live.jobs import Plan

from trigpoint.console.machine.home import CpuShare

HOME = "home?project=demo-project"


def test_a_home_from_its_first_hour(new_world: Callable[..., World]) -> None:
    world = new_world()
    owner = world.owner()
    empty = owner.ask("GET", HOME)
    assert [empty[name] for name in ("runs", "datasets", "models", "buckets")] == [0, 0, 0, 0]
    assert empty["active"] == empty["failed"] == empty["recent"] == []
    wait_until(lambda: owner.ask("GET", HOME)["findings"], 20)
    names = {one["name"] for one in owner.ask("GET", HOME)["findings"]}
    assert {"sandbox", "installer", "disk"} <= names

    running = world.job(Plan("runs-now", then="wait"), wait=False)
    failed = world.job(Plan("fails", then="raise"))
    wait_until(lambda: owner.ask("GET", HOME)["capacity"]["replicas"] == 1, 30)
    found = owner.ask("GET", HOME)
    assert [run["name"] for run in found["active"]] == [running]
    assert [(run["name"], run["cause"]) for run in found["failed"]] == [(failed, "ValueError: no rows for fails")]
    capacity = found["capacity"]
    assert capacity["vcpus"] == 4
    assert 0 < capacity["memoryUsed"] < capacity["memoryBytes"]
    assert 0 < capacity["diskUsed"] < capacity["diskBytes"]
    assert capacity["vcpuQuota"] > 0
    assert found["runs"] == 2

    told = owner.ask("GET", f"run?run={failed}")
    assert told["failure"]["task"] == "workerpool0-0"
    assert told["failure"]["line"] == "ValueError: no rows for fails"
    assert [replica["state"] for replica in told["replicas"]] == ["ENDED"]
    assert told["timeline"][0]["kind"] == "customJob.created"
    usage = owner.ask("GET", f"usage?job={running}")
    assert [replica["task"] for replica in usage["replicas"]] == ["workerpool0-0"]
    assert usage["memoryLimit"] == 15 << 30
    world.rest.ask("POST", f"/v1/{running}:cancel", {})
    offers = owner.ask("GET", "offers")
    assert "n1-standard-4" in offers["machines"]
    assert {"NVIDIA_TESLA_T4", "NVIDIA_L4"} <= set(offers["accelerators"])
    assert "" not in offers["accelerators"]


def test_how_busy_the_machine_is_does_not_depend_on_who_asks() -> None:
    of = CpuShare()
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        sum(range(1000))
    shares: list[float] = []
    asking = threading.Thread(target=lambda: shares.append(of.now()))
    asking.start()
    asking.join()
    assert 0.05 < shares[0] <= 1
    assert of.now() == shares[0]
