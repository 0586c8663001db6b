"""SQLite behind the store: one writer thread that commits groups of units, readers beside it; knows no table."""

import copy
import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal, TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, NullPool, create_engine

from trigpoint.core.errors import Internal, Unavailable
from trigpoint.store import sentences
from trigpoint.store.faults import Faults
from trigpoint.store.tally import Tally
from trigpoint.store.tx import Tx

T = TypeVar("T")
Committed = Callable[[list[str]], None]
Failed = Callable[[BaseException], None]

GROUP = 256
"""Most units in one commit: bounds how long the first of a burst waits."""

_log = logging.getLogger(__name__)


class SqliteDatabase:
    """One SQLite file in WAL mode. Thread-safe.

    `committed` is called with the touched names after each commit, `failed` with each fault of the database itself.
    """

    def __init__(
        self,
        path: Path,
        *,
        committed: Committed,
        failed: Failed,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        read_only: bool = False,
    ) -> None:
        self.path = path
        self._committed = committed
        self._faults = Faults(failed)
        self._read_only = read_only
        if not read_only:
            _create(path)
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: _connect(path, synchronous, read_only),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
        )
        self._local = threading.local()
        self._readers: WeakSet[_Reader] = WeakSet()
        self._gate = threading.Lock()
        self._closed = False
        self._queue: SimpleQueue[_Ticket | None] = SimpleQueue()
        self._connection, self._raw = self._open()
        self._tally: Tally | None = None
        self._writer = threading.Thread(target=self._work, name=f"writer of {path.name}", daemon=True)
        self._writer.start()

    def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in a snapshot of its own, on this thread's connection. A read inside a read shares its snapshot."""
        reader: _Reader | None = getattr(self._local, "reader", None)
        if self._closed:
            raise Unavailable(sentences.SHUTTING_DOWN)
        if reader is None:
            reader = self._local.reader = _Reader(*self._open(query_only=True))
            self._readers.add(reader)
        if reader.raw.in_transaction:
            return fn(reader.tx)
        try:
            reader.raw.execute("BEGIN")
            result = fn(reader.tx)
            reader.raw.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - raised again, translated
            self._faults.raised(error)
        finally:
            if reader.raw.in_transaction:
                reader.raw.execute("ROLLBACK")
        return result

    def write(self, unit: Callable[[Tx], T]) -> T:
        """Run `unit` on the writer thread and return once it is durable; on any error nothing of it is kept."""
        ticket = self.submit(unit)
        ticket.done.acquire()
        if ticket.error is not None:
            raise ticket.error
        result: T = ticket.result
        return result

    def submit(self, unit: Callable[[Tx], Any]) -> "_Ticket":
        """Queue `unit` without waiting for it."""
        if threading.current_thread() is self._writer:
            raise Internal("A unit of work called store.write: it must use the transaction that it was handed.")
        ticket = _Ticket(unit)
        with self._gate:
            if self._closed:
                raise Unavailable(sentences.SHUTTING_DOWN)
            self._queue.put(ticket)
        return ticket

    def examine(self, limit: int) -> list[str]:
        """Return what SQLite's integrity check says against the file; nothing when it is longer than `limit` bytes."""
        if self.path.stat().st_size > limit:
            return []
        connection, raw = self._open(query_only=True)
        try:
            return [line for (line,) in raw.execute("PRAGMA integrity_check(5)") if line != "ok"]
        except sqlite3.Error as error:
            self._faults.raised(error)
        finally:
            connection.close()

    def start_tally(self) -> None:
        """Count commits from here on; DataLoss when earlier ones are missing. Call once, before other threads write."""
        connection, raw = self._open(query_only=True)
        try:
            self._tally = Tally(self.path, raw)
        finally:
            connection.close()

    def backup(self, target: Path) -> None:
        """Copy a consistent state into a new file, while reads and writes go on."""
        connection, raw = self._open(query_only=True)
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            raw.backup(copy, pages=4096)
        except sqlite3.Error as error:
            self._faults.raised(error)
        finally:
            copy.close()
            connection.close()

    def close(self) -> None:
        """Refuse new work, finish what is queued, fold the write-ahead log in. Idempotent."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._writer.join()
        # Whoever closes last folds the log in: the readers of threads that live on must not be in the way.
        for reader in list(self._readers):
            reader.raw.close()
        self._connection.close()
        self._engine.dispose()
        if self._tally is not None:
            self._tally.close()

    def _open(self, *, query_only: bool = False) -> tuple[Connection, sqlite3.Connection]:
        try:
            connection = self._engine.connect()
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            if query_only:
                raw.execute("PRAGMA query_only=ON")
        except BaseException as error:  # noqa: BLE001 - raised again, translated
            self._faults.raised(error)
        return connection, raw

    def _work(self) -> None:
        last = False
        while not last:
            group: list[_Ticket] = []
            ticket = self._queue.get()
            while ticket is not None:
                group.append(ticket)
                if len(group) == GROUP:
                    break
                try:
                    ticket = self._queue.get_nowait()
                except Empty:
                    break
            last = ticket is None
            if group:
                self._commit(group)

    def _commit(self, group: "list[_Ticket]") -> None:
        """Run the group in one transaction, commit it once, then answer all."""
        try:
            self._raw.execute("BEGIN IMMEDIATE")
            before = self._raw.total_changes
            for ticket in group:
                self._run(ticket, alone=len(group) == 1)
            if self._raw.in_transaction:
                self._end(changed=self._raw.total_changes != before)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the callers wait for an answer
            self._abandon(group, self._faults.told(error))
        else:
            self._announce([ticket for ticket in group if ticket.error is None])
        for ticket in group:
            ticket.done.release()

    def _end(self, *, changed: bool) -> None:
        if self._tally is not None and changed:
            self._tally.count(self._raw)
            self._raw.execute("COMMIT")
            self._tally.committed()
        else:
            self._raw.execute("COMMIT")

    def _run(self, ticket: "_Ticket", *, alone: bool) -> None:
        """Run one unit in its own savepoint, or alone in the transaction; a failed unit leaves no trace."""
        if not alone:
            self._raw.execute("SAVEPOINT unit")
        ticket.tx = Tx(self._connection, self._raw)
        try:
            ticket.result = ticket.unit(ticket.tx)
        except BaseException as error:
            ticket.error = self._faults.told(error)
            if not self._raw.in_transaction:
                # A full disk or a failed read makes SQLite roll back everything, the earlier units too.
                raise
            self._raw.execute("ROLLBACK" if alone else "ROLLBACK TO unit")
        if not alone:
            self._raw.execute("RELEASE unit")

    def _abandon(self, group: "list[_Ticket]", error: BaseException) -> None:
        try:
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")
        except sqlite3.Error:
            _log.exception("a failed group could not be rolled back")
        for ticket in group:
            # One exception per caller: each gets a traceback of its own.
            ticket.error = ticket.error or copy.copy(error)

    def _announce(self, kept: "list[_Ticket]") -> None:
        touched: list[str] = []
        for ticket in kept:
            assert ticket.tx is not None
            touched += ticket.tx.touched
            for callback in ticket.tx.callbacks:
                _call(callback)
        if kept:
            self._committed(touched)


class _Ticket:
    """One unit on its way through the writer, and its answer."""

    __slots__ = ("done", "error", "result", "tx", "unit")

    @property
    def over(self) -> bool:
        return not self.done.locked()

    def __init__(self, unit: Callable[[Tx], Any]) -> None:
        self.unit = unit
        self.result: Any = None
        self.error: BaseException | None = None
        self.tx: Tx | None = None
        self.done = threading.Lock()
        self.done.acquire()


class _Reader:
    """One thread's connection for reads; closed when the thread ends and drops it."""

    def __init__(self, connection: Connection, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self.connection = connection
        self.tx = Tx(connection, raw)

    def __del__(self) -> None:
        self.raw.close()


def _create(path: Path) -> None:
    """Make a new database its owner's alone, and with it the files that SQLite puts beside it."""
    # One that is there is never opened here: closing it would let go of the locks that SQLite has on it.
    with suppress(OSError):  # SQLite says what is wrong with the place
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _connect(path: Path, synchronous: str, read_only: bool) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}{'?mode=ro' if read_only else ''}"
    raw = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=5
    )
    try:
        if not read_only:
            raw.execute("PRAGMA journal_mode=WAL")
        raw.execute(f"PRAGMA synchronous={synchronous}")
        raw.execute("PRAGMA temp_store=MEMORY")
        raw.execute("PRAGMA cell_size_check=ON")
        raw.execute("PRAGMA cache_size=-16384")
    except sqlite3.Error:
        raw.close()
        raise
    return raw


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # noqa: BLE001 - the commit stands: nothing that follows it may turn it into an error
        _log.exception("something to be done after a commit failed")
