"""Carries a replica's connections: to the server's socket for this replica, or, as a proxy, to public addresses."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from typing import Callable

from . import sockets
from .protocol import Network

_CHUNK = 1 << 17
_CONNECTIONS = 256
_PATIENCE = 60.0
"""Seconds for which a connection waits for a server that is away; then it is closed."""

_GOOGLE = ".googleapis.com"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Handler = Callable[[socket.socket], None]


class Relay:
    """Listeners of one replica, each with its handler. Counts the bytes that pass, both ways."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._slots = threading.BoundedSemaphore(_CONNECTIONS)
        self._listeners: list[tuple[socket.socket, Handler]] = []
        self._closed = False
        self.bytes_in = 0
        self.bytes_out = 0

    def listen(self, address: str, port: int, handler: Handler) -> int:
        """Listen at an address of this thread's network namespace, to be served by `start`; return the port."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        self._listeners.append((listener, handler))
        return int(listener.getsockname()[1])

    def start(self) -> None:
        """Serve what listens. Not from the stage: threads inherit namespaces, these must see the machine's network."""
        for listener, handler in self._listeners:
            threading.Thread(target=self._accept, args=(listener, handler), name="relay", daemon=True).start()

    def to_server(self, kind: str) -> Handler:
        """Return a handler that splices to the server: kind is `metadata` or `tls`."""

        def handle(client: socket.socket) -> None:
            with self.connect(kind) as server:
                self.splice(client, server)

        return handle

    def connect(self, kind: str) -> socket.socket:
        """Return a connection to the server as this replica, waiting a while when the server is away."""
        deadline, pause = time.monotonic() + _PATIENCE, 0.002
        while True:
            try:
                connection = sockets.connect(self._server)
                connection.sendall(kind.encode() + b"\n")
            except OSError:
                if self._closed or time.monotonic() > deadline:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 1.0)
            else:
                return connection

    def splice(self, client: socket.socket, server: socket.socket) -> None:
        """Move bytes both ways until both sides have said all; a side that ends is told to the other at once."""
        back = threading.Thread(target=self._copy, args=(server, client, False), daemon=True)
        back.start()
        self._copy(client, server, True)
        back.join()

    def close(self) -> None:
        """Stop listening; connections that are open end with their peers."""
        self._closed = True
        for listener, _ in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, handler: Handler) -> None:
        while True:
            self._slots.acquire()
            try:
                client, _ = listener.accept()
            except OSError:
                self._slots.release()
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client, handler), daemon=True).start()

    def _serve(self, client: socket.socket, handler: Handler) -> None:
        try:
            with client, contextlib.suppress(OSError):
                handler(client)
        finally:
            self._slots.release()

    def _copy(self, source: socket.socket, target: socket.socket, outward: bool) -> None:
        buffer = memoryview(bytearray(_CHUNK))
        with contextlib.suppress(OSError):
            while True:
                size = source.recv_into(buffer)
                if not size:
                    break
                target.sendall(buffer[:size])
                if outward:
                    self.bytes_out += size
                else:
                    self.bytes_in += size
        for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                end.shutdown(how)


class Proxy:
    """An HTTP proxy for one replica: CONNECT and plain requests; the server's hosts go to the server's socket."""

    def __init__(self, relay: Relay, network: Network, index_hosts: tuple[str, ...]) -> None:
        self._relay = relay
        self._hosts = frozenset(network.hosts)
        self._outbound = network.outbound
        indexes = (host if ":" in host else f"{host}:443" for host in index_hosts)
        self._allowed = frozenset((*network.allow, *indexes))
        self._names = frozenset(entry.rpartition(":")[0] or entry for entry in self._allowed)

    def handle(self, client: socket.socket) -> None:
        """Serve one connection."""
        head = _read_head(client)
        if not head:
            return
        line, _, rest = head.partition(b"\r\n")
        words = line.split(b" ")
        if len(words) != 3:
            client.sendall(_answer(400, "not a proxy request"))
        elif words[0] == b"CONNECT":
            self._connect(client, words[1].decode("latin-1"))
        elif words[1].startswith(b"http://"):
            self._forward(client, words, rest)
        else:
            client.sendall(_answer(400, "not a proxy request"))

    def _connect(self, client: socket.socket, target: str) -> None:
        host, _, port = target.rpartition(":")
        host = _plain(host)
        if self._is_ours(host):
            if port != "443":
                client.sendall(_answer(403, "this host is reached by https only"))
                return
            server = self._relay.connect("tls")
        else:
            found = self._outside(client, host, port)
            if found is None:
                return
            server = found
        with server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._relay.splice(client, server)

    def _forward(self, client: socket.socket, words: list[bytes], rest: bytes) -> None:
        authority, _, path = words[1][7:].partition(b"/")
        host, _, port = authority.decode("latin-1").partition(":")
        host = _plain(host)
        if self._is_ours(host):
            client.sendall(_answer(403, "this host is reached by https only"))
            return
        server = self._outside(client, host, port or "80")
        if server is None:
            return
        kept = [h for h in rest.split(b"\r\n") if h and not h.lower().startswith((b"proxy-", b"connection:"))]
        request = words[0] + b" /" + path + b" HTTP/1.1\r\n" + b"\r\n".join([*kept, b"Connection: close", b"", b""])
        with server:
            server.sendall(request)
            self._relay.splice(client, server)

    def _is_ours(self, host: str) -> bool:
        """Return whether the server stands in for a host: what is meant for Google must not leave the machine."""
        return host in self._hosts or (host.endswith(_GOOGLE) and host not in self._names)

    def _outside(self, client: socket.socket, host: str, port: str) -> socket.socket | None:
        """Return a connection to a public address, or None after telling the client why not."""
        if not self._outbound:
            client.sendall(_answer(403, "this job may not reach the internet"))
            return None
        try:
            allowed = host in self._allowed or f"{host}:{port}" in self._allowed
            return connect_outside(host.strip("[]"), int(port), allowed)
        except PermissionError:
            client.sendall(_answer(403, "the proxy reaches public addresses only"))
        except (OSError, ValueError):
            client.sendall(_answer(502, "no connection to that host"))
        return None


def _plain(host: str) -> str:
    """Return a host name as tables hold it: lower case, without the root's dot."""
    return host.lower().rstrip(".")


def connect_outside(host: str, port: int, allowed: bool) -> socket.socket:
    """Return a connection to a host; PermissionError when it is not `allowed` and has no public address."""
    refused = False
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if not allowed and (not is_public(str(address[0])) or is_own(str(address[0]))):
            refused = True
            continue
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(20)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            problem = error
        else:
            connection.settimeout(None)
            return connection
    if refused:
        raise PermissionError(host)
    raise problem


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the internet's, also when an IPv4 address hides in an IPv6 one."""
    found = ipaddress.ip_address(address.split("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.sixtofour is not None or found.teredo is not None or found.is_site_local:
            return False
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.is_global and not found.is_multicast and not found.is_reserved


def is_own(address: str) -> bool:
    """Return whether an IP address is this machine's: what listens there may be closed to the internet, not to us."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))  # sends nothing: it only has the kernel choose where from
        except OSError:
            return False
        return bool(probe.getsockname()[0] == address)


def _read_head(client: socket.socket) -> bytes:
    """Return the request's head without the empty line; empty when there is none within 64 KiB or 30 s.

    Byte by byte at the end, so that nothing after the head is taken from the connection.
    """
    client.settimeout(30)
    head = b""
    while len(head) < 1 << 16:
        peeked = client.recv(8192, socket.MSG_PEEK)
        if not peeked:
            return b""
        end = (head + peeked).find(b"\r\n\r\n")
        if end >= 0:
            client.recv(end + 4 - len(head))
            client.settimeout(None)
            return (head + peeked)[:end]
        head += client.recv(len(peeked))
    return b""


def _answer(status: int, text: str) -> bytes:
    body = text.encode() + b"\n"
    return b"HTTP/1.1 %d Refused\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status,
        len(body),
        body,
    )
