"""Where lines begin in the segments of a log, about every 64 KiB: from where a reader can start in the midst of one.

Frames of a segment can only be walked from its start, so that is done once per segment and remembered.
"""

import mmap
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from trigpoint.agent.protocol import frames
from trigpoint.core.clock import Micros

SPACING = 64 << 10
"""Bytes of a segment between two marks, at least."""
_REMEMBERED = 128
"""Segments; a full one has a thousand marks."""


class Mark(NamedTuple):
    """A place in a segment after the end of a line. No line before it is younger than `time`, none after it older."""

    time: Micros
    frame: int
    """Offset of a frame."""
    inner: int
    """Bytes of the frame's payload before the place."""


class _Known(NamedTuple):
    marks: tuple[Mark, ...]
    reached: int
    """Offset of the first frame that was not looked at."""


class Marks:
    """The marks of many segments. Thread-safe; two threads may look at the same segment at once, and find the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Path, _Known] = OrderedDict()

    def of(self, path: Path, data: bytes | mmap.mmap) -> tuple[Mark, ...]:
        """Return the marks of a segment, whose bytes up to now are `data`, in order of place."""
        with self._lock:
            known = self._known.get(path, _Known((), 0))
        found = _extended(known, data)
        with self._lock:
            self._known[path] = found
            self._known.move_to_end(path)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found.marks


def _extended(known: _Known, data: bytes | mmap.mmap) -> _Known:
    offset = known.reached
    last = known.marks[-1].frame + known.marks[-1].inner if known.marks else 0
    fresh: list[Mark] = []
    for stamp, start, end in frames(data, offset):
        place = max(start, last + SPACING)
        while place < end:
            newline = data.find(b"\n", place, end)
            if newline < 0:
                break
            last = newline + 1
            fresh.append(Mark(stamp, offset, last - start))
            place = last + SPACING
        offset = end
    return _Known((*known.marks, *fresh), offset) if offset != known.reached else known
