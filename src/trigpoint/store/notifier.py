"""Tells threads and asyncio code of this process that something was committed; what changed they read themselves."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from types import TracebackType

Callback = Callable[[frozenset[str]], None]
"""Called on the committing thread with the names touched: it must be quick and must not raise."""

_log = logging.getLogger(__name__)


class Notifier:
    """Subscriptions to commits, to all of them or to those that touch one name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Callback] = []
        self._named: dict[str, list[Callback]] = {}

    def subscribe(self, callback: Callback, name: str | None = None) -> None:
        """Have `callback` called after each commit that touched a name, or after each that touched this one."""
        with self._lock:
            (self._all if name is None else self._named.setdefault(name, [])).append(callback)

    def unsubscribe(self, callback: Callback, name: str | None = None) -> None:
        """Undo one `subscribe`; nothing happens when there is none. A call under way may still arrive."""
        with self._lock:
            listed = self._all if name is None else self._named.get(name, [])
            if callback in listed:
                listed.remove(callback)
            if name is not None and not listed:
                self._named.pop(name, None)

    def committed(self, names: Iterable[str]) -> None:
        """Tell the subscribers. Called by the store, after the commit."""
        touched = frozenset(names)
        if not touched or not (self._all or self._named):
            return
        with self._lock:
            called = list(self._all)
            for name in touched:
                called += self._named.get(name, ())
        for callback in called:
            try:
                callback(touched)
            except RuntimeError:
                # An event loop that closed meanwhile: its watch is about to be left.
                _log.debug("a subscriber is gone", exc_info=True)

    def watch(self, name: str | None = None) -> "Watch":
        """Return a watch for the running event loop: enter it, read the row, then await `changed`, and read again."""
        return Watch(self, name)


class Watch:
    """One asyncio task's view of the commits that touch a name (or any). Not shared between tasks.

    No commit between entering and `changed` is missed, so a held read registers first and reads after.
    """

    def __init__(self, notifier: Notifier, name: str | None) -> None:
        self._notifier = notifier
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def __enter__(self) -> "Watch":
        self._notifier.subscribe(self._wake, self._name)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._notifier.unsubscribe(self._wake, self._name)

    async def changed(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - a wait that ends is an answer here
        """Return True after the next commit since the last call (at once if there was one), False after `timeout` s."""
        try:
            # Not wait_for: before Python 3.12 a cancellation in the instant of a commit would be lost.
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True

    def _wake(self, names: frozenset[str]) -> None:
        self._loop.call_soon_threadsafe(self._event.set)
