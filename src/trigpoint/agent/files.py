"""What a replica did to files below /gcs, added up as it is reported: so many files, so large, so often. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Hashable, Iterator, Tuple

from .protocol import SAVED

MOST = 300
"""Files of one kind that are told apart, and as many folders; what comes after is told by bucket."""
_MOST_SIZES = 20_000
"""Files of one entry that are known again, so that their sizes are counted once."""
Identity = Hashable
"""What stays the same of a file, whatever its name becomes."""
Entry = Tuple[str, str, int, int, int, int]
"""Kind (OPENED or SAVED), `gs://` URI or folder with a star, bytes, count, first and last time in microseconds."""


@dataclass
class _Total:
    first: int
    last: int
    bytes: int = 0
    count: int = 0
    sizes: dict[Identity, int] = field(default_factory=dict)

    def grow(self, identity: Identity, size: int) -> None:
        """Count a file's size: of one that is known, only what it has grown."""
        before = self.sizes.get(identity, 0)
        self.bytes += max(0, size - before)
        if identity in self.sizes or len(self.sizes) < _MOST_SIZES:
            self.sizes[identity] = max(size, before)


class Files:
    """Totals by kind and file; files that are too many are put together by folder. Not thread-safe."""

    def __init__(self) -> None:
        self._totals: dict[tuple[str, str], _Total] = {}
        self._apart: Counter[str] = Counter()
        self._changed: dict[tuple[str, str], None] = {}

    def touch(self, what: str, uri: str, identity: Identity, size: int, time: int, opens: int) -> None:
        """Note that a file was touched, `opens` times more than known; `size` is what it has now."""
        key = self._place(what, uri)
        total = self._totals.setdefault(key, _Total(time, time))
        total.last, total.count = max(total.last, time), total.count + opens
        total.grow(identity, size)
        self._changed[key] = None

    def move(self, old: str, new: str) -> None:
        """Note that a file that was written has another name now; its old one tells nothing any more."""
        gone = self._totals.get((SAVED, old))
        if gone is None or not gone.count:
            return
        key = self._place(SAVED, new)
        total = self._totals.setdefault(key, _Total(gone.first, gone.last))
        total.first, total.last = min(total.first, gone.first), max(total.last, gone.last)
        total.count += gone.count
        for identity, size in gone.sizes.items():
            total.grow(identity, size)
        self._totals[SAVED, old] = _Total(gone.first, gone.last)
        self._changed[SAVED, old] = self._changed[key] = None

    def move_all(self, old: str, new: str) -> None:
        """Note that a folder has another name now; both end with a slash."""
        for what, uri in list(self._totals):
            if what == SAVED and uri.startswith(old):
                self.move(uri, new + uri[len(old) :])

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
        return [self._entry(key) for key in self._totals]

    def _entry(self, key: tuple[str, str]) -> Entry:
        total = self._totals[key]
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
    folder = uri.rpartition("/")[0]
    yield f"{folder}/*"
    yield "/".join(uri.split("/", 3)[:3]) + "/*"
