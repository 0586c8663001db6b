"""R1: the server is killed at random instants while clients work; nothing acknowledged is lost, nothing runs twice."""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.faults import checker
from tests.faults.mix import JOBS, PIPELINES, Client, Journal
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, MARKS, PIPELINE_FINAL
from tests.live.rest import STORAGE, Rest

CLIENTS = 8
BUSY = 0.04
"""Seconds that a client rests at most between two calls."""
SEED = os.environ.get("FAULTS_SEED", "")

NewHome = Callable[..., Home]
Say = Callable[[str, object], None]


@pytest.mark.timeout(600)
def test_thirty_kills_lose_nothing_and_repeat_nothing(new_home: NewHome, record_property: Say) -> None:
    campaign(new_home(parallel_jobs=12), record_property, least=30)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_kills_lose_nothing_and_repeat_nothing(new_home: NewHome, record_property: Say) -> None:
    campaign(new_home(parallel_jobs=12), record_property, least=60, most=200, seconds=420)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_programs_without_a_sandbox_keep_the_same_promises(new_home: NewHome, record_property: Say) -> None:
    campaign(new_home(parallel_jobs=12, runtime="process"), record_property, least=30)


def campaign(home: Home, say: Say, least: int, most: int = 0, seconds: float = 0) -> None:
    """Kill the server so often, let all runs end, and check everything; the seed repeats the clients' choices.

    There are at least `least` kills, and up to `most` of them while `seconds` last: a slow machine makes fewer.
    """
    seed = SEED or str(random.SystemRandom().randrange(10**6))
    begun = time.monotonic()
    journal, folder = Journal(), home.path / "marks"
    folder.mkdir()
    home.start()
    rest = home.client()
    rest.ask("POST", "/storage/v1/b", {"name": MARKS}, host=STORAGE, query={"project": "demo-project"})
    rest.close()
    with clients(home, journal, seed, str(folder)):
        dice, kills = random.Random(seed), 0
        while kills < least or (kills < most and time.monotonic() - begun < seconds):
            time.sleep(dice.uniform(0.005, 0.5))
            home.kill()
            home.start()
            kills += 1
    rest = home.client()
    drain(rest, journal)
    problems = logs(rest, journal)
    rest.close()
    wait_until(lambda: not agents(home), 30, what=f"left running: {agents(home)}")
    home.stop()
    left = home.processes()
    problems += [f"left running: {process}" for process in left]
    problems += checker.check(home.path, journal)
    for place in (folder, home.path / "buckets" / MARKS):
        problems += checker.marks(place)
    say("said", account(home, journal, kills, seed, time.monotonic() - begun))
    assert not problems, f"seed {seed}: {len(problems)} problems\n" + "\n".join(problems[:40]) + home.log[-3000:]


@contextmanager
def clients(home: Home, journal: Journal, seed: str, folder: str) -> Iterator[None]:
    """Let the clients work for the length of a block."""
    stop = threading.Event()
    doings = [Client(home, journal, f"{seed}:{n}", stop, folder, BUSY).run for n in range(CLIENTS)]
    crowd = [threading.Thread(target=doing, daemon=True) for doing in doings]
    for client in crowd:
        client.start()
    try:
        yield
    finally:
        stop.set()
        for client in crowd:
            client.join(100)


def drain(rest: Rest, journal: Journal) -> None:
    """Cancel what would never end, and wait until every run is over."""
    for kind in (PIPELINES, JOBS):
        for item in list(rest.pages(f"/v1/{rest.parent}/{kind}", kind, 100)):
            plan = journal.plans.get(item["displayName"].removesuffix("-custom-job"))
            over = item["state"] in FINAL or item["state"] in PIPELINE_FINAL
            if over or plan is None or not plan.endless or (kind == JOBS and "-custom-job" in item["displayName"]):
                continue
            journal.maybe_cancelled.add(item["name"])
            if rest.call("POST", f"/v1/{item['name']}:cancel", {}).ok:
                journal.cancelled.add(item["name"])

    def left() -> list[str]:
        items = [item for kind in (JOBS, PIPELINES) for item in rest.pages(f"/v1/{rest.parent}/{kind}", kind, 100)]
        over = FINAL | PIPELINE_FINAL
        return [f"{item['name']} {item['displayName']} {item['state']}" for item in items if item["state"] not in over]

    try:
        wait_until(lambda: not left(), 90, 0.3, "the runs do not end")
    except AssertionError as error:
        raise AssertionError(f"{error}: {left()}") from None


def logs(rest: Rest, journal: Journal) -> list[str]:
    """Return what is wrong with the logs of the jobs that are still there."""
    problems: list[str] = []
    for name, plan in journal.created.items():
        if f"/{JOBS}/" not in name or name in journal.maybe_deleted:
            continue
        state = rest.ask("GET", f"/v1/{name}")["state"]
        stopped = name in journal.maybe_cancelled or plan.endless
        for task in ("workerpool0-0", *(["workerpool1-0"] if plan.replicas > 1 else [])):
            alone = plan.replicas == 1 or (state == "JOB_STATE_SUCCEEDED" and task == "workerpool0-0")
            whole = not stopped and alone
            problems += checker.printed(plan, rest.log(name, task), state, whole)
    return problems


def agents(home: Home) -> list[str]:
    """Return what runs in attempts' folders: agents and programs."""
    return [p.command for p in home.processes() if "attempts" in p.command or "python3 -c" in p.command]


def account(home: Home, journal: Journal, kills: int, seed: str, took: float) -> str:
    """Return a line about what happened, times to ready among it."""
    times = sorted(home.ready_seconds)
    ready = f"ready after {statistics.median(times):.2f} s in the middle, {times[-1]:.2f} s at most"
    runs = f"{len(journal.created)} runs acknowledged, {journal.calls} calls, {journal.gone} broken"
    return f"{kills} kills in {took:.0f} s (seed {seed}): {runs}; {ready}"
