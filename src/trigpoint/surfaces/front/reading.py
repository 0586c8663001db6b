"""Reads the first bytes of an accepted socket without taking one too many; others decide who goes on with it.

What is left in the kernel's buffer is left for TLS or for the tunnel, so nothing that a client sends early is lost.
"""

import asyncio
import socket

_PEEK = 64 * 1024


class CutError(Exception):
    """The peer sent no such beginning: it closed, or sent too much before its end."""


async def readable(sock: socket.socket) -> None:
    """Return when there is something to read, or an end of stream."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock.fileno(), _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock.fileno())


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def until(sock: socket.socket, mark: bytes, limit: int) -> bytes:
    """Take bytes up to and including `mark`, at most `limit`; CutError when they do not come."""
    taken = b""
    while len(taken) < limit:
        await readable(sock)
        try:
            seen = sock.recv(min(_PEEK, limit - len(taken)), socket.MSG_PEEK)
        except BlockingIOError:
            continue
        if not seen:
            raise CutError
        start = max(0, len(taken) - len(mark) + 1)
        found = (taken + seen).find(mark, start)
        count = len(seen) if found < 0 else found + len(mark) - len(taken)
        taken += sock.recv(count)
        if found >= 0:
            return taken
    raise CutError


async def first_byte(sock: socket.socket) -> int:
    """Return the first byte without taking it; CutError when the peer closes first."""
    while True:
        await readable(sock)
        try:
            seen = sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            continue
        if not seen:
            raise CutError
        return seen[0]


async def send(sock: socket.socket, data: bytes) -> None:
    """Send all of it."""
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def drain(sock: socket.socket, seconds: float) -> None:
    """Read and forget for a moment: closing with unread bytes would reset the connection under our last words."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        while await loop.sock_recv(sock, _PEEK):
            pass
