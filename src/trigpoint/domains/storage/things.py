"""Objects as callers see them: ownership, preconditions, versions, copies; the bytes are `data.objects`' affair."""

import base64
import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from trigpoint.core.call import Caller
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.data.objects import Objects, Reading, Rule, missing
from trigpoint.data.objects_blobs import CHUNK, Content, Writer
from trigpoint.data.objects_sweep import Sweeper
from trigpoint.domains.storage import rules, sentences
from trigpoint.domains.storage.access import AccessLog
from trigpoint.domains.storage.buckets import Buckets, attributes_of
from trigpoint.domains.storage.listing import Listing
from trigpoint.domains.storage.rules import JSON, Hashes, Page, Preconditions, Query
from trigpoint.store import objects as rows
from trigpoint.store.objects import BucketRow, ObjectRow

COMPOSE_LIMIT = 32
MD5_LIMIT = 64 << 20
"""Up to this size every object has an MD5: of larger ones it would take too long, and clients check their CRC32C."""
ALWAYS = Preconditions()


@dataclass(frozen=True, slots=True)
class Target:
    """Which object a request is about, and under which conditions. Generation 0 is the live one."""

    bucket: str
    name: str
    generation: int = 0
    when: Preconditions = ALWAYS


@dataclass(frozen=True, slots=True)
class Things:
    """The objects of all buckets. Thread-safe."""

    objects: Objects
    sweeper: Sweeper
    buckets: Buckets
    access: AccessLog

    def writer(self) -> Writer:
        """Begin new bytes for `insert`; leaving the writer without finishing drops them."""
        return self.objects.writer()

    def insert(
        self,
        caller: Caller,
        target: Target,
        content: Content,
        given: Mapping[str, Any],
    ) -> ObjectRow:
        """Make durable bytes the live generation of a name; returns it. Nothing is left of bytes that are refused.

        `given` are the settable attributes.
        """
        row = self._put(caller, target, content, given)
        self.written(caller, row)
        return row

    def _put(
        self, caller: Caller, target: Target, content: Content, given: Mapping[str, Any], components: int | None = None
    ) -> ObjectRow:
        try:
            attributes = rules.new_object(given, "")
            name = rules.object_name(target.name)
        except InvalidArgument:
            self.objects.release(content.blob)
            raise
        if components is not None:
            attributes["componentCount"] = components
        rule = self.rule(caller, target.when)
        return self.objects.put(target.bucket, name, content, orjson.dumps(attributes), rule)

    def get(self, caller: Caller, target: Target, *, md5: bool = False) -> ObjectRow:
        """Return a generation; NotFound when there is none. With `md5`, its MD5 is filled in unless it is too large."""
        self.buckets.open(caller, target.bucket)
        row = self._find(target)
        target.when.check(row)
        if row is None:
            raise missing(target.bucket, target.name.encode("utf-8", "replace"))
        return self._with_md5(row) if md5 and not row.md5 and row.size <= MD5_LIMIT and not _composed(row) else row

    def open(self, caller: Caller, target: Target) -> Reading:
        """Open a generation's bytes; the reader says with `served` how much it took."""
        self.buckets.open(caller, target.bucket)
        name = target.name.encode("utf-8", "surrogatepass")
        reading = self.sweeper.open(target.bucket, name, target.generation)
        try:
            target.when.check(None if reading is None else reading.row)
        except BaseException:
            if reading is not None:
                reading.close()
            raise
        if reading is None:
            raise missing(target.bucket, target.name.encode("utf-8", "replace"))
        return reading

    def served(self, caller: Caller, row: ObjectRow, size: int, *, begins: bool = True) -> None:
        """Note that a caller read `size` bytes of a generation, or with `begins` false that many more of it."""
        self.access.record(caller, self._project_of(row.bucket), row, size, write=False, begins=begins)

    def written(self, caller: Caller, row: ObjectRow) -> None:
        """Note that a caller made a generation."""
        self.access.record(caller, self._project_of(row.bucket), row, row.size, write=True)

    def list(self, caller: Caller, bucket: str, query: Query) -> Page:
        """Return one page of a bucket's objects."""
        self.buckets.open(caller, bucket)

        def fetch(start: bytes, end: bytes | None, limit: int, after: int) -> list[ObjectRow]:
            return self.objects.store.read(
                lambda tx: rows.select(tx, bucket, start, end, limit, versions=query.versions, after=after)
            )

        return Listing(bucket, query, fetch).page()

    def change(self, caller: Caller, target: Target, given: Mapping[str, Any], *, whole: bool) -> ObjectRow:
        """Patch a generation's attributes or, `whole`, replace them."""

        def changed(owner: BucketRow, row: ObjectRow | None) -> ObjectRow:
            self.buckets.owned(caller, owner, target.bucket)
            target.when.check(row)
            if row is None:
                raise missing(target.bucket, name)
            attributes = rules.changed_object(orjson.loads(row.attributes), given, whole=whole)
            return replace(row, attributes=orjson.dumps(attributes))

        name = rules.object_name(target.name)
        self.buckets.open(caller, target.bucket)
        self._find(replace(target, generation=0))
        return self.objects.update(target.bucket, name, target.generation, changed)

    def delete(self, caller: Caller, target: Target) -> None:
        """Delete the live generation, or with a generation that one for good."""
        name = rules.object_name(target.name)
        self.buckets.open(caller, target.bucket)
        self._find(replace(target, generation=0))
        self.objects.remove(target.bucket, name, target.generation, self.rule(caller, target.when))

    def copy(self, caller: Caller, source: Target, target: Target, given: Mapping[str, Any] | None) -> ObjectRow:
        """Copy bytes and, unless attributes are given, attributes to another name or bucket; returns the new object."""
        row = self.get(caller, source, md5=True)
        self.buckets.open(caller, target.bucket)
        kept = {key: value for key, value in orjson.loads(row.attributes).items() if not key.endswith("Hold")}
        given = rules.checked_object(given or {})
        attributes = {**kept, **given} if set(given) <= {"storageClass"} else given
        content = self.objects.copy([row])
        made = self._put(caller, target, content, attributes, kept.get("componentCount"))
        self._copied(caller, [row], made)
        return made

    def compose(self, caller: Caller, sources: Sequence[Target], target: Target, given: Mapping[str, Any]) -> ObjectRow:
        """Join 1 to 32 objects of one bucket; the result has no MD5."""
        if not 1 <= len(sources) <= COMPOSE_LIMIT:
            text = sentences.COMPOSED.format(count=len(sources), most=COMPOSE_LIMIT)
            raise InvalidArgument(violations=[Violation("sourceObjects", text)])
        found = [self.get(caller, source) for source in sources]
        content = replace(self.objects.copy(found), md5="")
        count = sum(int(orjson.loads(row.attributes).get("componentCount", 1)) for row in found)
        made = self._put(caller, target, content, given, count)
        self._copied(caller, found, made)
        return made

    def move(self, caller: Caller, source: Target, target: Target) -> ObjectRow:
        """Give an object another name in its bucket, atomically."""
        names = rules.object_name(source.name), rules.object_name(target.name)
        if names[0] == names[1]:
            raise InvalidArgument(violations=[Violation("destinationObject", sentences.SAME_OBJECT)])
        self.buckets.open(caller, source.bucket)
        old = self._find(source)
        target_rule = self.rule(caller, target.when)
        row = self.objects.move(source.bucket, *names, self.rule(caller, source.when), target_rule)
        self._copied(caller, [old or row], row)
        return row

    def _copied(self, caller: Caller, sources: Sequence[ObjectRow], made: ObjectRow) -> None:
        """Note that storage itself put an object together from others."""
        named = [(self._project_of(row.bucket), row) for row in sources]
        self.access.copied(caller, named, (self._project_of(made.bucket), made))

    def rule(self, caller: Caller, when: Preconditions) -> Rule:
        """Return the rule that a change of a live generation meets, in its transaction."""

        def checked(owner: BucketRow, row: ObjectRow | None) -> bool:
            self.buckets.owned(caller, owner, owner.name)
            when.check(row)
            rules.may_replace(row, {} if row is None else orjson.loads(row.attributes))
            return rules.keeps_versions(attributes_of(owner))

        return checked

    def digest(self, blob: str) -> str:
        """Return the MD5 of a file of the blob area, base64."""
        file = self.objects.blobs.open(blob)
        with open(file, "rb", buffering=0) as raw:
            digest = hashlib.md5(usedforsecurity=False)
            while chunk := raw.read(CHUNK):
                digest.update(chunk)
        return base64.b64encode(digest.digest()).decode()

    def verified(self, content: Content, hashes: Hashes, *, part: bool = False) -> Content:
        """Return durable bytes once the checksums claimed for them hold; otherwise drops them and raises.

        Bytes that are to be a whole object, and not only `part` of one, get their MD5 unless they are too many.
        """
        try:
            hashes.check(content.crc32c, content.md5)
            if not content.md5 and (hashes.md5 or (not part and content.size <= MD5_LIMIT)):
                content = replace(content, md5=self.digest(content.blob))
                hashes.check(content.crc32c, content.md5)
        except InvalidArgument:
            self.objects.release(content.blob)
            raise
        return content

    def _find(self, target: Target) -> ObjectRow | None:
        """Return a generation by the rows, after adopting an edit of its file."""
        name = target.name.encode("utf-8", "surrogatepass")
        row = self.sweeper.get(target.bucket, name)
        if not target.generation or (row is not None and row.generation == target.generation):
            return row
        return self.objects.store.read(lambda tx: rows.get(tx, target.bucket, name, target.generation))

    def _with_md5(self, row: ObjectRow) -> ObjectRow:
        digest = hashlib.md5(usedforsecurity=False)
        with self.objects.open(row) as reading:
            for offset in range(0, row.size, CHUNK):
                digest.update(reading.read(offset, CHUNK))
        done = replace(row, md5=base64.b64encode(digest.digest()).decode())
        self.objects.store.write(lambda tx: _note_md5(tx, done))
        return done

    def _project_of(self, bucket: str) -> str:
        row = self.objects.store.read(lambda tx: rows.get_bucket(tx, bucket))
        return "" if row is None else row.project


def describe(name: bytes) -> bytes:
    """Return the attributes of an object that came as a file: its type by its name."""
    kind = mimetypes.guess_type(name.decode("utf-8", "replace"))[0]
    return orjson.dumps({"contentType": kind} if kind else {})


def attributes(row: ObjectRow) -> JSON:
    """Return an object's attributes as the API names them."""
    found: JSON = orjson.loads(row.attributes)
    return found


def _composed(row: ObjectRow) -> bool:
    return b'"componentCount"' in row.attributes


def _note_md5(tx: Any, done: ObjectRow) -> None:
    row = rows.get(tx, done.bucket, done.name, done.generation)
    if row is not None:
        rows.update(tx, replace(row, md5=done.md5), row.metageneration)
