"""Topic `run/NAME`: the picture, first whole, then what changed. One watcher per run, shared by all streams.

A watcher looks again after the notifier said that something of its run was committed, at once if it was quiet before,
and at most ten times a second.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import orjson
import structlog

from trigpoint.console import sentences
from trigpoint.console.access import Session
from trigpoint.console.picture import changes, rules
from trigpoint.console.picture.gather import Gatherer, Sources, run_of
from trigpoint.console.picture.wire import Picture
from trigpoint.console.streams import Message, Source
from trigpoint.core.errors import Internal, TrigpointError

log = structlog.get_logger(__name__)

PAUSE = 0.1
"""Least seconds between two looks."""
MOST_BUSY = 2
"""Times that a look took until the next one may begin: a large run leaves half of a core to others."""
MOST_WAITING = 100
"""Patches that a slow stream may lie behind; then it gets the picture anew."""


class Pictures:
    """The topic; and the newest picture of a run for who asks once. For one event loop."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="picture")  # drawings wait for no other work
        self._watchers: dict[str, Watcher] = {}

    def admit(self, session: Session, argument: str) -> None:
        """Only for who may see the run."""
        session.see(argument)

    async def follow(self, argument: str, after: str) -> Source:
        """Yield `picture`, then `patch` whenever something changed; a broken stream begins anew."""
        run = await asyncio.get_running_loop().run_in_executor(self._pool, run_of, self._sources.store, argument)
        watcher = self._watchers.get(run)
        if watcher is None or watcher.over:
            watcher = self._watchers[run] = Watcher(Gatherer(self._sources, run), self._pool)
        queue = watcher.enter()
        try:
            while (message := await queue.get()) is not None:
                yield message
        finally:
            if watcher.leave(queue) and self._watchers.get(run) is watcher:
                del self._watchers[run]
        if watcher.problem is not None:
            raise watcher.problem

    def close(self) -> None:
        """Draw no more; what is being drawn is finished."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def picture(self, name: str) -> Picture:
        """Return the picture of the run that a name belongs to, read now; blocks."""
        return rules.draw(Gatherer(self._sources, run_of(self._sources.store, name)).look())


class Watcher:
    """Looks at one run for as long as somebody follows it."""

    def __init__(self, gatherer: Gatherer, pool: Executor) -> None:
        self._gatherer, self._pool = gatherer, pool
        self._loop = asyncio.get_running_loop()
        self._touched = asyncio.Event()
        self._rows = self._measured = False
        self._memory = rules.Memory()
        self._picture: Picture | None = None
        self._whole = b""
        self._queues: set[asyncio.Queue[Message | None]] = set()
        self._store = gatherer.store
        self._task = asyncio.create_task(self._watch())
        self.problem: TrigpointError | None = None
        self.over = False

    def enter(self) -> "asyncio.Queue[Message | None]":
        """Begin a stream: its first message is the whole picture."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue()
        if self._picture is not None:
            queue.put_nowait(self._all())
        self._queues.add(queue)
        return queue

    def leave(self, queue: "asyncio.Queue[Message | None]") -> bool:
        """End a stream; return whether it was the last, with which the watcher ends."""
        self._queues.discard(queue)
        if not self._queues:
            self._task.cancel()
        return not self._queues

    async def _watch(self) -> None:
        rows, measured = self._listener("_rows"), self._listener("_measured")
        self._store.notifier.subscribe(rows)
        self._store.measured.subscribe(measured)
        try:
            pause = await self._look(rows=True, measured=True)
            while True:
                await self._touched.wait()
                await asyncio.sleep(pause - self._loop.time())
                self._touched.clear()
                wanted = {"rows": self._rows, "measured": self._measured}
                self._rows = self._measured = False
                pause = await self._look(**wanted)
        except TrigpointError as error:
            self.problem = error
        except Exception:  # a fault of ours in one picture: other topics of the same stream go on
            log.exception("console.picture_failed", run=self._gatherer.run)
            self.problem = Internal(sentences.NOT_DRAWN)
        finally:
            self.over = True
            self._store.notifier.unsubscribe(rows)
            self._store.measured.unsubscribe(measured)
            for queue in self._queues:
                queue.put_nowait(None)

    def _listener(self, flag: str) -> Callable[[frozenset[str]], None]:
        """Return what the notifier calls on the committing thread."""

        def touched() -> None:
            setattr(self, flag, True)
            self._touched.set()

        def heard(names: frozenset[str]) -> None:
            if self._gatherer.concerns(names):
                self._loop.call_soon_threadsafe(touched)

        return heard

    async def _look(self, *, rows: bool, measured: bool) -> float:
        """Look, tell the streams what changed, and return until when not to look again."""
        begun = self._loop.time()
        old = self._picture
        picture, patch = await self._loop.run_in_executor(self._pool, self._draw, old, rows, measured)
        if old is None or patch:
            self._picture, self._whole = picture, b""
        for queue in self._queues:
            if old is None:
                queue.put_nowait(self._all())
            elif patch:
                self._send(queue, Message("patch", patch))
        took = self._loop.time() - begun
        return begun + max(PAUSE, MOST_BUSY * took)

    def _draw(self, old: Picture | None, rows: bool, measured: bool) -> tuple[Picture, bytes]:
        """Return the picture, and what changed as JSON; empty for nothing. In a thread, one at a time."""
        picture = rules.draw(self._gatherer.look(rows=rows, measured=measured), self._memory)
        patch = changes.between(old, picture) if old is not None else None
        return picture, orjson.dumps(patch) if patch is not None else b""

    def _all(self) -> Message:
        if not self._whole:
            self._whole = orjson.dumps(self._picture)
        return Message("picture", self._whole)

    def _send(self, queue: "asyncio.Queue[Message | None]", message: Message) -> None:
        if queue.qsize() < MOST_WAITING:
            queue.put_nowait(message)
            return
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(self._all())
