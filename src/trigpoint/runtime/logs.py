"""Reads what replicas printed, from the segments that their agents append: by position, by time, and as it comes."""

import bisect
import heapq
import mmap
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trigpoint.agent.protocol import HEADER, STREAMS, frames, segment_name
from trigpoint.core.clock import Micros
from trigpoint.core.errors import InvalidArgument
from trigpoint.runtime import sentences
from trigpoint.runtime.marks import Mark, Marks

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
    start: _At
    end: _At


_BEGINNING = _At(0, 0, 0)


class LogReader:
    """The log of one replica, in the `logs` folder of its directory. Thread-safe; holds nothing open.

    Readers that share `marks` find places in the midst of long logs without walking to them again.
    """

    def __init__(self, directory: Path, marks: Marks | None = None) -> None:
        self._directory = directory
        self._marks = marks or Marks()

    def read(
        self, cursor: str = START, limit: int = 1000, ended: bool = False, enough: int = 1 << 62
    ) -> tuple[list[Line], str]:
        """Return at most `limit` lines after `cursor`, in order of time, and the cursor after them.

        A line without newline is held back until it is complete, or until `ended` says that nothing will follow.
        Fewer come once they have `enough` bytes, none only at the end. InvalidArgument for a cursor that is none.
        """
        places = parse(cursor)
        lines: list[Line] = []
        taken = 0
        for found in self._merged(places, ended):
            places[found.line.stream] = found.end
            lines.append(found.line)
            taken += len(found.line.data)
            if len(lines) >= limit or taken >= enough:
                break
        return lines, _format(places)

    def lines(self, cursor: str = START, until: str | None = None, ended: bool = False) -> Iterator[Line]:
        """Yield lines after `cursor` in order of time, those only that begin before `until` where it is given."""
        stops = parse(until) if until is not None else None
        for found in self._merged(parse(cursor), ended):
            if stops is None or found.start < stops.get(found.line.stream, _BEGINNING):
                yield found.line

    def lines_back(self, until: str, ended: bool = False) -> Iterator[Line]:
        """Yield the lines that begin before `until`, the youngest first; reads stretch by stretch."""
        stops = parse(until)
        sources = [self._back(stream, stop, ended) for stream, stop in stops.items()]
        return heapq.merge(*sources, key=_time, reverse=True)

    def at(self, instant: Micros) -> str:
        """Return the cursor before the first line that was still coming in at `instant`."""
        return _format({stream: self._seek(stream, instant)[0] for stream in STREAMS})

    def after(self, instant: Micros) -> str:
        """Return the cursor before which the lines begin that are no younger than `instant`."""
        return _format({stream: self._seek(stream, instant + 1)[1] for stream in STREAMS})

    def end(self, ended: bool = False) -> str:
        """Return the cursor after the last whole line; with `ended` also after one without newline."""
        return _format({stream: self._end(stream, ended) for stream in STREAMS})

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
        """Return the bytes that the log takes on disk; 0 before there is one."""
        try:
            with os.scandir(self._directory) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.name.endswith(".log"))
        except FileNotFoundError:
            return 0

    def _merged(self, places: dict[str, _At], ended: bool) -> Iterator[_Found]:
        walks = [self._walk(stream, places.get(stream, _BEGINNING), ended) for stream in STREAMS]
        return heapq.merge(*walks, key=lambda found: found.line.time)

    def _walk(self, stream: str, at: _At, ended: bool) -> Iterator[_Found]:
        """Yield a stream's lines from a place where one begins."""
        line = _Open(stream)
        for segment, data in self._segments(stream, at.segment):
            offset = at.frame if segment == at.segment else 0
            for stamp, start, end in frames(data, offset):
                begin = start + at.inner if (segment, offset) == at[:2] else start
                while begin < end:
                    stop = data.find(b"\n", begin, min(end, begin + line.room()))
                    taken = stop if stop >= 0 else min(end, begin + line.room())
                    after = stop + 1 if stop >= 0 else taken
                    line.add(data[begin:taken], stamp, segment, offset, begin - start)
                    if stop >= 0 or not line.room():
                        yield line.finish(stop >= 0, _At(segment, offset, after - start))
                    begin = after
                line.reached = _At(segment, offset, end - start)
                offset = end
        if ended and line.size:
            yield line.finish(True, line.reached)

    def _back(self, stream: str, stop: _At, ended: bool) -> Iterator[Line]:
        """Yield a stream's lines that begin before a place, the last first."""
        for start in self._starts(stream, stop):
            stretch = []
            for found in self._walk(stream, start, ended):
                if found.start >= stop:
                    break
                stretch.append(found.line)
            yield from reversed(stretch)
            stop = start

    def _starts(self, stream: str, stop: _At) -> Iterator[_At]:
        """Yield places before one where lines begin, the nearest first, down to the beginning of the stream."""
        for number in range(stop.segment, -1, -1):
            for mark in reversed(self._marks_of(stream, number)):
                place = _At(number, mark.frame, mark.inner)
                if place < stop:
                    yield place
        yield _BEGINNING

    def _marks_of(self, stream: str, number: int) -> tuple[Mark, ...]:
        path = self._path(stream, number)
        try:
            with open(path, "rb") as file:
                return self._marks.of(path, _map(file.fileno()))
        except FileNotFoundError:
            return ()

    def _segments(self, stream: str, first: int) -> Iterator[tuple[int, bytes | mmap.mmap]]:
        """Yield the segments from one on. One that is not the last is only passed once it is complete."""
        number, more = first, True
        while more:
            more = self._path(stream, number + 1).exists()  # before it is read: then nothing is added to this one
            try:
                with open(self._path(stream, number), "rb") as file:
                    yield number, _map(file.fileno())
            except FileNotFoundError:
                return
            number += 1

    def _seek(self, stream: str, instant: Micros) -> tuple[_At, _At]:
        """Return where the line begins that was coming in at an instant, and the first frame that is not older."""
        number = 0
        while self._first_time(stream, number + 1) < instant:
            number += 1
        line = reached = self._mark_before(stream, number, instant)
        for segment, data in self._segments(stream, line.segment):
            offset = line.frame if segment == line.segment else 0
            for stamp, start, end in frames(data, offset):
                if stamp >= instant:
                    return line, _At(segment, offset, 0)
                newline = data.rfind(b"\n", start, end)
                if newline >= 0:
                    line = _At(segment, offset, newline + 1 - start)
                reached = _At(segment, offset, end - start)
                offset = end
        return line, reached

    def _mark_before(self, stream: str, number: int, instant: Micros) -> _At:
        """Return a place where a line begins, all lines before which are older than an instant."""
        for segment in range(number, -1, -1):
            marks = self._marks_of(stream, segment)
            index = bisect.bisect_left(marks, instant, key=lambda mark: mark.time)
            if index:
                return _At(segment, marks[index - 1].frame, marks[index - 1].inner)
        return _BEGINNING

    def _end(self, stream: str, ended: bool) -> _At:
        number = 0
        while self._path(stream, number + 1).exists():
            number += 1
        place = next(iter(self._starts(stream, _At(number, 1 << 62, 0))))
        for found in self._walk(stream, place, ended):
            place = found.end
        return place

    def _first_time(self, stream: str, number: int) -> Micros:
        """Return the time of a segment's first frame; one of the far future where there is none."""
        try:
            with open(self._path(stream, number), "rb") as file:
                header = HEADER.match(file.read(64))
        except FileNotFoundError:
            header = None
        return int(header.group(1)) if header else 1 << 62

    def _path(self, stream: str, number: int) -> Path:
        return self._directory / segment_name(stream, number)


class _Open:
    """The line that is being put together from pieces of frames."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._parts: list[bytes] = []
        self._time = 0
        self._start = _BEGINNING
        self.size = 0
        self.reached = _BEGINNING

    def room(self) -> int:
        return MAX_LINE - self.size

    def add(self, data: bytes, stamp: Micros, segment: int, frame: int, inner: int) -> None:
        if not self._parts:
            self._time, self._start = stamp, _At(segment, frame, inner)
        self._parts.append(data)
        self.size += len(data)

    def finish(self, whole: bool, end: _At) -> _Found:
        start = self._start
        identity = f"{self._stream}-{start.segment}-{start.frame}-{start.inner}"
        line = Line(self._stream, self._time, b"".join(self._parts), whole, identity)
        self._parts, self.size = [], 0
        return _Found(line, start, end)


def _time(line: Line) -> Micros:
    return line.time


def _map(fd: int) -> bytes | mmap.mmap:
    try:
        return mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    except ValueError:  # an empty file cannot be mapped
        return b""


def _format(places: dict[str, _At]) -> str:
    return "_".join(f"{stream}-{at.segment}-{at.frame}-{at.inner}" for stream, at in places.items())


def parse(cursor: str) -> dict[str, _At]:
    """Return the place in each stream that a cursor stands for; InvalidArgument for one that is none."""
    places = {}
    for part in cursor.split("_") if cursor else ():
        stream, *numbers = part.split("-")
        if stream not in STREAMS or len(numbers) != 3 or not all(n.isdecimal() and len(n) < 16 for n in numbers):
            raise InvalidArgument(sentences.NO_POSITION)
        places[stream] = _At(*map(int, numbers))
    return places
