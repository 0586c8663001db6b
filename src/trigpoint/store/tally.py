"""Counts the commits of a SQLite database inside it and in a small file beside it, so that lost commits are noticed.

A write-ahead log that was deleted, cut or damaged makes SQLite silently fall back to an older state. The file is
written after each commit without being synced, so it is never ahead of what the disk holds: a count in it above the
database's proves that acknowledged changes are gone. A missing or torn file proves nothing and is ignored.
"""

import os
import sqlite3
import struct
import zlib
from pathlib import Path

from sqlalchemy import Table

from trigpoint.core.errors import DataLoss
from trigpoint.store import sentences
from trigpoint.store.schema import METADATA, integer

MARKS = Table("marks", METADATA, integer("id", primary_key=True, autoincrement=False), integer("value"))
"""Numbers about the database itself, by id."""

COMMITS, SHAPE, PROBE = 1, 2, 3
"""Ids of marks: how many groups were committed; the seal of the tables' definitions; a number that means nothing."""

_RECORD = struct.Struct("<QI")
_SET = "INSERT INTO marks (id, value) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value"


class Tally:
    """The count of one database. Used by its writer thread only, once it is open."""

    def __init__(self, database: Path, raw: sqlite3.Connection) -> None:
        """Open or create the file; DataLoss when the database is behind it."""
        row = raw.execute("SELECT value FROM marks WHERE id = ?", (COMMITS,)).fetchone()
        self._count = int(row[0]) if row else 0
        self._file = os.open(file_of(database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _read(self._file) > self._count:
            os.close(self._file)
            raise DataLoss(sentences.LOST)

    def count(self, raw: sqlite3.Connection) -> None:
        """Count the transaction under way, as its last statement."""
        raw.execute(_SET, (COMMITS, self._count + 1))

    def committed(self) -> None:
        """Note that the counted transaction was committed."""
        self._count += 1
        number = self._count.to_bytes(8, "little")
        try:
            os.pwrite(self._file, _RECORD.pack(self._count, zlib.crc32(number)), 0)
        except OSError:
            # A stale count only misses a loss; the commit itself stands.
            return

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def file_of(database: Path) -> Path:
    """Return the file beside a database that holds its count."""
    return database.with_name(database.name + "-tally")


def _read(file: int) -> int:
    data = os.pread(file, _RECORD.size, 0)
    if len(data) < _RECORD.size:
        return 0
    count, crc = _RECORD.unpack(data)
    return int(count) if zlib.crc32(data[:8]) == crc else 0
