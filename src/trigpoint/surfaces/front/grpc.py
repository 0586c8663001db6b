"""The gRPC endpoint: one grpcio server on a private socket, fed from a table of handlers over bytes.

Only the front connects to that socket, and names each connection by an unguessable abstract address it binds first:
that is how a call knows the replica it came from. A connection with any other name is refused.
"""

import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import structlog
from grpc import aio

from trigpoint.core import errors, wire

_log = structlog.get_logger(__name__)
_LARGEST = 64 << 20
"""Bytes of a request, as of a REST body: it is taken whole before anybody can be asked who sends it."""
_OPTIONS = [
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 256 * 1024),
    ("grpc.max_concurrent_streams", 256),
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
]
_CODES = {code.value[0]: code for code in grpc.StatusCode}

Details = Callable[[errors.TrigpointError], bytes]
"""Makes the `google.rpc.Status` bytes that travel in `grpc-status-details-bin`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the front knows of a spliced connection."""

    replica: str = ""
    host: str = ""


class GrpcEndpoint:
    """grpcio's server behind a unix socket. For one event loop: `start`, any number of `dial`, `stop`."""

    def __init__(self, table: wire.RpcTable, path: Path, details: Details) -> None:
        self._table, self._path, self._details = table, path, details
        self._origins: dict[str, Origin] = {}
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Bind the socket, whose folder only we may enter, and serve."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers((_Methods(self._table, self._origins, self._details),))
        self._server.add_insecure_port(f"unix:{self._path}")
        await self._server.start()

    def dial(self, origin: Origin) -> tuple[socket.socket, str]:
        """Return a connected socket for one client connection, and the key to `forget` it by."""
        key = "trigpoint-" + secrets.token_hex(16)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.bind("\0" + key)
            self._origins["unix-abstract:" + key] = origin
            connection.settimeout(5)
            connection.connect(str(self._path))
            connection.setblocking(False)
        except OSError:
            connection.close()
            self.forget(key)
            raise
        return connection, key

    def forget(self, key: str) -> None:
        """Drop what was known of a connection that has ended."""
        self._origins.pop("unix-abstract:" + key, None)

    async def stop(self, grace: float) -> None:
        """Let calls under way end for `grace` seconds, then cut them off."""
        if self._server is not None:
            await self._server.stop(grace)
        self._path.unlink(missing_ok=True)


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, table: wire.RpcTable, origins: Mapping[str, Origin], details: Details) -> None:
        self._table, self._origins, self._details = table, origins, details
        self._made: dict[str, Any] = {}

    def service(self, handler_call_details: Any) -> Any:
        """Return grpcio's handler for a method of the table, None (UNIMPLEMENTED) for any other."""
        path: str = handler_call_details.method
        made = self._made.get(path)
        if made is None:
            method = path.lstrip("/").replace("/", ".")
            entry = self._table.get(method)
            if entry is None:
                return None
            made = self._made[path] = self._handler(method, entry)
        return made

    def _handler(self, method: str, entry: wire.Unary | wire.ServerStream) -> Any:
        if isinstance(entry, wire.ServerStream):
            stream = entry.handle

            async def answer_stream(message: bytes, context: Any) -> AsyncIterator[bytes]:
                try:
                    async for part in stream(await self._call(method, message, context)):
                        yield part
                except Exception as error:  # noqa: BLE001  the edge: whatever went wrong becomes a status
                    await self._refuse(context, method, error)

            return grpc.unary_stream_rpc_method_handler(answer_stream)
        unary: Callable[[wire.RpcCall], Awaitable[bytes]] = entry.handle

        async def answer(message: bytes, context: Any) -> bytes:
            try:
                return await unary(await self._call(method, message, context))
            except Exception as error:  # noqa: BLE001  the edge: whatever went wrong becomes a status
                return await self._refuse(context, method, error)

        return grpc.unary_unary_rpc_method_handler(answer)

    async def _call(self, method: str, message: bytes, context: Any) -> wire.RpcCall:
        origin = self._origins.get(context.peer())
        if origin is None:
            raise errors.Unauthenticated("This socket takes connections from the front only.")
        headers = {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}
        return wire.RpcCall(method, message, headers, origin.replica, origin.host, context.time_remaining())

    async def _refuse(self, context: Any, method: str, error: Exception) -> bytes:
        if isinstance(error, aio.AbortError):
            raise error
        if not isinstance(error, errors.TrigpointError):
            _log.error("rpc.failed", method=method, exc_info=error)
            error = errors.Internal("Internal error encountered.")
        trailers = (("grpc-status-details-bin", self._details(error)),)
        await context.abort(_CODES[error.code], error.message, trailers)
        return b""
