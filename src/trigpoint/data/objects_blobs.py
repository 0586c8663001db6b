"""The blob area: one file per generation, whatever its name; which of them is an object is the rows' affair.

A file is born in `incoming/` and moves to a numbered folder once nothing can need it withdrawn, so that what a
crash left without a row lies in one small place. Files here and in the bucket trees are hard links of each other.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

import google_crc32c

from trigpoint.core.errors import FailedPrecondition, InvalidArgument, ResourceExhausted, Unavailable
from trigpoint.data import sentences
from trigpoint.store.objects import ObjectRow

Step = Callable[[str], None]
"""Called after each write, sync, link, rename and unlink with its name; tests stop the process there."""

CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
FILE_MODE = 0o666
FOLDER_MODE = 0o777
"""Open to all who can reach them: the home keeps others out, and a mount decides which bucket a job reaches."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a file looks: another look means other bytes, or at least that somebody touched them."""

    inode: int
    mtime: int
    size: int

    @staticmethod
    def of(stat: os.stat_result) -> "Look":
        """Return the look of a file, its numbers within 64 bits signed."""
        inode = stat.st_ino if stat.st_ino < 1 << 63 else stat.st_ino - (1 << 64)
        return Look(inode, max(-(1 << 63), min(stat.st_mtime_ns, (1 << 63) - 1)), stat.st_size)

    @staticmethod
    def recorded(row: ObjectRow) -> "Look":
        """Return how the file of a generation looked when its row was made."""
        return Look(row.inode, row.mtime, row.size)


@dataclass(frozen=True, slots=True)
class Content:
    """Durable bytes without a name yet."""

    blob: str
    size: int
    crc32c: int
    look: Look
    md5: str = ""


class Sink(Protocol):
    """What takes bytes one after the other."""

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append bytes; ResourceExhausted when the disk is full."""
        ...


class Blobs:
    """The files of `root`. Thread-safe: no two calls share a file unless they name the same blob."""

    def __init__(self, root: Path, step: Step) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.step = step
        self.incoming.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, blob: str) -> Path:
        """Return where a blob is now; the path may be gone the next moment if it is settled meanwhile."""
        settled = self._settled(blob)
        return settled if settled.exists() else self.incoming / blob

    def open(self, blob: str) -> int:
        """Return a descriptor to read a blob; FileNotFoundError when there is no such file."""
        for path in (self._settled(blob), self.incoming / blob, self._settled(blob)):
            with disk(), suppress(FileNotFoundError):
                try:
                    return os.open(path, _READ)
                except PermissionError:  # a job took that right away, by the name that it has for the same file
                    path.chmod(FILE_MODE)
                    return os.open(path, _READ)
        raise FileNotFoundError(errno.ENOENT, "no such blob")

    def create(self, blob: str) -> "Writer":
        """Begin a new file."""
        return Writer(self, blob, 0, 0)

    def resume(self, blob: str, size: int, crc32c: int) -> "Writer":
        """Go on with a file of which the first `size` bytes are durable; what follows them is dropped."""
        return Writer(self, blob, size, crc32c)

    def sync(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.step("folder.sync")

    def link(self, file: int, blob: str) -> None:
        """Give an open file a second name in `incoming/`: that very file, whatever its old name stands for by now."""
        folder = os.open(self.incoming, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:  # with a folder's descriptor Python calls linkat, which follows /proc's link to the file itself
            os.link(f"/proc/self/fd/{file}", blob, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)
        self.step("incoming.link")

    def settle(self, blobs: set[str]) -> None:
        """Move blobs out of `incoming/`, durably. Those that are not there are left alone."""
        folders = set()
        for blob in blobs:
            target = self._settled(blob)
            target.parent.mkdir(exist_ok=True, mode=0o700)
            try:
                os.rename(self.incoming / blob, target)
            except FileNotFoundError:
                continue
            self.step("blob.settle")
            folders.add(target.parent)
        for folder in folders:
            self.sync(folder)
        if folders:
            self.sync(self.root)
            self.sync(self.incoming)

    def unlink(self, blob: str) -> None:
        """Remove a blob; nothing happens when it is gone."""
        for path in (self._settled(blob), self.incoming / blob):
            path.unlink(missing_ok=True)
        self.step("blob.unlink")

    def strays(self) -> Iterator[str]:
        """Yield the names in `incoming/`."""
        yield from os.listdir(self.incoming)

    def _settled(self, blob: str) -> Path:
        return self.root / blob[:2] / blob


class Writer:
    """One file being written, in `incoming/`. Used by one thread at a time; leaving it unfinished removes the file."""

    def __init__(self, blobs: Blobs, blob: str, size: int, crc32c: int) -> None:
        self._blobs = blobs
        self.blob = blob
        self.size = size
        self.crc32c = crc32c
        self._finished = False
        with disk():
            self._file = os.open(blobs.incoming / blob, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW)
            os.fchmod(self._file, FILE_MODE)
            os.ftruncate(self._file, size)
            os.lseek(self._file, size, os.SEEK_SET)
        blobs.step("incoming.create")

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append bytes; ResourceExhausted when the disk is full."""
        rest = memoryview(chunk)
        with disk():
            while rest:
                rest = rest[os.write(self._file, rest) :]
        self.size += len(chunk)
        self.crc32c = google_crc32c.extend(self.crc32c, bytes(chunk) if isinstance(chunk, memoryview) else chunk)
        self._blobs.step("incoming.write")

    def append_file(self, source: int, size: int, crc32c: int | None) -> None:
        """Append a whole file by its descriptor; `crc32c` is its known checksum and spares reading it, when first."""
        if crc32c is not None and self.size == 0:
            with disk():
                _copy(source, self._file, size)
            self.size, self.crc32c = size, crc32c
            self._blobs.step("incoming.write")
            return
        offset = 0
        while offset < size:
            chunk = os.pread(source, min(CHUNK, size - offset), offset)
            if not chunk:
                raise Unavailable(sentences.CHANGED)
            self.write(chunk)
            offset += len(chunk)

    def flush(self) -> None:
        """Make what was written so far durable."""
        with disk():
            os.fdatasync(self._file)
        self._blobs.step("incoming.sync")

    def finish(self, md5: str = "") -> Content:
        """Make the file durable under its name in `incoming/` and describe it."""
        with disk():
            os.fsync(self._file)
            self._blobs.step("incoming.sync")
            look = Look.of(os.fstat(self._file))
            self._blobs.sync(self._blobs.incoming)
        self._finished = True
        self.close()
        return Content(self.blob, self.size, self.crc32c, look, md5)

    def close(self) -> None:
        """Close the file and leave it. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def abort(self) -> None:
        """Close and remove the file, unless it is finished. Idempotent."""
        self.close()
        if not self._finished:
            self._finished = True
            self._blobs.unlink(self.blob)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.abort()


class disk:  # noqa: N801 - reads as a word at `with disk():`
    """Turns what a full, read-only or failing disk does into the error that the caller is told."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceExhausted(sentences.DISK_FULL, reason="DISK_FULL") from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise FailedPrecondition(sentences.READ_ONLY) from error
        if error.errno == errno.EFBIG:
            raise InvalidArgument(sentences.TOO_LARGE) from error
        raise Unavailable(sentences.DISK_FAILED) from error


def _copy(source: int, target: int, size: int) -> None:
    offset = 0
    while offset < size:
        try:
            copied = os.copy_file_range(source, target, min(size - offset, 1 << 30), offset)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
                raise
            copied = os.write(target, os.pread(source, min(CHUNK, size - offset), offset))
        if not copied:
            raise Unavailable(sentences.CHANGED)
        offset += copied
