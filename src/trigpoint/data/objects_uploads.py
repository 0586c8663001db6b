"""Upload sessions that survive a restart: bytes that were acknowledged are durable, the rest is dropped on resume."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from trigpoint.core.clock import Micros
from trigpoint.core.errors import Aborted, InvalidArgument, NotFound
from trigpoint.data import sentences
from trigpoint.data.objects import Objects, Rule
from trigpoint.data.objects_blobs import Content, Writer
from trigpoint.store import objects as rows
from trigpoint.store.objects import ObjectRow, PartRow, UploadRow
from trigpoint.store.tx import Tx

LOCK_SECONDS = 20.0
"""How long a client that comes back waits for the end of its own broken request."""


class Uploads:
    """The sessions of one home. Thread-safe; a session has one writer at a time."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._busy: set[str] = set()
        self._freed = threading.Condition()

    def begin(self, bucket: str, name: bytes, spec: bytes) -> UploadRow:
        """Begin a session; durable on return."""
        ids = self._objects.ids
        row = UploadRow(ids.token(), bucket, name, ids.hex(32), 0, 0, 0, self._objects.clock.now(), spec)
        self._objects.store.write(lambda tx: rows.insert_upload(tx, row))
        return row

    def get(self, ident: str) -> UploadRow:
        """Return a session; NotFound when it never was, was cancelled or has expired."""
        row = self._objects.store.read(lambda tx: rows.get_upload(tx, ident))
        if row is None:
            raise NotFound(sentences.SESSION_GONE)
        return row

    @contextmanager
    def appending(self, ident: str) -> Iterator["Appending"]:
        """Go on with a session under its lock. Leaving it, also by an exception, keeps what was written so far."""
        with self.locked(ident):
            row = self.get(ident)
            writer = self._objects.blobs.resume(row.blob, row.received, row.crc32c)
            appending = Appending(row, writer)
            try:
                yield appending
            finally:
                self._keep(appending)

    def finish(self, row: UploadRow, attributes: bytes, rule: Rule, md5: str = "") -> ObjectRow:
        """Make a session's bytes an object, in the transaction that marks it as finished."""
        writer = self._objects.blobs.resume(row.blob, row.received, row.crc32c)
        try:
            content = writer.finish(md5)
        finally:
            writer.close()

        def also(tx: Tx, made: ObjectRow) -> None:
            # The finished session keeps no bytes alive: those are the object's, and go with it.
            rows.update_upload(tx, replace(row, generation=made.generation, blob=""))

        return self._objects.put(row.bucket, row.name, content, attributes, rule, also=also)

    def cancel(self, ident: str) -> None:
        """End a session without an object; nothing happens when there is none."""
        with self.locked(ident):
            self.drop(ident)

    def drop(self, ident: str) -> None:
        """End a session that the caller has locked."""

        def unit(tx: Tx) -> list[str]:
            row = rows.get_upload(tx, ident)
            if row is None:
                return []
            blobs = [part.blob for part in rows.list_parts(tx, ident)]
            rows.delete_upload(tx, ident)
            return [*blobs, row.blob]

        for blob in self._objects.store.write(unit):
            self._objects.release(blob)

    def purge(self, before: Micros) -> int:
        """Cancel sessions begun before an instant; return how many there were."""
        old = self._objects.store.read(lambda tx: rows.uploads_before(tx, before, 1000))
        for row in old:
            self.cancel(row.id)
        return len(old)

    def put_part(self, ident: str, number: int, content: Content) -> PartRow:
        """Add a numbered part to a session, in place of an earlier one of that number; durable on return."""
        self.get(ident)
        part = PartRow(ident, number, content.blob, content.size, content.crc32c)
        old = self._objects.store.write(lambda tx: rows.put_part(tx, part))
        self._objects.blobs.settle({content.blob})
        if old is not None:
            self._objects.release(old.blob)
        return part

    def parts(self, ident: str) -> list[PartRow]:
        """Return the parts of a session by number."""
        return self._objects.store.read(lambda tx: rows.list_parts(tx, ident))

    def join(self, parts: list[PartRow]) -> Content:
        """Return durable bytes: those of the parts, one after the other."""
        with self._objects.writer() as writer:
            for part in parts:
                file = self._objects.blobs.open(part.blob)
                with open(file, "rb", buffering=0):
                    writer.append_file(file, part.size, None)
            return writer.finish()

    @contextmanager
    def locked(self, ident: str) -> Iterator[None]:
        """Have a session for oneself; Aborted when somebody else does not let go of it."""
        with self._freed:
            if not self._freed.wait_for(lambda: ident not in self._busy, LOCK_SECONDS):
                raise Aborted(sentences.SESSION_BUSY)
            self._busy.add(ident)
        try:
            yield
        finally:
            with self._freed:
                self._busy.discard(ident)
                self._freed.notify_all()

    def _keep(self, appending: "Appending") -> None:
        """Make what was written durable, then say so in the row."""
        writer, row = appending.writer, appending.row
        try:
            if writer.size > row.received:
                writer.flush()
                row = replace(row, received=writer.size, crc32c=writer.crc32c)
                if not self._objects.store.write(lambda tx: rows.update_upload(tx, row)):
                    raise NotFound(sentences.SESSION_CANCELLED)
                self._objects.step("session")
                appending.row = row
        finally:
            writer.close()


class Appending:
    """A session while somebody writes to it; `row` is as of the last durable byte."""

    def __init__(self, row: UploadRow, writer: Writer) -> None:
        self.row = row
        self.writer = writer

    def write(self, offset: int, chunk: bytes | bytearray | memoryview) -> int:
        """Write bytes that belong at `offset`, skipping those already stored; return the offset after them.

        InvalidArgument when they would leave a gap.
        """
        if offset > self.writer.size:
            raise InvalidArgument(
                sentences.SESSION_GAP.format(held=self.writer.size, offset=offset),
                reason="GAP",
            )
        self.writer.write(memoryview(chunk)[self.writer.size - offset :])
        return offset + len(chunk)
