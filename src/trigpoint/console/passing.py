"""The public API under the identity of a session: the pages act only through it. Bytes pass through as they come.

Whatever is no JSON of the API itself is a user's bytes, and leaves only as an attachment that no browser runs.
"""

import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from trigpoint import __version__
from trigpoint.console import sentences
from trigpoint.core.clock import SECOND, Clock, Micros
from trigpoint.core.errors import NotFound

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Issue = Callable[[str], tuple[str, Micros]]
"""An account's e-mail to a fresh access token and its end."""

CLIENT = "trigpoint-console/"
"""What the APIs are told of the program that calls, before the version."""
VERTEX, STORAGE = "/console/api/vertex", "/console/api/storage"
_STORAGE_PATHS = (b"/storage/v1/", b"/upload/storage/v1/", b"/download/storage/v1/")
"""The JSON API, object by object: XML-style paths and batches are not for pages."""
_OWN = frozenset(
    {
        b"authorization",
        b"cookie",
        b"host",
        b"origin",
        b"referer",
        b"x-goog-api-client",
        b"x-http-method-override",
        b"x-trigpoint",
    }
)
"""Headers of the page's request that stay here. The method was judged already: it may not become another one."""
_NO_CACHE = (b"cache-control", b"private, no-store")


class Passing:
    """Hands requests on. For one event loop; tokens are kept until shortly before their end."""

    def __init__(self, vertex: App, storage: App, issue: Issue, clock: Clock) -> None:
        self._vertex, self._storage, self._issue, self._clock = vertex, storage, issue, clock
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, Micros]] = {}

    def token(self, email: str) -> str:
        """Return a token of an account; blocks for the time of a signature when there is none yet."""
        with self._lock:
            known = self._tokens.get(email)
            if known is None or known[1] < self._clock.now() + 300 * SECOND:
                known = self._tokens[email] = self._issue(email)
            return known[0]

    async def pass_on(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below VERTEX or STORAGE with the API's own answer to whom a token is of."""
        storage = scope["path"].startswith(STORAGE + "/")
        cut = len(STORAGE if storage else VERTEX)
        path: str = scope["path"][cut:]
        raw: bytes = (scope.get("raw_path") or scope["path"].encode())[cut:]
        if storage and not raw.startswith(_STORAGE_PATHS):
            raise NotFound(sentences.NO_PART)
        kept = [(key, value) for key, value in scope["headers"] if key not in _OWN]
        host = b"storage.googleapis.com" if storage else b"aiplatform.googleapis.com"
        told = f"{CLIENT}{__version__}".encode()
        headers = [*kept, (b"authorization", f"Bearer {token}".encode()), (b"host", host), (b"x-goog-api-client", told)]
        inner = {**scope, "path": path, "raw_path": raw, "headers": headers}
        media = storage and (("alt", "media") in _query(scope) or raw.startswith(b"/download/"))
        await (self._storage if storage else self._vertex)(inner, receive, _inert(send, raw, media))


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _inert(send: Send, path: bytes, media: bool) -> Send:
    """Return a sender that makes answers that are no JSON of the API harmless; `media`: an object was asked for."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = [(key.lower(), value) for key, value in message["headers"]]
            api = dict(given).get(b"content-type", b"").startswith(b"application/json")
            attached = _attached(path) if not api or (media and message["status"] < 300) else {}
            changed = {**attached, **dict([_NO_CACHE])}
            headers = [pair for pair in given if pair[0] not in changed]
            message = {**message, "headers": [*headers, *changed.items()]}
        await send(message)

    return sent


def _attached(path: bytes) -> dict[bytes, bytes]:
    """Return the headers with which a user's bytes, whatever they are, are only ever saved, or read by our script."""
    name = unquote(path.rpartition(b"/")[2].decode("latin-1")).rpartition("/")[2]
    return {
        b"content-type": b"application/octet-stream",
        b"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}".encode(),
        b"content-security-policy": b"sandbox; default-src 'none'",
    }
