"""The Vertex AI API on both transports and in both versions, led to one set of v1 handlers; it knows no slice.

`Vertex.app` is for the front's host table, `Vertex.rpcs` for its table of gRPC methods.
"""

from trigpoint.core import wire
from trigpoint.surfaces.vertex import rpc, table
from trigpoint.surfaces.vertex.dispatch import Dispatcher
from trigpoint.surfaces.vertex.mixins import Mixins
from trigpoint.surfaces.vertex.parts import Handler, OperationBook, Parts, Prover
from trigpoint.surfaces.vertex.rest import Rest

__all__ = ["Handler", "OperationBook", "Parts", "Prover", "Vertex"]


class Vertex:
    """The surface. Built once; serves one event loop."""

    def __init__(self, parts: Parts) -> None:
        mixins = Mixins(parts.store, parts.operations, parts.clock, parts.locations)
        handlers = {**mixins.handlers(), **parts.handlers}
        self.built = frozenset(handlers)
        """Full v1 names of the methods that have a handler."""
        self._dispatcher = Dispatcher(parts, handlers)
        known = table.entries()
        self.app = Rest(self._dispatcher, table.router(known), parts.max_body)
        self.rpcs: wire.RpcTable = rpc.table(self._dispatcher, known)

    def drain(self) -> None:
        """Let held reads go: the first step of a stop, so that the front need not wait for them."""
        self._dispatcher.drain()

    def close(self) -> None:
        """Take no more calls, once the front has stopped; handlers under way end."""
        self._dispatcher.close()
