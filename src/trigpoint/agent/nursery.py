"""A process that has loaded the agent already and forks one per request; it ends with the server that started it."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys

from . import main


def serve(fd: int) -> None:
    """Serve requests on a connected stream socket until its other end is closed.

    A request is a directory's path and a newline; the answer is the new agent's pid and a newline. Agents leave the
    session of the nursery and survive it.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # agents are nobody's zombies
    gc.freeze()
    with socket.socket(fileno=fd) as requests:
        data = b""
        while True:
            more = requests.recv(65536)
            if not more:
                return
            data += more
            while b"\n" in data:
                path, _, data = data.partition(b"\n")
                pid = os.fork()
                if pid == 0:
                    _become_agent(requests, os.fsdecode(path))
                requests.sendall(b"%d\n" % pid)


def _become_agent(requests: socket.socket, path: str) -> None:
    code = 1
    try:
        requests.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        code = main.lead(path)
    finally:
        sys.stdout.flush()
        os._exit(code)
