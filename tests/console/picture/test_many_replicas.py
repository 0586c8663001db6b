"""A picture followed while many replicas are busy: complete, in few messages. How fast is benchmarks/console.py's."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.live.console import Console, Stream
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, Plan
from tests.live.latency import delays
from tests.live.rest import STORAGE
from tests.live.simulated import QUIET, Gang, Simulated, Stopped, pace

BUCKET = "seen-from-afar"
RATE = 5
"""Things that each replica does in a second."""


def busy(seconds: float) -> Callable[[Simulated], int | None]:
    """Return a program that prints, reads, writes and asks all the time."""

    def program(replica: Simulated) -> None:
        replica.token()
        replica.read(f"gs://{BUCKET}/data.csv")
        for number, _ in enumerate(pace(seconds, 1 / RATE)):
            replica.say(f"line {number} of {replica.task}")
            if number % RATE == 0:
                replica.beat()
            if number % (2 * RATE) == replica.rank % RATE:
                replica.read(f"gs://{BUCKET}/data.csv")
            if number % (3 * RATE) == replica.rank % RATE:
                replica.write(f"gs://{BUCKET}/out/model/part-{replica.rank}.bin", b"x" * 1000)
            if replica.stopping.is_set():
                raise Stopped

    return program


def play(home: Home, replicas: int, seconds: float) -> tuple[Any, Stream, float]:
    """Run a simulated job and follow it; return its picture, what was heard, and the server's share of a core."""
    info = home.start(*QUIET)
    rest = home.client()
    query = {"project": "demo-project"}
    rest.ask("POST", "/storage/v1/b", {"name": BUCKET}, host=STORAGE, query=query)
    query = {"uploadType": "media", "name": "data.csv"}
    rest.ask("POST", f"/upload/storage/v1/b/{BUCKET}/o", b"a,b\n" * 1000, host=STORAGE, query=query)
    console, gang = Console(info), Gang(home.path, busy(seconds))
    try:
        job = Plan("simulated", replicas=replicas).job()
        job["jobSpec"]["baseOutputDirectory"] = {"outputUriPrefix": f"gs://{BUCKET}/out"}
        name = rest.ask("POST", f"/v1/{rest.parent}/customJobs", job)["name"]
        stream, server = console.follow(f"run/{name}"), psutil.Process(info.pid)
        wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] == "JOB_STATE_RUNNING", 60, 0.1)
        begun, spent = time.monotonic(), sum(server.cpu_times()[:2])
        time.sleep(seconds * 0.6)
        share = (sum(server.cpu_times()[:2]) - spent) / (time.monotonic() - begun)
        wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] in FINAL, 60, 0.1)
        time.sleep(0.5)
        stream.close()
        return console.get("picture", run=name), stream, share
    finally:
        gang.close()
        rest.close()


def judge(home: Home, replicas: int, seconds: float, said: Callable[[str, object], None]) -> None:
    """Play and say what was measured; the picture is whole and came in few messages."""
    picture, stream, share = play(home, replicas, seconds)
    rate = len(stream.heard) / (stream.heard[-1].at - stream.heard[0].at)
    for what, each in delays(stream.heard).items():
        said("said", f"{replicas} replicas, {what}: {each}")
    said("said", f"{replicas} replicas: {share:.2f} of a core, {rate:.1f} messages a second")
    assert picture["state"] == "SUCCEEDED"
    assert rate <= 10.5
    logs = [edge for edge in picture["edges"] if edge["kind"] == "logs" and edge["source"] != "job"]
    assert [edge["amounts"][-1]["lines"] for edge in logs] == [seconds * RATE] * replicas
    assert sum(node["kind"] == "replica" for node in picture["nodes"]) == replicas


def test_a_few_replicas_are_followed(
    tmp_path: Path, environments: Path, record_property: Callable[[str, object], None]
) -> None:
    home = Home(tmp_path / "home", environments, runtime="process")
    try:
        judge(home, 5, 4, record_property)
    finally:
        home.clear()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_fifty_replicas_are_followed(
    tmp_path: Path, environments: Path, record_property: Callable[[str, object], None]
) -> None:
    home = Home(tmp_path / "home", environments, runtime="process")
    try:
        judge(home, 50, 12, record_property)
    finally:
        home.clear()
