"""Upload sessions as callers see them: what was said at their start, what they hold, what they become."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from trigpoint.core.call import Caller
from trigpoint.core.clock import SECOND, Clock
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, PermissionDenied, TrigpointError, Violation
from trigpoint.data.objects_uploads import Appending
from trigpoint.data.objects_uploads import Uploads as Sessions
from trigpoint.domains.storage import rules, sentences
from trigpoint.domains.storage.rules import JSON, Hashes, Preconditions
from trigpoint.domains.storage.things import MD5_LIMIT, Target, Things
from trigpoint.store.objects import ObjectRow, PartRow, UploadRow

_OF_NOTHING = "1B2M2Y8AsgTpgAmY7PhCfg=="
"""The MD5 of no bytes: a session has no file before its first one."""
LIFETIME = 7 * 24 * 3600 * SECOND
"""How long a session may be resumed (Cloud Storage: one week)."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """The sessions of all buckets. Thread-safe."""

    sessions: Sessions
    things: Things
    clock: Clock

    def begin(
        self, caller: Caller, target: Target, given: Mapping[str, Any], hashes: Hashes, total: int | None = None
    ) -> str:
        """Begin a session; returns its id. Preconditions are kept and checked when it ends."""
        self.things.buckets.open(caller, target.bucket)
        name = rules.object_name(target.name)
        spec: JSON = {
            "email": caller.email,
            "attributes": rules.new_object(given, ""),
            "when": asdict(target.when),
            "hashes": asdict(hashes),
            "total": total,
        }
        return self.sessions.begin(target.bucket, name, orjson.dumps(spec)).id

    def status(self, caller: Caller, ident: str) -> UploadRow | ObjectRow:
        """Return the session or, when it is finished, the object that it became."""
        row = self._open(caller, ident)
        return self._made(caller, row) if row.generation else row

    @contextmanager
    def appending(self, caller: Caller, ident: str) -> Iterator[Appending]:
        """Go on with a session; what was written is kept even when the request breaks off."""
        self._open(caller, ident)
        with self.sessions.appending(ident) as appending:
            yield appending

    def finish(self, caller: Caller, ident: str, size: int, hashes: Hashes) -> ObjectRow:
        """Make a session's bytes an object; InvalidArgument when they are not `size` or not those of the checksums.

        A session whose checksums or preconditions fail is dropped with its bytes.
        """
        with self.sessions.locked(ident):
            row = self._open(caller, ident)
            if row.generation:
                return self._made(caller, row)
            spec = orjson.loads(row.spec)
            if row.received != size or spec["total"] not in (None, size):
                text = sentences.OTHER_SIZE.format(size=size, held=row.received)
                raise InvalidArgument(violations=[Violation("Content-Range", text)])
            claimed = hashes.merged(Hashes(**spec["hashes"]))
            try:
                md5 = self._check(row, claimed)
                rule = self.things.rule(caller, Preconditions(**spec["when"]))
                made = self.sessions.finish(row, orjson.dumps(spec["attributes"]), rule, md5)
            except (InvalidArgument, FailedPrecondition):
                self.sessions.drop(ident)
                raise
        self.things.written(caller, made)
        return made

    def cancel(self, caller: Caller, ident: str) -> None:
        """End a session and drop its bytes."""
        self._open(caller, ident)
        self.sessions.cancel(ident)

    def put_part(self, caller: Caller, ident: str, number: int, content: Any) -> PartRow:
        """Add a numbered part, 1 to 10000, of durable bytes; nothing is left of bytes that are refused."""
        try:
            self._open(caller, ident)
            if not 1 <= number <= 10_000:
                raise InvalidArgument(violations=[Violation("partNumber", sentences.BAD_PART)])
            return self.sessions.put_part(ident, number, content)
        except TrigpointError:
            self.things.objects.release(content.blob)
            raise

    def parts(self, caller: Caller, ident: str) -> list[PartRow]:
        """Return a session's parts by number."""
        self._open(caller, ident)
        return self.sessions.parts(ident)

    def join(self, caller: Caller, ident: str, numbers: list[int]) -> ObjectRow:
        """Make an object of the named parts, in order; InvalidArgument when one is missing."""
        row = self._open(caller, ident)
        parts = {part.number: part for part in self.sessions.parts(ident)}
        lost = [number for number in numbers if number not in parts]
        if lost or not numbers or numbers != sorted(set(numbers)):
            raise InvalidArgument(sentences.LOST_PARTS.format(parts=lost[:10]))
        content = self.sessions.join([parts[number] for number in numbers])
        target = Target(row.bucket, row.name.decode(), when=Preconditions(**orjson.loads(row.spec)["when"]))
        made = self.things.insert(caller, target, content, orjson.loads(row.spec)["attributes"])
        self.sessions.cancel(ident)
        return made

    def purge(self) -> int:
        """Drop sessions that are too old to be resumed; return how many."""
        return self.sessions.purge(self.clock.now() - LIFETIME)

    def _open(self, caller: Caller, ident: str) -> UploadRow:
        row = self.sessions.get(ident)
        self.things.buckets.open(caller, row.bucket)
        if orjson.loads(row.spec)["email"] != caller.email and not caller.operator:
            raise PermissionDenied(sentences.FOREIGN_SESSION.format(email=caller.email))
        return row

    def _made(self, caller: Caller, row: UploadRow) -> ObjectRow:
        return self.things.get(caller, Target(row.bucket, row.name.decode(), row.generation))

    def _check(self, row: UploadRow, claimed: Hashes) -> str:
        """Return the MD5 of a session's bytes unless they are too many; InvalidArgument when a claimed one is wrong."""
        claimed.check(row.crc32c, "")
        if not claimed.md5 and row.received > MD5_LIMIT:
            return ""
        md5 = self.things.digest(row.blob) if row.received else _OF_NOTHING
        claimed.check(row.crc32c, md5)
        return md5
