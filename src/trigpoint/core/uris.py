"""The only place that parses or builds `gs://` URIs and the rules of bucket and object names."""

import re
from dataclasses import dataclass

from trigpoint.core import sentences
from trigpoint.core.errors import InvalidArgument, Violation

_PART = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_GOOGLE = re.compile(r"g[o0]{2}gle")
SCHEME = "gs://"


@dataclass(frozen=True, slots=True)
class GsUri:
    """A bucket and an object name or prefix in it; `name` is empty for the bucket itself."""

    bucket: str
    name: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.name}" if self.name else f"{SCHEME}{self.bucket}"

    def below(self, *parts: str) -> "GsUri":
        """Return the URI of something below this one, with exactly one slash between the parts."""
        return GsUri(self.bucket, "/".join([*([self.name.rstrip("/")] if self.name else []), *parts]))


def parse(uri: str, field: str = "uri") -> GsUri:
    """Return the bucket and name of `gs://BUCKET[/NAME]`; InvalidArgument naming the field otherwise."""
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    wrong = "" if uri.startswith(SCHEME) else sentences.NO_SCHEME
    wrong = wrong or bucket_fault(bucket) or (object_fault(name) if name else "")
    if wrong:
        text = sentences.BAD_URI.format(uri=shown(uri), problem=wrong)
        raise InvalidArgument(violations=[Violation(field, text)])
    return GsUri(bucket, name)


def bucket_fault(name: str) -> str:
    """Return what is wrong with a bucket name, or an empty string.

    3 to 63 characters, 222 with dots, each dotted part up to 63 (vertex-services.md section 10.1).
    """
    if not 3 <= len(name) <= (222 if "." in name else 63):
        return sentences.BUCKET_LENGTH.format(name=shown(name))
    if not all(_PART.fullmatch(part) for part in name.split(".")):
        return sentences.BUCKET_CHARACTERS.format(name=shown(name))
    if _ADDRESS.fullmatch(name):
        return sentences.BUCKET_ADDRESS.format(name=shown(name))
    return ""


def new_bucket_fault(name: str) -> str:
    """Return what forbids creating a bucket of this name: `bucket_fault`, and names that are Google's own."""
    if name.startswith("goog") or _GOOGLE.search(name):
        return sentences.BUCKET_OF_GOOGLE.format(name=shown(name))
    return bucket_fault(name)


def object_fault(name: str) -> str:
    """Return what is wrong with an object name, or an empty string: 1 to 1024 bytes of UTF-8 without line breaks."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return sentences.OBJECT_NO_UNICODE
    if not 0 < size <= 1024:
        return sentences.OBJECT_LENGTH.format(size=size)
    if "\r" in name or "\n" in name:
        return sentences.OBJECT_BREAKS
    return sentences.OBJECT_DOTS if name in (".", "..") else ""


def shown(text: str) -> str:
    """Return text fit for an error message: quoted and never long."""
    return repr(text if len(text) <= 120 else text[:117] + "...")
