"""Watches what a replica does to files below /gcs, through the mounts that only its programs have.

The kernel tells which file was opened, read or written, not how much of it: a file counts with its size, and how often
it was opened is the least that is true, for events of a moment are told together. Files and folders that are renamed
after they were written, as checkpoints are, count under their last names.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import threading
import time
from typing import Callable, Iterable

from . import fanotify
from .directory import now
from .files import Entry, Files
from .names import TOP, Identity, Names, identity_of
from .protocol import OPENED

_PAUSE, _SOON, _LATER = 20, 200, 1000
"""Milliseconds between two looks: while much happens (the kernel's queue must not fill), while there is something to
tell or new files get their names, and while folders may get others."""
_TELL = 0.15
"""Seconds between two times that news are told."""


class Watch:
    """Hears of the files of one replica. Thread-safe; it does nothing before the first `add`."""

    def __init__(self) -> None:
        self.tell: Callable[[], None] = lambda: None
        """Called, on a thread of the watch, when there is news."""
        self.complete = True
        """Whether all was heard that was to be."""
        self._lock = threading.Lock()
        self._files = Files()
        self._names = Names(self._files)
        self._group: fanotify.Group | None = None
        self._spaces: list[int] = []
        self._reading: set[Identity] = set()
        self._writing: set[Identity] = set()
        self._over, self._end = os.pipe()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def add(self, pid: int, buckets: Iterable[str]) -> None:
        """Hear of what happens below /gcs in the mounts of a process, whose program has not begun yet."""
        group = self._group
        try:
            group = group or fanotify.Group()
            for bucket in buckets:
                group.listen(f"/proc/{pid}/root{TOP}{bucket}")
            self._spaces.append(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC))  # names outlive programs
            with self._lock:
                self._names.root = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_CLOEXEC)
                self._spaces.append(self._names.root)
        except OSError:
            self.complete = False
            if group is not None and group is not self._group:
                group.close()
            return
        if self._group is None:
            self._group = group
            self._thread.start()

    def news(self) -> list[Entry]:
        """Return what changed since the last call."""
        with self._lock:
            return self._files.news()

    def all(self) -> list[Entry]:
        """Return everything that is known."""
        with self._lock:
            return self._files.all()

    def finish(self) -> None:
        """Take up the last of it, once no program lives any more."""
        os.close(self._end)
        if self._group is not None:
            self._thread.join()
            with self._lock:
                self._take(self._group)
                self._names.settle(float("inf"))
                self._names.close()
            self._group.close()
        for fd in (*self._spaces, self._over):
            os.close(fd)

    def _run(self) -> None:
        assert self._group is not None
        over, both = select.poll(), select.poll()
        over.register(self._over, select.POLLHUP)
        for fd in (self._over, self._group.fileno()):
            both.register(fd, select.POLLIN)
        pause: int | None = None
        told = 0.0
        while not over.poll(_PAUSE):
            both.poll(pause)
            moment = time.monotonic()
            with self._lock:
                self._take(self._group)
                self._names.settle(moment)
                changed = self._files.changed
                pause = _SOON if changed or self._names.holding else _LATER if self._names.following else None
            if changed and moment - told >= _TELL:
                told = moment
                self.tell()

    def _take(self, group: fanotify.Group) -> None:
        for bits, fd in group.events():
            if fd < 0:
                self.complete = self.complete and not bits & fanotify.OVERFLOW
                continue
            kept = False
            with contextlib.suppress(OSError):
                kept = self._hear(bits, fd)
            if not kept:
                os.close(fd)

    def _hear(self, bits: int, fd: int) -> bool:
        """Take one event; return whether its descriptor is kept."""
        look, name = os.fstat(fd), self._names.of(fd)
        if not stat.S_ISREG(look.st_mode):
            return False
        identity = identity_of(fd, look)
        kept = bool(name) and self._note(bits, fd, name, identity, look.st_size)
        if bits & fanotify.CLOSED_AFTER_WRITING:
            self._writing.discard(identity)
        if bits & (fanotify.CLOSED | fanotify.CLOSED_AFTER_WRITING):
            self._reading.discard(identity)
        return kept

    def _note(self, bits: int, fd: int, name: str, identity: Identity, size: int) -> bool:
        if bits & (fanotify.READ | fanotify.CLOSED):
            opens = _began(self._reading, identity)
            self._files.touch(OPENED, name, identity, size, now(), opens)
        if bits & (fanotify.WRITTEN | fanotify.CLOSED_AFTER_WRITING):
            return self._names.hold(identity, fd, name, _began(self._writing, identity))
        return False


def _began(known: set[Identity], identity: Identity) -> int:
    """Return 1 when this is the first that is heard of an open file, else 0; it is known from then on."""
    if identity in known:
        return 0
    known.add(identity)
    return 1
