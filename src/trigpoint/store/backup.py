"""Copies both databases while they work, and puts a copy back; where copies lie and how many stay is the caller's."""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trigpoint.core.errors import DataLoss, FailedPrecondition, InvalidArgument
from trigpoint.store.db import Database, Store
from trigpoint.store.sqlite import SqliteDatabase
from trigpoint.store.tally import file_of

FORMAT = 1
_NAMES = ("trigpoint.db", "telemetry.db")
_MANIFEST = "manifest.json"


def backup(store: Store, path: Path, add: Callable[[Path], None] | None = None) -> Path:
    """Write a consistent copy of both databases into a new folder; return it. Reads and writes go on meanwhile.

    The folder appears whole or not at all, with what `add` puts into it. InvalidArgument when there is something at
    `path` already; FailedPrecondition on PostgreSQL, which brings its own tools.
    """
    if path.exists():
        raise InvalidArgument(f"There is already something at {path.name}: name a new folder for the backup.")
    partial = path.with_name(path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    try:
        _fill(store, partial)
        if add is not None:
            add(partial)
        _sync(partial)
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # above all where the disk is full
        raise
    _sync(path.parent)
    return path


def verify(path: Path) -> None:
    """Check a backup against its manifest and SQLite's integrity check; DataLoss when it is damaged."""
    files = _manifest(path)
    for name in _NAMES:
        copy = path / name
        known = files.get(name, {})
        if not copy.is_file() or copy.stat().st_size != known.get("bytes") or _digest(copy) != known.get("sha256"):
            raise DataLoss(f"{name} of the backup {path.name} is damaged or incomplete: use another backup.")
        raw = sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            found = raw.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError:
            found = None
        finally:
            raw.close()
        if found != ("ok",):
            raise DataLoss(f"{name} of the backup {path.name} is damaged inside: use another backup.")


def restore(path: Path, main: Path, telemetry: Path, aside: Path) -> None:
    """Verify a backup and put its copies in the place of both databases; no server may have them open.

    What was there moves into the new folder `aside`. A kill at any instant leaves the old databases, the new ones,
    or (between the two renames of a file) a state that running `restore` again mends. Nothing changes when the
    backup is damaged.
    """
    verify(path)
    if aside.exists():
        raise InvalidArgument(f"There is already something at {aside.name}: name a new folder for what is replaced.")
    aside.mkdir(parents=True, mode=0o700)
    targets = dict(zip(_NAMES, (main, telemetry), strict=True))
    for name, target in targets.items():
        fresh = target.with_name(target.name + ".restoring")
        shutil.copyfile(path / name, fresh)
        fresh.chmod(0o600)
        _sync(fresh)
    for target in targets.values():
        # The log and the tally go first: they must never meet a database that they do not belong to.
        for old in (*_beside(target), target):
            if old.exists():
                shutil.move(old, aside / old.name)
        target.with_name(target.name + ".restoring").rename(target)
        _sync(target.parent)


def accept_loss(main: Path) -> None:
    """Go on with a database whose newest changes are known to be missing. No server may have it open. Idempotent."""
    file_of(main).unlink(missing_ok=True)


def _fill(store: Store, folder: Path) -> None:
    files = {}
    for name, database in zip(_NAMES, (store.main, store.telemetry), strict=True):
        _sqlite(database).backup(folder / name)
        _sync(folder / name)
        files[name] = {"bytes": (folder / name).stat().st_size, "sha256": _digest(folder / name)}
    manifest = folder / _MANIFEST
    manifest.write_text(json.dumps({"format": FORMAT, "files": files}, indent=1))
    _sync(manifest)


def _beside(database: Path) -> tuple[Path, ...]:
    return (*(database.with_name(database.name + suffix) for suffix in ("-wal", "-shm")), file_of(database))


def _sqlite(database: Database) -> SqliteDatabase:
    if not isinstance(database, SqliteDatabase):
        raise FailedPrecondition("The databases are in PostgreSQL: back them up with pg_dump, restore with pg_restore.")
    return database


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads((path / _MANIFEST).read_text())
        files: dict[str, Any] = found["files"]
        version = found["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidArgument(f"{path.name} is no backup of Trigpoint: it has no readable {_MANIFEST}.") from error
    if version != FORMAT:
        raise FailedPrecondition(f"The backup {path.name} was made by a newer Trigpoint: restore it with that version.")
    return files


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
