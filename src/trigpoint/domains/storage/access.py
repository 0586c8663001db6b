"""Makes the facts of who read and wrote which generation; merging and keeping them is the recorder's."""

from collections.abc import Sequence

from trigpoint.core.call import Caller
from trigpoint.core.clock import Clock
from trigpoint.core.uris import GsUri
from trigpoint.kernel.recorder import Recorder
from trigpoint.store.objects import ObjectRow
from trigpoint.store.steps import Growth
from trigpoint.store.telemetry import Access

READS, WRITES, COPIES, FOUND = "read", "write", "copy", "find"
"""Series (store.steps) of objects that a replica read or wrote, of those that it had storage copy (two things in a line
each, source and target), and of those that were found when its job was over.
"""


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
        now, count = self._clock.now(), int(begins)
        series = (WRITES if write else READS) if series is None else series
        uri = str(_uri(row))
        fact = Access(caller.replica, caller.email, uri, row.generation, write, project, size, count, now, now)
        self._recorder.access(fact, series, _things(row))

    def copied(self, caller: Caller, sources: Sequence[tuple[str, ObjectRow]], target: tuple[str, ObjectRow]) -> None:
        """Note that objects, each with its project, were copied to make another one: no byte passed by the caller."""
        for project, row in sources:
            self.record(caller, project, row, row.size, write=False, series="")
        self.record(caller, target[0], target[1], target[1].size, write=True, series="")
        if not caller.replica:
            return
        for _, row in sources:
            pairs = zip(_things(row), _things(target[1]), strict=True)
            growth = Growth(self._clock.now(), row.size, count=1)
            self._recorder.passed(caller.replica, COPIES, [f"{source}\n{made}" for source, made in pairs], growth)

    @property
    def full(self) -> bool:
        """Whether so much is remembered that a flush is due at once."""
        return self._recorder.full

    def flush(self) -> int:
        """Write down what was noted before this call; return how many facts. They are noted again when it fails."""
        return self._recorder.flush()


def _uri(row: ObjectRow) -> GsUri:
    return GsUri(row.bucket, row.name.decode("utf-8", "replace"))


def _things(row: ObjectRow) -> tuple[str, str, str]:
    """Return a generation, its folder and its bucket, as things of a series."""
    uri = _uri(row)
    return f"{uri}#{row.generation}", f"{uri_folder(uri)}*", f"gs://{row.bucket}/*"


def uri_folder(uri: GsUri) -> str:
    """Return the folder that an object lies in, with a slash at its end."""
    head, slash, _ = uri.name.rpartition("/")
    return f"gs://{uri.bucket}/{head}{slash}"
