"""Following a run: the picture first, then what changed; one watcher for all, and nobody is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.console.picture.drawn import JOB, PIPELINE
from tests.console.picture.rows import Rows
from tests.console.picture.test_gather import SPEC

from trigpoint.console.picture import rules, topic
from trigpoint.console.picture.topic import Pictures
from trigpoint.console.streams import Message
from trigpoint.core.errors import PermissionDenied


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    made = Rows(tmp_path)
    made.resource(JOB, "JOB_STATE_RUNNING", SPEC)
    yield made
    made.store.close()


@pytest.fixture
def pictures(rows: Rows) -> Iterator[Pictures]:
    made = Pictures(rows.sources)
    yield made
    made.close()


async def of(stream: AsyncIterator[Message]) -> tuple[str, Any]:
    """Return the next message."""
    message = await asyncio.wait_for(anext(stream), 5)
    return message.event, orjson.loads(message.data)


async def until(stream: AsyncIterator[Message], kind: str) -> dict[str, Any]:
    """Return the patch that brings a moment of a kind."""
    while True:
        event, data = await of(stream)
        if event == "patch" and any(one["kind"] == kind for one in data["moments"]):
            return dict(data)


async def test_the_picture_comes_first_and_then_what_changed(rows: Rows, pictures: Pictures) -> None:
    stream = pictures.follow(JOB, "")
    event, data = await of(stream)
    assert (event, [node["id"] for node in data["nodes"]]) == ("picture", ["job"])
    rows.tell("customJob.launched", attempt="5-1")
    patch = await until(stream, "customJob.launched")
    assert {node["id"] for node in patch["nodes"]} == {"job", "attempt/1", "queue"}
    replica = rows.replica(1, "workerpool0-0")
    rows.passed(replica, "print", "stdout", bytes=5, lines=1)
    while not any(edge["kind"] == "logs" for edge in data["edges"]):
        event, data = await of(stream)
    rows.passed(replica, "print", "stdout", bytes=6, lines=1)
    while not data.get("grown"):
        event, data = await of(stream)
    (growth,) = data["grown"]
    assert (growth["keep"], growth["amounts"][0]["bytes"], growth["amounts"][0]["lines"]) == (1, 11, 2)
    await stream.aclose()


async def test_streams_of_a_run_share_a_watcher_that_ends_with_the_last(rows: Rows, pictures: Pictures) -> None:
    rows.resource(PIPELINE, "PIPELINE_STATE_RUNNING", {"displayName": "p"}, job=JOB)
    rows.resource(JOB, "JOB_STATE_RUNNING", SPEC, parent=["trainingPipelines", PIPELINE])
    streams = [pictures.follow(name, "") for name in (PIPELINE, JOB)]
    first, second = [await of(stream) for stream in streams]
    assert first == second
    assert list(pictures._watchers) == [PIPELINE]
    rows.tell("customJob.running", log="Job is running.")
    assert await until(streams[0], "customJob.running") == await until(streams[1], "customJob.running")
    await streams[0].aclose()
    assert pictures._watchers
    await streams[1].aclose()
    assert not pictures._watchers
    await asyncio.sleep(0.01)
    assert not rows.store.notifier._all
    assert not rows.store.measured._all
    event, _ = await of(again := pictures.follow(JOB, ""))
    assert event == "picture"
    await again.aclose()


async def test_who_comes_later_begins_with_what_is_now(rows: Rows, pictures: Pictures) -> None:
    early = pictures.follow(JOB, "")
    await of(early)
    rows.tell("customJob.running", log="Job is running.")
    await until(early, "customJob.running")
    late = pictures.follow(JOB, "")
    event, data = await of(late)
    assert (event, [one["kind"] for one in data["moments"]]) == ("picture", ["customJob.running"])
    for stream in (early, late):
        await stream.aclose()


async def test_a_stream_that_lies_far_behind_gets_the_picture_anew(
    rows: Rows, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic, "MOST_WAITING", 2)
    monkeypatch.setattr(topic, "PAUSE", 0.0)
    slow, quick = pictures.follow(JOB, ""), pictures.follow(JOB, "")
    await of(slow)
    await of(quick)
    for number in range(5):
        rows.tell("customJob.preparing", reason=f"step {number}", image="i")
        while (await until(quick, "customJob.preparing"))["moments"][-1]["data"]["reason"] != f"step {number}":
            continue
    heard = [await of(slow)]
    while heard[-1][1]["moments"][-1]["data"]["reason"] != "step 4":
        heard.append(await of(slow))
    assert "picture" in [event for event, _ in heard]
    assert len(heard) <= 3
    for stream in (slow, quick):
        await stream.aclose()


async def test_changes_in_quick_succession_are_told_together(rows: Rows, pictures: Pictures) -> None:
    stream = pictures.follow(JOB, "")
    await of(stream)
    for number in range(40):
        rows.tell("customJob.preparing", reason=f"step {number}", image="i")
        await asyncio.sleep(0.005)
    messages = told = 0
    while told < 40:
        _, data = await of(stream)
        messages, told = messages + 1, told + len(data["moments"])
    assert messages <= 10
    await stream.aclose()


async def test_what_touches_another_run_is_not_looked_at(
    rows: Rows, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = pictures.follow(JOB, "")
    await of(stream)
    monkeypatch.setattr(rules, "draw", lambda *given: pytest.fail("drawn"))
    rows.resource(JOB + "0", "JOB_STATE_RUNNING", SPEC)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.3)


async def test_an_absent_run_is_refused(pictures: Pictures) -> None:
    with pytest.raises(PermissionDenied):
        await of(pictures.follow(JOB + "0", ""))
