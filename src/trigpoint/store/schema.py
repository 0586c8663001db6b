"""The two sets of tables and the seal of a row; each table itself is declared in the file that owns it.

To add a table: a file of its own declares `Table("things", METADATA, ...)`, is imported in `tables.py`, and gets a
migration (docs/checklists/add-a-table.md). Make columns with the functions here, or of these types and Boolean only:
the hot paths run on the driver itself, without SQLAlchemy's conversions. A table whose rows answer users has a `seal`.
"""

import zlib
from typing import Any

from sqlalchemy import BigInteger, Column, Double, LargeBinary, MetaData, Table, Text

METADATA = MetaData()
"""Tables of the main database."""

TELEMETRY = MetaData()
"""Tables of the telemetry database."""

SEALED: dict[Table, tuple[Column[Any], ...]] = {}
"""Tables whose rows carry a seal, with the columns that it covers, in order. `backup.check` walks them."""


TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text compared byte by byte on both databases, which ranges over prefixes rely on."""


def key(name: str) -> Column[str]:
    """Return a column of text that is part of the primary key."""
    return Column(name, TEXT, primary_key=True)


def text(name: str, **options: Any) -> Column[str]:
    """Return a column of text that is never null."""
    return Column(name, TEXT, nullable=False, **options)


def integer(name: str, **options: Any) -> Column[int]:
    """Return a column of 64-bit integers that is never null."""
    return Column(name, BigInteger, nullable=False, **options)


def real(name: str) -> Column[float]:
    """Return a column of 64-bit floating-point numbers that is never null."""
    return Column(name, Double, nullable=False)


def binary(name: str, **options: Any) -> Column[bytes]:
    """Return a column of bytes that is never null."""
    return Column(name, LargeBinary, nullable=False, **options)


def sealed(table: Table, *covered: str) -> Table:
    """Declare that `table.c.seal` is `seal()` over these columns in this order (default: all the others)."""
    names = covered or tuple(column.name for column in table.columns if column.name != "seal")
    SEALED[table] = tuple(table.c[name] for name in names)
    return table


def seal(*values: str | int | float | bytes | bool | None) -> int:
    """Return the checksum of a row's values: 32 bits, enough to tell damage, not an attacker."""
    crc = 0
    texts: list[str] = []
    for value in values:
        if isinstance(value, bytes):
            crc = zlib.crc32(value, crc)
        else:
            texts.append(value if isinstance(value, str) else str(int(value) if isinstance(value, bool) else value))
    return zlib.crc32("\x1f".join(texts).encode("utf-8", "surrogatepass"), crc)
