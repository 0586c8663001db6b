"""The gRPC side of the Vertex surface: a table of handlers over bytes for the front's endpoint."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from trigpoint.core import messages, wire
from trigpoint.core.call import Caller
from trigpoint.kernel.resource import Rendered
from trigpoint.surfaces.vertex.dispatch import Dispatcher, hidden
from trigpoint.surfaces.vertex.parts import Arrival, Entry
from trigpoint.surfaces.vertex.versions import answer_in

_OPERATION = "google.longrunning.Operation"


def table(dispatcher: Dispatcher, entries: Mapping[str, Entry]) -> wire.RpcTable:
    """Return the rows of all methods, by the full names they have on the wire."""
    return {full: _row(dispatcher, entry) for full, entry in entries.items()}


def _row(dispatcher: Dispatcher, entry: Entry) -> wire.Unary | wire.ServerStream:
    async def unary(call: wire.RpcCall) -> bytes:
        arrival = _arrival(call)
        try:
            caller, request = await _open(dispatcher, entry, call, arrival)
            return _encoded(entry, await dispatcher.call(entry, caller, request, arrival))
        except Exception as error:  # noqa: BLE001  the edge: whatever went wrong becomes a status
            raise hidden(error, call.method) from None

    async def stream(call: wire.RpcCall) -> AsyncIterator[bytes]:
        arrival = _arrival(call)
        try:
            caller, request = await _open(dispatcher, entry, call, arrival)
            async for answer in dispatcher.stream(entry, caller, request, arrival):
                yield _encoded(entry, answer)
        except Exception as error:  # noqa: BLE001  the edge: whatever went wrong becomes a status
            raise hidden(error, call.method) from None

    return wire.ServerStream(stream) if entry.streaming else wire.Unary(unary)


def _arrival(call: wire.RpcCall) -> Arrival:
    return Arrival(call.headers, "grpc", call.host, call.replica, call.seconds_left)


async def _open(dispatcher: Dispatcher, entry: Entry, call: wire.RpcCall, arrival: Arrival) -> tuple[Caller, Any]:
    """Prove the caller, then read the message; v1beta1 bytes are v1 bytes (sdk-contract.md section 2.1)."""
    caller = await dispatcher.admit(arrival)
    return caller, messages.decode(messages.message_class(entry.accepts), call.message)


def _encoded(entry: Entry, answer: Any) -> bytes:
    if isinstance(answer, Rendered):
        return answer.message
    if entry.version != "v1" and messages.full_name(answer) == _OPERATION:
        answer = answer_in(entry, answer)
    return messages.encode(answer)
