"""The doors of single replicas: a unix socket whose path is the identity, and a metadata port for plain processes."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from trigpoint.surfaces.front import reading
from trigpoint.surfaces.front.hosts import App
from trigpoint.surfaces.front.proxy import Proxy
from trigpoint.surfaces.front.serving import Server, accept

_LINE_SECONDS = 15.0
_MAX_LINE = 16
_TRIES = 64


@dataclass
class _Doors:
    listeners: list[socket.socket] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)


class Replicas:
    """Opens and closes them. What comes through a door carries its identity: `wire.REPLICA`, `RpcCall.replica`."""

    def __init__(self, server: Server, metadata: App | None, proxy: Proxy) -> None:
        self._server, self._metadata, self._proxy = server, metadata, proxy
        self._doors: dict[str, _Doors] = {}

    async def open(self, path: Path, identity: str, *, outbound: bool) -> None:
        """Listen at `path`, in place of whatever was there. The first line of a connection says what the relay spliced:
        `metadata`, `tls`, or `proxy` when the replica may reach the internet through us. `plain` is the agent itself,
        asking what `tls` answers: nothing lies between us that TLS would protect it from."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        _bind(listener, path)

        async def handle(sock: socket.socket) -> None:
            await self._serve(sock, identity, outbound)

        self._listen(listener, identity, handle).paths.append(path)

    async def open_metadata(self, identity: str, at: tuple[str, int] | None = None) -> tuple[str, int]:
        """Listen for plain HTTP at an unguessable loopback address and port, or at a given one, and return it."""
        app = self._metadata
        if app is None:
            raise LookupError("no metadata app was handed in")
        listener = _random_loopback() if at is None else socket.create_server(at)
        host, port = listener.getsockname()

        async def handle(sock: socket.socket) -> None:
            await self._server.plain(sock, replica=identity, app=app)

        self._listen(listener, identity, handle)
        return host, port

    def names(self) -> list[str]:
        """Return the identities that have doors open."""
        return list(self._doors)

    async def close(self, identity: str) -> None:
        """Close every door of a replica and remove the folder that it was in, if nothing else is there.

        Closing one that is not open does nothing. Connections under way go on.
        """
        doors = self._doors.pop(identity, None)
        if doors is None:
            return
        for task in doors.tasks:
            task.cancel()
        await asyncio.gather(*doors.tasks, return_exceptions=True)
        for listener in doors.listeners:
            listener.close()
        for path in doors.paths:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()

    async def stop(self) -> None:
        """Close all."""
        for identity in list(self._doors):
            await self.close(identity)

    def _listen(
        self, listener: socket.socket, identity: str, handle: Callable[[socket.socket], Awaitable[None]]
    ) -> _Doors:
        listener.listen(128)
        listener.setblocking(False)
        doors = self._doors.setdefault(identity, _Doors())
        doors.listeners.append(listener)
        doors.tasks.append(self._server.tasks.start(accept(listener, self._server.tasks, handle)))
        return doors

    async def _serve(self, sock: socket.socket, identity: str, outbound: bool) -> None:
        try:
            async with asyncio.timeout(_LINE_SECONDS):
                line = await reading.until(sock, b"\n", _MAX_LINE)
        except reading.CutError:
            sock.close()
            return
        if line == b"tls\n":
            await self._server.tls(sock, identity)
        elif line == b"plain\n":
            await self._server.plain(sock, replica=identity)
        elif line == b"metadata\n" and self._metadata is not None:
            await self._server.plain(sock, replica=identity, app=self._metadata)
        elif line == b"proxy\n" and outbound:
            await self._proxy.serve(sock, identity)
        else:
            sock.close()


def _bind(listener: socket.socket, path: Path) -> None:
    """Bind in place of what is there; a unix address holds 107 bytes, so a long path is bound through its folder."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if len(str(path).encode()) < 100:
        listener.bind(str(path))
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def _random_loopback() -> socket.socket:
    """Return a socket bound to a random address of 127.0.0.0/8 where the system has them all, else 127.0.0.1."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            listener.bind(
                (f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}", 0)
            )
            return listener
    listener.bind(("127.0.0.1", 0))
    return listener
