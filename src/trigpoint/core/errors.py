"""The one tree of errors that code below the surfaces raises; each surface maps it to its wire once.

TrigpointError                     code  HTTP
├── Cancelled                         1   499
├── Unknown                           2   500   (never raised by us; relayed from elsewhere)
├── InvalidArgument                   3   400   carries field violations
├── DeadlineExceeded                  4   504
├── NotFound                          5   404
├── AlreadyExists                     6   409
├── PermissionDenied                  7   403
├── ResourceExhausted                 8   429
├── FailedPrecondition                9   400
├── Aborted                          10   409   an etag or version that is no longer current
├── OutOfRange                       11   400
├── Unimplemented                    12   501
├── Internal                         13   500
├── Unavailable                      14   503
├── DataLoss                         15   500
└── Unauthenticated                  16   401

A message is written for the caller: it names the field or the resource and says what to do. It never holds
a path of this machine or a traceback. Source of codes: google/rpc/code.proto.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from trigpoint.core import sentences


class Violation(NamedTuple):
    """One bad field of a request: its request-relative snake_case path and what is wrong with it."""

    field: str
    description: str


class TrigpointError(Exception):
    """The root. `code` and `status` are google.rpc's; `http` is the HTTP status that goes with them."""

    code: ClassVar[int] = 2
    status: ClassVar[str] = "UNKNOWN"
    http: ClassVar[int] = 500

    def __init__(self, message: str, *, reason: str = "") -> None:
        message = _sayable(message)
        super().__init__(message)
        self.message = message
        self.reason = reason
        """An UPPER_SNAKE_CASE word for ErrorInfo, or empty."""


class Cancelled(TrigpointError):
    """The operation was cancelled, typically by the caller."""

    code, status, http = 1, "CANCELLED", 499


class Unknown(TrigpointError):
    """An error relayed from elsewhere that says nothing more."""


class InvalidArgument(TrigpointError):
    """The request is wrong whatever the state of the system."""

    code, status, http = 3, "INVALID_ARGUMENT", 400

    def __init__(self, message: str = "", *, violations: Sequence[Violation] = (), reason: str = "") -> None:
        super().__init__(message or found_errors(violations), reason=reason)
        self.violations = tuple(Violation(_sayable(v.field), _sayable(v.description)) for v in violations)


class DeadlineExceeded(TrigpointError):
    """It took longer than allowed."""

    code, status, http = 4, "DEADLINE_EXCEEDED", 504


class NotFound(TrigpointError):
    """The named thing does not exist, or the caller may not know that it does."""

    code, status, http = 5, "NOT_FOUND", 404


class AlreadyExists(TrigpointError):
    """The thing to create is there already."""

    code, status, http = 6, "ALREADY_EXISTS", 409


class PermissionDenied(TrigpointError):
    """The caller is known and may not do this."""

    code, status, http = 7, "PERMISSION_DENIED", 403


class ResourceExhausted(TrigpointError):
    """A quota or a physical limit is reached."""

    code, status, http = 8, "RESOURCE_EXHAUSTED", 429


class FailedPrecondition(TrigpointError):
    """The system is not in the state that the request needs."""

    code, status, http = 9, "FAILED_PRECONDITION", 400


class Aborted(TrigpointError):
    """A concurrent change won: read again and retry."""

    code, status, http = 10, "ABORTED", 409


class OutOfRange(TrigpointError):
    """Past the valid range."""

    code, status, http = 11, "OUT_OF_RANGE", 400


class Unimplemented(TrigpointError):
    """A method of the API that is not built."""

    code, status, http = 12, "UNIMPLEMENTED", 501


class Internal(TrigpointError):
    """A fault of ours."""

    code, status, http = 13, "INTERNAL", 500


class Unavailable(TrigpointError):
    """Not now; retry with back-off."""

    code, status, http = 14, "UNAVAILABLE", 503


class DataLoss(TrigpointError):
    """Stored data is damaged."""

    code, status, http = 15, "DATA_LOSS", 500


class Unauthenticated(TrigpointError):
    """No valid identity came with the request."""

    code, status, http = 16, "UNAUTHENTICATED", 401


def found_errors(violations: Sequence[Violation]) -> str:
    """Return the text Vertex gives for field violations (vertex-training.md section 8.7)."""
    listed = [
        sentences.FIELD_ERROR.format(number=i, field=v.field, problem=v.description)
        for i, v in enumerate(violations, 1)
    ]
    return "".join(f"{line}\t" for line in (sentences.FOUND_ERRORS, *listed))


def _sayable(text: str) -> str:
    """Return text without what no answer can carry: halves of surrogate pairs, which JSON lets people send."""
    return text.encode("utf-8", "replace").decode()
