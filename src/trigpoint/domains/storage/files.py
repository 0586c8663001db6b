"""Objects for other slices, by `gs://` URI: a project reads and writes its own buckets, and is told what is wrong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from trigpoint.core import uris
from trigpoint.core.call import Caller
from trigpoint.core.errors import InvalidArgument, NotFound, Violation
from trigpoint.core.uris import GsUri
from trigpoint.data.objects import Objects, Reading, missing
from trigpoint.data.objects_sweep import Sweeper, Swept
from trigpoint.domains.storage import sentences
from trigpoint.domains.storage.rules import Query
from trigpoint.domains.storage.things import Target, Things
from trigpoint.store import objects as rows
from trigpoint.store.objects import ObjectRow

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Files:
    """A project's objects by URI. `project` is always a number. Thread-safe."""

    things: Things
    objects: Objects
    sweeper: Sweeper

    def check_bucket(self, project: str, uri: str, field: str) -> GsUri:
        """Return the parsed URI when its bucket is the project's.

        InvalidArgument or NotFound naming the field, the bucket and what to do; a bucket of another project is
        reported exactly as an absent one.
        """
        parsed = uris.parse(uri, field)
        if not self._holds(project, parsed):
            raise NotFound(sentences.NO_BUCKET.format(field=field, **_absent(parsed, uri)))
        return parsed

    def refuse_absent(self, project: str, uri: str, field: str) -> None:
        """Refuse a request that names a place to write to, unless its bucket is the project's: InvalidArgument."""
        parsed = uris.parse(uri, field)
        if not self._holds(project, parsed):
            raise InvalidArgument(
                violations=[Violation(field, sentences.NO_SUCH_BUCKET.format(**_absent(parsed, uri)))]
            )

    def exists(self, project: str, uri: str, field: str = "uri") -> bool:
        """Return whether an object of exactly this name is there."""
        parsed = self.check_bucket(project, uri, field)
        return bool(parsed.name) and self.sweeper.get(parsed.bucket, parsed.name.encode()) is not None

    def stat(self, project: str, uri: str, field: str = "uri") -> ObjectRow:
        """Return the live generation of an object; NotFound naming the field when it is not there."""
        parsed = self.check_bucket(project, uri, field)
        row = self.sweeper.get(parsed.bucket, parsed.name.encode()) if parsed.name else None
        if row is None:
            raise NotFound(sentences.NO_OBJECT.format(field=field, uri=uris.shown(uri)))
        return row

    def list(self, project: str, uri: str, field: str = "uri") -> Iterator[tuple[GsUri, ObjectRow]]:
        """Yield every object whose URI starts with `uri`, in byte order, reading page by page."""
        parsed = self.check_bucket(project, uri, field)
        query, caller = Query(prefix=parsed.name.encode(), limit=PAGE), inside(project)
        while True:
            page = self.things.list(caller, parsed.bucket, query)
            for row in page.items:
                yield GsUri(row.bucket, row.name.decode()), row
            if not page.token:
                return
            query = replace(query, token=page.token)

    def open_read(self, project: str, uri: str, field: str = "uri", caller: Caller | None = None) -> Reading:
        """Open an object's live generation; NotFound naming the field when it is not there. Close what it returns."""
        parsed = self.check_bucket(project, uri, field)
        reader = caller or inside(project)
        try:
            reading = self.things.open(reader, Target(parsed.bucket, parsed.name))
        except NotFound:
            raise NotFound(sentences.NO_OBJECT.format(field=field, uri=uris.shown(uri))) from None
        self.things.served(reader, reading.row, reading.row.size)
        return reading

    def read_bytes(self, project: str, uri: str, limit: int, field: str = "uri", caller: Caller | None = None) -> bytes:
        """Return an object of at most `limit` bytes; InvalidArgument when it is larger."""
        with self.open_read(project, uri, field, caller) as reading:
            if reading.row.size > limit:
                text = sentences.TOO_LARGE.format(uri=uris.shown(uri), size=reading.row.size, most=limit)
                raise InvalidArgument(violations=[Violation(field, text)])
            return b"".join(chunks(reading, 0, reading.row.size))

    def read_text(self, project: str, uri: str, limit: int, field: str = "uri", caller: Caller | None = None) -> str:
        """Return an object of at most `limit` bytes as text; InvalidArgument when it is larger or not UTF-8."""
        try:
            return self.read_bytes(project, uri, limit, field, caller).decode()
        except UnicodeDecodeError:
            text = sentences.NO_TEXT.format(uri=uris.shown(uri))
            raise InvalidArgument(violations=[Violation(field, text)]) from None

    def write(
        self,
        project: str,
        uri: str,
        data: bytes | Iterable[bytes],
        content_type: str = "application/octet-stream",
        caller: Caller | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectRow:
        """Make bytes, or a stream of them, the live generation of an object; durable on return."""
        parsed = self.check_bucket(project, uri, "uri")
        with self.things.writer() as writer:
            for chunk in [data] if isinstance(data, bytes) else data:
                writer.write(chunk)
            content = writer.finish()
        given = {"contentType": content_type, **({"metadata": dict(metadata)} if metadata else {})}
        return self.things.insert(caller or inside(project), Target(parsed.bucket, parsed.name), content, given)

    def adopt_file(self, project: str, uri: str, path: Path, caller: Caller | None = None) -> ObjectRow:
        """Make a copy of a plain file of the server the live generation of an object."""
        with path.open("rb") as file:
            return self.write(project, uri, iter(lambda: file.read(1 << 20), b""), caller=caller)

    def delete(self, project: str, uri: str, caller: Caller | None = None) -> None:
        """Delete an object's live generation; NotFound when it is not there."""
        parsed = self.check_bucket(project, uri, "uri")
        self.things.delete(caller or inside(project), Target(parsed.bucket, parsed.name))

    def pin(self, project: str, uri: str, *, pinned: bool = True) -> ObjectRow:
        """Keep the live generation's bytes through overwrites and deletes, or stop keeping them; returns it."""
        parsed = self.check_bucket(project, uri, "uri")
        name = parsed.name.encode()
        self.sweeper.get(parsed.bucket, name)

        def changed(owner: object, row: ObjectRow | None) -> ObjectRow:
            if row is None:
                raise missing(parsed.bucket, name)
            return replace(row, pinned=pinned)

        return self.objects.update(parsed.bucket, name, 0, changed)

    def tree_path(self, bucket: str) -> Path:
        """Return the folder whose files are a bucket's live objects."""
        return self.objects.root / bucket

    def trees(self, project: str) -> dict[str, Path]:
        """Return the folders of all buckets of a project by name: what its jobs see under /gcs."""
        found: dict[str, Path] = {}
        after = ""
        while page := self.objects.store.read(lambda tx, a=after: rows.list_buckets(tx, project, "", a, PAGE)):  # type: ignore[misc]
            found |= {row.name: self.tree_path(row.name) for row in page}
            after = page[-1].name
        return found

    def rescan(self, bucket: str, prefix: str = "") -> Swept:
        """Bring the rows in line with files that were written or removed under /gcs."""
        steps = list(self.sweep(bucket, prefix))
        adopted = tuple(row for step in steps for row in step.adopted)
        return Swept(adopted, tuple(row for step in steps for row in step.deleted))

    def sweep(self, bucket: str, prefix: str = "") -> Iterator[Swept]:
        """Do the same name by name; yield after each what it changed, so that a caller can pause in between."""
        yield from self.sweeper.sweep(bucket, prefix.encode())

    def note(self, caller: Caller, row: ObjectRow, *, write: bool, series: str = "") -> None:
        """Note that a caller touched a generation below /gcs; see `AccessLog.record`."""
        self.things.access.record(caller, caller.project, row, row.size, write=write, series=series)

    def _holds(self, project: str, uri: GsUri) -> bool:
        row = self.objects.store.read(lambda tx: rows.get_bucket(tx, uri.bucket))
        return row is not None and row.project == project


def chunks(reading: Reading, offset: int, count: int) -> Iterator[bytes]:
    """Yield `count` bytes from `offset` in pieces of at most 1 MiB."""
    end = offset + count
    while offset < end:
        piece = reading.read(offset, min(1 << 20, end - offset))
        if not piece:
            return
        yield piece
        offset += len(piece)


def inside(project: str) -> Caller:
    """Return the identity under which the server itself works in a project."""
    return Caller(email=f"service-{project}@gcp-sa-aiplatform.iam.gserviceaccount.com", project=project)


def _absent(parsed: GsUri, uri: str) -> dict[str, str]:
    return {"bucket": parsed.bucket, "address": f"gs://{parsed.bucket}", "uri": uris.shown(uri)}
