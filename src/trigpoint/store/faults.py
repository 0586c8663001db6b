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
from trigpoint.store import sentences

_SQLITE: dict[int, tuple[type[TrigpointError], str]] = {
    sqlite3.SQLITE_FULL: (ResourceExhausted, sentences.FULL),
    sqlite3.SQLITE_IOERR: (Unavailable, sentences.DISK_FAILED),
    sqlite3.SQLITE_CANTOPEN: (Unavailable, sentences.DISK_FAILED),
    sqlite3.SQLITE_BUSY: (Unavailable, sentences.BUSY),
    sqlite3.SQLITE_LOCKED: (Unavailable, sentences.BUSY),
    sqlite3.SQLITE_INTERRUPT: (Unavailable, sentences.BUSY),
    sqlite3.SQLITE_NOMEM: (ResourceExhausted, sentences.NO_MEMORY),
    sqlite3.SQLITE_CORRUPT: (DataLoss, sentences.DAMAGED),
    sqlite3.SQLITE_NOTADB: (DataLoss, sentences.DAMAGED),
    sqlite3.SQLITE_READONLY: (FailedPrecondition, sentences.READ_ONLY),
    sqlite3.SQLITE_CONSTRAINT: (AlreadyExists, sentences.STORED_ALREADY),
    sqlite3.SQLITE_TOOBIG: (InvalidArgument, sentences.TOO_LARGE),
}
_POSTGRES: dict[str, tuple[type[TrigpointError], str]] = {
    "40": (Aborted, sentences.OVERTAKEN),
    "53": (ResourceExhausted, sentences.FULL),
    "08": (Unavailable, sentences.BUSY),
    "57": (Unavailable, sentences.BUSY),
    "58": (Unavailable, sentences.DISK_FAILED),
    "XX": (DataLoss, sentences.DAMAGED),
    "25": (FailedPrecondition, sentences.READ_ONLY),
    "23": (AlreadyExists, sentences.STORED_ALREADY),
    "22": (InvalidArgument, sentences.BAD_VALUE),
}
_TOO_LARGE = ("Expression tree is too large", "too many", "parser stack overflow", "Recursion limit")
"""How SQLite begins when a statement is beyond its bounds: those of strangers' queries are the cause."""


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
            found = (DataLoss, sentences.DAMAGED)
        if found is None and str(cause).startswith(_TOO_LARGE):
            found = (InvalidArgument, sentences.LARGE_QUERY)
        if found is None and isinstance(cause, sqlite3.DataError):
            found = (InvalidArgument, sentences.BAD_TEXT)
        return found[0](found[1]) if found else Internal(sentences.REFUSED)
    if isinstance(cause, UnicodeDecodeError):
        # SQLite's message quotes the damaged bytes and the driver cannot decode it.
        return DataLoss(sentences.DAMAGED)
    if isinstance(cause, OverflowError | UnicodeEncodeError):
        return InvalidArgument(sentences.BAD_TEXT)
    if hasattr(cause, "sqlstate") and hasattr(cause, "pgresult"):
        return _postgres(cause)
    return Internal(sentences.REFUSED) if isinstance(error, DBAPIError) else error


def _postgres(cause: Any) -> TrigpointError:
    state = cause.sqlstate
    if not state:
        if type(cause).__name__ == "DataError":
            return InvalidArgument(_POSTGRES["22"][1])
        return Unavailable(sentences.UNREACHABLE)
    kind, message = _POSTGRES.get(state[:2], (Internal, sentences.REFUSED))
    return kind(message)
