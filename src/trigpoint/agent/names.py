"""What files are called in the end: those that were written for a while, their folders as long as the replica runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from typing import Sequence, Tuple

from .directory import now
from .files import Files
from .protocol import SAVED

TOP = "/gcs/"
Identity = Tuple[int, int, int]
"""Device, inode and the inode's generation: of one file, whatever its name becomes."""
_SETTLED = 0.25
"""Seconds after which a new file is told: most that are written under another name have theirs by then."""
_HELD = 1.0
"""Seconds for which a file is held after it was written."""
_MOST = 100
"""Files that are held, and folders that are followed."""
_MOST_TOLD = 1000
_FOLDERS_EVERY = 1.0
_VERSION = 0x80087601
"""FS_IOC_GETVERSION: the generation of an inode, whose number another file gets as soon as it is gone."""
_GONE = " (deleted)"


@dataclass
class _Held:
    fd: int
    name: str
    begun: float
    last: float
    opens: int = 0
    """Not told yet."""
    told: bool = False
    changed: bool = True


class Names:
    """Follows files by descriptors and tells `files` of them. Not thread-safe."""

    def __init__(self, files: Files) -> None:
        self.root = -1
        """Descriptor of the root directory that the replica's programs see."""
        self._files = files
        self._held: dict[Identity, _Held] = {}
        self._folders: dict[str, int] = {}
        self._told: dict[Identity, str] = {}
        """Where files that rest were counted last."""
        self._looked = 0.0

    @property
    def holding(self) -> bool:
        """Whether a file was written a moment ago."""
        return bool(self._held)

    @property
    def following(self) -> bool:
        """Whether a folder may be renamed that matters."""
        return bool(self._folders)

    def of(self, fd: int) -> str:
        """Return the URI of an open file below /gcs, of a deleted one the last; empty where no object may have it."""
        path = _link(fd)
        if path.endswith(_GONE) and not self._is(fd, path):
            path = path[: -len(_GONE)]
            if path.endswith(f"/#{os.fstat(fd).st_ino}"):  # made without a name
                return ""
        bucket, _, name = path[len(TOP) :].partition("/") if path.startswith(TOP) else ("", "", "")
        odd = "\n" in name or "\r" in name or len(name.encode("utf-8", "replace")) > 1024
        return _uri(path) if bucket and name and not odd else ""

    def hold(self, identity: Identity, fd: int, name: str, opens: int) -> bool:
        """Follow a file that was written, opened so many times more; return whether by this descriptor."""
        held, moment = self._held.get(identity), time.monotonic()
        kept = held is None
        before = self._told.get(identity, name)
        if kept and before != name:  # it was called otherwise when it rested
            self._rename_folders()
            self._files.move(self._told.get(identity, name), name)
            self._told[identity] = name
        if held is None:
            if len(self._held) >= _MOST:
                self._drop(next(iter(self._held)))
            held = self._held[identity] = _Held(fd, name, moment, moment)
            self._follow(name)
        held.last, held.opens, held.changed = moment, held.opens + opens, True
        return kept

    def settle(self, moment: float) -> None:
        """See what everything is called now, and let go of what rests."""
        if self._held or moment - self._looked >= _FOLDERS_EVERY:  # before the files: theirs is a name in a folder's
            self._looked = moment
            self._rename_folders()
        for identity, held in list(self._held.items()):
            gone = self._rename(held)
            if held.changed and (held.told or gone or moment - held.begun >= _SETTLED):
                self._count(identity, held)
            if gone or moment - held.last > _HELD:  # what is deleted keeps its room on the disk while it is held
                self._drop(identity)

    def close(self) -> None:
        """Let go of everything."""
        for identity in list(self._held):
            self._drop(identity)
        for fd in self._folders.values():
            os.close(fd)
        self._folders.clear()

    def _count(self, identity: Identity, held: _Held) -> None:
        self._files.touch(SAVED, held.name, identity, os.fstat(held.fd).st_size, now(), held.opens)
        held.opens, held.told, held.changed = 0, True, False

    def _drop(self, identity: Identity) -> None:
        held = self._held.pop(identity)
        if held.changed:
            self._count(identity, held)
        os.close(held.fd)
        self._told[identity] = held.name
        if len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]

    def _rename(self, held: _Held) -> bool:
        """Take over the name that a file has now; return whether it is gone."""
        name = self.of(held.fd)
        if name and name != held.name:
            if held.told:
                self._files.move(held.name, name)
            held.name = name
            self._follow(name)
        return os.fstat(held.fd).st_nlink == 0

    def _is(self, fd: int, path: str) -> bool:
        """Return whether an open file really has a name that looks like that of a deleted one."""
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(fd), os.stat(path.lstrip("/"), dir_fd=self.root, follow_symlinks=False))
        return False

    def _follow(self, name: str) -> None:
        """Follow the folder of a file."""
        folder = _path(name).rpartition("/")[0]
        if folder in self._folders or folder.count("/") < 3 or len(self._folders) >= _MOST:
            return
        with contextlib.suppress(OSError):
            flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(folder.lstrip("/"), flags, dir_fd=self.root)
            if _link(fd) == folder:
                self._folders[folder] = fd
            else:  # a link led elsewhere
                os.close(fd)

    def _rename_folders(self) -> None:
        names = {folder: _link(fd) for folder, fd in self._folders.items()}
        moved = {old: new for old, new in names.items() if new != old and new.startswith(TOP) and not _left(new)}
        for folder in [folder for folder, name in names.items() if name != folder and folder not in moved]:
            os.close(self._folders.pop(folder))
        if not moved:
            return
        taken = {new: self._folders.pop(old) for old, new in moved.items()}
        for new, fd in taken.items():
            if new in self._folders:
                os.close(self._folders.pop(new))
            self._folders[new] = fd
        moves = [(f"{_uri(old)}/", f"{_uri(new)}/") for old, new in moved.items()]
        self._files.move_all(moves)
        for held in self._held.values():
            held.name = _moved(held.name, moves)
        self._told = {identity: _moved(name, moves) for identity, name in self._told.items()}


def _left(name: str) -> bool:
    return name.endswith(_GONE)


def _moved(uri: str, moves: Sequence[tuple[str, str]]) -> str:
    """Return the name of a file after folders were renamed; the deepest of them counts."""
    for old, new in sorted(moves, key=lambda each: -len(each[0])):
        if uri.startswith(old):
            return new + uri[len(old) :]
    return uri


def identity_of(fd: int, look: os.stat_result) -> Identity:
    """Return what tells a file from every other one, also from one that got the number of its inode."""
    generation = bytearray(8)
    with contextlib.suppress(OSError):  # not every file system has them
        fcntl.ioctl(fd, _VERSION, generation)
    return look.st_dev, look.st_ino, int.from_bytes(generation, "little")


def _link(fd: int) -> str:
    return os.fsencode(os.readlink(f"/proc/self/fd/{fd}")).decode("utf-8", "replace")


def _uri(path: str) -> str:
    return "gs://" + path[len(TOP) :]


def _path(uri: str) -> str:
    return TOP + uri[len("gs://") :]
