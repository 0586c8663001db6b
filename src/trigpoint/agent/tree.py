"""Processes of this machine by /proc: who descends from whom, who carries our mark, and their end."""

from __future__ import annotations

import os
import signal
import time
from typing import Iterator, NamedTuple

from .protocol import MARK


class Process(NamedTuple):
    """One process. `started` is in clock ticks since boot: with it a pid is never confused with a later one."""

    pid: int
    parent: int
    started: int
    cpu_ticks: int
    resident_pages: int


def process(pid: int) -> Process | None:
    """Return a process, or None when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    words = text[text.rindex(b")") + 2 :].split()
    if words[0] in (b"Z", b"X"):
        return None
    return Process(pid, int(words[1]), int(words[19]), sum(map(int, words[11:15])), int(words[21]))


def started(pid: int) -> int:
    """Return the start time of a living process, or 0."""
    found = process(pid)
    return found.started if found else 0


def alive(pid: int, start: int) -> bool:
    """Return whether this very process still runs."""
    return start > 0 and started(pid) == start


def boot_id() -> str:
    """Return an id of this boot of the machine; empty where there is none."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


def descendants(root: int) -> list[Process]:
    """Return the living descendants of `root`, parents before children."""
    children: dict[int, list[Process]] = {}
    for pid in _pids():
        found = process(pid)
        if found:
            children.setdefault(found.parent, []).append(found)
    result, queue = [], [root]
    while queue:
        for child in children.get(queue.pop(), ()):
            result.append(child)
            queue.append(child.pid)
    return result


def marked(mark: str) -> list[Process]:
    """Return the living processes whose environment says `MARK=mark`, or, when `mark` ends in a slash, begins so."""
    wanted = f"{MARK}={mark}".encode()
    result = []
    for pid in _pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:
            continue
        if any(v == wanted or (wanted.endswith(b"/") and v.startswith(wanted)) for v in variables):
            found = process(pid)
            if found:
                result.append(found)
    return result


def kill_descendants(root: int, seconds: float = 5.0) -> bool:
    """KILL every descendant of `root` until none is left; False when some outlive `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        left = descendants(root)
        if not left:
            return True
        for found in left:
            send(found.pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)


def kill_marked(mark: str, seconds: float = 5.0) -> int:
    """KILL every process that carries `mark` (see `marked`); return how many there were at first."""
    first = marked(mark)
    left, deadline = first, time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        for found in left:
            send(found.pid, signal.SIGKILL)
        time.sleep(0.005)
        left = marked(mark)
    return len(first)


def send(pid: int, number: int) -> bool:
    """Send a signal; False when there is no such process."""
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _pids() -> Iterator[int]:
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            yield int(name)
