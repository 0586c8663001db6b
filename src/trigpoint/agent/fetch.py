"""Fetches objects of Cloud Storage as the replica itself: token from its metadata server, bytes over its own socket.

Both speak plain HTTP: the socket lies in a folder of this machine that only the server enters, so TLS would protect
nothing, and reading the certificates alone would take longer than the fetch.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Callable
from urllib.parse import quote

from . import sentences

_HOST = "storage.googleapis.com"
_TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105 - a path, not a secret
_CHUNK = 1 << 20
_TRIES = 8

Connect = Callable[[str], socket.socket]


class FetchError(Exception):
    """The object cannot be had; the message says why and what to do, for people."""


class Fetcher:
    """Reads objects. `connect` opens the replica's socket for `metadata` or `plain`; `given_up` ends the waiting for a
    server that is away.
    """

    def __init__(self, connect: Connect, given_up: Callable[[], bool]) -> None:
        self._connect = connect
        self._given_up = given_up

    def fetch(self, uri: str, path: str) -> None:
        """Write the object gs://BUCKET/NAME to a file. Tries again while the server is away or overloaded."""
        if not uri.startswith("gs://") or "/" not in uri[5:]:
            raise FetchError(sentences.NO_URI.format(uri=uri))
        bucket, _, name = uri[5:].partition("/")
        pause = 0.1
        for attempt in range(_TRIES):
            try:
                status = self._get(bucket, name, path)
            except (OSError, http.client.HTTPException, ValueError) as error:
                status, words = 0, str(error)
            else:
                words = http.client.responses.get(status, "")
            if status == 200:
                return
            if status in (400, 401, 403, 404, 412) or attempt == _TRIES - 1 or self._given_up():
                break
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
        raise FetchError(_explain(uri, status, words))

    def _get(self, bucket: str, name: str, path: str) -> int:
        token = self._token()
        connection = _Connection(_HOST, lambda: self._connect("plain"))
        url = f"/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}?alt=media"
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "gsutil/5 (trigpoint)"}
        try:
            connection.request("GET", url, headers=headers)
            response = connection.getresponse()
            if response.status == 200:
                _save(response, path)
            return response.status
        finally:
            connection.close()

    def _token(self) -> str:
        connection = _Connection("metadata.google.internal", lambda: self._connect("metadata"))
        try:
            connection.request("GET", _TOKEN, headers={"Metadata-Flavor": "Google"})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise ValueError(sentences.NO_TOKEN.format(status=response.status))
            return str(json.loads(body)["access_token"])
        finally:
            connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that somebody else opens."""

    def __init__(self, host: str, opener: Callable[[], socket.socket]) -> None:
        super().__init__(host, timeout=60)
        self._opener = opener

    def connect(self) -> None:
        self.sock = self._opener()
        self.sock.settimeout(60)


def _save(response: http.client.HTTPResponse, path: str) -> None:
    expected = response.getheader("Content-Length")
    size = 0
    with open(path, "wb") as file:
        while True:
            data = response.read(_CHUNK)
            if not data:
                break
            size += len(data)
            file.write(data)
    if expected is not None and size != int(expected):
        raise ValueError(sentences.CUT_OFF)


def _explain(uri: str, status: int, words: str) -> str:
    if status == 404:
        return sentences.NO_OBJECT.format(uri=uri)
    if status in (401, 403):
        return sentences.NO_ACCESS.format(uri=uri)
    return sentences.NOT_READ.format(uri=uri, problem=f"{status or ''} {words}".lstrip())
