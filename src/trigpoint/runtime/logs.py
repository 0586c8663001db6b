"""Reads what replicas printed, from the segments that their agents append: by position, by time, and as it comes."""

import mmap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trigpoint.agent.protocol import HEADER, STREAMS, frames, segment_name
from trigpoint.core.clock import Micros
from trigpoint.core.errors import InvalidArgument

MAX_LINE = 256 << 10
"""Longer lines come in pieces of this many bytes (the largest entry of Cloud Logging)."""

START = ""
"""The cursor before the first line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or a piece of one that is too long."""

    stream: str
    time: Micros
    """When its first byte was read from the program."""
    data: bytes
    """Without its newline; exactly the program's bytes, which may be no valid UTF-8."""
    whole: bool
    """False for a piece that the next line of the stream continues."""
    id: str
    """Unique within the replica and the same at every reading."""


class _At(NamedTuple):
    """A place in a stream: segment, offset of a frame in it, bytes of the frame's payload before the place."""

    segment: int
    frame: int
    inner: int


class _Found(NamedTuple):
    line: Line
    end: _At


class _Bounds(NamedTuple):
    """Where reading a stream stops, once either is reached."""

    lines: int
    bytes: int


class LogReader:
    """The log of one replica, in the `logs` folder of its directory. Thread-safe; holds nothing open."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(
        self, cursor: str = START, limit: int = 1000, ended: bool = False, enough: int = 1 << 62
    ) -> tuple[list[Line], str]:
        """Return at most `limit` lines after `cursor`, in order of time, and the cursor after them; none at the end.

        No more lines of a stream are read once they have `enough` bytes. A line without newline is held back until it
        is complete, or until `ended` says that nothing will follow. InvalidArgument for a cursor that is none.
        """
        places = _parse(cursor)
        found: list[_Found] = []
        horizon: Micros = 1 << 62
        for stream in STREAMS:
            lines, whole = self._lines(stream, places.get(stream, _At(0, 0, 0)), _Bounds(limit, enough), ended)
            found += lines
            if not whole:  # what other streams have later than this comes later, too
                horizon = min(horizon, lines[-1].line.time)
        found.sort(key=lambda f: f.line.time)
        taken = [each for each in found if each.line.time <= horizon][:limit]
        for each in taken:
            places[each.line.stream] = each.end
        return [each.line for each in taken], _format(places)

    def at(self, instant: Micros) -> str:
        """Return the cursor before the first line that was still coming in at `instant`."""
        return _format({stream: self._seek(stream, instant) for stream in STREAMS})

    def follow(self, cursor: str, ended: Callable[[], bool], longest_pause: float = 0.1) -> Iterator[Line]:
        """Yield lines as they come, until `ended` and nothing is left. Looks every 2 ms at first, then less often."""
        pause = 0.002
        while True:
            last = ended()
            lines, cursor = self.read(cursor, ended=last)
            yield from lines
            if lines:
                pause = 0.002
            elif last:
                return
            else:
                time.sleep(pause)
                pause = min(pause * 1.5, longest_pause)

    def size(self) -> int:
        """Return the bytes that the log takes on disk."""
        return sum(path.stat().st_size for path in self._directory.glob("*.log"))

    def _lines(self, stream: str, at: _At, bounds: "_Bounds", ended: bool) -> tuple[list[_Found], bool]:
        """Return lines of one stream from a place on, and whether they are all that there are."""
        found: list[_Found] = []
        size = 0
        open_line = _Open(stream, found)
        for segment, data in self._segments(stream, at.segment):
            offset = at.frame if segment == at.segment else 0
            for stamp, start, end in frames(data, offset):
                begin = start + at.inner if (segment, offset) == at[:2] else start
                place = _At(segment, offset, 0)
                while begin < end:
                    stop = data.find(b"\n", begin, min(end, begin + open_line.room()))
                    taken = stop if stop >= 0 else min(end, begin + open_line.room())
                    after = stop + 1 if stop >= 0 else taken
                    open_line.add(data[begin:taken], stamp, place._replace(inner=begin - start))
                    if stop >= 0 or not open_line.room():
                        size += len(open_line.data)
                        open_line.finish(stop >= 0, place._replace(inner=after - start))
                        if len(found) >= bounds.lines or size >= bounds.bytes:
                            return found, False
                    begin = after
                open_line.reached = place._replace(inner=end - start)
                offset = end
        if ended and open_line.data:
            open_line.finish(True, open_line.reached)
        return found, True

    def _segments(self, stream: str, first: int) -> Iterator[tuple[int, bytes | mmap.mmap]]:
        number = first
        while True:
            try:
                with open(self._directory / segment_name(stream, number), "rb") as file:
                    yield number, _map(file.fileno())
            except FileNotFoundError:
                return
            number += 1

    def _seek(self, stream: str, instant: Micros) -> _At:
        number = 0
        while self._first_time(stream, number + 1) < instant:
            number += 1
        line = _At(number, 0, 0)
        for segment, data in self._segments(stream, number):
            offset = 0
            for stamp, start, end in frames(data):
                if stamp >= instant:
                    return line
                newline = data.rfind(b"\n", start, end)
                if newline >= 0:
                    line = _At(segment, offset, newline + 1 - start)
                offset = end
        return line

    def _first_time(self, stream: str, number: int) -> Micros:
        """Return the time of a segment's first frame; one of the far future where there is none."""
        try:
            with open(self._directory / segment_name(stream, number), "rb") as file:
                header = HEADER.match(file.read(64))
        except FileNotFoundError:
            header = None
        return int(header.group(1)) if header else 1 << 62


class _Open:
    """The line that is being put together from pieces of frames."""

    def __init__(self, stream: str, found: list[_Found]) -> None:
        self._stream = stream
        self._found = found
        self.data = bytearray()
        self._time = 0
        self._start: _At | None = None
        self.reached = _At(0, 0, 0)

    def room(self) -> int:
        return MAX_LINE - len(self.data)

    def add(self, data: bytes, stamp: Micros, place: _At) -> None:
        if self._start is None:
            self._time, self._start = stamp, place
        self.data += data

    def finish(self, whole: bool, end: _At) -> None:
        start = self._start or end
        identity = f"{self._stream}-{start.segment}-{start.frame}-{start.inner}"
        self._found.append(_Found(Line(self._stream, self._time, bytes(self.data), whole, identity), end))
        self.data, self._start = bytearray(), None


def _map(fd: int) -> bytes | mmap.mmap:
    try:
        return mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    except ValueError:  # an empty file cannot be mapped
        return b""


def _format(places: dict[str, _At]) -> str:
    return "_".join(f"{stream}-{at.segment}-{at.frame}-{at.inner}" for stream, at in places.items())


def _parse(cursor: str) -> dict[str, _At]:
    places = {}
    for part in cursor.split("_") if cursor else ():
        stream, *numbers = part.split("-")
        if stream not in STREAMS or len(numbers) != 3 or not all(n.isdecimal() and len(n) < 16 for n in numbers):
            raise InvalidArgument("the position in the log is not one that this server gave out")
        places[stream] = _At(*map(int, numbers))
    return places
