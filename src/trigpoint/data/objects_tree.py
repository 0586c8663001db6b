"""One bucket as a tree of plain files: puts links where a person and `/gcs` look for them; holds no truth.

Everything goes through directory descriptors and follows no link, because jobs write into the tree too. A name
that a tree cannot hold (`a` beside `a/b`, `.`, `..`, empty or over-long parts, NUL) is shown in one escaped folder.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from trigpoint.core.errors import FailedPrecondition
from trigpoint.data import sentences
from trigpoint.data.objects_blobs import FILE_MODE, FOLDER_MODE, Look, Step

ESCAPED = b".trigpoint-escaped"
NAME_LIMIT = 255
NAME_LENGTH = 1024
"""No object has a longer name: what lies deeper in a tree is nobody's object."""
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BLOCKED = frozenset((errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY, errno.ENAMETOOLONG))

Placeholder = Callable[[bytes], bool]
"""Says whether an object of that name, which ends in a slash, is live: its empty folder then stays."""


class Tree:
    """The files of one bucket under `root`. The caller sees to it that one thread at a time changes a tree."""

    def __init__(self, root: Path, scratch: Path, step: Step) -> None:
        self.root = root
        self._scratch = scratch
        self._step = step

    def make(self) -> None:
        """Create the bucket's folder. Idempotent; FailedPrecondition where a file lies in its place."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            text = sentences.FILE_IN_PLACE.format(bucket=self.root.name)
            raise FailedPrecondition(text) from None
        self.root.chmod(FOLDER_MODE)
        self._step("tree.make")

    def clear(self) -> None:
        """Remove the bucket's folder as far as it holds no file."""
        found: list[list[bytes]] = []
        left: list[list[bytes]] = [[]]
        while left:
            segments = left.pop()
            found.append(segments)
            left += [[*segments, part] for part in self._folders(segments)]
        for segments in reversed(found[1:]):
            folder = self._descend(segments[:-1], create=False)
            if folder is not None:
                with suppress(OSError):
                    os.rmdir(segments[-1], dir_fd=folder)
                os.close(folder)
        with suppress(OSError):
            os.rmdir(self.root)

    def look(self, name: bytes) -> Look | None:
        """Return how the file that stands for a name looks, or None. A folder stands for an empty `name/`.

        PermissionError when another user keeps it from us.
        """
        for place in self._places(name):
            folder = self._descend(place[:-1], create=False)
            if folder is None:
                continue
            try:
                found = os.stat(place[-1], dir_fd=folder, follow_symlinks=False)
            except OSError:
                continue
            finally:
                os.close(folder)
            if stat.S_ISREG(found.st_mode):
                return Look.of(found)
        return None

    def has_folder(self, name: bytes) -> bool:
        """Return whether the folder that a name ending in a slash stands for is there."""
        segments = _segments(name[:-1])
        folder = self._descend(segments, create=False) if segments else None
        if folder is None:
            return False
        os.close(folder)
        return True

    def path(self, name: bytes) -> Path | None:
        """Return where the regular file that stands for a name is, if there is one reached through no link."""
        for place in self._places(name):
            folder = self._descend(place[:-1], create=False)
            if folder is None:
                continue
            try:
                regular = stat.S_ISREG(os.stat(place[-1], dir_fd=folder, follow_symlinks=False).st_mode)
            except OSError:
                continue
            finally:
                os.close(folder)
            if regular:
                return self.root.joinpath(*(os.fsdecode(part) for part in place))
        return None

    def open(self, name: bytes) -> int | None:
        """Return a descriptor of the regular file that stands for a name, or None; follows no link."""
        for place in self._places(name):
            folder = self._descend(place[:-1], create=False)
            if folder is None:
                continue
            try:
                file = open_file(place[-1], folder)
            except OSError:
                continue
            finally:
                os.close(folder)
            if stat.S_ISREG(os.fstat(file).st_mode):
                return file
            os.close(file)
        return None

    def show(self, name: bytes, source: Path, size: int) -> Path:
        """Make the file `source` stand for a name, replacing what does; return the folder whose names changed."""
        segments = _segments(name)
        if segments is None and size == 0 and name.endswith(b"/"):
            segments = _segments(name[:-1])
            folder = self._descend(segments, create=True) if segments else None
            if folder is not None:
                os.close(folder)
                self._drop_escaped(name)
                return self._folder(segments or [])
        elif segments is not None and self._link(segments, source):
            self._drop_escaped(name)
            return self._folder(segments[:-1])
        escaped = [ESCAPED, _escape(name)]
        if not self._link(escaped, source):
            self._unlink([ESCAPED])
            self._link(escaped, source)
        return self._folder(escaped[:-1])

    def hide(self, name: bytes, placeholder: Placeholder) -> Path:
        """Remove what stands for a name and the folders that it leaves empty; return the folder to sync."""
        self._drop_escaped(name)
        trailing = name.endswith(b"/")
        segments = _segments(name[:-1] if trailing else name)
        if segments is None:
            return self.root
        if not trailing:
            self._unlink(segments)
        depth = self._prune(segments if trailing else segments[:-1], placeholder)
        return self._folder(segments[:depth])

    def walk(self, prefix: bytes) -> Iterator[tuple[bytes, Look]]:
        """Yield name and look of every plain file whose name starts with `prefix`; never follows a link.

        What another user keeps from us is left out.
        """
        base = prefix.rpartition(b"/")[0]
        segments = _segments(base) if base else []
        if segments is None:
            return
        with suppress(PermissionError):  # another user's: no job made it
            folder = self._descend(segments, create=False)
            if folder is not None:
                yield from self._walk(folder, base + b"/" if base else b"", prefix)

    def escaped(self) -> set[bytes]:
        """Return the entries of the escaped folder."""
        folder = self._descend([ESCAPED], create=False)
        if folder is None:
            return set()
        try:
            return {os.fsencode(entry) for entry in os.listdir(folder)}
        finally:
            os.close(folder)

    def _walk(self, folder: int, base: bytes, prefix: bytes) -> Iterator[tuple[bytes, Look]]:
        for part, about in _entries(folder):
            name = base + part
            if (not base and part == ESCAPED) or len(name) > NAME_LENGTH:
                continue
            if stat.S_ISREG(about.st_mode) and name.startswith(prefix):
                yield name, Look.of(about)
            elif stat.S_ISDIR(about.st_mode) and (name + b"/").startswith(prefix[: len(name) + 1]):
                with suppress(PermissionError):
                    inner = self._descend(name.split(b"/"), create=False)
                    if inner is not None:
                        yield from self._walk(inner, name + b"/", prefix)

    def _folders(self, segments: list[bytes]) -> list[bytes]:
        """Return the folders in a folder, unless it lies too deep for any object."""
        if len(b"/".join(segments)) > NAME_LENGTH:
            return []
        folder = self._descend(segments, create=False)
        entries = [] if folder is None else _entries(folder)
        return [part for part, about in entries if stat.S_ISDIR(about.st_mode)]

    def _places(self, name: bytes) -> list[list[bytes]]:
        segments = _segments(name)
        escaped = [ESCAPED, _escape(name)]
        return [escaped] if segments is None else [segments, escaped]

    def _folder(self, segments: list[bytes]) -> Path:
        return self.root.joinpath(*(os.fsdecode(part) for part in segments))

    def _descend(self, segments: list[bytes], *, create: bool) -> int | None:
        """Return a descriptor of a folder, or None when something else, or nothing, stands in the way."""
        try:
            folder = open_folder(os.fsencode(self.root))
        except OSError as error:
            if error.errno in _BLOCKED or error.errno == errno.ENOENT:
                return None
            raise
        for part in segments:
            try:
                inner = self._enter(folder, part, create=create)
            except OSError as error:
                if error.errno in _BLOCKED or error.errno == errno.ENOENT:
                    return None
                raise
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _enter(self, folder: int, part: bytes, *, create: bool) -> int:
        try:
            return open_folder(part, folder)
        except FileNotFoundError:
            if not create:
                raise
        try:
            os.mkdir(part, FOLDER_MODE, dir_fd=folder)
            self._step("tree.mkdir")
        except FileExistsError:
            pass
        inner = os.open(part, _FOLDER, dir_fd=folder)
        os.fchmod(inner, FOLDER_MODE)
        return inner

    def _link(self, place: list[bytes], source: Path) -> bool:
        """Link `source` into its place by one rename; False when the place cannot hold a file."""
        folder = self._descend(place[:-1], create=True)
        if folder is None:
            return False
        spare = self._scratch / f"{source.name}.link"
        try:
            spare.unlink(missing_ok=True)
            os.link(source, spare)
            self._step("tree.link")
            return self._rename(spare, place[-1], folder)
        except OSError as error:
            if error.errno in _BLOCKED:
                return False
            raise
        finally:
            os.close(folder)
            # A rename between two names of one file does nothing and leaves the spare.
            spare.unlink(missing_ok=True)

    def _rename(self, spare: Path, part: bytes, folder: int) -> bool:
        try:
            os.rename(spare, part, dst_dir_fd=folder)
        except IsADirectoryError:
            try:
                os.rmdir(part, dir_fd=folder)
            except OSError:
                return False
            os.rename(spare, part, dst_dir_fd=folder)
        self._step("tree.rename")
        return True

    def _unlink(self, place: list[bytes]) -> None:
        folder = self._descend(place[:-1], create=False)
        if folder is None:
            return
        try:
            os.unlink(place[-1], dir_fd=folder)
            self._step("tree.unlink")
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EISDIR, errno.EPERM, errno.ENOTDIR):
                raise
        finally:
            os.close(folder)

    def _drop_escaped(self, name: bytes) -> None:
        self._unlink([ESCAPED, _escape(name)])

    def _prune(self, segments: list[bytes], placeholder: Placeholder) -> int:
        """Remove empty folders from the innermost outwards; return how many of the segments are left."""
        for depth in range(len(segments), 0, -1):
            folder = self._descend(segments[: depth - 1], create=False)
            if folder is None:
                continue
            try:
                if placeholder(b"/".join(segments[:depth]) + b"/"):
                    return depth
                os.rmdir(segments[depth - 1], dir_fd=folder)
                self._step("tree.rmdir")
            except FileNotFoundError:
                continue
            except OSError:
                return depth
            finally:
                os.close(folder)
        return 0


def open_folder(name: bytes, parent: int | None = None) -> int:
    """Return a descriptor of a folder that its owner may read and change, even if a job took that right away."""
    try:
        folder = os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        _allow(name, parent, FOLDER_MODE)
        folder = os.open(name, _FOLDER, dir_fd=parent)
    about = os.fstat(folder)
    if about.st_mode & stat.S_IRWXU != stat.S_IRWXU and about.st_uid == os.geteuid():
        os.fchmod(folder, stat.S_IMODE(about.st_mode) | stat.S_IRWXU)
    return folder


def open_file(name: bytes, parent: int) -> int:
    """Return a descriptor of what is no link, to read it, even if a job took that right away from its owner."""
    try:
        return os.open(name, _FILE, dir_fd=parent)
    except PermissionError:
        _allow(name, parent, FILE_MODE)
        return os.open(name, _FILE, dir_fd=parent)


def _allow(name: bytes, parent: int | None, mode: int) -> None:
    """Open what lies under a name to all, itself and not what it may link to; PermissionError when it is not ours."""
    place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{place}", mode)
    finally:
        os.close(place)


def holdable(name: bytes) -> bool:
    """Return whether a tree can hold a file of this name, if nothing stands in its way."""
    return _segments(name) is not None


def _entries(folder: int) -> list[tuple[bytes, os.stat_result]]:
    """Return what is in a folder, sorted, and close its descriptor; what goes away meanwhile is left out."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    found.append((os.fsencode(entry.name), entry.stat(follow_symlinks=False)))
    finally:
        os.close(folder)
    return sorted(found, key=lambda each: each[0])


def _segments(name: bytes) -> list[bytes] | None:
    parts = name.split(b"/")
    if parts[0] == ESCAPED or b"\0" in name:
        return None
    if any(not part or part in (b".", b"..") or len(part) > NAME_LIMIT for part in parts):
        return None
    return parts


def _escape(name: bytes) -> bytes:
    """Return one path part for any name: percent-encoded, and cut with a digest when that is too long."""
    text = b"".join(bytes((c,)) if c in _PLAIN else b"%%%02X" % c for c in name)
    if text.startswith(b"."):
        text = b"%2E" + text[1:]
    if len(text) <= NAME_LIMIT:
        return text
    return text[:180] + b"~" + hashlib.sha256(name).hexdigest()[:40].encode()
