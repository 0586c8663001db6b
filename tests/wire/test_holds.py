"""Held reads: which wait, for how long, and what ends the waiting."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trigpoint.core import messages
from trigpoint.core.clock import SystemClock
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_service_pb import CreateCustomJobRequest, GetCustomJobRequest
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.kernel.resource import Rendered
from trigpoint.store import Store, resources
from trigpoint.store.notifier import Notifier
from trigpoint.surfaces.vertex.holds import Holds

from .conftest import GOOD, LOCATION, Build, Wire, opened

JOBS = "google.cloud.aiplatform.v1.JobService"
JOB = f"{LOCATION}/customJobs/5"
RUNNING, DONE = JobState.RUNNING, JobState.SUCCEEDED


class Clock(SystemClock):
    """A clock whose monotonic seconds are moved by hand."""

    seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


class Recorder(Holds):
    """Says how long each read may wait, and waits for nothing."""

    def __init__(self, clock: Clock, *, enabled: bool = True) -> None:
        super().__init__(Notifier(), clock, enabled=enabled)
        self.clock = clock
        self.waits: list[float] = []

    async def wait(self, name: str, seconds: float, read: Any, settled: Any) -> Any:
        self.waits.append(seconds)
        return await read()

    async def get(self, email: str = "me", version: str = "v1", left: float | None = None, name: str = "n") -> float:
        """Return how long a read would have waited."""
        self.waits.clear()

        async def read() -> str:
            return "x"

        await self.read((email, name), read, lambda _: False, version=version, seconds_left=left)
        return self.waits[0] if self.waits else 0.0


async def test_the_first_get_after_a_create_waits_2_s() -> None:
    holds = Recorder(Clock())
    holds.created(("me", "n"))
    assert await holds.get("you") == 0
    assert await holds.get(name="other") == 0
    assert await holds.get() == 2
    assert await holds.get() == 0


async def test_a_script_that_goes_through_what_it_created_does_not_wait() -> None:
    holds = Recorder(Clock())
    for name in "abc":
        holds.created(("me", name))
    holds.created(("you", "d"))
    assert [await holds.get(name=name) for name in "abc"] == [0, 0, 2]
    holds.created(("me", "e"))
    holds.clock.seconds += 1.1
    assert await holds.get(name="e") == 0


@pytest.mark.parametrize(("pause", "waits"), [(0.5, 0), (4.4, 0), (4.6, 60), (5.0, 60), (6.0, 60), (6.1, 0), (30, 0)])
async def test_a_get_in_the_rhythm_of_the_sdk_waits(pause: float, waits: float) -> None:
    holds = Recorder(Clock())
    assert await holds.get() == 0
    holds.clock.seconds += pause
    assert await holds.get("you") == 0
    assert await holds.get() == waits


async def test_the_wait_keeps_within_the_client_s_deadline() -> None:
    holds = Recorder(Clock())
    for version, left, expected in [("v1beta1", None, 4), ("v1", 10.0, 9.5), ("v1beta1", 3.0, 2.5), ("v1", 0.4, 0)]:
        await holds.get()
        holds.clock.seconds += 5
        assert await holds.get(version=version, left=left) == expected
        holds.clock.seconds += 100


async def test_the_switch() -> None:
    holds = Recorder(Clock(), enabled=False)
    holds.created(("me", "n"))
    assert await holds.get() == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = opened(tmp_path)
    yield made
    made.close()


def job(state: JobState) -> CustomJob:
    return CustomJob(name=JOB, state=state)


def row(state: JobState) -> resources.Row:
    made = job(state)
    return resources.Row(JOB, "customJobs", LOCATION, messages.encode(made), messages.to_json(made), state.name)


def settle(store: Store) -> None:
    def unit(tx: Any) -> None:
        found = resources.get(tx, JOB)
        assert found is not None
        fresh = row(DONE)
        resources.update(tx, replace(found, message=fresh.message, json=fresh.json))

    store.write(unit)


def serving(build: Build, **options: Any) -> Wire:
    def create(call: Any, request: Any) -> CustomJob:
        made.store.write(lambda tx: resources.insert(tx, row(RUNNING)))
        return job(RUNNING)

    def get(call: Any, request: Any) -> Rendered:
        found = made.store.read(lambda tx: resources.get(tx, request.name))
        assert found is not None
        return Rendered(found.message, found.json)

    made = build({f"{JOBS}.CreateCustomJob": create, f"{JOBS}.GetCustomJob": get}, held_reads=True, **options)
    return made


@pytest.mark.parametrize("inline", [True, False])
async def test_a_commit_ends_the_wait(build: Build, inline: bool) -> None:
    wire = serving(build, inline=frozenset({f"{JOBS}.GetCustomJob"} if inline else ()))
    await wire.rest("POST", f"/v1/{LOCATION}/customJobs", {})
    asyncio.get_running_loop().call_later(
        0.05, lambda: asyncio.get_running_loop().run_in_executor(None, settle, wire.store)
    )
    held = await wire.rest("GET", f"/v1/{JOB}")
    assert held.json["state"] == "JOB_STATE_SUCCEEDED"
    other = messages.encode(GetCustomJobRequest(name=JOB))
    again = messages.decode(CustomJob, await wire.rpc(f"{JOBS}.GetCustomJob", other, GOOD))
    assert again.state == DONE


async def test_others_are_answered_at_once(build: Build) -> None:
    wire = serving(build)
    raw = messages.encode(CreateCustomJobRequest(parent=LOCATION))
    await wire.rpc(f"{JOBS}.CreateCustomJob", raw)
    answer = await wire.rest("GET", f"/v1/{JOB}", headers={"authorization": "Bearer slow"})
    assert answer.json["state"] == "JOB_STATE_RUNNING"


async def test_a_held_read_gives_up_within_the_deadline(build: Build) -> None:
    wire = serving(build)
    await wire.rpc(f"{JOBS}.CreateCustomJob", messages.encode(CreateCustomJobRequest(parent=LOCATION)))
    raw = messages.encode(GetCustomJobRequest(name=JOB))
    told = messages.decode(CustomJob, await wire.rpc(f"{JOBS}.GetCustomJob", raw, left=0.6))
    assert told.state == RUNNING


async def test_stored_json_is_sent_as_it_is(build: Build) -> None:
    wire = serving(build)
    await wire.rest("POST", f"/v1/{LOCATION}/customJobs", {})
    settle(wire.store)
    assert (await wire.rest("GET", f"/v1/{JOB}")).body == row(DONE).json
    numbers = await wire.rest("GET", f"/v1/{JOB}", query="$alt=json;enum-encoding=int")
    assert numbers.json["state"] == int(DONE)
    beta = await wire.rest("GET", f"/v1beta1/{JOB}")
    assert beta.json == messages.to_dict(job(DONE))
    pretty = await wire.rest("GET", f"/v1/{JOB}", query="prettyPrint=true")
    assert b"\n  " in pretty.body


async def test_a_stop_lets_held_reads_go(build: Build) -> None:
    wire = serving(build)
    await wire.rest("POST", f"/v1/{LOCATION}/customJobs", {})
    held = asyncio.create_task(wire.rest("GET", f"/v1/{JOB}"))
    await asyncio.sleep(0.05)
    wire.vertex.drain()
    assert (await held).json["state"] == "JOB_STATE_RUNNING"
