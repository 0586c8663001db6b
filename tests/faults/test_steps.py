"""R2: the server dies at every durable step of a job's life, one after the other; each time the job ends as it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.faults import checker
from tests.faults.mix import Journal
from tests.faults.test_kills import agents
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, MARKS, PIPELINE_FINAL, Plan
from tests.live.rest import STORAGE, Gone, Rest

NewHome = Callable[..., Home]
Say = Callable[[str, object], None]
CRASHING = ("-m", "tests.faults.crashing")
MOST = 120
"""Steps after which a life must be over: more would mean that the count is broken."""


@dataclass
class Lives:
    """One home in which lives are begun, cut short and continued."""

    home: Home
    journal: Journal = field(default_factory=Journal)
    wheres: dict[str, str] = field(default_factory=dict)
    """Run -> where its server died."""

    def begin(self) -> Rest:
        """Start the first server and make the bucket of marks."""
        self.home.start(*CRASHING)
        rest = self.home.client()
        rest.ask("POST", "/storage/v1/b", {"name": MARKS}, host=STORAGE, query={"project": "demo-project"})
        return rest

    def arm(self, number: int) -> None:
        """Have the running server die at its `number`th step from now."""
        (self.home.path / "steps").unlink(missing_ok=True)
        scratch = self.home.path / "arm.new"
        scratch.write_text(str(number))
        scratch.rename(self.home.path / "arm")

    def again(self) -> Rest:
        """Start a server that is not armed, after the armed one has died or is put down."""
        (self.home.path / "arm").unlink(missing_ok=True)
        assert self.home.process is not None
        if self.home.process.poll() is None:
            self.home.kill()
        self.home.start(*CRASHING)
        return self.home.client()

    @property
    def dead(self) -> bool:
        """Whether the server has reached its step."""
        assert self.home.process is not None
        return self.home.process.poll() is not None

    def steps(self) -> list[str]:
        """Return the steps that were taken since the server was armed."""
        file = self.home.path / "steps"
        return file.read_text().splitlines() if file.exists() else []

    def over(self, rest: Rest, path: str) -> dict[str, Any] | None:
        """Return the run of a list that has this name, when it has ended."""
        answer = rest.call("GET", f"/v1/{path}")
        return answer.body if answer.ok and answer.body["state"] in FINAL | PIPELINE_FINAL else None


Act = Callable[[Lives, Rest, str], str | None]
"""Does to the server what a life consists of; returns the name of the run, None when the server died first."""


def every_step(home: Home, act: Act, wanted: str) -> int:
    """Cut a life short at its 1st, 2nd, ... step until one goes through; return how many steps there were."""
    lives = Lives(home)
    folder = home.path / "marks"
    folder.mkdir()
    rest = lives.begin()
    for number in range(1, MOST):
        token = f"step-{number}"
        lives.arm(number)
        name = _acted(lives, rest, token, act)
        wait_until(lambda name=name, rest=rest: lives.dead or _ended(lives, rest, name), 60)  # type: ignore[misc]
        through = not lives.dead
        last = lives.steps()[-1] if lives.steps() else ""
        rest.close()
        rest = lives.again()
        _finish(lives, rest, token, name, wanted, f"step {number} ({last})")
        if through:
            rest.close()
            _verify(lives, folder)
            return number - 1
    raise AssertionError(f"a life of {MOST} steps")


def _acted(lives: Lives, rest: Rest, token: str, act: Act) -> str | None:
    try:
        return act(lives, rest, token)
    except Gone:
        return None


def _ended(lives: Lives, rest: Rest, name: str | None) -> bool:
    try:
        return name is not None and lives.over(rest, name) is not None
    except Gone:
        return False


def _finish(lives: Lives, rest: Rest, token: str, name: str | None, wanted: str, where: str) -> None:
    """After a restart: what was acknowledged is there, and everything ends, as it should."""
    kinds = ("customJobs", "trainingPipelines")
    found = {
        item["name"]: item
        for kind in kinds
        for item in rest.pages(f"/v1/{rest.parent}/{kind}", kind, 100)
        if item["displayName"].startswith(token)
    }
    assert name is None or name in found, f"{where}: {name} was acknowledged and is lost"
    for one in found:
        if lives.journal.plans[token].endless:
            lives.journal.maybe_cancelled.add(one)
            rest.call("POST", f"/v1/{one}:cancel", {})
        wait_until(lambda one=one: lives.over(rest, one), 60, what=f"{where}: {one} does not end")  # type: ignore[misc]
        state = rest.ask("GET", f"/v1/{one}")["state"].rpartition("_")[2]
        assert state in wanted.split("|"), f"{where}: {one} ended as {state}"
        lives.journal.created[one] = lives.journal.plans[token]
        lives.wheres[one] = where


def _verify(lives: Lives, folder: Path) -> None:
    home = lives.home
    wait_until(lambda: not agents(home), 30, what=f"left running: {agents(home)}")
    home.stop()
    problems = [f"left running: {process}" for process in home.processes()]
    problems += checker.check(home.path, lives.journal)
    for place in (folder, home.path / "buckets" / MARKS):
        problems += checker.marks(place)
    where = "; ".join(text for one, text in lives.wheres.items() if any(one in problem for problem in problems))
    assert not problems, "\n".join([*problems[:40], where])


def _create(
    lives: Lives, rest: Rest, token: str, then: str = "end", *, pipeline: bool = False, replicas: int = 1
) -> str:
    plan = Plan(token, lines=2, then=then, folder=str(lives.home.path / "marks"), replicas=replicas)
    lives.journal.plans[token] = plan
    kind, body = ("trainingPipelines", plan.pipeline()) if pipeline else ("customJobs", plan.job())
    answer = rest.call("POST", f"/v1/{rest.parent}/{kind}", body)
    assert answer.ok, answer.text
    name: str = answer.body["name"]
    return name


def _job(lives: Lives, rest: Rest, token: str) -> str:
    return _create(lives, rest, token)


def _cancelled(lives: Lives, rest: Rest, token: str) -> str:
    """Create a job that would wait for ever, and cancel it once it runs; after a restart it is cancelled again."""
    name = _create(lives, rest, token, "trap")
    lives.journal.maybe_cancelled.add(name)
    wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] == "JOB_STATE_RUNNING")
    rest.ask("POST", f"/v1/{name}:cancel", {})
    lives.journal.cancelled.add(name)
    return name


@pytest.mark.timeout(240)
def test_a_job_ends_once_wherever_the_server_dies(new_home: NewHome, record_property: Say) -> None:
    steps = every_step(new_home(), _job, "SUCCEEDED")
    record_property("said", f"a job has {steps} durable steps")
    assert steps >= 8


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_gang_ends_once_wherever_the_server_dies(new_home: NewHome, record_property: Say) -> None:
    def act(lives: Lives, rest: Rest, token: str) -> str:
        return _create(lives, rest, token, replicas=2)

    steps = every_step(new_home(), act, "SUCCEEDED")
    record_property("said", f"a job of two replicas has {steps} durable steps")
    assert steps >= 10


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_pipeline_ends_once_wherever_the_server_dies(new_home: NewHome, record_property: Say) -> None:
    def act(lives: Lives, rest: Rest, token: str) -> str:
        return _create(lives, rest, token, pipeline=True)

    steps = every_step(new_home(), act, "SUCCEEDED")
    record_property("said", f"a pipeline has {steps} durable steps")
    assert steps >= 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cancelled_job_ends_once_wherever_the_server_dies(new_home: NewHome, record_property: Say) -> None:
    steps = every_step(new_home(), _cancelled, "CANCELLED")
    record_property("said", f"a cancelled job has {steps} durable steps")
    assert steps >= 8
