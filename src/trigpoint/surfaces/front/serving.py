"""Gives an accepted connection to whoever speaks its protocol: HTTP/1.1 in place, h2 spliced to the gRPC endpoint."""

import asyncio
import os
import re
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import structlog

from trigpoint.surfaces.front import certificates, reading
from trigpoint.surfaces.front.grpc import GrpcEndpoint, Origin
from trigpoint.surfaces.front.hosts import App, Receive, Scope, Send, is_loopback
from trigpoint.surfaces.front.http import HttpEndpoint
from trigpoint.surfaces.front.splice import End

_log = structlog.get_logger(__name__)
TLS_HANDSHAKE = 0x16
"""The first byte of a TLS connection."""
_HANDSHAKE_SECONDS = 15.0
_ACCEPT_PAUSE = 0.2
_KEPT_FILES = 256
"""Descriptors that connections leave to the databases, the objects and the agents; a quarter where there are few."""
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


class Tasks:
    """Keeps every task referenced until it ends: the loop itself holds them weakly (dependencies.md section 20)."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it on its own."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def stop(self) -> None:
        """Cancel all and wait."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class Server:
    """Serves single connections over the two endpoints. For one event loop."""

    def __init__(
        self,
        http: HttpEndpoint,
        grpc: GrpcEndpoint,
        context: ssl.SSLContext,
        tasks: Tasks,
        clear: App | None = None,
    ) -> None:
        self.http, self.grpc, self.context, self.tasks, self._clear = http, grpc, context, tasks, clear
        self._spliced: set[End] = set()

    def protocol(self, replica: str = "", sock: socket.socket | None = None) -> asyncio.Protocol:
        """Return what takes a connection whose TLS stands."""
        return _Negotiated(self, replica, sock)

    async def either(self, sock: socket.socket) -> None:
        """Serve a fresh connection of the one port: TLS, or, from this machine, HTTP in clear for what allows it."""
        if self._clear is None:
            await self.tls(sock)
            return
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                first = await reading.first_byte(sock)
        except (reading.CutError, TimeoutError, OSError):
            sock.close()
            return
        if first == TLS_HANDSHAKE:
            await self.tls(sock)
        elif is_loopback(str(sock.getpeername()[0])):
            await self.plain(sock, app=self._clear)
        else:
            await self.plain(sock, app=_only_tls)

    async def tls(self, sock: socket.socket, replica: str = "") -> None:
        """Start TLS on a socket whose next byte is the ClientHello, and serve it."""
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: self.protocol(replica, sock), sock, ssl=self.context, ssl_handshake_timeout=_HANDSHAKE_SECONDS
            )
        except (OSError, ssl.SSLError):
            sock.close()

    async def plain(self, sock: socket.socket, early: bytes = b"", replica: str = "", app: App | None = None) -> None:
        """Serve HTTP/1.1 in clear on a socket from which `early` was already taken."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: _Replayed(self.http.protocol(replica, app, sock), early), sock)

    async def splice(self, near: End, origin: Origin) -> None:
        """Join a decrypted h2 connection with the gRPC endpoint until either ends."""
        try:
            sock, key = self.grpc.dial(origin)
        except OSError:
            near.close()
            return
        self._spliced.add(near)
        try:
            _, far = await asyncio.get_running_loop().create_unix_connection(End, sock=sock)
            near.join(far)
            await asyncio.shield(near.closed)
            await asyncio.shield(far.closed)
        finally:
            self._spliced.discard(near)
            self.grpc.forget(key)

    def cut(self) -> None:
        """Close the spliced connections."""
        for end in list(self._spliced):
            end.close()


class _Negotiated(asyncio.Protocol):
    """Stands on a TLS connection for the instant between the handshake and the choice that ALPN made."""

    def __init__(self, server: Server, replica: str, sock: socket.socket | None) -> None:
        self._server, self._replica, self._sock = server, replica, sock

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection over; a client that offers no protocol speaks HTTP/1.1."""
        secure = transport.get_extra_info("ssl_object")
        if secure.selected_alpn_protocol() != "h2":
            _hand_over(cast("asyncio.Transport", transport), self._server.http.protocol(self._replica, sock=self._sock))
            return
        near = End()
        _hand_over(cast("asyncio.Transport", transport), near)
        cast("asyncio.Transport", transport).pause_reading()
        origin = Origin(self._replica, certificates.name_asked(secure))
        self._server.tasks.start(self._server.splice(near, origin))


class _Replayed(asyncio.Protocol):
    """Gives a protocol the bytes that were read before it existed."""

    def __init__(self, protocol: asyncio.Protocol, early: bytes) -> None:
        self._protocol, self._early = protocol, early

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection over."""
        _hand_over(cast("asyncio.Transport", transport), self._protocol)
        if self._early:
            self._protocol.data_received(self._early)


def _hand_over(transport: asyncio.Transport, protocol: asyncio.Protocol) -> None:
    transport.set_protocol(protocol)
    protocol.connection_made(transport)


Accepted = Callable[[socket.socket], Awaitable[None]]
"""Serves one accepted socket, or refuses and closes it."""


async def accept(listener: socket.socket, tasks: Tasks, handle: Accepted) -> None:
    """Accept until cancelled, each connection handled by a task of its own.

    While too many are open, others wait in the kernel: a flood of them must not stop the rest of the server.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            if not _room(listener):
                await asyncio.sleep(_ACCEPT_PAUSE)
                continue
            sock, _ = await loop.sock_accept(listener)
        except OSError as error:
            _log.warning("front.accept", problem=error.strerror)
            await asyncio.sleep(_ACCEPT_PAUSE)
            continue
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            # asyncio does it only for sockets of its own making.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tasks.start(_guarded(handle, sock))


def _room(listener: socket.socket) -> bool:
    """Return whether another connection leaves enough descriptors: the next one is always the lowest that is free."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.dup(listener.fileno())
    os.close(probe)
    return most == resource.RLIM_INFINITY or probe < most - min(_KEPT_FILES, most // 4)


async def _guarded(handle: Accepted, sock: socket.socket) -> None:
    try:
        await handle(sock)
    except (OSError, TimeoutError):
        sock.close()
    except Exception as error:  # noqa: BLE001  the edge: one bad connection must not end the listener
        _log.error("front.connection", exc_info=error)
        sock.close()


async def _only_tls(scope: Scope, receive: Receive, send: Send) -> None:
    """Send whoever speaks in clear over a network to the same address over TLS, and tell nothing else."""
    given = [value for key, value in scope["headers"] if key == b"host"]
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    status = 400
    if len(given) == 1 and _AUTHORITY.fullmatch(given[0]):
        path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
        headers.append((b"location", b"https://" + given[0] + path + (b"?" + query if query else b"")))
        status = 308
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
