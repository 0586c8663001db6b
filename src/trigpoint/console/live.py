"""The stream of what happens: server-sent events of the topics that a page asks for, merged, one stream per page."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from trigpoint.console.access import Session
from trigpoint.console.runs.details import told_of
from trigpoint.console.wire import dump
from trigpoint.core.errors import InvalidArgument, TrigpointError, Violation
from trigpoint.store import Store, events

Send = Callable[[Any], Awaitable[None]]

log = structlog.get_logger(__name__)

BEAT = 15.0
"""Seconds after which a silent stream says that it lives."""
TOGETHER = 0.03
"""Seconds in which commits are read together."""
MOST_WAITING = 2000
"""Messages that a slow reader may lie behind; then it is cut off, and comes back with its cursor."""
MOST_TOPICS = 16
_PAGE = 500
_AT_FIRST = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a topic."""

    event: str
    """What kind of event of its topic it is."""
    data: bytes
    """JSON."""
    cursor: int = 0
    """Number from which a broken stream goes on; 0 where the topic begins anew instead."""


class Topic(Protocol):
    """Something that pages follow."""

    def admit(self, session: Session, argument: str) -> None:
        """Raise PermissionDenied unless the session may follow this; blocks."""
        ...

    def follow(self, argument: str, after: int) -> AsyncIterator[Message]:
        """Yield messages for ever; `after` is the cursor of the last one that a broken stream had, else 0."""
        ...


class Narrative:
    """Topic `project/NUMBER`: the narrative's new lines. Without a cursor it begins with what comes next."""

    def __init__(self, store: Store, pool: Executor) -> None:
        self._store, self._pool = store, pool

    def admit(self, session: Session, argument: str) -> None:
        """Only for who may act in the project."""
        session.see_project(argument)

    async def follow(self, argument: str, after: int) -> AsyncIterator[Message]:
        """Yield `event` messages, each an EventInfo, in the order of commits."""
        loop = asyncio.get_running_loop()
        with self._store.notifier.watch() as watch:
            seq = await loop.run_in_executor(self._pool, self._begin, after)
            while True:
                page = await loop.run_in_executor(self._pool, self._page, argument, seq)
                for event in page:
                    seq = event.seq
                    yield Message("event", dump(told_of(event)), event.seq)
                if len(page) < _PAGE:
                    await watch.changed()
                    await asyncio.sleep(TOGETHER)

    def _begin(self, after: int) -> int:
        """Return where to go on: a cursor from before a restored backup, or from long ago, counts as none."""
        newest = self._store.read(events.last)
        return after if 0 < after <= newest and newest - after <= _AT_FIRST * _PAGE else newest

    def _page(self, project: str, seq: int) -> list[events.Event]:
        return self._store.read(lambda tx: events.after(tx, seq, _PAGE, project=project))


class Streams:
    """Serves streams. For one event loop."""

    def __init__(self, topics: Mapping[str, Topic], pool: Executor) -> None:
        self._topics, self._pool = topics, pool
        self._open: set[asyncio.Task[None]] = set()
        self._closing = False

    async def serve(
        self, session: Callable[[], Session], wanted: list[str], after: int, send: Send, gone: Awaitable[Any]
    ) -> None:
        """Send a stream until the reader goes, the session ends or the server stops. `session` proves it again."""
        chosen = [self._chosen(name) for name in wanted]
        if not chosen or len(chosen) > MOST_TOPICS:
            raise InvalidArgument(violations=[Violation("topic", f"name from 1 to {MOST_TOPICS} topics")])
        loop = asyncio.get_running_loop()
        for _, topic, argument in chosen:
            await loop.run_in_executor(self._pool, topic.admit, session(), argument)
        await send(_start())
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        tasks = [asyncio.create_task(_pump(name, topic, arg, after, queue)) for name, topic, arg in chosen]
        writer = asyncio.create_task(self._write(session, queue, send))
        leaving = asyncio.ensure_future(gone)
        self._open.add(writer)
        try:
            if not self._closing:
                await asyncio.wait([writer, leaving, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(writer)
            for task in (writer, leaving, *tasks):
                task.cancel()
            await asyncio.gather(writer, leaving, *tasks, return_exceptions=True)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def close(self) -> None:
        """Let every stream end now, and begin no other."""
        self._closing = True
        for task in self._open:
            task.cancel()

    def _chosen(self, name: str) -> tuple[str, Topic, str]:
        kind, _, argument = name.partition("/")
        topic = self._topics.get(kind)
        if topic is None or not argument:
            raise InvalidArgument(violations=[Violation("topic", f"there is no topic {name[:100]!r}")])
        return name, topic, argument

    async def _write(self, session: Callable[[], Session], queue: "asyncio.Queue[bytes | None]", send: Send) -> None:
        while True:
            try:
                part = await asyncio.wait_for(queue.get(), BEAT)
            except TimeoutError:
                try:
                    await asyncio.get_running_loop().run_in_executor(self._pool, session)
                except TrigpointError:
                    return
                part = b": well\n\n"
            if part is None:
                return
            while not queue.empty() and (more := queue.get_nowait()) is not None:
                part += more
            await send({"type": "http.response.body", "body": part, "more_body": True})


async def _pump(name: str, topic: Topic, argument: str, after: int, queue: "asyncio.Queue[bytes | None]") -> None:
    """Put a topic's messages into the queue of a stream; one that is full ends the stream."""
    try:
        async for message in topic.follow(argument, after):
            queue.put_nowait(_frame(name, message))
    except asyncio.QueueFull:
        log.info("console.slow_reader", topic=name)
    except TrigpointError as error:
        log.info("console.topic_ended", topic=name, reason=error.message)


def _frame(topic: str, message: Message) -> bytes:
    ident = b"id: %d\n" % message.cursor if message.cursor else b""
    return b"%sevent: %s|%s\ndata: %s\n\n" % (ident, topic.encode(), message.event.encode(), message.data)


def _start() -> dict[str, Any]:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
    return {"type": "http.response.start", "status": 200, "headers": headers}
