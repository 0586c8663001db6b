"""A client of the public REST API for tests: connections are kept, every answer is data, and no error is an exception
but the one that says that the server went away."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jwt

from trigpoint.core.ready import Ready

LOGGING = "logging.googleapis.com"
STORAGE = "storage.googleapis.com"


class Gone(Exception):
    """The connection broke or was refused: whether the call was taken is not known."""


@dataclass(frozen=True)
class Answer:
    """One answer: the HTTP status and the decoded body (the text itself when it is not JSON)."""

    status: int
    body: Any
    text: str

    @property
    def ok(self) -> bool:
        return self.status < 300

    @property
    def message(self) -> str:
        return str(self.body.get("error", {}).get("message", "")) if isinstance(self.body, dict) else self.text

    @property
    def reason(self) -> str:
        """The API's name of the status, such as INVALID_ARGUMENT."""
        return str(self.body.get("error", {}).get("status", "")) if isinstance(self.body, dict) else ""


class Rest:
    """One client, for one thread; it connects to the local port under public host names."""

    def __init__(self, info: Ready) -> None:
        self._info = info
        self._key: Mapping[str, str] = json.loads(Path(info.key_file).read_bytes())
        self._tls = ssl.create_default_context(cafile=info.ca_bundle)
        self._tls.set_alpn_protocols(["http/1.1"])
        self._open: dict[str, http.client.HTTPSConnection] = {}
        self._tokens: dict[str, str] = {}
        self.vertex = f"{info.location}-aiplatform.googleapis.com"
        self.parent = f"projects/{info.project}/locations/{info.location}"

    def call(
        self,
        verb: str,
        path: str,
        body: Any = None,
        *,
        host: str = "",
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to one call; a body that is bytes is sent as it is. Gone when there was none."""
        where = host or self.vertex
        target = quote(path, safe="/:@-._~%?=&") + (f"?{urlencode(query)}" if query else "")
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {self.token(where)}", "content-type": "application/json", **(headers or {})}
        try:
            connection = self._connection(where)
            connection.request(verb, target, content, given)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            self._drop(where)
            raise Gone(repr(error)) from error
        try:
            decoded = json.loads(text) if text else {}
        except ValueError:
            decoded = text
        return Answer(answer.status, decoded, text)

    def ask(
        self, verb: str, path: str, body: Any = None, *, host: str = "", query: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body of an answer that must be good."""
        answer = self.call(verb, path, body, host=host, query=query)
        assert answer.ok, (verb, path, answer.status, answer.text[:2000])
        return answer.body

    def pages(self, path: str, items: str, size: int, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Yield what a list has, page after page."""
        token = ""
        while True:
            page = self.ask("GET", path, query={**(query or {}), "pageSize": size, "pageToken": token})
            yield from page.get(items, ())
            token = page.get("nextPageToken", "")
            if not token:
                return

    def log(self, job: str, task: str = "", size: int = 1000) -> list[dict[str, Any]]:
        """Return every entry of a job's log, of one task when that is given."""
        wanted = f'resource.labels.job_id="{job.rsplit("/", 1)[-1]}"'
        if task:
            wanted += f' AND resource.labels.task_name="{task}"'
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            asked = {"resourceNames": [f"projects/{self._info.project}"], "filter": wanted, "pageSize": size}
            page = self.ask("POST", "/v2/entries:list", {**asked, "pageToken": token}, host=LOGGING)
            found += page.get("entries", ())
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def token(self, host: str) -> str:
        """Return a self-signed token for a host, made once."""
        if host not in self._tokens:
            now, mail = int(time.time()), self._key["client_email"]
            claims = {"iss": mail, "sub": mail, "aud": f"https://{host}/", "iat": now, "exp": now + 3600}
            self._tokens[host] = jwt.encode(
                claims, self._key["private_key"], algorithm="RS256", headers={"kid": self._key["private_key_id"]}
            )
        return self._tokens[host]

    def close(self) -> None:
        """Close every connection."""
        for host in list(self._open):
            self._drop(host)

    def _connection(self, host: str) -> http.client.HTTPSConnection:
        if host not in self._open:
            plain = socket.create_connection(("127.0.0.1", self._info.port), 30)
            connection = http.client.HTTPSConnection(host, timeout=90, context=self._tls)
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.sock = self._tls.wrap_socket(plain, server_hostname=host)
            except BaseException:
                plain.close()
                raise
            connection.sock.settimeout(90)
            self._open[host] = connection
        return self._open[host]

    def _drop(self, host: str) -> None:
        connection = self._open.pop(host, None)
        if connection is not None:
            connection.close()
