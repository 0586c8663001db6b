"""The attempt's directory from the agent's side: the claim, the status, the spool; durability against kill -9."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import time
from dataclasses import asdict, replace
from typing import Any

from . import protocol, tree


def now() -> int:
    """Return microseconds since the epoch."""
    return time.time_ns() // 1000


class Directory:
    """One replica's directory, claimed by this process as long as it lives. Not thread-safe, except `note`."""

    def __init__(self, path: str, lock: int, status: protocol.Status) -> None:
        self.path = path
        self._lock = lock
        self.status = status
        self._spool = os.open(self.file("spool.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def file(self, *parts: str) -> str:
        """Return a path in the directory."""
        return os.path.join(self.path, *parts)

    def save(self, durably: bool = True, **changes: Any) -> None:
        """Change the status and write it down; when this returns, it survives the death of any process.

        With `durably` false the next change writes it.
        """
        state = changes.get("state", self.status.state)
        times = {**self.status.times}
        if state != self.status.state or not times:
            times[state] = now()
        self.status = replace(self.status, times=times, **changes)
        if durably:
            write_atomically(self.file("status.json"), protocol.dump(self.status))

    def spool(self, report: protocol.Report) -> None:
        """Append a report to the spool. On a full disk there is none: it matters only if this process dies."""
        line = json.dumps(asdict(report), separators=(",", ":")).encode() + b"\n"
        with contextlib.suppress(OSError):
            size = os.fstat(self._spool).st_size
            if os.write(self._spool, line) < len(line):  # the next one would be taken for its end
                os.ftruncate(self._spool, size)

    def removed(self) -> bool:
        """Return whether somebody has taken the directory away."""
        return not os.path.exists(self.file("status.json"))

    def release(self) -> None:
        """Give up the claim; the process is about to end."""
        os.close(self._lock)


def claim(path: str, quiet: bool = False) -> Directory | None:
    """Take the directory for this process; None when another living agent has it.

    The status that comes with it is CLAIMED, unless an earlier agent got further: then it keeps that state.
    `quiet` takes the lock and writes nothing.
    """
    lock = _lock(os.path.join(path, "lock"))
    if lock is None:
        return None
    before = _status(os.path.join(path, "status.json"))
    status = replace(
        before or protocol.Status(protocol.CLAIMED, 0),
        fence=(before.fence if before else 0) + 1,
        pid=os.getpid(),
        started=tree.started(os.getpid()),
        boot=tree.boot_id(),
    )
    if status.state == protocol.PREPARED:
        status = replace(status, state=protocol.CLAIMED)
    directory = Directory(path, lock, status)
    if not quiet:
        directory.save()
    return directory


def write_atomically(path: str, data: bytes) -> None:
    """Replace a file in one step; readers see the old or the new content."""
    temporary = path + ".new"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        while data:
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)
    os.replace(temporary, path)


def remove(path: str) -> None:
    """Remove a folder that strangers wrote into, however deep and full; nothing happens when it is not there.

    Python's rmtree calls itself for every level and gives up at a thousand.
    """
    command = ["rm", "-rf", "--one-file-system", "--", path]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def spooled(path: str) -> list[protocol.Report]:
    """Return the reports of a spool; a torn last line is left out."""
    reports = []
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        for line in file:
            with contextlib.suppress(ValueError):
                reports.append(protocol.load_report(json.loads(line)))
    return reports


def _lock(path: str) -> int | None:
    """Return a descriptor that holds the lock, trying for 0.2 s: an observer may hold it for an instant."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(20):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return fd
    os.close(fd)
    return None


def _status(path: str) -> protocol.Status | None:
    try:
        with open(path, "rb") as file:
            return protocol.load_status(file.read())
    except (FileNotFoundError, ValueError):
        return None
