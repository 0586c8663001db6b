"""Opens the two databases and runs units of work in them; the statements are the table files'."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, make_url

from trigpoint.core.errors import DataLoss, ResourceExhausted, TrigpointError, Unavailable
from trigpoint.store import sentences, versions
from trigpoint.store.notifier import Notifier
from trigpoint.store.postgres import PostgresDatabase
from trigpoint.store.sqlite import SqliteDatabase
from trigpoint.store.tx import Pending, Tx

T = TypeVar("T")
Database = SqliteDatabase | PostgresDatabase

EXAMINED_AT_START = 64 << 20
"""Bytes of a SQLite file up to which its structure is checked before it is used (4 ms per MiB); `check.check` does
the same for any size, and the seals of rows, beside a running server."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the databases can be trusted and written; `reason` is a sentence for a person when they cannot."""

    ok: bool
    reason: str = ""


class Store:
    """The rows of one home. Thread-safe; it never reads the clock and never looks into a row."""

    def __init__(self, main: Database, telemetry: Database, url: URL, telemetry_url: URL) -> None:
        self.main = main
        self.telemetry = telemetry
        """Runs the functions of `telemetry.py`, as `write` and `read` here do those of the other files."""
        self.url = url
        self.telemetry_url = telemetry_url
        self.notifier = Notifier()
        self.measured = Notifier()
        """Tells of commits of telemetry, apart from the others: they are many, and few want to know."""
        self._lock = threading.Lock()
        self._fault: TrigpointError | None = None
        self._probing: Pending | None = None

    @staticmethod
    def open(url: str, telemetry_url: str, *, read_only: bool = False) -> "Store":
        """Open or create both databases: `sqlite:////absolute/file` or `postgresql+psycopg://...`.

        DataLoss when one is damaged (its message says what to do; `read_only` opens it nevertheless),
        FailedPrecondition when a newer Trigpoint wrote it. An older one is migrated.
        """
        main_url, other_url = make_url(url), make_url(telemetry_url)
        hooks = _Hooks()
        main = _database(main_url, hooks, durable=True, read_only=read_only)
        try:
            other = _database(other_url, hooks, durable=False, read_only=read_only)
        except BaseException:
            main.close()
            raise
        store = Store(main, other, main_url, other_url)
        try:
            if not read_only:
                _examine(main, other)
                versions.prepare(main, versions.MAIN)
                versions.prepare(other, versions.TELEMETRY)
                if isinstance(main, SqliteDatabase):
                    main.start_tally()
        except BaseException:
            store.close()
            raise
        hooks.store = store
        return store

    def write(self, unit: Callable[[Tx], T]) -> T:
        """Run `unit` in a transaction; return its result once it is durable (group commit, synchronous FULL).

        `unit` may run more than once, does no I/O and keeps nothing outside the database. When it raises, its
        changes alone are dropped and the exception is the caller's. ResourceExhausted when the disk is full,
        Unavailable when the database cannot commit: nothing was kept, a retry is safe.
        """
        return self.main.write(unit)

    def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` on one consistent snapshot that holds every acknowledged write; never waits for the writer."""
        return self.main.read(fn)

    @property
    def health(self) -> Health:
        """Whether writes succeed and nothing was found damaged. Asking while red tries a write in the background."""
        fault = self._fault
        if fault is None:
            return Health(True)
        if not isinstance(fault, DataLoss):
            self._probe()
        return Health(False, fault.message)

    def close(self) -> None:
        """Finish what is queued and close; later calls raise Unavailable. Idempotent."""
        self.main.close()
        self.telemetry.close()

    def fault(self, error: BaseException) -> None:
        """Note a fault of the database itself; those that mean trouble for everybody turn the health red."""
        if isinstance(error, ResourceExhausted | Unavailable | DataLoss):
            with self._lock:
                if not isinstance(self._fault, DataLoss):
                    self._fault = error

    def clean(self) -> None:
        """Forget damage: a check of everything found none."""
        self._fault = None

    def committed(self, touched: list[str]) -> None:
        """Tell the notifier what a commit touched; a commit also shows that the disk takes writes again."""
        if self._fault is not None and not isinstance(self._fault, DataLoss):
            self._fault = None
        self.notifier.committed(touched)

    def _probe(self) -> None:
        with self._lock:
            if self._probing is not None and not self._probing.over:
                return
            try:
                self._probing = self.main.submit(versions.touch)
            except Unavailable:
                self._probing = None


class _Hooks:
    """What the databases call back, before there is a store and after."""

    def __init__(self) -> None:
        self.store: Store | None = None

    def committed(self, touched: list[str]) -> None:
        if self.store is not None:
            self.store.committed(touched)

    def measured(self, touched: list[str]) -> None:
        if self.store is not None:
            self.store.measured.committed(touched)

    def failed(self, error: BaseException) -> None:
        if self.store is not None:
            self.store.fault(error)


def _database(url: URL, hooks: _Hooks, *, durable: bool, read_only: bool) -> Database:
    if url.get_backend_name() == "sqlite":
        return SqliteDatabase(
            Path(url.database or ""),
            committed=hooks.committed if durable else hooks.measured,
            failed=hooks.failed,
            synchronous="FULL" if durable else "NORMAL",
            read_only=read_only,
        )
    return PostgresDatabase(
        url,
        committed=hooks.committed if durable else hooks.measured,
        failed=hooks.failed,
        durable=durable,
        read_only=read_only,
    )


def _examine(*databases: Database) -> None:
    for database in databases:
        if isinstance(database, SqliteDatabase) and database.examine(EXAMINED_AT_START):
            raise DataLoss(sentences.DAMAGED)
