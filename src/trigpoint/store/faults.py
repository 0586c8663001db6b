"""Turns the drivers' exceptions into `core.errors`; decides nothing about retries."""

import sqlite3
from collections.abc import Callable
from typing import Any, NoReturn

from sqlalchemy.exc import DBAPIError

from trigpoint.core.errors import (
    Aborted,
    AlreadyExists,
    DataLoss,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    ResourceExhausted,
    TrigpointError,
    Unavailable,
)

DAMAGED = (
    "The database is damaged: stop the server and run `trig restore` with the newest backup. "
    "What it replaces is kept aside in the home."
)
FULL = "The server's disk is full: nothing of this change was kept; free space on it, then retry."
_BUSY = "The database did not answer in time: retry."
_DISK = "The server's disk failed a read or write: nothing of this change was kept; check the disk, then retry."

_SQLITE: dict[int, tuple[type[TrigpointError], str]] = {
    sqlite3.SQLITE_FULL: (ResourceExhausted, FULL),
    sqlite3.SQLITE_IOERR: (Unavailable, _DISK),
    sqlite3.SQLITE_CANTOPEN: (Unavailable, _DISK),
    sqlite3.SQLITE_BUSY: (Unavailable, _BUSY),
    sqlite3.SQLITE_LOCKED: (Unavailable, _BUSY),
    sqlite3.SQLITE_INTERRUPT: (Unavailable, _BUSY),
    sqlite3.SQLITE_NOMEM: (ResourceExhausted, "The server is out of memory: retry."),
    sqlite3.SQLITE_CORRUPT: (DataLoss, DAMAGED),
    sqlite3.SQLITE_NOTADB: (DataLoss, DAMAGED),
    sqlite3.SQLITE_READONLY: (FailedPrecondition, "The server runs read-only: nothing can be changed."),
    sqlite3.SQLITE_CONSTRAINT: (AlreadyExists, "The same thing is stored already."),
    sqlite3.SQLITE_TOOBIG: (InvalidArgument, "A value is too large to be stored: keep each below 1 GB."),
}
_POSTGRES: dict[str, tuple[type[TrigpointError], str]] = {
    "40": (Aborted, "A concurrent change won: read again and retry."),
    "53": (ResourceExhausted, FULL),
    "08": (Unavailable, _BUSY),
    "57": (Unavailable, _BUSY),
    "58": (Unavailable, _DISK),
    "XX": (DataLoss, DAMAGED),
    "25": (FailedPrecondition, "The server runs read-only: nothing can be changed."),
    "23": (AlreadyExists, "The same thing is stored already."),
    "22": (InvalidArgument, "A value cannot be stored: remove NUL characters and keep numbers within 64 bits."),
}
_TOO_LARGE = ("Expression tree is too large", "too many", "parser stack overflow", "Recursion limit")
"""How SQLite begins when a statement is beyond its bounds: those of strangers' queries are the cause."""
_BAD_VALUE = "A value cannot be stored: text must be valid Unicode and numbers must fit 64 bits."


class Faults:
    """How a database gives its errors to callers: translated, and those of the database itself reported."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed

    def raised(self, error: BaseException) -> NoReturn:
        """Raise what the error means."""
        raise self.told(error)

    def told(self, error: BaseException) -> BaseException:
        """Return what the error means."""
        translated = translate(error)
        if translated is not error:
            translated.__cause__ = error
        if translated is not error or isinstance(error, DataLoss):
            self._failed(translated)
        return translated


def translate(error: BaseException) -> BaseException:
    """Return the `core.errors` exception that says what a driver's exception means; any other exception as it is."""
    cause: Any = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(cause, sqlite3.Error):
        # The driver's own complaints (an unsupported type) carry no code; they are ours to mend.
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        found = _SQLITE.get(code)
        if found is None and str(cause).startswith("Could not decode"):
            found = (DataLoss, DAMAGED)
        if found is None and str(cause).startswith(_TOO_LARGE):
            found = (InvalidArgument, "The query is too large: ask for less at once.")
        if found is None and isinstance(cause, sqlite3.DataError):
            found = (InvalidArgument, _BAD_VALUE)
        return found[0](found[1]) if found else Internal("The database refused a statement.")
    if isinstance(cause, UnicodeDecodeError):
        # SQLite's message quotes the damaged bytes and the driver cannot decode it.
        return DataLoss(DAMAGED)
    if isinstance(cause, OverflowError | UnicodeEncodeError):
        return InvalidArgument(_BAD_VALUE)
    if hasattr(cause, "sqlstate") and hasattr(cause, "pgresult"):
        return _postgres(cause)
    return Internal("The database refused a statement.") if isinstance(error, DBAPIError) else error


def _postgres(cause: Any) -> TrigpointError:
    state = cause.sqlstate
    if not state:
        if type(cause).__name__ == "DataError":
            return InvalidArgument(_POSTGRES["22"][1])
        return Unavailable("The database cannot be reached: retry.")
    kind, message = _POSTGRES.get(state[:2], (Internal, "The database refused a statement."))
    return kind(message)
