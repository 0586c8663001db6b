"""HTTP/1.1 on a connection that somebody else accepted: the one module that knows uvicorn's insides.

`HttpToolsProtocol` is not public API of uvicorn: its version is pinned, and `tests/front/test_front.py` drives
what is used of it (the constructor, `.app`, `.connections`, `.tasks`, `.flow`, `shutdown`, `timeout_keep_alive_task`).
"""

import asyncio
import contextlib
import email.utils
import functools
import socket
from typing import cast

from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from trigpoint.core import wire
from trigpoint.surfaces.front.hosts import App, Receive, Scope, Send

_KEEP_ALIVE = 240
"""Seconds; longer than any pause of a client's polling, so that a connection is not closed under its next request."""
_FIRST_REQUEST = 30
"""Seconds that a fresh connection may stay silent, and that the head of a request may take."""
_SILENCE = 240
"""Seconds that a client may leave a body unfinished without a word."""
_MAX_URL = 64 * 1024
_MAX_HEADERS = 256 * 1024


class HttpEndpoint:
    """Makes protocols that serve one ASGI app, and drains them together. For one event loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._config = Config(
            cast("ASGI3Application", app),
            interface="asgi3",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        self._config.load()
        self._state = ServerState()
        self._clock: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to keep the Date header; call it in the loop."""
        date = email.utils.formatdate(usegmt=True).encode()
        self._state.default_headers = [(b"date", date), (b"server", b"trigpoint")]
        self._clock = asyncio.get_running_loop().call_later(1, self.start)

    def protocol(
        self, replica: str = "", app: App | None = None, sock: socket.socket | None = None
    ) -> asyncio.Protocol:
        """Return the protocol of one connection; `replica` marks its requests, `app` overrides the endpoint's.

        On a TCP socket that is handed in, the first part of a request is acknowledged at once.
        """
        made = _Bounded(self._config, self._state, {})
        made.sock = sock if sock is not None and sock.family != socket.AF_UNIX else None
        if replica or app is not None:
            made.app = cast("ASGI3Application", functools.partial(_marked, app or self._app, replica))
        return made

    async def stop(self, grace: float) -> None:
        """Let requests under way end for `grace` seconds, then cut them off."""
        if self._clock is not None:
            self._clock.cancel()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(list(self._state.tasks), timeout=grace)
        for connection in list(self._state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                # Python before 3.11.4 fails on a TLS transport that is closed already.
                with contextlib.suppress(AttributeError):
                    transport.abort()
        for task in list(self._state.tasks):
            task.cancel()


class _Bounded(HttpToolsProtocol):
    """uvicorn's protocol with limits on what comes before the body, which it would buffer without end."""

    _read = 0
    _begun = 0.0
    """When the head began that is not complete yet; 0 when there is none."""
    sock: socket.socket | None = None

    def data_received(self, data: bytes) -> None:
        """Parse. Clients behind a proxy send head and body apart, and the body only once the head is acknowledged
        (urllib3 leaves Nagle's algorithm on there): a delayed acknowledgement would cost each such request 40 ms."""
        super().data_received(data)
        if self.sock is not None and (self.cycle is None or self.cycle.more_body):
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._await_more()

    def _await_more(self) -> None:
        """See to it that whoever owes us the rest of a request does not keep the connection for nothing."""
        if self._begun or self.cycle is None or self.cycle.response_complete:
            left = self._begun + _FIRST_REQUEST - self.loop.time() if self._begun else _FIRST_REQUEST
        elif self.cycle.more_body:
            left = _SILENCE
        else:
            return
        self.timeout_keep_alive_task = self.loop.call_later(max(0.0, left), self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close, unless the client is silent because we do not read."""
        self.timeout_keep_alive_task = None
        if self.flow.read_paused:
            self._await_more()
        else:
            super().timeout_keep_alive_handler()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(_FIRST_REQUEST, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        self._read = 0
        self._begun = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._begun = 0.0
        super().on_headers_complete()

    def on_url(self, url: bytes) -> None:
        if len(self.url) + len(url) > _MAX_URL:
            raise ValueError("URL too long")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._read += len(name) + len(value)
        if self._read > _MAX_HEADERS:
            raise ValueError("headers too long")
        super().on_header(name, value)


async def _marked(app: App, replica: str, scope: Scope, receive: Receive, send: Send) -> None:
    scope[wire.REPLICA] = replica
    await app(scope, receive, send)
