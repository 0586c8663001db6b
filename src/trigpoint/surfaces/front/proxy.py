"""The CONNECT proxy: takes over Google's API hosts, tunnels other hosts at public addresses, refuses the rest."""

import asyncio
import base64
import contextlib
import hmac
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

from trigpoint.surfaces.front import hosts, reading, tunnel
from trigpoint.surfaces.front.serving import TLS_HANDSHAKE, Server
from trigpoint.surfaces.front.splice import End

_HEAD_SECONDS = 30.0
_HELLO_SECONDS = 30.0
_LINGER_SECONDS = 1.0
_MAX_HEAD = 64 * 1024
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_DROPPED = frozenset({"connection", "keep-alive", "upgrade", "te", "host"})


@dataclass(frozen=True)
class ProxyRules:
    """What the proxy may do: whom it asks for credentials (`user:password`, empty for nobody), where it connects to."""

    credentials: str = ""
    outbound: tunnel.Outbound = field(default_factory=tunnel.Outbound)
    own: Callable[[str, int], bool] = lambda _host, _port: False
    """Whether a host and port are the front's own TLS port."""


@dataclass(frozen=True)
class _Head:
    method: str
    host: str
    port: int
    path: str
    fields: tuple[tuple[str, str], ...]

    def value(self, name: str) -> str:
        return next((v for k, v in self.fields if k.lower() == name), "")


class Proxy:
    """Serves proxy connections. Only one request per connection reaches a foreign host."""

    def __init__(
        self, server: Server, rules: ProxyRules, resolver: tunnel.Resolver, metadata: hosts.App | None
    ) -> None:
        self._server, self._rules, self._resolver, self._metadata = server, rules, resolver, metadata

    async def serve(self, sock: socket.socket, replica: str = "") -> None:
        """Read the request head of a fresh connection and act on it; owns the socket."""
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                raw = await reading.until(sock, b"\r\n\r\n", _MAX_HEAD)
            head = _parse(raw)
            if not replica:
                self._check_credentials(head)
            await self._act(sock, head, raw, replica)
        except tunnel.RefusedError as refused:
            await _refuse(sock, refused)
        except (reading.CutError, TimeoutError, OSError):
            sock.close()

    async def _act(self, sock: socket.socket, head: _Head, raw: bytes, replica: str) -> None:
        ours = hosts.is_google(head.host) or self._rules.own(head.host, head.port)
        if head.method == "CONNECT":
            await (self._take_over(sock, replica) if ours else self._tunnel(sock, head))
        elif ours:
            await self._server.plain(sock, raw, replica)
        elif head.host in hosts.METADATA_NAMES:
            if not replica or self._metadata is None:
                raise tunnel.RefusedError(403, "The metadata server answers on a replica's own network only.")
            await self._server.plain(sock, raw, replica, self._metadata)
        else:
            await self._forward(sock, head)

    async def _take_over(self, sock: socket.socket, replica: str) -> None:
        """Answer the CONNECT and be that host; what the client sent early is still in the socket."""
        await reading.send(sock, b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with asyncio.timeout(_HELLO_SECONDS):
            first = await reading.first_byte(sock)
        if first == TLS_HANDSHAKE:
            await self._server.tls(sock, replica)
        else:
            await self._server.plain(sock, replica=replica)

    async def _tunnel(self, sock: socket.socket, head: _Head) -> None:
        far = await self._dial(head)
        await reading.send(sock, b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _join(sock, far)

    async def _forward(self, sock: socket.socket, head: _Head) -> None:
        """Send an `http://` request on in origin form, for one answer."""
        far = await self._dial(head)
        kept = [f"{k}: {v}" for k, v in head.fields if k.lower() not in _DROPPED and not k.lower().startswith("proxy-")]
        authority = head.host if head.port == 80 else f"{head.host}:{head.port}"
        lines = [f"{head.method} {head.path} HTTP/1.1", f"Host: {authority}", *kept, "Connection: close", "", ""]
        if far.transport is not None:
            far.transport.write("\r\n".join(lines).encode("latin-1"))
        await _join(sock, far)

    async def _dial(self, head: _Head) -> End:
        made = await tunnel.dial(head.host, head.port, self._rules.outbound, self._resolver, End)
        return cast("End", made)

    def _check_credentials(self, head: _Head) -> None:
        if not self._rules.credentials:
            return
        scheme, _, value = head.value("proxy-authorization").partition(" ")
        try:
            given = base64.b64decode(value.strip(), validate=True)
        except ValueError:
            given = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(given, self._rules.credentials.encode()):
            raise tunnel.RefusedError(
                407, "This proxy asks for credentials: use the proxy address that `trig env` prints."
            )


async def _join(sock: socket.socket, far: End) -> None:
    loop = asyncio.get_running_loop()
    try:
        _, near = await loop.connect_accepted_socket(End, sock)
    except OSError:
        far.close()
        raise
    near.join(far)


def _parse(raw: bytes) -> _Head:
    """Read a request head; RefusedError(400) when it is no proxy request."""
    lines = raw.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    fields = tuple(_field(line) for line in lines[1:] if line)
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[0].isalpha():
        raise tunnel.RefusedError(400, "This is no proxy request.")
    if words[0] == "CONNECT":
        host, port = _authority(words[1], None)
        return _Head("CONNECT", host, port, "", fields)
    if not words[1].lower().startswith("http://"):
        raise tunnel.RefusedError(400, "This port is a proxy: it takes CONNECT and absolute http:// requests.")
    authority, slash, path = words[1][len("http://") :].partition("/")
    host, port = _authority(authority, 80)
    return _Head(words[0], host, port, slash + path if slash else "/", fields)


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise tunnel.RefusedError(400, "A header line of this request is malformed.")
    return name, value.strip()


def _authority(text: str, default: int | None) -> tuple[str, int]:
    found = re.fullmatch(rf"({_HOST.pattern})(?::(\d{{1,5}}))?", text)
    port = int(found[2]) if found and found[2] else default
    if found is None or port is None or not 0 < port < 65536:
        raise tunnel.RefusedError(400, "The host and port of this request are malformed.")
    return hosts.host_name(found[1] if found[1].startswith("[") else found[1] + ":"), port


async def _refuse(sock: socket.socket, refused: tunnel.RefusedError) -> None:
    body = f"{refused}\n".encode()
    phrase = HTTPStatus(refused.status).phrase
    challenge = 'Proxy-Authenticate: Basic realm="trigpoint"\r\n' if refused.status == 407 else ""
    head = (
        f"HTTP/1.1 {refused.status} {phrase}\r\n{challenge}Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with contextlib.suppress(OSError):
        await reading.send(sock, head.encode() + body)
        sock.shutdown(socket.SHUT_WR)
        await reading.drain(sock, _LINGER_SECONDS)
    sock.close()
