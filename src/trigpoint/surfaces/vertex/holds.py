"""Held reads: a Get of unfinished work waits, in the event loop, for its end when the SDK is about to sleep on it.

The SDK sleeps 5 s between state reads and reads once before its first sleep. Which reads wait, and how long, is in
architecture.md section 6 and docs/design/0006; every other read is answered at once. The store's notifier says when to
look again.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from trigpoint.core.clock import Clock
from trigpoint.store.notifier import Notifier

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
Key = tuple[str, str]
"""The caller's e-mail and the resource's name."""

_FIRST = 2.0
_PROMPT = 1.0
"""Seconds from a create within which its first Get is the SDK's, which reads at once: not that of a script which goes
through what it created."""
_REPEATED = 60.0
_BETA = 4.0
"""Seconds; v1beta1 clients give up after 5."""
_RHYTHM = (4.5, 6.0)
_MARGIN = 0.5
_LOOK = 1.0
"""Seconds after which a waiting read looks whether the server stops."""
_REMEMBERED = 20_000
_MOST = 500


class Holds:
    """Decides and waits. For one event loop; at most 500 reads wait at once, later ones are answered at once."""

    def __init__(self, notifier: Notifier, clock: Clock, *, enabled: bool) -> None:
        self._notifier, self._clock, self._enabled = notifier, clock, enabled
        self._fresh: OrderedDict[str, tuple[str, float]] = OrderedDict()
        """Caller -> what it created last, and when."""
        self._answered: OrderedDict[Key, float] = OrderedDict()
        self._waiting = 0
        self._closed = False

    def close(self) -> None:
        """Let every waiting read go within a second, and hold no other."""
        self._closed = True

    def created(self, key: Key) -> None:
        """Remember that this caller just created this resource: the first Get may wait, if it comes next."""
        _remember(self._fresh, key[0], (key[1], self._clock.monotonic()))

    async def read(
        self,
        key: Key,
        read: Callable[[], Awaitable[T]],
        settled: Callable[[T], bool],
        *,
        version: str,
        seconds_left: float | None = None,
    ) -> T:
        """Return `read()`, waiting for it to be settled as long as the rules allow."""
        if not self._enabled:
            return await read()
        patience = self._patience(key, version, seconds_left)
        answer = await (self.wait(key[1], patience, read, settled) if patience > 0 else read())
        _remember(self._answered, key, self._clock.monotonic())
        return answer

    async def wait(
        self, name: str, seconds: float, read: Callable[[], Awaitable[T]], settled: Callable[[T], bool]
    ) -> T:
        """Return `read()` once it is settled, or as it is after `seconds`, or at once when too many wait."""
        answer = await read()
        if settled(answer) or self._closed or self._waiting >= _MOST:
            return answer
        deadline = self._clock.monotonic() + seconds
        self._waiting += 1
        try:
            with self._notifier.watch(name) as watch:
                answer = await read()
                while not settled(answer) and not self._closed:
                    left = deadline - self._clock.monotonic()
                    if left <= 0:
                        break
                    if await watch.changed(min(left, _LOOK)):
                        answer = await read()
        finally:
            self._waiting -= 1
        return answer

    def _patience(self, key: Key, version: str, seconds_left: float | None) -> float:
        now = self._clock.monotonic()
        created, answered = self._fresh.get(key[0]), self._answered.get(key)
        fresh = created is not None and created[0] == key[1]
        if fresh and self._fresh.pop(key[0])[1] > now - _PROMPT:
            patience = _FIRST
        elif answered is not None and _RHYTHM[0] <= now - answered <= _RHYTHM[1]:
            patience = _REPEATED if version == "v1" else _BETA
        else:
            return 0.0
        return patience if seconds_left is None else min(patience, seconds_left - _MARGIN)


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
