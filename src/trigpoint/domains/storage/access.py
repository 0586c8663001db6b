"""Remembers who read and wrote which generation, merged in memory, and hands batches to where they are kept."""

import threading
from collections.abc import Callable
from dataclasses import replace

from trigpoint.core.call import Caller
from trigpoint.core.clock import Clock
from trigpoint.core.uris import GsUri
from trigpoint.store.objects import ObjectRow
from trigpoint.store.telemetry import Access

FLUSH_AT = 2000


Sink = Callable[[list[Access]], None]
"""Keeps a batch; merging with earlier ones is its affair."""


class AccessLog:
    """Facts of access. Thread-safe; `flush` is to be called now and then and at the end, by whoever owns the loop."""

    def __init__(self, clock: Clock, sink: Sink) -> None:
        self._clock = clock
        self._sink = sink
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str, str, int, bool], Access] = {}

    def record(self, caller: Caller, project: str, row: ObjectRow, size: int, *, write: bool) -> None:
        """Note one access of `size` bytes; never raises and never waits for the disk."""
        uri = str(GsUri(row.bucket, row.name.decode("utf-8", "replace")))
        key = (caller.replica, caller.email, uri, row.generation, write)
        now = self._clock.now()
        with self._lock:
            old = self._open.get(key)
            self._open[key] = (
                Access(*key, project, size, 1, now, now)
                if old is None
                else replace(old, bytes=old.bytes + size, count=old.count + 1, last_time=now)
            )

    @property
    def full(self) -> bool:
        """Whether so much is remembered that a flush is due at once."""
        return len(self._open) >= FLUSH_AT

    def flush(self) -> int:
        """Hand over what was noted; return how many facts. They are noted again when the sink fails."""
        with self._lock:
            batch, self._open = self._open, {}
        if not batch:
            return 0
        try:
            self._sink(list(batch.values()))
        except BaseException:
            with self._lock:
                self._open = {**batch, **self._open}
            raise
        return len(batch)
