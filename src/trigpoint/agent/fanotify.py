"""The kernel's fanotify: who opens, reads and writes files through one mount. Needs root (man 7 fanotify)."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
import termios
from typing import Iterator

READ, WRITTEN, CLOSED_AFTER_WRITING, CLOSED = 0x01, 0x02, 0x08, 0x10
"""Bits of an event. CLOSED: a file that was not open for writing."""
OVERFLOW = 0x4000
_CLOSE_ON_EXEC, _DO_NOT_WAIT, _MARKS_WITHOUT_END = 0x01, 0x02, 0x20
_ADD, _WHOLE_MOUNT = 0x01, 0x10
_HEADER = struct.Struct("=IBBHQii")
"""Length, version, reserved, length of the header, bits, descriptor, pid."""
_AT_ONCE = 100
"""Events that are read, and files that are open for them, at one time."""
_MOST_LOST = 10_000
_AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)


class Group:
    """What one listener hears. Each method raises OSError where the kernel refuses."""

    def __init__(self) -> None:
        flags = _CLOSE_ON_EXEC | _DO_NOT_WAIT | _MARKS_WITHOUT_END  # the kernel bounds the queue, and says so
        # Without O_NONBLOCK, opening a file for its event would wait for whoever holds a lease of it.
        opening = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | getattr(os, "O_LARGEFILE", 0)
        self._fd = _check(_libc.fanotify_init(flags, opening))

    def fileno(self) -> int:
        """Return the descriptor that is readable while there are events."""
        return self._fd

    def listen(self, path: str) -> None:
        """Hear from now on of what happens to regular files through the mount that shows `path`."""
        bits = ctypes.c_uint64(READ | WRITTEN | CLOSED_AFTER_WRITING | CLOSED)
        _check(_libc.fanotify_mark(self._fd, _ADD | _WHOLE_MOUNT, bits, _AT_FDCWD, os.fsencode(path)))

    def events(self) -> Iterator[tuple[int, int]]:
        """Yield (bits, descriptor of the file) of what waits; descriptors belong to the caller.

        The descriptor is -1, and the bits are OVERFLOW, where something was lost.
        """
        lost = 0
        while self._waiting() and lost < _MOST_LOST:
            try:
                data = os.read(self._fd, _AT_ONCE * _HEADER.size)
            except OSError:  # a file that cannot be opened, or has a lease: its event is gone, the others wait
                lost += 1
                yield OVERFLOW, -1
                continue
            offset = 0
            while offset < len(data):
                length, _, _, _, bits, fd, _ = _HEADER.unpack_from(data, offset)
                offset += length
                yield bits, fd

    def _waiting(self) -> int:
        """Return how many bytes of events wait."""
        size = struct.pack("i", 0)
        return int(struct.unpack("i", fcntl.ioctl(self._fd, termios.FIONREAD, size))[0])

    def close(self) -> None:
        """Stop hearing."""
        with contextlib.suppress(OSError):
            os.close(self._fd)


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
