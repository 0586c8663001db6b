"""Cloud Storage: buckets, objects, upload sessions, and the facts of who read and wrote what.

Speaks no protocol (`surfaces.gcs` does). `Storage.files` is for the other slices: objects by `gs://` URI in the name
of a project. A bucket belongs to one project; in a bucket of another one every answer is the same PermissionDenied.
"""

from pathlib import Path

from trigpoint.core.clock import Clock, Ids
from trigpoint.data.objects import Objects
from trigpoint.data.objects_blobs import Step
from trigpoint.data.objects_sweep import Sweeper
from trigpoint.data.objects_uploads import Uploads as Sessions
from trigpoint.domains.storage import rules
from trigpoint.domains.storage.access import FOUND, AccessLog
from trigpoint.domains.storage.buckets import Buckets, NumberOf, attributes_of
from trigpoint.domains.storage.files import Files
from trigpoint.domains.storage.things import Target, Things, describe
from trigpoint.domains.storage.uploads import Uploads
from trigpoint.kernel.recorder import Recorder
from trigpoint.store import Store

__all__ = ["FOUND", "AccessLog", "Buckets", "Files", "Storage", "Target", "Things", "Uploads"]


_PURGE_SECONDS = 600.0


class Storage:
    """The slice, put together. Thread-safe. Call `start` before the first request and `close` after the last."""

    def __init__(
        self,
        store: Store,
        home: Path,
        clock: Clock,
        ids: Ids,
        number_of: NumberOf,
        *,
        location: str = "us-central1",
        recorder: Recorder | None = None,
        step: Step = lambda name: None,
    ) -> None:
        self.objects = Objects(store, home, clock, ids, step=step)
        sweeper = Sweeper(self.objects, describe, lambda row: rules.keeps_versions(attributes_of(row)))
        self.access = AccessLog(clock, recorder or Recorder(store, clock))
        self.buckets = Buckets(self.objects, sweeper, clock, number_of, location)
        self.things = Things(self.objects, sweeper, self.buckets, self.access)
        self.uploads = Uploads(Sessions(self.objects), self.things, clock)
        self.files = Files(self.things, self.objects, sweeper)
        self._clock = clock
        self._purged = clock.monotonic()

    def start(self) -> None:
        """Finish what a crash interrupted and drop sessions that are too old."""
        self.objects.recover()
        self.uploads.purge()

    def tick(self) -> None:
        """Write down what was observed, make links durable that are due, now and then drop sessions that are too old.

        To be called every few seconds.
        """
        self.access.flush()
        self.objects.settle()
        if self._clock.monotonic() - self._purged > _PURGE_SECONDS:
            self._purged = self._clock.monotonic()
            self.uploads.purge()

    def close(self) -> None:
        """Write down everything that is still in memory."""
        self.tick()
