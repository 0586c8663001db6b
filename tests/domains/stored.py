"""The parts of slices that also read and write objects."""

from pathlib import Path

from tests.domains.parts import NUMBER, Parts

from trigpoint.domains.storage import Storage


class StoredParts(Parts):
    """Parts with real storage, and a bucket `bkt` in the caller's project."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.storage = Storage(self.store, home, self.kernel.clock, self.kernel.ids, lambda project: project)
        self.storage.start()
        self.storage.buckets.create(self.caller, NUMBER, "bkt", {})

    def close(self) -> None:
        """Close what was opened."""
        self.storage.close()
        super().close()
