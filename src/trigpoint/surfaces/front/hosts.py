"""Which names the front answers for, in one table, and which app answers for a name and path; opens no socket."""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

GOOGLE_DOMAINS = (
    "googleapis.com",
    "console.cloud.google.com",
    "notebooks.googleusercontent.com",
    "tensorboard.googleusercontent.com",
    "aiplatform-training.googleusercontent.com",
)
"""Domains whose every name the proxy takes over: Google's API hosts and what their answers link to."""

METADATA_NAMES = frozenset({"metadata.google.internal", "metadata", "169.254.169.254"})
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_google(host: str) -> bool:
    """Return whether a lower-case host name is one that the proxy takes over."""
    return any(host == domain or host.endswith("." + domain) for domain in GOOGLE_DOMAINS)


def host_name(authority: str) -> str:
    """Return the lower-case host of `host:port`, `[::1]:port` or `host`, without brackets or a trailing dot."""
    text = authority.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.rstrip(".")


def is_loopback(host: str) -> bool:
    """Return whether a host literal is this machine: `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Paths = Sequence[tuple[str, App]]
"""Path prefixes to apps; the longest prefix that fits wins, whatever the order."""


@dataclass(frozen=True)
class Table:
    """Which app answers where. `server` fills it; the front knows no other surface."""

    hosts: Mapping[str, Paths] = field(default_factory=dict)
    """Exact names (`storage.googleapis.com`) and patterns that start with `*` (`*-aiplatform.googleapis.com`)."""
    local: Paths = ()
    """The union served under `localhost`, loopback addresses and our own names."""
    names: frozenset[str] = frozenset()
    """Our own names besides the loopback ones, lower case."""


class HostRouter:
    """The ASGI app that finds the app of a request by its Host header and path, and refuses every other name."""

    def __init__(self, table: Table) -> None:
        self._exact = {h: _longest_first(p) for h, p in table.hosts.items() if not h.startswith("*")}
        patterns = [(h[1:], _longest_first(p)) for h, p in table.hosts.items() if h.startswith("*")]
        self._suffixes = sorted(patterns, key=lambda pair: -len(pair[0]))
        self._local = _longest_first(table.local)
        self._names = table.names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 404 (nothing served there) or 421 (not a name of ours)."""
        host = host_name(_header(scope, b"host"))
        paths = self._paths(host)
        if paths is None:
            await _refuse(
                scope, send, 421, "FAILED_PRECONDITION", f"This server does not answer for the host {host[:200]!r}."
            )
            return
        path = scope["path"]
        for prefix, app in paths:
            if path.startswith(prefix):
                await app(scope, receive, send)
                return
        await _refuse(scope, send, 404, "NOT_FOUND", f"Trigpoint serves nothing under this path of {host[:200]}.")

    def _paths(self, host: str) -> Paths | None:
        found = self._exact.get(host)
        if found is not None:
            return found
        for suffix, paths in self._suffixes:
            if host.endswith(suffix):
                return paths
        if host in self._names or is_loopback(host):
            return self._local
        return () if is_google(host) and self._exact else None


def _longest_first(paths: Paths) -> Paths:
    return tuple(sorted(paths, key=lambda pair: -len(pair[0])))


def _header(scope: Scope, name: bytes) -> str:
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else ""


async def _refuse(scope: Scope, send: Send, code: int, status: str, message: str) -> None:
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = orjson.dumps({"error": {"code": code, "message": message, "status": status}})
    headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
