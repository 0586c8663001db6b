"""The first topic: what happens in a project, line by line, read once for everybody who follows it."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager

import structlog

from trigpoint.console import sentences
from trigpoint.console.access import Session
from trigpoint.console.runs.details import told_of
from trigpoint.console.streams import Message, Source
from trigpoint.console.wire import Begun, dump
from trigpoint.core.errors import TrigpointError, Unavailable
from trigpoint.domains.projects import Projects
from trigpoint.store import Store, events

log = structlog.get_logger(__name__)

TOGETHER = 0.03
"""Seconds that lie between two readings, at least: commits are read together."""
MOST_MISSED = 100_000
"""Lines of the narrative (of all projects) that a stream catches up with; after more it begins with what comes."""
_MOST_WAITING = 40
"""Readings that a slow follower may lie behind; then its stream ends, and it comes back with its cursor."""
_PAGE = 500
Batches = asyncio.Queue[Sequence[Message] | None]
"""What a follower is given; None at the end."""


class Narrative:
    """Topic `project/P`, by id or number: the narrative's new lines. For one event loop.

    First comes `begun`, then `event` for each line (an EventInfo), in the order of commits.
    """

    def __init__(self, store: Store, projects: Projects, pool: Executor) -> None:
        self._store, self._projects, self._pool = store, projects, pool
        self._feeds: dict[str, _Feed] = {}

    def admit(self, session: Session, argument: str) -> None:
        """Only for who may act in the project."""
        session.project(self._projects, argument)

    async def follow(self, argument: str, after: str) -> Source:
        """Yield from a cursor on, or what comes next without one."""
        number = self._projects.resolve(argument).number
        feed = self._feeds.get(number)
        if feed is None or feed.over:
            feed = self._feeds[number] = _Feed(self._store, self._pool, number)
        with feed.followed() as batches:
            newest = await feed.started()
            last = int(after[:18]) if after.isascii() and after.isdecimal() else newest
            missed = not newest - MOST_MISSED <= last <= newest
            last = newest if missed else last
            yield Message("begun", dump(Begun(missed)), str(last))
            while last < newest:
                page = [one for one in await feed.page(last) if int(one.cursor) <= newest]
                for message in page:
                    yield message
                last = int(page[-1].cursor) if page else newest
            while (batch := await batches.get()) is not None:
                for message in batch:
                    if int(message.cursor) > newest:
                        yield message


class _Feed:
    """Reads one project's narrative after each commit, until nobody follows it."""

    def __init__(self, store: Store, pool: Executor, project: str) -> None:
        self._store, self._pool, self._project = store, pool, project
        self._followers: set[Batches] = set()
        self._ready = asyncio.Event()
        self._seq = 0
        self._task = asyncio.create_task(self._run())

    @property
    def over(self) -> bool:
        """Whether it reads no more."""
        return self._task.done() or self._task.cancelling() > 0

    @contextmanager
    def followed(self) -> Iterator[Batches]:
        """Give what is read from now on; the last to leave ends the feed."""
        batches: Batches = asyncio.Queue()
        self._followers.add(batches)
        try:
            yield batches
        finally:
            self._followers.discard(batches)
            if not self._followers:
                self._task.cancel()

    async def started(self) -> int:
        """Return the last line before those that followers are given; who comes later is given some of them too."""
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait([ready, self._task], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            raise Unavailable(sentences.NOT_FOLLOWED)
        return self._seq

    async def page(self, seq: int) -> list[Message]:
        """Return the lines after a number, some of them when there are many."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, seq)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            with self._store.notifier.watch() as watch:
                self._seq = await loop.run_in_executor(self._pool, self._store.read, events.last)
                self._ready.set()
                while True:
                    await watch.changed()
                    soonest = loop.time() + TOGETHER
                    while page := await self.page(self._seq):
                        self._give(page)
                    await asyncio.sleep(soonest - loop.time())
        except TrigpointError as error:
            log.warning("console.feed_ended", project=self._project, reason=error.message)
        finally:
            for batches in self._followers:
                batches.put_nowait(None)

    def _give(self, page: Sequence[Message]) -> None:
        self._seq = int(page[-1].cursor)
        for batches in list(self._followers):
            late = batches.qsize() >= _MOST_WAITING
            batches.put_nowait(None if late else page)
            if late:
                self._followers.discard(batches)

    def _read(self, seq: int) -> list[Message]:
        found = self._store.read(lambda tx: events.after(tx, seq, _PAGE, project=self._project))
        return [Message("event", dump(told_of(event)), str(event.seq)) for event in found]
