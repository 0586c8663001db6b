"""What `server` hands to the Vertex surface, and the little types that its modules share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from trigpoint.core.call import Call, Caller
from trigpoint.core.clock import Clock
from trigpoint.core.pb.google.longrunning.operations_pb import Operation
from trigpoint.store import Store

Handler = Callable[[Call, Any], Any]
"""Takes v1 messages; returns one, a `kernel.Rendered`, a google.longrunning.Operation, or an iterator of messages."""
Headers = Mapping[str, str]
"""Lower-case names."""
Projects = Callable[[str], str | None]
"""A project's id or number to its number; None when there is none."""


class Prover(Protocol):
    """Who proves callers: the identity facade. `replica` is the one whose own socket the request came through."""

    def recall(self, headers: Headers, replica: str | None = None) -> Caller | None:
        """Return a caller whose token was verified before, without the database; Unauthenticated without a token."""
        ...

    def authenticate(self, headers: Headers, replica: str | None = None) -> Caller:
        """Return the caller; may read the database. Raises Unauthenticated."""
        ...


class OperationBook(Protocol):
    """Long-running operations: the kernel's. Each raises NotFound for an unknown name."""

    def get(self, name: str) -> Operation:
        """Return an operation with v1 types."""
        ...

    def list(self, parent: str, page_size: int, page_token: str) -> tuple[list[Operation], str]:
        """Return a page, newest first, and the token of the next."""
        ...

    def delete(self, name: str) -> None:
        """Forget it."""
        ...

    def cancel(self, name: str) -> None:
        """Ask for its end; FailedPrecondition where it cannot be cancelled."""
        ...


@dataclass(frozen=True)
class Parts:
    """Everything the surface needs. Handlers are called from many threads at once."""

    handlers: Mapping[str, Handler]
    """By full v1 name: `google.cloud.aiplatform.v1.JobService.CreateCustomJob`."""
    prover: Prover
    projects: Projects
    locations: tuple[str, ...]
    store: Store
    operations: OperationBook
    clock: Clock
    inline: frozenset[str] = frozenset()
    """Methods so quick that the event loop calls them itself: plain reads of one row on SQLite."""
    held_reads: bool = True
    threads: int = 16
    max_body: int = 64 * 1024 * 1024
    """Bytes of a REST body."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as either transport delivers it, before anybody looked at its message."""

    headers: Headers
    transport: str
    host: str = ""
    replica: str = ""
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One method in one version, as dispatch needs it."""

    name: str
    """Full v1 name: the key of its handler. Methods that v1 does not have keep their v1beta1 name."""
    version: str
    input: str
    """Full name of the request in the caller's version."""
    output: str
    """Full name of the response in the caller's version."""
    accepts: str
    """Full name of the request that the handler gets."""
    routing: tuple[str, ...] = ()
    """Dotted paths of the request fields that hold the addressed resource's name; empty for what no project owns."""
    streaming: bool = False
    permission: str = ""
    """`aiplatform.customJobs.create`."""

    @property
    def short(self) -> str:
        """`CreateCustomJob`."""
        return self.name.rpartition(".")[2]
