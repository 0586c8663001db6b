"""What a unit of work sees of the database: one transaction, and statements compiled once; not how it is committed."""

import sqlite3
from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.expression import ClauseElement

Values = str | int | float | bytes | bool | None


class Prepared:
    """A Core statement compiled once per dialect and run on the driver itself, for paths where 50 µs count.

    Its parameters are the statement's bind parameters by name; those with a value of their own may be left out.
    `keys` are the columns that an insert or update fills. Thread-safe.
    """

    def __init__(self, statement: ClauseElement, *keys: str) -> None:
        self._statement = statement
        self._keys = list(keys) or None
        self._compiled: dict[str, tuple[str, tuple[tuple[str, Any], ...], bool]] = {}

    def bind(self, dialect: Dialect, values: dict[str, Values]) -> tuple[str, Any]:
        """Return the SQL text and the parameters in the driver's form."""
        found = self._compiled.get(dialect.name) or self._compile(dialect)
        sql, names, positional = found
        if positional:
            return sql, [values.get(name, default) for name, default in names]
        return sql, {name: values.get(name, default) for name, default in names}

    def _compile(self, dialect: Dialect) -> tuple[str, tuple[tuple[str, Any], ...], bool]:
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=self._keys)
        positional = bool(compiled.positional)
        names = compiled.positiontup if positional else list(compiled.params)
        found = (str(compiled), tuple((name, compiled.params.get(name)) for name in names), positional)
        self._compiled[dialect.name] = found
        return found


class Tx:
    """One transaction, valid inside the function it was handed to. Used by one thread at a time.

    `connection` runs any SQLAlchemy Core statement; `rows`, `one` and `run` run a `Prepared` an order of magnitude
    faster, with plain tuples of the driver's values. Never commit or roll back through `connection`.
    """

    __slots__ = ("_raw", "callbacks", "connection", "dialect", "touched")

    def __init__(self, connection: Connection, raw: Any) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        self._raw = raw
        self.callbacks: list[Callable[[], None]] = []
        self.touched: list[str] = []

    @property
    def sqlite(self) -> bool:
        """Whether the database is SQLite; PostgreSQL otherwise."""
        return self.dialect.name == "sqlite"

    def rows(self, statement: Prepared, **values: Values) -> list[tuple[Any, ...]]:
        """Run a query; return all its rows."""
        bound = statement.bind(self.dialect, values)
        try:
            found: list[tuple[Any, ...]] = self._raw.execute(*bound).fetchall()
        except sqlite3.OperationalError as error:
            return self._damaged(bound, error)
        return found

    def one(self, statement: Prepared, **values: Values) -> tuple[Any, ...] | None:
        """Run a query or a statement with RETURNING; return its first row, or None."""
        bound = statement.bind(self.dialect, values)
        try:
            cursor = self._raw.execute(*bound)
            row: tuple[Any, ...] | None = cursor.fetchone()
            cursor.close()
        except sqlite3.OperationalError as error:
            return self._damaged(bound, error)[0]
        return row

    def run(self, statement: Prepared, **values: Values) -> int:
        """Run a statement that changes rows; return how many it changed."""
        count: int = self._raw.execute(*statement.bind(self.dialect, values)).rowcount
        return count

    def many(self, statement: Prepared, values: list[dict[str, Values]]) -> None:
        """Run one statement that changes rows for each set of values."""
        if values:
            bound = [statement.bind(self.dialect, each) for each in values]
            self._raw.cursor().executemany(bound[0][0], [parameters for _, parameters in bound])

    def _damaged(self, bound: tuple[str, Any], error: sqlite3.OperationalError) -> list[tuple[Any, ...]]:
        """Read again where damage made text undecodable, so that the seal tells of it with the name of the row."""
        if not str(error).startswith("Could not decode"):
            raise error
        self._raw.text_factory = lambda data: data.decode("utf-8", "replace")
        try:
            found: list[tuple[Any, ...]] = self._raw.execute(*bound).fetchall()
        finally:
            self._raw.text_factory = str
        return found

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once this transaction is durable; never when it fails. It must be quick and not raise.

        It runs on the thread that commits, before the caller of `store.write` has its answer.
        """
        self.callbacks.append(callback)

    def touch(self, name: str) -> None:
        """Have the notifier tell, after the commit, that something about `name` changed."""
        self.touched.append(name)


class Pending(Protocol):
    """A unit that was handed in without waiting for it."""

    @property
    def over(self) -> bool:
        """Whether it has run, well or not."""
        ...
