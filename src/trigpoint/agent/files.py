"""What a replica did to files below /gcs, added up as it is reported: so many files, so large, so often. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Hashable, Iterator, Sequence, Tuple

from .protocol import SAVED

MOST = 300
"""Files of one kind that are told apart, and as many folders; what comes after is told by bucket."""
_MOST_SIZES = 50_000
"""Files that are known again, so that their sizes are counted once."""
Identity = Hashable
"""What stays the same of a file, whatever its name becomes."""
Entry = Tuple[str, str, int, int, int, int]
"""Kind (OPENED or SAVED), `gs://` URI of a file, or of a folder with a slash at its end, bytes, count, times."""


@dataclass
class _Total:
    first: int
    last: int
    bytes: int = 0
    count: int = 0
    sizes: dict[Identity, int] = field(default_factory=dict)

    def grow(self, identity: Identity, size: int, room: int) -> int:
        """Count a file's size, of one that is known only what it has grown; return how many more are known now.

        Without `room` for one more it will not be known again.
        """
        before = self.sizes.get(identity)
        self.bytes += max(0, size - (before or 0))
        if before is None and not room:
            return 0
        self.sizes[identity] = max(size, before or 0)
        return int(before is None)


class Files:
    """Totals by kind and file; files that are too many are put together by folder. Not thread-safe."""

    def __init__(self) -> None:
        self._totals: dict[tuple[str, str], _Total] = {}
        self._apart: Counter[str] = Counter()
        self._moved: dict[tuple[str, str], int] = {}
        self._changed: dict[tuple[str, str], None] = {}
        self._known = 0

    def touch(self, what: str, uri: str, identity: Identity, size: int, time: int, opens: int) -> None:
        """Note that a file was touched, `opens` times more than known; `size` is what it has now."""
        key = self._place(what, uri)
        total = self._totals.setdefault(key, _Total(time, time))
        total.last, total.count = max(total.last, time), total.count + opens
        self._known += total.grow(identity, size, _MOST_SIZES - self._known)
        self._changed[key] = None

    def move(self, old: str, new: str) -> None:
        """Note that a file that was written has another name now; its old one tells nothing any more."""
        gone = self._take(old) if old != new else None
        if gone is not None:
            self._put(new, gone)

    def move_all(self, moves: Sequence[tuple[str, str]]) -> None:
        """Note that folders have other names now, all at once, for some may have the names of others; with slashes."""
        taken: list[tuple[str, _Total]] = []
        for old, new in sorted(moves, key=lambda each: -len(each[0])):  # what lies deeper has gone its own way
            for what, uri in list(self._totals):
                total = self._take(uri) if what == SAVED and uri.startswith(old) else None
                if total is not None:
                    taken.append((new + uri[len(old) :], total))
        for uri, total in taken:
            self._put(uri, total)

    def _take(self, uri: str) -> _Total | None:
        gone = self._totals.pop((SAVED, uri), None)
        if gone is None:
            return None
        self._apart[SAVED] -= 1
        self._known -= len(gone.sizes)
        self._moved[SAVED, uri] = gone.last
        if len(self._moved) > MOST:
            del self._moved[next(iter(self._moved))]
        self._changed[SAVED, uri] = None
        return gone

    def _put(self, uri: str, gone: _Total) -> None:
        key = self._place(SAVED, uri)
        total = self._totals.setdefault(key, _Total(gone.first, gone.last))
        total.first, total.last = min(total.first, gone.first), max(total.last, gone.last)
        total.count += gone.count
        for identity, size in gone.sizes.items():
            self._known += total.grow(identity, size, _MOST_SIZES - self._known)
        self._changed[key] = None

    @property
    def changed(self) -> bool:
        """Whether there is news."""
        return bool(self._changed)

    def news(self) -> list[Entry]:
        """Return the entries that changed since the last call."""
        changed, self._changed = self._changed, {}
        return [self._entry(key) for key in changed]

    def all(self) -> list[Entry]:
        """Return every entry: for who may have missed some."""
        self._changed = {}
        return [self._entry(key) for key in {**self._moved, **self._totals}]

    def _entry(self, key: tuple[str, str]) -> Entry:
        moved = self._moved.get(key, 0)
        total = self._totals.get(key) or _Total(moved, moved)
        return (*key, total.bytes, total.count, total.first, total.last)

    def _place(self, what: str, uri: str) -> tuple[str, str]:
        """Return the entry of a file: its own, while there is room, else of its folder, else of its bucket."""
        places = list(_places(uri))
        for level, place in enumerate(places, 1):
            if (what, place) in self._totals or place == places[-1]:
                return what, place
            if self._apart[what] < MOST * level:
                self._apart[what] += 1
                return what, place
        raise AssertionError("a file lies in a bucket")


def _places(uri: str) -> Iterator[str]:
    yield uri
    yield uri.rpartition("/")[0] + "/"
    yield "/".join(uri.split("/", 3)[:3]) + "/"
