"""A process that has loaded the agent already and forks one per request; it ends with the server that started it."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from typing import NamedTuple

from . import main, users


class _Spare(NamedTuple):
    """A forked process that waits for the path of a directory."""

    pid: int
    orders: int


def serve(fd: int, spares: int) -> None:
    """Serve requests on a connected stream socket until its other end is closed.

    A request is a directory's path and a newline; the answer is the new agent's pid and a newline. Agents leave the
    session of the nursery and survive it. `spares` of them are forked, and have a user, before anybody asks.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # agents are nobody's zombies
    gc.freeze()
    waiting: list[_Spare] = []
    with socket.socket(fileno=fd) as requests:
        data = b""
        while True:
            while len(waiting) < spares:
                waiting.append(_spare(requests, waiting))
            more = requests.recv(65536)
            if not more:
                return
            data += more
            while b"\n" in data:
                path, _, data = data.partition(b"\n")
                requests.sendall(b"%d\n" % (_order(waiting, path) or _fork(requests, waiting, path)))


def _order(waiting: list[_Spare], path: bytes) -> int:
    """Hand a directory to a spare; return its pid, or 0 when there is none."""
    while waiting:
        spare = waiting.pop(0)
        try:
            os.write(spare.orders, path)
        except OSError:  # it died
            continue
        finally:
            os.close(spare.orders)
        return spare.pid
    return 0


def _fork(requests: socket.socket, waiting: list[_Spare], path: bytes) -> int:
    pid = os.fork()
    if pid == 0:
        _let_go(requests, waiting)
        _become_agent(path)
    return pid


def _spare(requests: socket.socket, waiting: list[_Spare]) -> _Spare:
    orders, order = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(order)
        _let_go(requests, waiting)
        with contextlib.suppress(OSError):
            users.prepare()
        path = os.read(orders, 65536)
        os.close(orders)
        if path:
            _become_agent(path)
        os._exit(0)
    os.close(orders)
    return _Spare(pid, order)


def _let_go(requests: socket.socket, waiting: list[_Spare]) -> None:
    """Close what belongs to the nursery, so that its end is seen by the spares; be nobody's part."""
    requests.close()
    for spare in waiting:
        os.close(spare.orders)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _become_agent(path: bytes) -> None:
    code = 1
    try:
        code = main.lead(os.fsdecode(path))
    finally:
        sys.stdout.flush()
        os._exit(code)
