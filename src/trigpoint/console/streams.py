"""Streams of server-sent events: sent as their sources yield, proved again and again, let go at a stop."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import structlog

from trigpoint.console import sentences
from trigpoint.core.errors import ResourceExhausted, TrigpointError

Send = Callable[[Any], Awaitable[None]]

log = structlog.get_logger(__name__)

BEAT = 15.0
"""Seconds after which a silent stream says that it lives."""
PROVE = 5.0
"""Seconds after which whoever reads has to be still allowed to."""
SLOWEST = 30.0
"""Seconds that a reader may take for one message; then it is cut off, and comes back with its cursor."""
MOST_STREAMS, MOST_OF_LINK = 500, 50
"""Streams that are open at once: of everybody, and of those who came by one read-only link."""
_RETRY = b"retry: 1000\n\n"
_LIFE = b": well\n\n"


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a source."""

    event: str
    """What kind of event of its source it is."""
    data: bytes
    """JSON in one line."""
    cursor: str = ""
    """From where a broken stream goes on after it; empty where the source begins anew instead."""


Source = AsyncGenerator[Message, None]
"""Yields messages, only as fast as the reader takes them. Its end is that of the stream."""


@dataclass(frozen=True)
class Stream:
    """What one request is answered with."""

    sources: Mapping[str, Source]
    frame: Callable[[str, Message], bytes]
    """The lines of a source's message."""
    prove: Callable[[], None]
    """Raises once the reader may not go on; blocks."""
    link: str = ""
    """Id of the read-only link by which the reader came."""


class Streams:
    """Serves streams. For one event loop."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._open: dict[asyncio.Task[None], str] = {}
        """What is being written, and the link that it is for."""
        self._closing = False

    async def serve(self, stream: Stream, send: Send, gone: Callable[[], Awaitable[Any]]) -> None:
        """Send until a source ends, the reader goes (`gone` returns) or may not go on, or the server stops."""
        if len(self._open) >= MOST_STREAMS:
            raise ResourceExhausted(sentences.MANY_STREAMS.format(most=MOST_STREAMS))
        if stream.link and list(self._open.values()).count(stream.link) >= MOST_OF_LINK:
            raise ResourceExhausted(sentences.MANY_OF_LINK.format(most=MOST_OF_LINK))
        await send(_start())
        await send(_part(_RETRY))
        writing = asyncio.create_task(self._write(stream, send))
        work = [writing, asyncio.create_task(self._prove(stream.prove)), asyncio.ensure_future(gone())]
        self._open[writing] = stream.link
        try:
            if not self._closing:
                await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._open[writing]
            for task in work:
                task.cancel()
            ended = await asyncio.gather(*work, return_exceptions=True)
        if isinstance(ended[0], TimeoutError):
            log.info("console.slow_reader")
        elif isinstance(ended[0], Exception):
            log.error("console.stream_failed", exc_info=ended[0])
        with contextlib.suppress(TimeoutError):
            await self._end(send)

    async def _end(self, send: Send) -> None:
        async with asyncio.timeout(1):
            await send({**_part(b""), "more_body": False})

    def close(self) -> None:
        """Let every stream end now, and begin no other."""
        self._closing = True
        for task in self._open:
            task.cancel()

    async def _write(self, stream: Stream, send: Send) -> None:
        waiting = {_next(source): name for name, source in stream.sources.items()}
        try:
            while True:
                done, _ = await asyncio.wait(waiting, timeout=BEAT, return_when=asyncio.FIRST_COMPLETED)
                parts = [] if done else [_LIFE]
                for task in done:
                    name, message = waiting.pop(task), task.result()
                    if message is None:
                        return
                    parts.append(stream.frame(name, message))
                    waiting[_next(stream.sources[name])] = name
                async with asyncio.timeout(SLOWEST):  # not wait_for, which may lose a cancellation before Python 3.12
                    await send(_part(b"".join(parts)))
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            for source in stream.sources.values():
                await source.aclose()

    async def _prove(self, prove: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PROVE)
            try:
                await loop.run_in_executor(self._pool, prove)
            except TrigpointError:
                return


def frame(event: str, message: Message, ident: str) -> bytes:
    """Return the lines of a message under an event's name, with an id where there is one."""
    marked = b"id: %s\n" % ident.encode() if ident else b""
    return b"%sevent: %s\ndata: %s\n\n" % (marked, event.encode(), message.data)


def _next(source: Source) -> "asyncio.Task[Message | None]":
    async def taken() -> Message | None:
        return await anext(source, None)

    return asyncio.create_task(taken())


def _start() -> dict[str, Any]:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
    return {"type": "http.response.start", "status": 200, "headers": headers}


def _part(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}
