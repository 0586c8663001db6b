"""What is due when, in memory: the durable list of work items (`store.work`) is its recovery, not its clock.

Every wake is written with the change that causes it and reaches this schedule right after the commit. Waiting costs no
write: after a crash everything that was unfinished is simply looked at again.
"""

import heapq
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from trigpoint.core.clock import SECOND, Micros

Key = tuple[str, str]
"""Kind and name of a work item."""


@dataclass(slots=True)
class _Entry:
    due: Micros
    stamp: int
    failures: int = 0
    busy: bool = False
    woken: Micros | None = None
    """Due instant of a wake that came while the item was being worked on."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An item that its taker works on until it gives it back."""

    kind: str
    name: str
    stamp: int
    """The latest wake that this work covers: what `store.work.finish` compares."""
    failures: int


@dataclass
class Schedule:
    """Items by due instant. Thread-safe. One item is never taken twice at a time, and no wake is lost."""

    _entries: dict[Key, _Entry] = field(default_factory=dict)
    _heap: list[tuple[Micros, Key]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False

    def load(self, items: Iterable[tuple[str, str, Micros, int]]) -> None:
        """Take over the durable items at start: kind, name, due, stamp."""
        for kind, name, due, stamp in items:
            self.wake(kind, name, due, stamp)

    def wake(self, kind: str, name: str, due: Micros, stamp: int) -> None:
        """Make an item due at `due` or earlier; also when it is being worked on, for afterwards."""
        with self._changed:
            entry = self._entries.get((kind, name))
            if entry is None:
                entry = self._entries[(kind, name)] = _Entry(due, stamp)
            elif entry.busy:
                entry.woken = due if entry.woken is None else min(due, entry.woken)
            else:
                entry.due = min(entry.due, due)
                entry.failures = 0
            entry.stamp = max(entry.stamp, stamp)
            if not entry.busy:
                heapq.heappush(self._heap, (entry.due, (kind, name)))
            self._changed.notify()

    def take(self, now: Callable[[], Micros], seconds: float) -> Taken | None:
        """Take the most overdue item; with none due, wait for one at most that many seconds and return None."""
        with self._changed:
            taken, due = self._pop(now())
            if taken is None and not self._closed:
                self._changed.wait(seconds if due is None else min(seconds, max(0.0, (due - now()) / SECOND)))
            return taken

    def give_back(self, taken: Taken, due: Micros | None, failures: int = 0) -> None:
        """Return an item to be seen at `due` (None: only when woken), or at the earliest wake since it was taken."""
        key = (taken.kind, taken.name)
        with self._changed:
            entry = self._entries[key]
            entry.busy = False
            entry.failures = failures
            wakes = [instant for instant in (due, entry.woken) if instant is not None]
            entry.due = min(wakes, default=2**63 - 1)
            if wakes:
                heapq.heappush(self._heap, (entry.due, key))
            self._changed.notify()

    def drop(self, taken: Taken) -> bool:
        """Forget a finished item; False when it was woken meanwhile: then it is due again."""
        key = (taken.kind, taken.name)
        with self._changed:
            entry = self._entries[key]
            if entry.woken is None and entry.stamp == taken.stamp:
                del self._entries[key]
                return True
        self.give_back(taken, None)
        return False

    def close(self) -> None:
        """Wake every waiter for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._entries)

    def _pop(self, now: Micros) -> tuple[Taken | None, Micros | None]:
        """Return an item that is due, or the instant at which the next will be."""
        while self._heap:
            due, key = self._heap[0]
            entry = self._entries.get(key)
            if entry is not None and not entry.busy and entry.due == due and due > now:
                return None, due
            heapq.heappop(self._heap)
            if entry is not None and not entry.busy and entry.due == due:
                entry.busy = True
                entry.woken = None
                return Taken(*key, entry.stamp, entry.failures), None
        return None, None
