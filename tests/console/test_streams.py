"""Streams and topics without a server: beats, proofs, slow readers, several topics in one, and the narrative's feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.datastructures import QueryParams
from tests.identity.conftest import Home

from trigpoint.console import narrative as rules
from trigpoint.console import streams
from trigpoint.console.access import Session
from trigpoint.console.asking import Ask
from trigpoint.console.live import Live
from trigpoint.console.narrative import Narrative
from trigpoint.console.streams import Message, Source, Stream, Streams
from trigpoint.core.call import Caller
from trigpoint.core.errors import NotFound, PermissionDenied, ResourceExhausted, Unauthenticated
from trigpoint.store import events

OWNER = Session(Caller("me@x", "1", operator=True), "owner", 0, 1 << 60)
VIEWER = Session(Caller("me@x", "1", operator=True), "viewer", 0, 1 << 60, "l", frozenset({"projects/1/x/1"}))


class Reader:
    """What a browser gets, as it comes."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.streams = Streams(pool)
        self.body = b""
        self.ended = False
        self.block: asyncio.Event | None = None
        self.left = asyncio.Event()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            if self.block is not None and message.get("more_body"):
                await self.block.wait()
            self.body += message["body"]
            self.ended = not message.get("more_body")

    def serve(self, stream: Stream) -> asyncio.Task[None]:
        return asyncio.create_task(self.streams.serve(stream, self.send, self.left.wait))

    @property
    def frames(self) -> list[dict[str, str]]:
        """Return the events so far."""
        found = [
            dict(line.split(": ", 1) for line in block.split("\n"))
            for block in self.body.decode().split("\n\n")
            if block
        ]
        return [one for one in found if "event" in one]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def plain(name: str, message: Message) -> bytes:
    return streams.frame(message.event, message, message.cursor)


def allowed() -> None:
    return None


async def counting(most: int = 1 << 30) -> Source:
    for number in range(most):
        yield Message("n", b"%d" % number, str(number))
        await asyncio.sleep(0.001)


async def silent() -> Source:
    await asyncio.Event().wait()
    yield Message("never", b"0")


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for is no event
            await asyncio.sleep(0.01)


async def test_a_stream_says_how_soon_to_come_back_and_that_it_lives(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BEAT", 0.02)
    reader = Reader(pool)
    task = reader.serve(Stream({"": silent()}, plain, allowed))
    await until(lambda: reader.body.count(b": well") > 2)
    assert reader.body.startswith(b"retry: 1000\n\n")
    reader.left.set()
    await task
    assert reader.ended


async def test_it_ends_with_its_source_the_reader_the_session_or_the_server(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PROVE", 0.05)
    reader = Reader(pool)
    await reader.serve(Stream({"": counting(3)}, plain, allowed))
    assert [one["data"] for one in reader.frames] == ["0", "1", "2"]
    assert [one["id"] for one in reader.frames] == ["0", "1", "2"]

    def refused() -> None:
        raise Unauthenticated("over")

    busy = Reader(pool)
    async with asyncio.timeout(5):
        await busy.serve(Stream({"": counting()}, plain, refused))
    assert busy.ended, "also one that is never silent"

    closing = Reader(pool)
    task = closing.serve(Stream({"": silent()}, plain, allowed))
    await until(lambda: closing.body)
    closing.streams.close()
    await task
    assert closing.ended
    late = Reader(pool)
    late.streams.close()
    await late.serve(Stream({"": silent()}, plain, allowed))
    assert late.ended


async def test_a_reader_that_takes_nothing_is_cut_off_and_holds_nothing_up(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SLOWEST", 0.1)
    taken = 0

    async def eager() -> Source:
        nonlocal taken
        while True:
            taken += 1
            yield Message("n", b"0")

    reader = Reader(pool)
    task = reader.serve(Stream({"": eager()}, plain, allowed))
    await until(lambda: reader.frames)
    reader.block = asyncio.Event()
    before = taken
    async with asyncio.timeout(5):
        await task
    assert taken - before < 5, "what is not read is not made"


@pytest.mark.parametrize(("bound", "link"), [("MOST_STREAMS", ""), ("MOST_OF_LINK", "a-link")])
async def test_there_is_an_end_to_how_many(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, bound: str, link: str
) -> None:
    monkeypatch.setattr(streams, bound, 1)
    reader = Reader(pool)
    task = reader.serve(Stream({"": silent()}, plain, allowed, link))
    await until(lambda: reader.body)
    with pytest.raises(ResourceExhausted):
        await reader.streams.serve(Stream({"": silent()}, plain, allowed, link), reader.send, reader.left.wait)
    reader.left.set()
    await task


async def test_one_link_leaves_room_for_others(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_OF_LINK", 1)
    reader = Reader(pool)
    task = reader.serve(Stream({"": silent()}, plain, allowed, "a-link"))
    await until(lambda: reader.body)
    reader.left.set()
    await reader.streams.serve(Stream({"": silent()}, plain, allowed, "another"), reader.send, reader.left.wait)
    await reader.streams.serve(Stream({"": silent()}, plain, allowed), reader.send, reader.left.wait)
    await task


async def test_a_fault_of_a_source_ends_the_stream_and_nothing_else(pool: ThreadPoolExecutor) -> None:
    async def faulty() -> Source:
        yield Message("n", b"0")
        raise RuntimeError("/secret/path")

    reader = Reader(pool)
    await reader.serve(Stream({"a": faulty(), "b": silent()}, plain, allowed))
    assert reader.ended
    assert b"secret" not in reader.body


# -- topics


class Given:
    """A topic that yields what it is given."""

    def __init__(self, *messages: Message, error: Exception | None = None, refuse: bool = False) -> None:
        self.messages, self.error, self.refuse = messages, error, refuse
        self.after: list[tuple[str, str]] = []

    def admit(self, session: Session, argument: str) -> None:
        if self.refuse or not session.owner:
            raise PermissionDenied("no")

    async def follow(self, argument: str, after: str) -> Source:
        self.after.append((argument, after))
        for message in self.messages:
            yield message
        if self.error:
            raise self.error
        await asyncio.Event().wait()


def ask(query: str, session: Session = OWNER, last: str = "") -> Ask:
    headers = {"last-event-id": last} if last else {}
    return Ask("GET", QueryParams(query), {}, "http://localhost", lambda: session, headers)


def got(reader: Reader, count: int) -> bool:
    return len(reader.frames) == count


async def test_an_id_holds_the_places_of_all_topics(pool: ThreadPoolExecutor) -> None:
    a, b = Given(Message("x", b"1", "10")), Given(Message("y", b"2"), Message("y", b"3", "5/6"))
    live = Live({"a": a, "b": b})
    reader = Reader(pool)
    task = reader.serve(live.open(ask("topic=a/1&topic=b/2/3&topic=a/1")))
    await until(lambda: len(reader.frames) == 3)
    reader.left.set()
    await task
    assert sorted(one["event"] for one in reader.frames) == ["a/1|x", "b/2/3|y", "b/2/3|y"]
    last = [one["id"] for one in reader.frames if "id" in one][-1]
    assert orjson.loads(last) == {"a/1": "10", "b/2/3": "5/6"}
    for known in (ask("topic=b/2/3&topic=a/1", last=last), ask(f"topic=b/2/3&topic=a/1&after={last}")):
        following = Reader(pool)
        task = following.serve(live.open(known))
        await until(partial(got, following, 3))
        following.left.set()
        await task
        assert a.after[-1] == ("1", "10")
        assert b.after[-1] == ("2/3", "5/6")


@pytest.mark.parametrize("last", ["12", "{", "[]", '{"a/1": {}}', '"x"', "null"])
async def test_an_id_that_is_none_begins_anew(pool: ThreadPoolExecutor, last: str) -> None:
    a = Given(Message("x", b"1"))
    reader = Reader(pool)
    task = reader.serve(Live({"a": a}).open(ask("topic=a/1", last=last)))
    await until(lambda: reader.frames)
    reader.left.set()
    await task
    assert a.after[0][1] in ("", "{}")


async def test_a_topic_that_is_gone_says_so_and_the_others_go_on(pool: ThreadPoolExecutor) -> None:
    topics = {
        "fine": Given(Message("x", b"1")),
        "gone": Given(Message("x", b"1"), error=NotFound("the run is deleted")),
        "shut": Given(refuse=True),
    }
    reader = Reader(pool)
    task = reader.serve(Live(topics).open(ask("topic=shut/1&topic=gone/1&topic=fine/1")))
    await until(lambda: len(reader.frames) == 4)
    assert not task.done()
    reader.left.set()
    await task
    told = {one["event"]: orjson.loads(one["data"]) for one in reader.frames}
    assert told["shut/1|gone"]["error"]["status"] == "PERMISSION_DENIED"
    assert told["gone/1|gone"]["error"]["message"] == "the run is deleted"
    assert told["fine/1|x"] == 1


def test_a_stream_of_refused_topics_alone_is_refused() -> None:
    with pytest.raises(PermissionDenied):
        Live({"a": Given()}).open(ask("topic=a/1&topic=a/2", VIEWER))


# -- the narrative


class Told:
    """A home whose narrative the test writes."""

    def __init__(self, home: Home, pool: ThreadPoolExecutor) -> None:
        self.home = home
        self.number = home.project.number
        self.topic = Narrative(home.store, home.projects, pool)

    def happen(self, count: int = 1, project: str = "") -> None:
        def unit(tx: Any) -> None:
            for number in range(count):
                events.append(
                    tx,
                    time=number,
                    project=project or self.number,
                    subject="projects/1/x/1",
                    kind="x.y",
                    data={"n": number},
                )

        self.home.store.write(unit)

    async def taken(self, source: AsyncIterator[Message], count: int) -> list[Message]:
        async with asyncio.timeout(10):
            return [await anext(source) for _ in range(count)]


@pytest.fixture
def told(tmp_path: Path, pool: ThreadPoolExecutor) -> Iterator[Told]:
    home = Home(tmp_path)
    home.open()
    yield Told(home, pool)
    home.store.close()


async def test_it_begins_with_what_comes_and_goes_on_from_a_cursor(told: Told) -> None:
    told.happen(3)
    source = told.topic.follow("demo-project", "")
    begun = (await told.taken(source, 1))[0]
    assert (begun.event, orjson.loads(begun.data)) == ("begun", {"missed": False})
    told.happen(2)
    told.happen(5, project="77")
    told.happen(700)
    first = await told.taken(source, 702)
    await source.aclose()
    told.happen(600)
    again = told.topic.follow(told.number, first[-1].cursor)
    rest = await told.taken(again, 601)
    told.happen(1)
    rest += await told.taken(again, 1)
    await again.aclose()
    numbers = [int(one.cursor) for one in [*first, *rest[1:]]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 702 + 601
    assert rest[0].cursor == first[-1].cursor


@pytest.mark.parametrize("after", ["999999999", "1", "x", "٣", "9" * 5000])
async def test_what_can_not_be_caught_up_with_is_said(told: Told, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    monkeypatch.setattr(rules, "MOST_MISSED", 5)
    told.happen(50)
    source = told.topic.follow(told.number, after)
    begun = (await told.taken(source, 1))[0]
    assert orjson.loads(begun.data) == {"missed": after.isascii() and after.isdecimal()}
    told.happen(1)
    assert (await told.taken(source, 1))[0].event == "event"
    await source.aclose()


async def test_many_followers_are_read_for_once(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    after = events.after

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal read
        read += 1
        return after(*arguments, **named)

    sources = [told.topic.follow(told.number, "") for _ in range(20)]
    for source in sources:
        await told.taken(source, 1)
    monkeypatch.setattr(events, "after", counted)
    told.happen(10)
    for source in sources:
        assert len(await told.taken(source, 10)) == 10
    assert read < 5
    for source in sources:
        await source.aclose()
    assert all(feed.over for feed in told.topic._feeds.values())


async def test_commits_in_a_row_are_read_together(told: Told) -> None:
    source = told.topic.follow(told.number, "")
    await told.taken(source, 1)
    loop = asyncio.get_running_loop()
    for _ in range(100):
        await loop.run_in_executor(None, told.happen)
    found = await told.taken(source, 100)
    assert [orjson.loads(one.data)["data"]["n"] for one in found] == [0] * 100
    await source.aclose()


async def test_a_follower_that_lies_far_behind_is_let_go(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_MOST_WAITING", 2)
    monkeypatch.setattr(rules, "TOGETHER", 0.0)
    slow, quick = told.topic.follow(told.number, ""), told.topic.follow(told.number, "")
    await told.taken(slow, 1)
    await told.taken(quick, 1)
    for _ in range(10):
        told.happen()
        await told.taken(quick, 1)
    with pytest.raises(StopAsyncIteration):
        await told.taken(slow, 11)
    await quick.aclose()


def test_only_those_who_may_act_follow_a_project(told: Told) -> None:
    told.topic.admit(OWNER, "demo-project")
    for session, argument in ((VIEWER, "demo-project"), (OWNER, "nobodys")):
        with pytest.raises(PermissionDenied):
            told.topic.admit(session, argument)
