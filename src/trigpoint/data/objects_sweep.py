"""Adopts what was written through `/gcs` or by hand: files become generations, vanished files deletions."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from trigpoint.core.errors import Aborted, DataLoss, NotFound
from trigpoint.data import checksums, sentences
from trigpoint.data.objects import Objects, Reading
from trigpoint.data.objects_blobs import Content, Look, disk
from trigpoint.data.objects_tree import Tree
from trigpoint.store import objects as rows
from trigpoint.store.objects import BucketRow, ObjectRow
from trigpoint.store.tx import Tx

Describe = Callable[[bytes], bytes]
"""Returns the attributes of a new object by its name, as JSON."""
Keep = Callable[[BucketRow], bool]
"""Returns whether a bucket keeps the generations that are replaced."""
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep changed."""

    adopted: tuple[ObjectRow, ...] = ()
    deleted: tuple[ObjectRow, ...] = ()


_NOTHING = Swept()


class Sweeper:
    """Looks at the trees on behalf of readers and at the end of jobs. Thread-safe."""

    def __init__(self, objects: Objects, describe: Describe, keep: Keep) -> None:
        self._objects = objects
        self._describe = describe
        self._keep = keep

    def get(self, bucket: str, name: bytes) -> ObjectRow | None:
        """Return the live generation of a name after adopting an edit of its file; None when there is none.

        A file that is missing from the tree is no deletion here: only `rescan` takes it for one.
        """
        row = self._row(bucket, name)
        try:
            look = self._objects.tree(bucket).look(name)
        except PermissionError:
            return row
        if look is None or (row is not None and look == Look.recorded(row)):
            return row
        if self._objects.is_changing(bucket, name) or not is_name(name):
            return row
        return self.adopt(bucket, name)

    def open(self, bucket: str, name: bytes, generation: int = 0) -> Reading | None:
        """Open the live generation of a name (0) or a certain one; None when there is none."""
        for _ in range(ATTEMPTS):
            row = self.get(bucket, name)
            if generation and (row is None or row.generation != generation):
                row = self._objects.store.read(lambda tx: rows.get(tx, bucket, name, generation))
            if row is None:
                return None
            try:
                reading = self._objects.open(row)
            except NotFound:
                continue
            if row.live or Look.of(os.fstat(reading.file)) == Look.recorded(row) or self._same(reading):
                return reading
            reading.close()
            raise DataLoss(sentences.THIS_OVERWRITTEN.format(generation=row.generation))
        return None

    def rescan(self, bucket: str, prefix: bytes = b"") -> Swept:
        """Bring the rows in line with the files under a prefix; idempotent, safe beside API writes.

        Files whose names no object may have, links, pipes and devices are left alone.
        """
        steps = list(self.sweep(bucket, prefix))
        adopted = tuple(row for step in steps for row in step.adopted)
        return Swept(adopted, tuple(row for step in steps for row in step.deleted))

    def sweep(self, bucket: str, prefix: bytes = b"") -> Iterator[Swept]:
        """Do the same name by name; yield after each what it changed, so that a caller can pause in between."""
        self._objects.settle()
        for name, look in self._objects.tree(bucket).walk(prefix):
            yield self._look_at(bucket, name, look)
        yield from self._drop_vanished(bucket, prefix)

    def holds_file(self, bucket: str) -> bool:
        """Return whether a file in the bucket's tree is an object, or just became one."""
        names = (name for name, _ in self._objects.tree(bucket).walk(b"") if is_name(name))
        return any(self.get(bucket, name) is not None for name in names)

    def _look_at(self, bucket: str, name: bytes, look: Look) -> Swept:
        if not is_name(name) or self._objects.is_changing(bucket, name):
            return _NOTHING
        row = self._row(bucket, name)
        if row is not None and Look.recorded(row) == look:
            return _NOTHING
        found = self.adopt(bucket, name)
        if found is None or (row is not None and found.generation == row.generation):
            return _NOTHING
        return Swept(adopted=(found,))

    def adopt(self, bucket: str, name: bytes) -> ObjectRow | None:
        """Make the file that stands for a name its live generation, unless it already is; return the live one."""
        for _ in range(ATTEMPTS):
            with self._objects.lock(bucket):
                row, tree = self._row(bucket, name), self._objects.tree(bucket)
                look = tree.look(name)
                if self._objects.is_changing(bucket, name) or look is None:
                    return row
                if row is not None and look == Look.recorded(row):
                    return row
            taken = self._take(bucket, name)
            if taken is None:
                continue
            try:
                return self._record(bucket, name, row, taken)
            except Aborted:
                self._objects.release(taken.blob)
        return self._row(bucket, name)

    def _take(self, bucket: str, name: bytes) -> Content | None:
        """Give the file a second link in the blob area and read it through; None when it is still being written."""
        blob = self._objects.ids.hex(32)
        with self._objects.lock(bucket), disk():
            file = self._objects.tree(bucket).open(name)
        if file is None:
            return None
        try:
            with disk():
                try:
                    self._objects.blobs.link(file, blob)
                except (FileNotFoundError, PermissionError):
                    return self._copied(file)
            return self._read_through(file, blob)
        finally:
            os.close(file)

    def _read_through(self, file: int, blob: str) -> Content | None:
        """Describe a file that has its link; without it when the bytes change meanwhile."""
        before = Look.of(os.fstat(file))
        crc = checksums.of_file(file)
        os.fsync(file)
        after = Look.of(os.fstat(file))
        self._objects.blobs.sync(self._objects.blobs.incoming)
        if before != after:
            self._objects.blobs.unlink(blob)
            return None
        return Content(blob, after.size, crc, after)

    def _copied(self, file: int) -> Content:
        """Copy a file that may not be linked: another user owns it, or its name is gone."""
        with self._objects.writer() as writer:
            writer.append_file(file, os.fstat(file).st_size, None)
            return writer.finish()

    def _record(self, bucket: str, name: bytes, seen: ObjectRow | None, taken: Content) -> ObjectRow:
        if seen is not None and (seen.size, seen.crc32c) == (taken.size, taken.crc32c):
            return self._refresh(seen, taken)

        def rule(owner: BucketRow, live: ObjectRow | None) -> bool:
            if (live and live.generation) != (seen and seen.generation):
                raise Aborted(sentences.CHANGED_MEANWHILE)
            # Bytes that were edited in place are gone: keeping their generation would be a lie.
            return live is not None and self._keep(owner) and live.inode != taken.look.inode

        attributes = self._describe(name) if seen is None else seen.attributes
        return self._objects.put(bucket, name, taken, attributes, rule)

    def _refresh(self, seen: ObjectRow, taken: Content) -> ObjectRow:
        """Note the new look of a file whose bytes are the same: touched, or copied with the home elsewhere."""

        def unit(tx: Tx) -> ObjectRow:
            row = rows.live(tx, seen.bucket, seen.name)
            if row is None or row.generation != seen.generation:
                raise Aborted(sentences.CHANGED_MEANWHILE)
            row = replace(row, blob=taken.blob, inode=taken.look.inode, mtime=taken.look.mtime)
            rows.update(tx, row, row.metageneration)
            return row

        row = self._objects.store.write(unit)
        self._objects.blobs.settle({taken.blob})
        self._objects.release(seen.blob)
        with self._objects.lock(seen.bucket):
            self._objects.show(seen.bucket, seen.name)
        return row

    def _drop_vanished(self, bucket: str, prefix: bytes) -> Iterator[Swept]:
        """Delete objects whose file was removed by hand."""
        tree = self._objects.tree(bucket)
        start, after, end = prefix, 0, prefix_end(prefix)
        while True:
            page = self._objects.store.read(
                lambda tx, s=start, a=after: rows.select(tx, bucket, s, end, 500, after=a)  # type: ignore[misc]
            )
            for row in page:
                yield Swept(deleted=self._drop(row)) if self._vanished(tree, row) else _NOTHING
            if not page:
                return
            start, after = page[-1].name, page[-1].generation

    def _vanished(self, tree: Tree, row: ObjectRow) -> bool:
        try:
            return tree.look(row.name) is None and not (row.name.endswith(b"/") and tree.has_folder(row.name))
        except PermissionError:  # what cannot be seen has not vanished
            return False

    def _drop(self, row: ObjectRow) -> tuple[ObjectRow, ...]:
        if self._objects.is_changing(row.bucket, row.name):
            return ()

        def rule(owner: BucketRow, live: ObjectRow | None) -> bool:
            if live is None or live.generation != row.generation:
                raise Aborted(sentences.CHANGED_MEANWHILE)
            return self._keep(owner)

        try:
            return (self._objects.remove(row.bucket, row.name, 0, rule),)
        except (Aborted, NotFound):
            return ()

    def _same(self, reading: Reading) -> bool:
        return reading.row.crc32c == checksums.of_file(reading.file)

    def _row(self, bucket: str, name: bytes) -> ObjectRow | None:
        return self._objects.store.read(lambda tx: rows.live(tx, bucket, name))


def is_name(name: bytes) -> bool:
    """Return whether an object may have this name: 1 to 1024 bytes of UTF-8 without line breaks."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return False
    return 0 < len(name) <= 1024 and "\r" not in text and "\n" not in text and text not in (".", "..")


def prefix_end(prefix: bytes) -> bytes | None:
    """Return the first name after all that start with `prefix`, or None when there is no such name."""
    cut = prefix.rstrip(b"\xff")
    return cut[:-1] + bytes((cut[-1] + 1,)) if cut else None
