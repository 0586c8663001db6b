"""Connects to unix sockets wherever they lie: the kernel takes names of 107 bytes only, people have long paths."""

from __future__ import annotations

import os
import socket

_LONGEST = 100


def connect(path: str, timeout: float | None = None) -> socket.socket:
    """Return a connection to a unix stream socket; OSError when nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        if len(os.fsencode(path)) <= _LONGEST:
            connection.connect(path)
            return connection
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
        finally:
            os.close(folder)
    except OSError:
        connection.close()
        raise
    return connection
