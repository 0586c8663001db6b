"""Which version of the tables a database holds: creates a fresh one, has an older one migrated, refuses a newer one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import MetaData, inspect, select, text

from trigpoint.core.errors import DataLoss, FailedPrecondition
from trigpoint.store import migrations, schema, sentences
from trigpoint.store.tables import DECLARING
from trigpoint.store.tally import MARKS, PROBE, SHAPE
from trigpoint.store.tx import Prepared, Tx

T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """One line of versions: its migrations' folder, its tables, the table that holds the number, all its numbers."""

    folder: str
    metadata: MetaData
    version_table: str
    known: tuple[str, ...]


MAIN = Line("main", schema.METADATA, "schema_version", ("0001",))
TELEMETRY = Line("telemetry", schema.TELEMETRY, "telemetry_version", ("0001", "0002"))

_MARK = Prepared(
    text("INSERT INTO marks (id, value) VALUES (:id, :value) ON CONFLICT (id) DO UPDATE SET value = excluded.value")
)

assert DECLARING  # importing them has declared the tables


class Database(Protocol):
    """The part of a database that is needed here."""

    def read(self, fn: Callable[[Tx], T]) -> T:
        """Run a query."""
        ...

    def write(self, unit: Callable[[Tx], T]) -> T:
        """Run a change."""
        ...


def prepare(database: Database, line: Line) -> None:
    """Bring the tables to the newest version; each step in one transaction, so that a kill leaves old or new.

    FailedPrecondition when a newer Trigpoint wrote the database.
    """
    found = database.read(lambda tx: _found(tx, line))
    if found == line.known[-1]:
        if line is MAIN:
            database.read(_compare_shape)
        return
    if found is None:
        database.write(lambda tx: _create(tx, line))
    elif found in line.known:
        database.write(lambda tx: _upgrade(tx, line))
    else:
        raise FailedPrecondition(
            f"The database was written by a newer Trigpoint (tables {found}; this one knows up to {line.known[-1]}): "
            "install that version again, or run `trig restore` with a backup made by this one."
        )


def touch(tx: Tx) -> None:
    """Change a row that means nothing, to see whether the database takes writes."""
    _mark(tx, PROBE, 1)


def _found(tx: Tx, line: Line) -> str | None:
    """Return the version number, or None for a database without any table of the line."""
    inspector = inspect(tx.connection)
    if inspector.has_table(line.version_table):
        number = tx.connection.execute(text(f"SELECT version_num FROM {line.version_table}")).scalar()  # noqa: S608
        if number is None:
            raise DataLoss(sentences.DAMAGED)
        return str(number)
    if any(inspector.has_table(table.name) for table in line.metadata.sorted_tables):
        raise DataLoss(sentences.DAMAGED)
    return None


def _create(tx: Tx, line: Line) -> None:
    """Create every table without Alembic, whose import costs more than the rest of the start."""
    line.metadata.create_all(tx.connection)
    tx.connection.execute(text(f"CREATE TABLE {line.version_table} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    tx.connection.execute(
        text(f"INSERT INTO {line.version_table} VALUES (:number)"),  # noqa: S608 - a constant of ours
        {"number": line.known[-1]},
    )
    if line is MAIN:
        _keep_shape(tx)


def _upgrade(tx: Tx, line: Line) -> None:
    migrations.upgrade(tx.connection, line.folder, line.version_table)
    if line is MAIN:
        _keep_shape(tx)


def _keep_shape(tx: Tx) -> None:
    """Remember the definitions of all tables: damage to SQLite's own catalogue is no matter of its integrity check."""
    if tx.sqlite:
        _mark(tx, SHAPE, _shape(tx))


def _compare_shape(tx: Tx) -> None:
    if not tx.sqlite:
        return
    kept = tx.connection.execute(select(MARKS.c.value).where(MARKS.c.id == SHAPE)).scalar()
    if kept != _shape(tx):
        raise DataLoss(sentences.DAMAGED)


def _shape(tx: Tx) -> int:
    query = text("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name")
    return schema.seal(*(value for row in tx.connection.execute(query) for value in row))


def _mark(tx: Tx, ident: int, value: int) -> None:
    tx.run(_MARK, id=ident, value=value)
