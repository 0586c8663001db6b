"""R3: programs and their agents die in every way; each job ends in the right state, for the right reason, soon."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import checker
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, MARKS, Plan
from tests.live.rest import STORAGE, Rest

from trigpoint.agent import tree
from trigpoint.agent.limits import Group
from trigpoint.agent.protocol import RUNNING, Limits, load_status


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Home]:
    """One served home for all of these tests."""
    home = Home(tmp_path_factory.mktemp("programs") / "home", environments)
    home.start()
    rest = home.client()
    rest.ask("POST", "/storage/v1/b", {"name": MARKS}, host=STORAGE, query={"project": "demo-project"})
    rest.close()
    (home.path / "marks").mkdir()
    yield home
    home.clear()


@pytest.fixture
def rest(home: Home) -> Iterator[Rest]:
    client = home.client()
    yield client
    client.close()
    for folder in (home.path / "marks", home.path / "buckets" / MARKS):
        assert not checker.marks(folder)


def submit(home: Home, rest: Rest, plan: Plan) -> str:
    made = rest.ask("POST", f"/v1/{rest.parent}/customJobs", plan.job())
    name: str = made["name"]
    return name


def planned(home: Home, token: str, **how: Any) -> Plan:
    return Plan(token, folder=str(home.path / "marks"), **how)


def until_state(rest: Rest, name: str, *states: str, seconds: float = 30) -> dict[str, Any]:
    """Return the job once it is in one of some states."""
    found: dict[str, Any] = {}

    def reached() -> bool:
        found.update(rest.ask("GET", f"/v1/{name}"))
        return found["state"] in states

    wait_until(reached, seconds, 0.05, f"{name} is {found.get('state')}, not {states}")
    return found


def ended(rest: Rest, name: str, seconds: float = 30) -> dict[str, Any]:
    return until_state(rest, name, *FINAL, seconds=seconds)


def status_of(home: Home, name: str, attempt: int = 1) -> Any:
    return load_status(directory(home, name, attempt).joinpath("status.json").read_bytes())


def directory(home: Home, name: str, attempt: int = 1) -> Path:
    return home.path / "attempts" / f"{name.rsplit('/', 1)[-1]}-{attempt}" / "workerpool0-0"


def started(rest: Rest, name: str, line: str) -> None:
    """Wait until the program has printed a line that begins so."""

    def said() -> bool:
        return any(str(entry.get("textPayload", "")).startswith(line) for entry in rest.log(name))

    wait_until(said, 30, 0.05)


def test_a_program_that_raises_fails_with_its_last_line(home: Home, rest: Rest) -> None:
    name = submit(home, rest, planned(home, "raises", then="raise"))
    job = ended(rest, name)
    assert job["state"] == "JOB_STATE_FAILED"
    assert "ValueError: no rows for raises" in job["error"]["message"]
    assert "workerpool0-0" in job["error"]["message"]
    assert "non-zero status of 1" in job["error"]["message"]
    assert str(home.path) not in job["error"]["message"]


@pytest.mark.parametrize("code", [3, 77, 255])
def test_an_exit_status_is_told(home: Home, rest: Rest, code: int) -> None:
    job = ended(rest, submit(home, rest, planned(home, f"exits-{code}", then=f"exit{code}")))
    assert job["state"] == "JOB_STATE_FAILED"
    assert f"non-zero status of {code}" in job["error"]["message"]
    assert job["error"]["code"] == 3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_a_signal_ends_fails_with_128_more(home: Home, rest: Rest, number: int) -> None:
    job = ended(rest, submit(home, rest, planned(home, f"signal-{number}", then=f"signal{int(number)}")))
    assert job["state"] == "JOB_STATE_FAILED"
    assert f"non-zero status of {128 + number}" in job["error"]["message"]


def test_a_program_that_aborts_is_restarted_three_times_and_then_fails(home: Home, rest: Rest) -> None:
    name = submit(home, rest, planned(home, "aborts", then=f"signal{int(signal.SIGABRT)}"))
    job = ended(rest, name, 60)
    assert job["state"] == "JOB_STATE_FAILED"
    attempts = [place for place in (home.path / "attempts").iterdir() if place.name.startswith(name.rsplit("/", 1)[-1])]
    assert len(attempts) == 4
    entries = [entry["insertId"] for entry in rest.log(name)]
    assert len(set(entries)) == len(entries), "entries of different attempts share an id"
    assert sum(str(entry.get("textPayload", "")).startswith("START") for entry in rest.log(name)) == 4


def test_a_job_that_outlives_its_timeout_is_stopped_and_says_so(home: Home, rest: Rest) -> None:
    name = submit(home, rest, planned(home, "lasts", then="trap", timeout=2))
    begun = time.monotonic()
    job = ended(rest, name)
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 4
    assert "timeout of 2 s" in job["error"]["message"]
    assert time.monotonic() - begun < 20
    assert "TERM lasts" in [entry.get("textPayload") for entry in rest.log(name)]


def test_a_cancel_lets_the_program_say_goodbye(home: Home, rest: Rest) -> None:
    name = submit(home, rest, planned(home, "stops", then="trap"))
    started(rest, name, "TRAPPED stops")
    rest.ask("POST", f"/v1/{name}:cancel", {})
    job = ended(rest, name)
    assert job["state"] == "JOB_STATE_CANCELLED"
    assert job["error"]["code"] == 1
    assert "TERM stops" in [entry.get("textPayload") for entry in rest.log(name)]
    again = rest.call("POST", f"/v1/{name}:cancel", {})
    assert again.status == 400
    assert "JOB_STATE_CANCELLED" in again.message


def test_a_program_without_an_agent_is_ended_and_run_again(home: Home, rest: Rest) -> None:
    name = submit(home, rest, planned(home, "orphan", then="wait"))
    started(rest, name, "START orphan")
    mark = f"{name.rsplit('/', 1)[-1]}-1/"
    assert tree.marked(mark)
    os.kill(status_of(home, name).pid, signal.SIGKILL)
    wait_until(lambda: not tree.marked(mark), 10, what="the program outlives its agent")
    wait_until(lambda: directory(home, name, 2).joinpath("status.json").exists(), 10, what="no second attempt")
    rest.ask("POST", f"/v1/{name}:cancel", {})
    assert ended(rest, name)["state"] == "JOB_STATE_CANCELLED"
    said = [str(entry.get("textPayload")) for entry in rest.log(name, "service")]
    assert any("disappeared" in line for line in said), said


@pytest.mark.timeout(180)
def test_a_job_whose_agents_all_die_fails_and_blames_nobody_else(home: Home, rest: Rest) -> None:
    name = submit(home, rest, planned(home, "doomed", then="wait"))
    for attempt in (1, 2, 3):
        wait_until(lambda a=attempt: _runs(home, name, a), 30, what=f"attempt {attempt} does not run")  # type: ignore[misc]
        os.kill(status_of(home, name, attempt).pid, signal.SIGKILL)
    job = ended(rest, name)
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 13
    assert "disappeared" in job["error"]["message"]
    assert not [process for process in home.processes() if f"{name.rsplit('/', 1)[-1]}-" in process.command]


def test_a_program_that_takes_all_memory_is_told_so(home: Home, rest: Rest) -> None:
    probe = Group("probe-of-tests", Limits(memory_bytes=1 << 30))
    lost = list(probe.lost)
    probe.remove()
    if lost:
        pytest.skip(f"this machine enforces no limit on memory: {lost[0]}")
    name = submit(home, rest, planned(home, "greedy", then="memory", machine="n4-highcpu-2"))
    job = ended(rest, name, 60)
    assert job["state"] == "JOB_STATE_FAILED"
    assert "out of memory" in job["error"]["message"]


def test_nothing_stays_open_for_replicas_that_are_over(home: Home, rest: Rest) -> None:
    ended(rest, submit(home, rest, planned(home, "warm", replicas=2)))
    wait_until(lambda: not any((home.path / "run" / "replicas").glob("*/*")), 10)
    before, networks = _sockets(home), set(_networks())
    for name in [submit(home, rest, planned(home, f"brief-{n}", replicas=2)) for n in range(4)]:
        ended(rest, name)
    wait_until(lambda: not any((home.path / "run" / "replicas").iterdir()), 10, what="doors are left")
    wait_until(lambda: _sockets(home) <= before + 2, 10, what="sockets are left open")
    wait_until(lambda: not set(_networks()) - networks, 10, what="networks are left")


def _sockets(home: Home) -> int:
    assert home.process is not None
    links = []
    for path in Path(f"/proc/{home.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(path))
    return sum(link.startswith("socket:") for link in links)


def _networks() -> list[str]:
    return os.listdir("/run/netns") if os.path.isdir("/run/netns") else []


def _runs(home: Home, name: str, attempt: int) -> bool:
    try:
        return bool(status_of(home, name, attempt).state == RUNNING)
    except (OSError, ValueError):
        return False
