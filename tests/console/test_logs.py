"""Logs of real jobs: what pages get of them, how soon, and that one line stays one line whatever is in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from tests.console.conftest import World
from tests.live.browser import Browser
from tests.live.home import wait_until
from tests.live.jobs import FINAL, Plan

from trigpoint.console.logs.answers import REST, Logs
from trigpoint.domains.logging.reading import Choice

PRINTS = r"""
import json, sys, time
print("plain")
print("\x1b[31mred\x1b[0m \x07\x00 \r 10% \r 100%")
print("event: lines\ndata: {}\n\nid: 7")
print(json.dumps({"message": "structured", "severity": "warning", "loss": 0.5}))
print("long " + "x" * 100_000)
print("</script><img src=x onerror=alert(1)> \u2028 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"))
sys.stdout.buffer.write(b"\xff\xfe not utf-8\n")
print("an error", file=sys.stderr)
sys.stdout.write("no newline at the end")
"""
TICKS = """
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace
for number in range(20):
    print("tick", number, flush=True)
    time.sleep(0.1)
"""


def run(world: World, program: str, *, args: Sequence[str] = (), wait: bool = True) -> str:
    body = Plan("prints").job()
    body["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["command"] = ["python3", "-X", "utf8", "-c", program]
    body["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["args"] = [*args]
    name = str(world.rest.ask("POST", f"/v1/{world.rest.parent}/customJobs", body)["name"])
    if wait:
        wait_until(lambda: world.rest.ask("GET", f"/v1/{name}").get("state") in FINAL, 60)
    return name


def printed(page: Any) -> list[str]:
    return [line["text"] for line in page["lines"] if line["task"] == "workerpool0-0" and "runner" not in line["id"]]


@pytest.fixture(scope="module")
def owner(world: World) -> Browser:
    return world.owner()


@pytest.fixture(scope="module")
def job(world: World) -> str:
    return run(world, PRINTS)


def test_lines_come_as_they_were_printed(owner: Browser, job: str) -> None:
    page = owner.ask("GET", f"logs?job={job}&limit=1000")
    found = {line["text"]: line for line in page["lines"]}
    assert "\x1b[31mred\x1b[0m \x07\x00 \r 10% \r 100%" in found
    assert "event: lines" in found
    assert "id: 7" in found
    assert "</script><img src=x onerror=alert(1)> \u2028 \U0001f600" in found
    assert "\ufffd\ufffd not utf-8" in found
    assert found["no newline at the end"]["severity"] == "INFO"
    assert found["an error"]["severity"] == "ERROR"
    assert [line["severity"] for text, line in found.items() if text.startswith("{")] == ["WARNING"]
    long = next(line for line in page["lines"] if line["text"].startswith("long"))
    assert (len(long["text"]), long["cut"]) == (65536, True)
    assert {line["cut"] for line in page["lines"] if line is not long} == {False}
    assert {line["task"] for line in page["lines"]} == {"service", "workerpool0-0"}
    assert len({line["id"] for line in page["lines"]}) == len(page["lines"])
    assert (page["older"], page["newer"]) == ("", "")


def test_pages_meet_whatever_their_size(owner: Browser, job: str) -> None:
    whole = owner.ask("GET", f"logs?job={job}&limit=1000")["lines"]
    page = owner.ask("GET", f"logs?job={job}&limit=3")
    found = page["lines"]
    while page["older"]:
        page = owner.ask("GET", f"logs?job={job}&limit=3&before={page['older']}")
        found = page["lines"] + found
    assert found == whole
    page = owner.ask("GET", f"logs?job={job}&limit=4&at={whole[2]['time']}")
    found = page["lines"]
    while page["newer"]:
        page = owner.ask("GET", f"logs?job={job}&limit=4&after={page['newer']}")
        found += page["lines"]
    assert found == whole[2:]
    assert page["follow"]


def test_filters_choose(owner: Browser, job: str) -> None:
    assert printed(owner.ask("GET", f"logs?job={job}&severity=ERROR")) == ["an error"]
    assert printed(owner.ask("GET", f"logs?job={job}&search=PLAIN")) == ["plain"]
    assert printed(owner.ask("GET", f"logs?job={job}&task=service")) == []
    assert {line["task"] for line in owner.ask("GET", f"logs?job={job}&task=service")["lines"]} == {"service"}


def test_a_link_tells_no_secret_of_the_command_line(world: World, owner: Browser) -> None:
    name = run(world, "import sys; print('printed', *sys.argv)", args=["--password", "hunter2", "--seed=1"])
    viewer = world.viewer(name)

    def ran(reader: Browser) -> str:
        lines = reader.ask("GET", f"logs?job={name}&limit=1000")["lines"]
        return "\n".join(line["text"] for line in lines if "runner" in line["id"])

    assert "--password hunter2 --seed=1" in ran(owner)
    assert "hunter2" not in ran(viewer)
    assert "--password *** --seed=1" in ran(viewer)
    hits = viewer.ask("GET", f"logs?job={name}&search=hunter")["lines"]
    assert [line["text"] for line in hits] == ["printed -c --password hunter2 --seed=1"]


def test_a_stream_of_what_is_over_tells_everything_and_ends(owner: Browser, job: str) -> None:
    whole = owner.ask("GET", f"logs?job={job}&limit=1000")["lines"]
    events = [event for event in owner.stream(f"logs/stream?job={job}") if event.name]
    found = [line for event in events for line in event.data["lines"]]
    assert sorted(found, key=lambda line: (line["time"], line["id"])) == whole
    assert [event.name for event in events][-1] == "end"
    again = [event for event in owner.stream(f"logs/stream?job={job}", events[-1].id) if event.name]
    assert [(event.name, event.data["lines"]) for event in again] == [("end", [])]


def test_a_page_goes_over_into_the_stream_without_gap(world: World, owner: Browser) -> None:
    name = run(world, TICKS, wait=False)
    wait_until(lambda: "tick 3" in printed(owner.ask("GET", f"logs?job={name}")), 60)
    page = owner.ask("GET", f"logs?job={name}&limit=1000")
    found, last = printed(page), page["follow"]
    for _ in range(50):  # the stream breaks after every second message
        for index, event in enumerate(owner.stream(f"logs/stream?job={name}", last)):
            last = event.id or last
            if event.name == "end":
                break
            found += printed(event.data) if event.name == "lines" else []
            if index == 2:
                break
        if event.name == "end":
            break
    ticks = [text for text in found if text.startswith("tick")]
    assert ticks == [f"tick {number}" for number in range(20)]


def test_a_line_is_told_soon(world: World, owner: Browser) -> None:
    name = run(world, TICKS, wait=False)
    waited = []
    for event in owner.stream(f"logs/stream?job={name}&task=workerpool0-0"):
        if event.name == "lines":
            now = time.time()
            waited += [now - line["time"] / 1e6 for line in event.data["lines"] if line["text"].startswith("tick")]
    assert len(waited) == 20
    assert sorted(waited)[10] < 0.15, waited


def test_a_queued_job_has_a_log_and_a_stream_that_waits(world: World, owner: Browser) -> None:
    plan = Plan("waiting", then="wait")
    name = world.job(plan, wait=False)
    stream = owner.stream(f"logs/stream?job={name}")
    assert any("START" in line["text"] for event in stream if event.name for line in event.data["lines"])
    world.rest.ask("POST", f"/v1/{name}:cancel", {})
    assert [event.name for event in stream if event.name][-1] == "end"


async def test_a_log_whose_last_replica_has_ended_is_over_at_once() -> None:
    paused: list[float] = []

    class Watch:
        async def changed(self, pause: float) -> bool:
            paused.append(pause)
            return False

    class Ending:
        quiet, cursor = False, ""

        def changed(self) -> None:
            pass

        def look(self) -> list[Any]:
            self.quiet = True  # its last lines had been told, and now it is read to its end
            return []

    over = SimpleNamespace(message=SimpleNamespace(end_time=object()))
    store = SimpleNamespace(notifier=SimpleNamespace(watch=lambda job: nullcontext(Watch())))
    with ThreadPoolExecutor(1) as pool:
        logs = Logs(store, None, SimpleNamespace(find=lambda job: over), None, pool)  # type: ignore[arg-type]
        told = [one.event async for one in logs._follow(Choice("job"), Ending())]  # type: ignore[arg-type]
    assert told == ["end"]
    assert all(pause < REST for pause in paused)
