"""The public API under the identity of a session: the pages act only through it. Bytes pass through as they come."""

import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from trigpoint import __version__
from trigpoint.console.access import Session
from trigpoint.core.clock import SECOND, Clock, Micros
from trigpoint.core.errors import NotFound

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Issue = Callable[[str], tuple[str, Micros]]
"""An account's e-mail to a fresh access token and its end."""

VERTEX, STORAGE = "/console/api/vertex", "/console/api/storage"
_OWN = frozenset({b"authorization", b"cookie", b"host", b"x-trigpoint", b"origin", b"referer", b"x-goog-api-client"})
"""Headers of the page's request that stay here."""
_INERT = [
    (b"content-type", b"application/octet-stream"),
    (b"content-disposition", b"attachment"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
]
"""What makes a user's bytes harmless, whatever they are: they are only ever saved or read by our own script."""


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

    async def pass_on(self, session: Session, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below VERTEX or STORAGE with the API's own answer."""
        path: str = scope["path"]
        raw: bytes = scope.get("raw_path") or path.encode()
        storage = path.startswith(STORAGE + "/")
        if not storage and not path.startswith(VERTEX + "/"):
            raise NotFound("There is no such part of the API.")
        cut = len(STORAGE if storage else VERTEX)
        kept = [(key, value) for key, value in scope["headers"] if key not in _OWN]
        host = b"storage.googleapis.com" if storage else b"aiplatform.googleapis.com"
        told = f"trigpoint-console/{__version__}".encode()
        headers = [*kept, (b"authorization", f"Bearer {token}".encode()), (b"host", host), (b"x-goog-api-client", told)]
        inner = {**scope, "path": path[cut:], "raw_path": raw[cut:], "headers": headers}
        answer = _inert(send) if storage else send
        await (self._storage if storage else self._vertex)(inner, receive, answer)


def _inert(send: Send) -> Send:
    """Return a sender that makes answers that are no JSON of the API harmless."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [(key.lower(), value) for key, value in message["headers"]]
            media = dict(headers).get(b"content-disposition") is not None or not _is_api(dict(headers))
            if media:
                changed = {key for key, _ in _INERT}
                headers = [pair for pair in headers if pair[0] not in changed] + _INERT
            message = {**message, "headers": headers}
        await send(message)

    return sent


def _is_api(headers: dict[bytes, bytes]) -> bool:
    """Return whether an answer is the API's own JSON. An object that calls itself JSON comes with its generation."""
    return headers.get(b"content-type", b"").startswith(b"application/json") and b"x-goog-generation" not in headers
