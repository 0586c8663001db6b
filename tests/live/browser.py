"""A browser as the console sees one: a cookie jar, the headers that a page sends, streams of server-sent events."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from trigpoint.core.ready import Ready

PAGE = {"x-trigpoint": "console", "sec-fetch-site": "same-origin"}
"""What the page's own script sends along."""


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes

    @property
    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """The API's name of the error, such as PERMISSION_DENIED."""
        return str(self.json["error"]["status"])


@dataclass(frozen=True)
class Event:
    """One server-sent event; a comment has no name."""

    name: str
    id: str
    data: Any


class Browser:
    """One cookie jar at one server. For one thread."""

    def __init__(self, info: Ready, *, secure: bool = False) -> None:
        self.info, self.secure = info, secure
        self.cookies: dict[str, str] = {}
        self.set_cookie = ""
        """The last Set-Cookie header."""

    @property
    def base(self) -> str:
        """Scheme, host and port, as an Origin says them."""
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.info.port}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        page: bool = True,
    ) -> Told:
        """Return the answer to one request; `page`: with what our own page sends along."""
        connection = self.connect()
        try:
            connection.request(method, path, *self._request(body, headers, page))
            answer = connection.getresponse()
            told = Told(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()
        self._keep(answer)
        return told

    def api(self, method: str, name: str, body: Any = None, **headers: str) -> Told:
        """Return the answer of the console's own API."""
        return self.call(method, f"/console/api/{name}", body, {k.replace("_", "-"): v for k, v in headers.items()})

    def ask(self, method: str, name: str, body: Any = None) -> Any:
        """Return what the console's own API answers, which must be good."""
        told = self.api(method, name, body)
        assert told.status == 200, (told.status, told.body)
        return told.json

    def opens(self, name: str) -> int:
        """Return the status that a stream begins with, and leave it."""
        connection = self.connect()
        try:
            connection.request("GET", f"/console/api/{name}", *self._request(None, {}, page=True))
            with connection.getresponse() as answer:
                return answer.status
        finally:
            connection.close()

    def stream(
        self, name: str, after: str = "", seconds: float = 20, connection: http.client.HTTPConnection | None = None
    ) -> Iterator[Event]:
        """Yield the events of a stream until it ends; a silence of so many seconds is an error."""
        connection = connection or self.connect(seconds)
        try:
            given = {"last-event-id": after} if after else {}
            connection.request("GET", f"/console/api/{name}", *self._request(None, given, page=True))
            with connection.getresponse() as answer:
                assert answer.status == 200, (answer.status, answer.read())
                lines: list[str] = []
                while raw := answer.readline():
                    line = raw.decode().rstrip("\n")
                    if line:
                        lines.append(line)
                    else:
                        yield _event(lines)
                        lines = []
        finally:
            connection.close()

    def connect(self, seconds: float = 60) -> http.client.HTTPConnection:
        """Return a connection of its own to the server."""
        if not self.secure:
            return http.client.HTTPConnection("127.0.0.1", self.info.port, timeout=seconds)
        connection = http.client.HTTPSConnection("127.0.0.1", timeout=seconds)
        plain = socket.create_connection(("127.0.0.1", self.info.port), seconds)
        connection.sock = ssl.create_default_context(cafile=self.info.ca_bundle).wrap_socket(
            plain, server_hostname="127.0.0.1"
        )
        return connection

    def _request(
        self, body: Any, headers: Mapping[str, str] | None, page: bool
    ) -> tuple[bytes | None, Mapping[str, str]]:
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        own = {"host": f"127.0.0.1:{self.info.port}", **(PAGE if page else {})}
        if self.cookies:
            own["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return content, {**own, **{name.lower(): value for name, value in (headers or {}).items()}}

    def _keep(self, answer: http.client.HTTPResponse) -> None:
        for header in answer.headers.get_all("set-cookie") or ():
            self.set_cookie = header
            for name, morsel in SimpleCookie(header).items():
                self.cookies.pop(name, None)
                if morsel.value:
                    self.cookies[name] = morsel.value


def _event(lines: list[str]) -> Event:
    parts = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
    return Event(parts.get("event", ""), parts.get("id", ""), json.loads(parts.get("data", "null")))
