"""Copies folders that jobs write to meanwhile: plain files, folders and links as they are, and nothing else.

Nothing is followed, so no copy holds a file from elsewhere; what goes away meanwhile is left out, as are pipes, sockets
and devices. Holes stay holes, and set-id bits are dropped: a job may be root in its own walls, never outside of them.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from trigpoint.data.checksums import CHUNK, extents
from trigpoint.data.objects_tree import NAME_LENGTH, open_file, open_folder

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_DEEPEST = 2 * NAME_LENGTH
"""How long a path within a folder may get: the names of objects and of the bucket in front of them are shorter."""


def copy_folder(source: Path, target: Path) -> None:
    """Copy what is in a folder into a new one, durably."""
    left: list[tuple[str, ...]] = [()]
    while left:
        parts = left.pop()
        folder = _descend(source, parts)
        if folder is None:
            continue
        made = target.joinpath(*parts)
        made.mkdir(mode=0o700)
        try:
            for name in os.listdir(folder):
                inner = (*parts, name)
                if _is_folder(folder, name) and len(os.fsencode("/".join(inner))) < _DEEPEST:
                    left.append(inner)
                else:
                    _copy(folder, name, made / name)
            made.chmod(0o700 | stat.S_IMODE(os.fstat(folder).st_mode) & 0o777)
        finally:
            os.close(folder)
    os.sync()


def _descend(source: Path, parts: tuple[str, ...]) -> int | None:
    """Return a descriptor of a folder that is reached through no link, or None when it is gone."""
    folder = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        try:
            inner = open_folder(os.fsencode(part), folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        finally:
            os.close(folder)
        folder = inner
    return folder


def _is_folder(folder: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False


def _copy(folder: int, name: str, target: Path) -> None:
    """Copy a plain file or a link; nothing when it is something else, or gone."""
    with suppress(FileNotFoundError):
        kind = stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        if kind == stat.S_IFLNK:
            target.symlink_to(os.readlink(name, dir_fd=folder))
        elif kind == stat.S_IFREG:
            file = open_file(os.fsencode(name), folder)
            try:
                _copy_file(file, target)
            finally:
                os.close(file)


def _copy_file(file: int, target: Path) -> None:
    """Write the data of a plain file to a new one of the same size, times and permissions."""
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode):
        return
    made = os.open(target, _NEW, 0o600)
    try:
        for begin, end in extents(file, about.st_size):
            _pour(file, made, begin, end)
        os.ftruncate(made, about.st_size)
        os.fchmod(made, about.st_mode & 0o777)
        os.utime(made, ns=(about.st_atime_ns, about.st_mtime_ns))
    finally:
        os.close(made)


def _pour(file: int, made: int, offset: int, end: int) -> None:
    while offset < end and (chunk := os.pread(file, min(CHUNK, end - offset), offset)):
        offset += os.pwrite(made, chunk, offset)
