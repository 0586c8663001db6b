"""Makes the facts of who read and wrote which generation; merging and keeping them is the recorder's."""

from trigpoint.core.call import Caller
from trigpoint.core.clock import Clock
from trigpoint.core.uris import GsUri
from trigpoint.kernel.recorder import Recorder
from trigpoint.store.objects import ObjectRow
from trigpoint.store.telemetry import Access

READS, WRITES, FOUND = "read", "write", "find"
"""Series (store.steps) of objects that a replica read or wrote, and of those that were found when its job was over."""


class AccessLog:
    """Facts of access. Thread-safe."""

    def __init__(self, clock: Clock, recorder: Recorder) -> None:
        self._clock = clock
        self._recorder = recorder

    def record(
        self,
        caller: Caller,
        project: str,
        row: ObjectRow,
        size: int,
        *,
        write: bool,
        begins: bool = True,
        series: str | None = None,
    ) -> None:
        """Note one access of `size` bytes, or more of one that began before; never raises, never waits for the disk.

        Of a replica it is a step of a series, by itself of READS or WRITES; of none where `series` is empty.
        """
        uri = GsUri(row.bucket, row.name.decode("utf-8", "replace"))
        now, count = self._clock.now(), int(begins)
        series = (WRITES if write else READS) if series is None else series
        fact = Access(caller.replica, caller.email, str(uri), row.generation, write, project, size, count, now, now)
        self._recorder.access(fact, series, (f"{uri}#{row.generation}", f"{uri_folder(uri)}*", f"gs://{row.bucket}/*"))

    @property
    def full(self) -> bool:
        """Whether so much is remembered that a flush is due at once."""
        return self._recorder.full

    def flush(self) -> int:
        """Write down what was noted before this call; return how many facts. They are noted again when it fails."""
        return self._recorder.flush()


def uri_folder(uri: GsUri) -> str:
    """Return the folder that an object lies in, with a slash at its end."""
    head, slash, _ = uri.name.rpartition("/")
    return f"gs://{uri.bucket}/{head}{slash}"
