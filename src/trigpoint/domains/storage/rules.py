"""What may be done to buckets and objects, and what comes of it: pure functions over rows and JSON values."""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from trigpoint.core import patterns, uris
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, PermissionDenied, Violation
from trigpoint.core.expressions import ExpressionError
from trigpoint.core.patterns import Pattern
from trigpoint.domains.storage import sentences
from trigpoint.store.objects import BucketRow, ObjectRow

CONDITION = "conditionNotMet"
NOT_MODIFIED = "notModified"
OBJECT_FIELDS = frozenset(
    {
        "contentType", "contentEncoding", "contentDisposition", "contentLanguage", "cacheControl",
        "metadata", "customTime", "storageClass", "eventBasedHold", "temporaryHold",
    }
)  # fmt: skip
"""What a client may set on an object (vertex-services.md section 10.1)."""
BUCKET_FIELDS = frozenset(
    {
        "location", "locationType", "storageClass", "labels", "versioning", "iamConfiguration", "lifecycle",
        "cors", "website", "logging", "encryption", "billing", "defaultEventBasedHold", "autoclass", "rpo",
        "hierarchicalNamespace", "softDeletePolicy", "acl", "defaultObjectAcl", "customPlacementConfig",
        "objectRetention",
    }
)  # fmt: skip
CLASSES = frozenset(
    {
        "STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL",
        "DURABLE_REDUCED_AVAILABILITY", "RAPID",
    }
)  # fmt: skip
METADATA_LIMIT = 8192
TEXT_LIMIT = 2048
"""Characters of a content type and its like: they come back as headers, of which clients take so much and no more."""
BUCKET_LIMIT = 256 << 10
"""Bytes of a bucket's settings and policy: a page of a list holds a thousand buckets."""
GLOB_LIMIT = 1024
JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Preconditions:
    """Conditions on the generation that an operation meets; None where none is set."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None

    def check(self, row: ObjectRow | BucketRow | None) -> None:
        """Raise FailedPrecondition with the reason that the surface turns into 412 or 304."""
        generation = 0 if row is None else getattr(row, "generation", None)
        metageneration = None if row is None else row.metageneration
        if self.generation is not None and self.generation != generation:
            raise _unmet("ifGenerationMatch", self.generation, generation)
        if self.metageneration is not None and self.metageneration != metageneration:
            raise _unmet("ifMetagenerationMatch", self.metageneration, metageneration)
        same = self.not_generation is not None and self.not_generation == generation
        if same or (self.not_metageneration is not None and self.not_metageneration == metageneration):
            raise FailedPrecondition(sentences.NOT_MODIFIED, reason=NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class Hashes:
    """Checksums that a client claims for its bytes, base64; empty where it claims none."""

    crc32c: str = ""
    md5: str = ""

    def check(self, crc32c: int, md5: str) -> None:
        """InvalidArgument when a claimed checksum is not that of the bytes that came."""
        for name, claimed, found in (("crc32c", self.crc32c, crc_text(crc32c)), ("md5Hash", self.md5, md5)):
            if claimed and found and claimed != found:
                told = {"name": name, "claimed": repr(claimed[:40]), "found": repr(found)}
                raise InvalidArgument(sentences.BAD_CHECKSUM.format(**told))

    def merged(self, other: "Hashes") -> "Hashes":
        """Return these claims with those of `other` where they are missing."""
        return Hashes(self.crc32c or other.crc32c, self.md5 or other.md5)


@dataclass(frozen=True, slots=True)
class Query:
    """What to list. `start` is inclusive, `end` exclusive; empty means none for all but `limit`."""

    prefix: bytes = b""
    delimiter: bytes = b""
    start: bytes = b""
    end: bytes = b""
    glob: str = ""
    versions: bool = False
    trailing: bool = False
    """Objects whose name ends with the delimiter are items too, beside their prefix."""
    limit: int = 1000
    token: str = ""


@dataclass(slots=True)
class Page:
    """One page of a list, in byte order of names."""

    items: list[ObjectRow] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    token: str = ""


def object_name(name: str) -> bytes:
    """Return the bytes of an object name; InvalidArgument when no object may have it."""
    fault = uris.object_fault(name)
    if fault:
        raise InvalidArgument(violations=[Violation("name", f"{uris.shown(name)}: {fault}")])
    return name.encode()


def new_bucket(name: str, given: Mapping[str, Any], location: str) -> JSON:
    """Return the attributes of a new bucket; InvalidArgument for a bad name or setting."""
    fault = uris.new_bucket_fault(name)
    if fault:
        raise InvalidArgument(violations=[Violation("name", fault)])
    attributes = {key: value for key, value in checked_bucket(given).items() if value is not None}
    attributes["location"] = str(attributes.get("location") or location).upper()
    attributes.setdefault("storageClass", "STANDARD")
    return attributes


def bucket_bytes(attributes: JSON) -> bytes:
    """Return a bucket's settings as they are stored; InvalidArgument when they are too many."""
    data = orjson.dumps(attributes)
    if len(data) > BUCKET_LIMIT:
        raise InvalidArgument(sentences.LARGE_SETTINGS.format(most=BUCKET_LIMIT))
    return data


def changed_bucket(attributes: JSON, given: Mapping[str, Any], *, whole: bool) -> JSON:
    """Return a bucket's attributes after a patch (null removes) or, `whole`, an update. Its location stays."""
    fixed: JSON = {key: attributes[key] for key in ("location", "_policy") if key in attributes}
    kept: JSON = {} if whole else attributes
    return {"storageClass": "STANDARD", **_patched(kept, checked_bucket(given)), **fixed}


def checked_bucket(given: Mapping[str, Any]) -> JSON:
    """Return the settable fields of a bucket; InvalidArgument for one that would promise what is not kept."""
    if given.get("retentionPolicy") is not None:
        raise _unsupported("retentionPolicy", sentences.NO_RETENTION)
    soft = given.get("softDeletePolicy")
    if isinstance(soft, Mapping) and str(soft.get("retentionDurationSeconds") or "0") != "0":
        raise _unsupported("softDeletePolicy", sentences.NO_SOFT_DELETE)
    _check_class(given)
    for name, value in given.items():
        if name in ("labels", "versioning", "iamConfiguration", "lifecycle") and not isinstance(value, dict | None):
            raise InvalidArgument(violations=[Violation(name, sentences.NO_OBJECT_VALUE)])
    return {key: value for key, value in given.items() if key in BUCKET_FIELDS}


def keeps_versions(attributes: Mapping[str, Any]) -> bool:
    """Return whether a bucket keeps the generations that are replaced or deleted."""
    versioning = attributes.get("versioning")
    return isinstance(versioning, Mapping) and versioning.get("enabled") is True


def checked_object(given: Mapping[str, Any]) -> JSON:
    """Return the settable fields of an object; InvalidArgument when one has the wrong type or is too large."""
    chosen = {key: value for key, value in given.items() if key in OBJECT_FIELDS}
    for name, value in chosen.items():
        kind: type = dict if name == "metadata" else bool if name.endswith("Hold") else str
        if value is not None and not isinstance(value, kind):
            raise InvalidArgument(violations=[Violation(name, sentences.BAD_TYPE.format(type=kind.__name__))])
        if isinstance(value, str) and len(value) > TEXT_LIMIT:
            raise InvalidArgument(violations=[Violation(name, sentences.TOO_LONG.format(most=TEXT_LIMIT))])
    metadata = chosen.get("metadata") or {}
    if any(not isinstance(value, str | None) for value in metadata.values()):
        raise InvalidArgument(violations=[Violation("metadata", sentences.NO_STRINGS)])
    _check_metadata(metadata)
    _check_class(chosen)
    return chosen


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    if sum(len(key.encode()) + len((value or "").encode()) for key, value in metadata.items()) > METADATA_LIMIT:
        raise InvalidArgument(violations=[Violation("metadata", sentences.LARGE_METADATA.format(most=METADATA_LIMIT))])


def new_object(given: Mapping[str, Any], content_type: str) -> JSON:
    """Return the attributes of a new object."""
    attributes = _patched({}, checked_object(given))
    if content_type and not attributes.get("contentType"):
        attributes["contentType"] = content_type
    return attributes


def changed_object(attributes: JSON, given: Mapping[str, Any], *, whole: bool) -> JSON:
    """Return an object's attributes after a patch (null removes, metadata key by key) or, `whole`, after an update."""
    system = {key: value for key, value in attributes.items() if key not in OBJECT_FIELDS}
    kept: JSON = {} if whole else attributes
    patched = _patched(kept, checked_object(given))
    _check_metadata(patched.get("metadata") or {})  # a little with every patch adds up
    return {**system, **patched}


def may_replace(row: ObjectRow | None, attributes: Mapping[str, Any]) -> None:
    """Raise PermissionDenied when a live generation is under a hold."""
    if row is not None and (attributes.get("temporaryHold") or attributes.get("eventBasedHold")):
        raise PermissionDenied(sentences.HELD.format(bucket=row.bucket, name=row.name.decode()))


def crc_text(crc32c: int) -> str:
    """Return a CRC32C as the API writes it: base64 of four big-endian bytes."""
    return base64.b64encode(crc32c.to_bytes(4, "big")).decode()


def glob(pattern: str) -> Pattern:
    """Return the expression of a matchGlob: `*` within a part, `**` across, `?`, `[..]`, `{a,b}`."""
    if len(pattern) > GLOB_LIMIT:
        raise _no_glob(pattern)
    try:
        return patterns.expression(_expression(pattern), whole=True, dotall=True)
    except ExpressionError:
        raise _no_glob(pattern) from None


def _expression(pattern: str) -> str:
    out, at, depth = "", 0, 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            out, at = out + ".*", at + 2
            continue
        if char == "[" and (end := pattern.find("]", at + 2)) > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out += f"[^{inner[1:]}]" if inner.startswith(("!", "^")) else f"[{inner}]"
            at = end + 1
            continue
        opened, closed = char == "{" and "}" in pattern[at:], char == "}" and depth > 0
        depth += opened - closed
        special = {"*": "[^/]*", "?": "[^/]"}
        if opened or closed:
            out += "(?:" if opened else ")"
        else:
            out += special.get(char) or ("|" if char == "," and depth else re.escape(char))
        at += 1
    return out + ")" * depth


def granted(permissions: Iterable[str]) -> list[str]:
    """Return which storage permissions the members of a bucket's project have: all of them, for now."""
    return [name for name in permissions if name.startswith("storage.")]


def _patched(kept: Mapping[str, Any], given: Mapping[str, Any]) -> JSON:
    merged = {**kept, **given}
    for name in ("metadata", "labels"):
        if isinstance(given.get(name), dict):
            both = {**(kept.get(name) or {}), **given[name]}
            merged[name] = {key: value for key, value in both.items() if value is not None} or None
    return {key: value for key, value in merged.items() if value is not None}


def _check_class(given: Mapping[str, Any]) -> None:
    value = given.get("storageClass")
    if value is not None and (not isinstance(value, str) or value not in CLASSES):
        raise InvalidArgument(
            violations=[Violation("storageClass", sentences.NO_CLASS.format(value=uris.shown(str(value))))]
        )


def _no_glob(pattern: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation("matchGlob", sentences.BAD_GLOB.format(value=uris.shown(pattern)))])


def _unsupported(name: str, text: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation(name, text)])


def _unmet(name: str, wanted: int, found: int | None) -> FailedPrecondition:
    text = sentences.UNMET.format(name=name, wanted=wanted, found="none" if found is None else found)
    return FailedPrecondition(text, reason=CONDITION)
