"""Unpacks archives from strangers: regular files and folders only, below one directory, within limits."""

from __future__ import annotations

import contextlib
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Iterator, NamedTuple

from . import sentences

_CHUNK = 1 << 16
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class BadArchive(ValueError):
    """The archive is damaged, too large or holds what no package needs; the message says which, for people."""


@dataclass(frozen=True)
class Bounds:
    """How much an archive may hold. Crossing one stops the extraction at once."""

    bytes: int = 2 << 30
    ratio: int = 100
    """Unpacked to packed size; only looked at beyond 10 MiB."""
    entries: int = 20_000
    depth: int = 32


_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, ValueError, LookupError, OverflowError, RuntimeError,
)  # fmt: skip
"""What the standard library raises for archives that are damaged, beside OSError."""

USUAL = Bounds()


_LONGEST_HEADER = 16 << 10
"""Bytes of what may precede a member: twice the longest name, which tarfile takes into memory and searches whole."""
_LONGEST_LIST = 32 << 20
"""Bytes of a zip's list of members, which zipfile takes into memory whole."""


class _Member(tarfile.TarInfo):
    """A member that refuses to be preceded by headers without end; `_proc_...` is where tarfile goes by its kind."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise BadArchive(sentences.NO_FILE.format(name=_shown(self.name)))
        if self.type not in (*tarfile.REGULAR_TYPES, tarfile.DIRTYPE) and self.size > _LONGEST_HEADER:
            raise BadArchive(sentences.LONG_HEADER)
        found: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return found

    def _proc_gnusparse_10(self, *given: object) -> None:
        raise BadArchive(sentences.NO_FILE.format(name=_shown(self.name)))


class _Entry(NamedTuple):
    name: str
    folder: bool
    executable: bool
    source: IO[bytes] | None


def extract(archive: str, target: str, bounds: Bounds = USUAL) -> list[str]:
    """Unpack a .tar.gz (or any tar) or .zip (.whl) into a fresh directory; return the names of its files.

    Raises BadArchive for anything but regular files and folders with plain relative names. Files are made anew, never
    through a link, with modes 0644 or 0755. What was unpacked before the offence stays in `target`.
    """
    os.makedirs(target)
    root = os.open(target, _FOLDER)
    packed = os.path.getsize(archive)
    budget = _Budget(bounds, packed)
    names: list[str] = []
    try:
        for entry in _entries(archive):
            budget.entry()
            parts = _parts(entry.name, bounds.depth)
            if not parts:
                continue
            if entry.folder:
                with _folder(root, parts):
                    continue
            with _folder(root, parts[:-1]) as folder:
                _write(folder, parts[-1], entry, budget)
            names.append("/".join(parts))
    except BadArchive:
        raise
    except _DAMAGE as error:
        raise BadArchive(sentences.DAMAGED.format(problem=error)) from error
    except OSError as error:
        raise BadArchive(sentences.NOT_UNPACKED.format(problem=error.strerror or error)) from error
    finally:
        os.close(root)
    return names


class _Budget:
    def __init__(self, bounds: Bounds, packed: int) -> None:
        self._bounds = bounds
        self._entries = bounds.entries
        self._bytes = min(bounds.bytes, max(10 << 20, packed * bounds.ratio))

    def entry(self) -> None:
        self._entries -= 1
        if self._entries < 0:
            raise BadArchive(sentences.MANY_ENTRIES.format(most=self._bounds.entries))

    def take(self, size: int) -> None:
        self._bytes -= size
        if self._bytes < 0:
            raise BadArchive(sentences.TOO_MUCH)


def _entries(archive: str) -> Iterator[_Entry]:
    if zipfile.is_zipfile(archive) and not tarfile_first(archive):
        yield from _zip_entries(archive)
        return
    with tarfile.open(archive, "r|*", tarinfo=_Member) as tar:
        for member in tar:
            if not (member.isfile() or member.isdir()) or member.issparse():
                raise BadArchive(sentences.NO_FILE.format(name=_shown(member.name)))
            yield _Entry(member.name, member.isdir(), bool(member.mode & 0o100), tar.extractfile(member))


def tarfile_first(archive: str) -> bool:
    """Return whether the file begins as gzip or tar: a zip hidden at the end of a tar is still a tar."""
    with open(archive, "rb") as file:
        start = file.read(264)
    return start[:2] == b"\x1f\x8b" or start[257:262] == b"ustar"


def _zip_entries(archive: str) -> Iterator[_Entry]:
    with open(archive, "rb") as raw:
        end = zipfile._EndRecData(raw)  # type: ignore[attr-defined]
    if end is None or end[5] > _LONGEST_LIST:
        raise BadArchive(sentences.LONG_LIST)
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            kind = (info.external_attr >> 16) & 0o170000
            if kind not in (0, 0o100000, 0o040000):
                raise BadArchive(sentences.NO_FILE.format(name=_shown(info.filename)))
            if info.is_dir():
                yield _Entry(info.filename, True, False, None)
            else:
                with file.open(info) as source:
                    yield _Entry(info.filename, False, bool((info.external_attr >> 16) & 0o100), source)


def _parts(name: str, depth: int) -> list[str]:
    """Return the components of a name; BadArchive for one that is not plainly inside."""
    plain = name[2:] if name.startswith("./") else name
    parts = [part for part in plain.rstrip("/").split("/") if part != "."]
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in parts or "" in parts[:-1]:
        raise BadArchive(sentences.OUTSIDE.format(name=_shown(name)))
    if len(parts) > depth or any(len(os.fsencode(part)) > 255 for part in parts):
        raise BadArchive(sentences.TOO_LONG.format(name=_shown(name)))
    return [part for part in parts if part]


@contextlib.contextmanager
def _folder(root: int, parts: list[str]) -> Iterator[int]:
    """Open (and make) a folder below `root`, one component after the other, following no link."""
    here = os.dup(root)
    try:
        for part in parts:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=here)
            below = os.open(part, _FOLDER, dir_fd=here)
            os.close(here)
            here = below
        yield here
    finally:
        os.close(here)


def _write(folder: int, name: str, entry: _Entry, budget: _Budget) -> None:
    if entry.source is None:
        raise BadArchive(sentences.NO_CONTENT.format(name=_shown(entry.name)))
    try:
        fd = os.open(name, _FLAGS, 0o755 if entry.executable else 0o644, dir_fd=folder)
    except FileExistsError:
        raise BadArchive(sentences.TWICE.format(name=_shown(entry.name))) from None
    with open(fd, "wb") as file:
        while True:
            data = entry.source.read(_CHUNK)
            if not data:
                return
            budget.take(len(data))
            file.write(data)


def _shown(name: str) -> str:
    """Return a name that is safe and short enough for a message."""
    return repr(name[:80])
