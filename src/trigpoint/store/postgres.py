"""PostgreSQL behind the store: each unit in its own serialisable transaction, retried when it lost; knows no table."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from trigpoint.core.errors import TrigpointError, Unavailable
from trigpoint.store import sentences
from trigpoint.store.faults import Faults
from trigpoint.store.tx import Pending, Tx

T = TypeVar("T")
ATTEMPTS = 40
"""Tries of one unit before its caller is told that others keep winning."""

_TAKEN = "23505"
_LOST = ("40001", "40P01", _TAKEN)
"""A key that a concurrent transaction took counts as lost: run again, the unit sees that row and says so itself."""

_log = logging.getLogger(__name__)


class PostgresDatabase:
    """One PostgreSQL database. Thread-safe. The same guarantees and hooks as `SqliteDatabase`."""

    def __init__(
        self,
        url: URL,
        *,
        committed: Callable[[list[str]], None],
        failed: Callable[[BaseException], None],
        durable: bool = True,
        read_only: bool = False,
    ) -> None:
        self._committed = committed
        self._faults = Faults(failed)
        self._read_only = read_only
        self._closed = False
        options = "" if durable else "-c synchronous_commit=off"
        self._engine = create_engine(url, connect_args={"options": options}, pool_size=16, max_overflow=32)
        # Telemetry only adds and merges single rows: nothing there needs the order that serialisation costs.
        level = "SERIALIZABLE" if durable else "READ COMMITTED"
        self._writes = self._engine.execution_options(isolation_level=level)
        self._reads = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in a snapshot of its own."""
        self._refuse_when_closed()
        try:
            with self._reads.connect() as connection:
                return fn(_tx(connection))
        except BaseException as error:  # noqa: BLE001 - raised again, translated
            self._faults.raised(error)

    def write(self, unit: Callable[[Tx], T]) -> T:
        """Run `unit` until it commits; on any error of its own nothing of it is kept."""
        self._refuse_when_closed()
        for attempt in range(ATTEMPTS):
            try:
                with self._writes.begin() as connection:
                    tx = _tx(connection)
                    if self._read_only:
                        connection.execute(text("SET TRANSACTION READ ONLY"))
                    result = unit(tx)
            except BaseException as error:  # noqa: BLE001 - raised again, translated
                if not _lost(error) or attempt == ATTEMPTS - 1:
                    self._faults.raised(error)
                time.sleep(random.uniform(0, 0.001 * min(attempt + 1, 20)))  # noqa: S311 - jitter, no secret
                continue
            for callback in tx.callbacks:
                _call(callback)
            self._committed(tx.touched)
            return result
        raise AssertionError

    def submit(self, unit: Callable[[Tx], Any]) -> Pending:
        """Run `unit` now, and say of a failure nothing but what `failed` was told."""
        try:
            self.write(unit)
        except TrigpointError:
            _log.debug("a unit that nobody waits for failed", exc_info=True)
        return _Over()

    def close(self) -> None:
        """Refuse new work and close the connections. Idempotent."""
        self._closed = True
        self._engine.dispose()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Unavailable(sentences.SHUTTING_DOWN)


class _Over:
    over = True


def _tx(connection: Connection) -> Tx:
    # SQLAlchemy begins late and the driver begins at the first statement: both see the one transaction.
    return Tx(connection, connection.connection.dbapi_connection)


def _lost(error: BaseException) -> bool:
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) in _LOST


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001 - the commit stands: nothing that follows it may turn it into an error
        _log.exception("something to be done after a commit failed")
