"""Writes what a program prints to segments, byte for byte, and keeps the end of stderr; readers live elsewhere."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from typing import Callable, Mapping, Protocol

from . import protocol

_CHUNK = 1 << 18
_TAIL = 16 << 10


class LogWriter:
    """The segments of one replica. Thread-safe. At most `limit` bytes are kept, then one line says so.

    Every write is stamped after the one before, however the machine's clock steps: readers order lines by stamps.
    """

    def __init__(self, directory: str, limit: int, moved: Callable[[], None]) -> None:
        os.makedirs(directory, exist_ok=True)
        self._directory = directory
        self._limit = limit
        self._moved = moved
        self._lock = threading.Lock()
        self._files: dict[str, _Segments] = {}
        self._full = False
        self._tail = b""
        self._stamp = 0
        self._lost = 0
        self.bytes: dict[str, int] = {}
        """Payload bytes so far, by stream."""
        self._lines: dict[str, int] = {}
        self._begun: set[str] = set()
        """Streams whose last line has no end yet."""

    def write(self, stream: str, data: bytes) -> None:
        """Append bytes, stamped with the present time. A full disk loses them, and nothing else; the log says so."""
        with self._lock:
            if stream == protocol.STDERR:
                self._tail = (self._tail + data)[-_TAIL:]
            if self._full or not data:
                return
            if sum(self.bytes.values()) + len(data) > self._limit > 0:
                self._full = True
                stream, data = protocol.RUNNER, b"The log has reached its limit; later output is not kept.\n"
            self._append(stream, data)
            if self._lost:
                self._confess()
        self._moved()

    def line(self, text: str) -> None:
        """Append one line of the runner's own."""
        self.write(protocol.RUNNER, text.encode("utf-8", "surrogateescape") + b"\n")

    def tail(self) -> str:
        """Return the end of stderr, from the start of a line where that is near."""
        text = self._tail.decode("utf-8", "replace")
        return text if len(self._tail) < _TAIL else text[text.find("\n") + 1 :]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return bytes and whole lines so far, by stream, as reports carry them; once closed, the last line counts."""
        with self._lock:
            return {"logs": dict(self.bytes), "lines": dict(self._lines)}

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for stream in self._begun:
                self._lines[stream] = self._lines.get(stream, 0) + 1
            self._begun.clear()
            for segments in self._files.values():
                segments.close()
            self._files.clear()

    def _append(self, stream: str, data: bytes) -> None:
        segments = self._files.get(stream)
        if segments is None:
            segments = self._files[stream] = _Segments(self._directory, stream)
        self._stamp = max(self._stamp + 1, time.time_ns() // 1000)
        for start in range(0, len(data), protocol.MAX_FRAME):
            part = data[start : start + protocol.MAX_FRAME]
            if segments.append(self._stamp, part):
                self._count(stream, part)
            else:
                self._lost += len(part)

    def _confess(self) -> None:
        """Say in the log what it lacks, as soon as it takes that much."""
        lost = self._lost
        self._append(protocol.RUNNER, b"%d bytes of output are missing here: they could not be written.\n" % lost)
        self._lost = 0 if self._lost == lost else lost

    def _count(self, stream: str, part: bytes) -> None:
        self.bytes[stream] = self.bytes.get(stream, 0) + len(part)
        self._lines[stream] = self._lines.get(stream, 0) + part.count(b"\n")
        if part.endswith(b"\n"):
            self._begun.discard(stream)
        else:
            self._begun.add(stream)


class _Segments:
    """The files of one stream."""

    def __init__(self, directory: str, stream: str) -> None:
        self._directory, self._stream = directory, stream
        numbers = [int(n.split(".")[1]) for n in os.listdir(directory) if n.startswith(stream + ".")]
        self._number = max(numbers, default=-1)
        self._fd = -1
        self._size = protocol.SEGMENT_BYTES

    def append(self, stamp: int, data: bytes) -> bool:
        header = protocol.frame(stamp, len(data))
        try:
            if self._size >= protocol.SEGMENT_BYTES:
                self._next()
            written = os.writev(self._fd, (header, data))
        except OSError:
            return False
        whole = written == len(header) + len(data)
        if whole:
            self._size += written
        else:  # the disk is full: a torn frame would hide all that follows it
            os.ftruncate(self._fd, self._size)
        return whole

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def _next(self) -> None:
        path = os.path.join(self._directory, protocol.segment_name(self._stream, self._number + 1))
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.close()
        self._number, self._fd, self._size = self._number + 1, opened, 0


class Sink(Protocol):
    """Where a pump brings what it reads."""

    def write(self, stream: str, data: bytes) -> None:
        """Take bytes of a stream."""


class Pump(threading.Thread):
    """Moves what comes out of pipes into the log until every pipe is closed, or `finish` loses patience."""

    def __init__(self, log: Sink, pipes: Mapping[int, str]) -> None:
        super().__init__(name="pump", daemon=True)
        self._log = log
        self._pipes = dict(pipes)
        self._deadline = float("inf")

    def run(self) -> None:
        """Read chunks in the order of their arrival."""
        poll = select.poll()
        for fd in self._pipes:
            poll.register(fd, select.POLLIN | select.POLLHUP)
        while self._pipes and time.monotonic() < self._deadline:
            for fd, _ in poll.poll(200):
                data = os.read(fd, _CHUNK)
                if data:
                    self._log.write(self._pipes[fd], data)
                else:
                    poll.unregister(fd)
                    os.close(fd)
                    del self._pipes[fd]

    def finish(self, seconds: float) -> None:
        """Wait for the last bytes, but not for ever: a process that left the tree may hold a pipe open."""
        self._deadline = time.monotonic() + seconds
        self.join()
        for fd in self._pipes:
            os.close(fd)


_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning|Iteration|\w*)(:.*)?$")


def cause(tail: str) -> str:
    """Return the line of stderr that says best why the program failed: the traceback's last one, else the last."""
    lines = [line.rstrip() for line in tail.splitlines()]
    found = ""
    inside = False
    for line in lines:
        if line.startswith("Traceback (most recent call last)"):
            inside = True
        elif inside and line and not line[0].isspace():
            inside = False
            if _EXCEPTION.match(line):
                found = line
    return (found or next((line for line in reversed(lines) if line.strip()), ""))[:1000]
