"""A small client of the server's public REST API, signed with the operator's key; imports no client library."""

from __future__ import annotations

import http.client
import importlib
import json
import socket
import ssl
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trigpoint.cli.session import Failure, Session, Status
from trigpoint.core.ready import Ready

RESOURCES = "cloudresourcemanager.googleapis.com"
IAM = "iam.googleapis.com"
LOGGING = "logging.googleapis.com"
TOKEN_SECONDS = 3600
TIMEOUT_SECONDS = 120.0


class ApiError(Failure):
    """An answer of the API that is an error; `code` is the HTTP status, `reason` the API's name for it."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message or reason or f"HTTP {code}")
        self.code = code
        self.reason = reason


class Api:
    """Calls the server's REST surfaces by their public host names, connecting to the local port only."""

    def __init__(self, info: Ready, location: str = "") -> None:
        self.info = info
        self.location = location or info.location
        try:
            self._context = ssl.create_default_context(cafile=info.ca_bundle)
            self._key: Mapping[str, str] = json.loads(Path(info.key_file).read_bytes())
        except (OSError, ValueError) as error:
            raise Failure(
                f"The server's certificate bundle or its operator key can't be read: {error.strerror or error}"
                if isinstance(error, OSError)
                else "The operator key is damaged: it is not JSON.",
                "Restart the server (`trig down`, `trig up`): it writes both again.",
            ) from error
        self._context.set_alpn_protocols(["http/1.1"])
        self._tokens: dict[str, tuple[float, str]] = {}
        """Audience -> when its token was signed, and that: to read the key and sign takes longer than most calls."""

    @property
    def vertex(self) -> str:
        """The host of the platform's own API in the chosen location."""
        return f"{self.location}-aiplatform.googleapis.com"

    def parent(self, project: str) -> str:
        """The resource name under which things of a project live in the chosen location."""
        return f"projects/{project}/locations/{self.location}"

    def call(
        self,
        verb: str,
        host: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the decoded JSON answer; ApiError for an answer that is an error."""
        target = f"/{urllib.parse.quote(path, safe='/:@-._~')}"
        if query:
            target += f"?{urllib.parse.urlencode(query)}"
        own = {"authorization": f"Bearer {self._token(host)}", "user-agent": f"trig/{self.info.version}"}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            own["content-type"] = "application/json"
        connection = _Local(host, self.info, self._context)
        try:
            connection.request(verb, target, content, {**own, **(headers or {})})
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(
                f"The server at {self.info.host}:{self.info.port} does not answer: {error}",
                "See `trig status` and `trig doctor`.",
                Status.NO_SERVER,
            ) from error
        finally:
            connection.close()
        return _decoded(status, text)

    def pages(self, host: str, path: str, items: str, query: Mapping[str, str | int]) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page after page."""
        token = ""
        while True:
            page = self.call("GET", host, path, query={**query, **({"pageToken": token} if token else {})})
            yield from page.get(items, ())
            token = page.get("nextPageToken", "")
            if not token:
                return

    def _token(self, host: str) -> str:
        # Tokens are for Google's API hosts only, and good for all of them.
        audience = host if host.endswith(".googleapis.com") else self.vertex
        signed, token = self._tokens.get(audience, (0.0, ""))
        if not token or not 0 <= time.time() - signed < TOKEN_SECONDS / 2:
            signed, token = self._tokens[audience] = time.time(), self._signed(audience)
        return token

    def _signed(self, audience: str) -> str:
        # Heavy, and not needed by the commands that call nothing.
        jwt = importlib.import_module("jwt")
        now = int(time.time())
        claims = {
            "iss": self._key["client_email"],
            "sub": self._key["client_email"],
            "aud": f"https://{audience}/",
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        token: str = jwt.encode(
            claims, self._key["private_key"], algorithm="RS256", headers={"kid": self._key["private_key_id"]}
        )
        return token


class _Local(http.client.HTTPSConnection):
    """TLS to the local port under a public host name."""

    def __init__(self, host: str, info: Ready, context: ssl.SSLContext) -> None:
        super().__init__(host, context=context, timeout=TIMEOUT_SECONDS)
        self._info = info
        self._tls = context

    def connect(self) -> None:
        """Open the connection to this machine, and verify the certificate for the public name."""
        host = "127.0.0.1" if self._info.host in {"0.0.0.0", ""} else self._info.host  # noqa: S104
        plain = socket.create_connection((host, self._info.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def _decoded(status: int, text: bytes) -> Any:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        value = {}
    if status < 300:
        return value
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, dict):
        raise ApiError(status, str(error.get("status", "")), str(error.get("message", "")))
    raise ApiError(status, "", f"HTTP {status}")


def connect(session: Session, info: Ready) -> Api:
    """Return a client of the server that works in the session's location."""
    return Api(info, session.chosen_location or "")
