"""What a transport hands to a surface and takes back: calls, tables of calls, the key of a scope.

Both wires of one API meet here: a gRPC method is a row in a table of `Unary` and `ServerStream` handlers over bytes,
and the front serves any such table. A surface that wants a gRPC method gives the front a row; it needs no library.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

REPLICA = "trigpoint.replica"
"""Key of an ASGI scope under which the front puts the replica whose own socket a request came through ("" else)."""


@dataclass(frozen=True, slots=True)
class RpcCall:
    """One gRPC request as it came off the wire."""

    method: str
    """Full name with dots only: `google.cloud.aiplatform.v1.JobService.CreateCustomJob`."""
    message: bytes
    headers: Mapping[str, str]
    """Lower-case names; of a repeated header the last value; binary ones (`-bin`) are left out."""
    replica: str = ""
    """Identity of the replica whose own socket this came through; empty for the shared ports."""
    host: str = ""
    """The name that the client asked for by SNI, lower case, or empty."""
    seconds_left: float | None = None
    """What remains of the client's deadline."""


Handler = Callable[[RpcCall], Awaitable[bytes]]
StreamHandler = Callable[[RpcCall], AsyncIterator[bytes]]


class Unary(NamedTuple):
    """A method with one answer. The handler raises `core.errors` for anything else."""

    handle: Handler


class ServerStream(NamedTuple):
    """A method that answers with a stream of messages."""

    handle: StreamHandler


RpcTable = Mapping[str, Unary | ServerStream]
"""Full method name (dots only) to its handler."""
