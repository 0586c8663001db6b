"""The front: one TLS port for REST and gRPC, the CONNECT proxy, the doors of replicas; it knows only tables.

`server` hands it which app answers for which host (`Table`), which gRPC methods exist (`wire.RpcTable`), and the CA;
and which app may be spoken to in clear from this machine (`plain`).
See dependencies.md section 20 for the traps that this package steps around.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trigpoint.core import errors, status, wire
from trigpoint.core.listening import listen
from trigpoint.surfaces.front.certificates import Authority
from trigpoint.surfaces.front.grpc import GrpcEndpoint
from trigpoint.surfaces.front.hosts import App, HostRouter, Table, host_name, is_loopback
from trigpoint.surfaces.front.http import HttpEndpoint
from trigpoint.surfaces.front.proxy import Proxy, ProxyRules
from trigpoint.surfaces.front.replicas import Replicas
from trigpoint.surfaces.front.serving import Server, Tasks, accept
from trigpoint.surfaces.front.tunnel import Outbound, Resolver, resolve

__all__ = ["App", "Authority", "Front", "FrontOptions", "Outbound", "Table", "host_name"]

Address = tuple[str, int]


@dataclass(frozen=True)
class FrontOptions:
    """How the front listens. Port 0 takes a free one."""

    run: Path
    """Folder for the private socket; made with mode 0700."""
    host: str = "127.0.0.1"
    port: int = 0
    proxy_host: str = "127.0.0.1"
    proxy_port: int = 0
    proxy_credentials: str = ""
    """`user:password` that the proxy asks for; empty asks for none."""
    outbound: Outbound = field(default_factory=Outbound)
    grace: float = 5.0
    """Seconds that requests under way get at a stop."""


class Front:
    """All listeners of one server. For one event loop: `start` once, `stop` once."""

    def __init__(
        self,
        table: Table,
        rpcs: wire.RpcTable,
        authority: Authority,
        options: FrontOptions,
        *,
        metadata: App | None = None,
        plain: App | None = None,
        details: Callable[[errors.TrigpointError], bytes] = status.status_bytes,
        resolver: Resolver = resolve,
    ) -> None:
        self._options, self._names = options, table.names
        self._tasks = Tasks()
        self._http = HttpEndpoint(HostRouter(table))
        self._grpc = GrpcEndpoint(rpcs, options.run / "grpc.sock", details)
        names = HostRouter(Table(local=[("/", plain)], names=table.names)) if plain is not None else None
        self._server = Server(self._http, self._grpc, authority.server_context(), self._tasks, names)
        rules = ProxyRules(options.proxy_credentials, options.outbound, self._is_own)
        self._proxy = Proxy(self._server, rules, resolver, metadata)
        self._replicas = Replicas(self._server, metadata, self._proxy)
        self._listeners: list[socket.socket] = []
        self.address: Address = ("", 0)
        self.proxy_address: Address = ("", 0)

    async def start(self) -> None:
        """Bind both ports and serve; OSError when one is taken."""
        options = self._options
        tls = self._bind(options.host, options.port)
        proxy = self._bind(options.proxy_host, options.proxy_port)
        self.address, self.proxy_address = tls.getsockname()[:2], proxy.getsockname()[:2]
        await self._grpc.start()
        self._http.start()
        self._tasks.start(accept(tls, self._tasks, self._server.either))
        self._tasks.start(accept(proxy, self._tasks, self._proxy.serve))

    async def stop(self) -> None:
        """Stop listening, let requests under way end within the grace, then cut them off."""
        await self._replicas.stop()
        await asyncio.gather(self._http.stop(self._options.grace), self._grpc.stop(self._options.grace))
        self._server.cut()
        await self._tasks.stop()
        for listener in self._listeners:
            listener.close()

    async def open_replica(self, path: Path, identity: str, *, outbound: bool = True) -> None:
        """Serve a replica at its own unix socket; `outbound`: whether it may reach the internet through us."""
        await self._replicas.open(path, identity, outbound=outbound)

    async def open_metadata(self, identity: str, at: Address | None = None) -> Address:
        """Serve a replica's metadata at an unguessable loopback address, for the plain process runtime."""
        return await self._replicas.open_metadata(identity, at)

    def replicas(self) -> list[str]:
        """Return the identities of the replicas that have doors open."""
        return self._replicas.names()

    async def close_replica(self, identity: str) -> None:
        """Close all doors of a replica. Idempotent."""
        await self._replicas.close(identity)

    def _bind(self, host: str, port: int) -> socket.socket:
        listener = listen(host, port)
        listener.setblocking(False)
        self._listeners.append(listener)
        return listener

    def _is_own(self, host: str, port: int) -> bool:
        return port == self.address[1] and (is_loopback(host) or host in self._names)
