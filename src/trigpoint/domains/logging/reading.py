"""A job's log as somebody reads it: pages in both directions from any place, and what comes next, without gap.

Pages are placed by the order of entries. Who follows holds a place in each stream instead, for a line that began
before others may be complete after them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trigpoint.core.clock import Micros
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.names import id_of, project_of
from trigpoint.domains.logging import sentences
from trigpoint.domains.logging.filters import SEVERITIES
from trigpoint.domains.logging.streams import SERVICE, Entry, Stream, Streams
from trigpoint.runtime.logs import START, parse

MOST_BYTES = 4 << 20
"""Of text in one page or one look, about."""
MOST_LOOKED_AT = 50_000
"""Entries that one page looks at in search of some that fit; the next goes on from there."""
_AT_ONCE = 1000
_OVER = "."
"""The place in a stream that has ended and was read to its end."""
_CURSOR = re.compile(r"([\w-]+/[\w-]+):(\.|[\w-]*)", re.ASCII)
_SEQ = re.compile(r"\d{1,18}", re.ASCII)
"""A number of the narrative."""

Place = tuple[Micros, str]
"""Time and id of an entry."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries of a job's log are wanted."""

    job: str
    """Full name, with the project's number."""
    task: str = ""
    severity: str = ""
    """The least."""
    search: str = ""
    """Text that the entry holds, in any case."""
    mask: Callable[[str], str] = str
    """Keeps back what the reader may not know of what the service says, command lines among it."""

    def __post_init__(self) -> None:
        if self.severity and self.severity not in SEVERITIES:
            raise InvalidArgument(
                violations=[Violation("severity", sentences.NO_SEVERITY.format(severities=", ".join(SEVERITIES)))]
            )

    def fits(self, entry: Entry) -> bool:
        """Return whether an entry is wanted, apart from its task."""
        if self.severity and SEVERITIES.index(entry.severity) < SEVERITIES.index(self.severity):
            return False
        return not self.search or self.search.casefold() in self.text_of(entry).casefold()

    def text_of(self, entry: Entry) -> str:
        """Return what the reader may know of an entry."""
        return entry.text if entry.printed else self.mask(entry.text)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries in their order, and where to go on."""

    entries: Sequence[Entry]
    older: Place | None
    """What is before this place precedes the page; None at the beginning of the log."""
    newer: Place | None
    """What is after this place follows the page; None at the end."""
    follow: str
    """At the end: the cursor from which `Following` goes on; empty elsewhere."""


class Reading:
    """Reads for pages. Thread-safe."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def newest(self, choice: Choice, limit: int) -> Page:
        """Return the end of the log."""
        streams = self._find(choice)
        ends = self._streams.ends(streams)
        found, older = _taken(choice, self._streams.entries_back(streams, None, ends), limit)
        return Page(found[::-1], older, None, _cursor(streams, ends))

    def before(self, choice: Choice, place: Place, limit: int) -> Page:
        """Return the entries that precede a place."""
        entries = self._streams.entries_back(self._find(choice), place[0])
        found, older = _taken(choice, (one for one in entries if one[:2] < place), limit)
        return Page(found[::-1], older, found[0][:2] if found else place, "")

    def after(self, choice: Choice, place: Place, limit: int) -> Page:
        """Return the entries that follow a place: that of an entry, or an instant with an empty id."""
        streams = self._find(choice)
        ends = self._streams.ends(streams)
        entries = self._streams.entries(streams, place[0], ends)
        found, newer = _taken(choice, (one for one in entries if one[:2] > place), limit)
        return Page(found, found[0][:2] if found else place, newer, "" if newer else _cursor(streams, ends))

    def follow(self, choice: Choice, cursor: str) -> "Following":
        """Return what goes on from a cursor; an empty one is the beginning. InvalidArgument for one that is none."""
        return Following(self._streams, choice, _read(cursor))

    def _find(self, choice: Choice) -> list[Stream]:
        return self._streams.find(project_of(choice.job), id_of(choice.job), choice.task)


class Following:
    """One who follows a job's log. For one thread at a time; reads only what has grown."""

    def __init__(self, streams: Streams, choice: Choice, places: Mapping[str, str]) -> None:
        self._streams, self._choice = streams, choice
        self._places = dict(places)
        self._living: dict[str, Stream] = {}
        self._sizes: dict[str, int] = {}
        self._news = True

    @property
    def cursor(self) -> str:
        """Return what a later `Reading.follow` goes on from."""
        return _written(self._places)

    @property
    def quiet(self) -> bool:
        """Return whether nothing follows unless the job changes."""
        return not self._living

    def changed(self) -> None:
        """Say that something was committed of the job: it may have more streams, and the service may have said more."""
        self._news = True

    def look(self) -> list[Entry]:
        """Return what has come since the last look, in its order; not everything at once when it is much."""
        found = self._renew() if self._news else []
        size = 0
        for key, stream in list(self._living.items()):
            entries = self._grown(key, stream)
            size += sum(len(one.text) for one in entries)
            found += entries
            if size >= MOST_BYTES:
                break
        return sorted((one for one in found if self._choice.fits(one)), key=lambda one: one[:2])

    def _renew(self) -> list[Entry]:
        self._news = False
        told: list[Entry] = []
        job = self._choice.job
        for stream in self._streams.find(project_of(job), id_of(job), self._choice.task):
            key = _short(stream)
            if stream.task == SERVICE:
                fresh, seq = self._streams.told(stream, int(self._places.get(key) or 0))
                told += fresh
                self._places[key] = str(seq)
            elif self._places.get(key) != _OVER:
                self._living[key] = stream
                self._sizes[key] = -1
        return told

    def _grown(self, key: str, stream: Stream) -> list[Entry]:
        """Return what a stream has more, some of it when it is much; one that was read takes its turn last."""
        reader = self._streams.reader(stream)
        size = reader.size()
        if size == self._sizes[key]:
            return []
        place = self._places.get(key, START)
        lines, place = reader.read(place, _AT_ONCE, stream.ended, MOST_BYTES)
        whole = len(lines) < _AT_ONCE and sum(len(line.data) for line in lines) < MOST_BYTES
        del self._living[key]
        if whole and stream.ended:
            self._places[key] = _OVER
        else:
            self._living[key], self._places[key] = stream, place
            self._sizes[key] = size if whole else -1
        return [self._streams.of_line(stream, line) for line in lines]


def _taken(choice: Choice, entries: Iterable[Entry], limit: int) -> tuple[list[Entry], Place | None]:
    """Return the entries that fit, at most `limit`, and the place of the last that was looked at; None at the end."""
    found: list[Entry] = []
    size = 0
    for count, entry in enumerate(entries, 1):
        if choice.fits(entry):
            found.append(entry)
            size += len(entry.text)
        if len(found) >= limit or size >= MOST_BYTES or count >= MOST_LOOKED_AT:
            return found, entry[:2]
    return found, None


def _short(stream: Stream) -> str:
    """Return what tells a stream from the others of its job."""
    return stream.key.removeprefix(f"{stream.job_id}-")


def _cursor(streams: Sequence[Stream], ends: Mapping[str, str]) -> str:
    return _written({_short(one): _OVER if one.ended else ends[one.key] for one in streams})


def _written(places: Mapping[str, str]) -> str:
    return ";".join(f"{key}:{place}" for key, place in places.items())


def _read(cursor: str) -> dict[str, str]:
    found = [_CURSOR.fullmatch(part) for part in cursor.split(";")] if cursor else []
    places = {one[1]: one[2] for one in found if one is not None}
    if None in found or not _SEQ.fullmatch(places.get(f"{SERVICE}/{SERVICE}", "0")):
        raise InvalidArgument(violations=[Violation("after", sentences.NO_PLACE)])
    for key, place in places.items():
        if place != _OVER and key != f"{SERVICE}/{SERVICE}":
            parse(place)
    return places
