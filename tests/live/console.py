"""A client of the console's own answers, signed in as the operator: JSON and live streams, on plain HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from tests.live.rest import Rest

from trigpoint.core.ready import Ready


@dataclass
class Heard:
    """One message of a stream, and when its last byte came."""

    at: float
    """Seconds since 1970, by this process."""
    topic: str
    event: str
    data: Any


class Console:
    """Signs in once; for one thread, but for the streams that it begins."""

    def __init__(self, info: Ready) -> None:
        self._info = info
        rest = Rest(info)
        given = {"x-trigpoint": "console", "authorization": f"Bearer {rest.token(rest.vertex)}"}
        made = rest.call("POST", "/console/api/codes", {}, host="localhost", headers=given)
        rest.close()
        assert made.ok, made.text
        code = str(made.body["url"]).partition("#code=")[2]
        status, _, headers = self._call("POST", "session", {"code": code}, {})
        assert status == 200, headers
        self._cookie = str(headers["set-cookie"]).partition(";")[0]

    def get(self, path: str, **query: str) -> Any:
        """Return an answer, which must be good."""
        status, body, _ = self._call("GET", f"{path}?{urlencode(query)}", None, {"cookie": self._cookie})
        assert status == 200, (path, status, body)
        return body

    def status(self, path: str, **query: str) -> int:
        """Return the status of an answer."""
        return self._call("GET", f"{path}?{urlencode(query)}", None, {"cookie": self._cookie})[0]

    def viewer(self, run: str) -> Console:
        """Return a client that came by a read-only link to a run."""
        made = self._call("POST", "links", {"run": run}, {"cookie": self._cookie})
        assert made[0] == 200, made
        other = object.__new__(Console)
        other._info = self._info
        secret = str(made[1]["url"]).partition("#link=")[2]
        status, _, headers = other._call("POST", "session", {"link": secret}, {})
        assert status == 200, headers
        other._cookie = str(headers["set-cookie"]).partition(";")[0]
        return other

    def follow(self, *topics: str) -> Stream:
        """Begin a stream."""
        return Stream(self._info.port, self._cookie, topics)

    def _call(self, verb: str, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any, Mapping[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._info.port, timeout=30)
        try:
            given = {"x-trigpoint": "console", "content-type": "application/json", **headers}
            connection.request(verb, f"/console/api/{path}", json.dumps(body) if body is not None else None, given)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}"), {k.lower(): v for k, v in answer.getheaders()}
        finally:
            connection.close()


@dataclass
class Stream:
    """A live stream, read by a thread of its own."""

    port: int
    cookie: str
    topics: tuple[str, ...]
    heard: list[Heard] = field(default_factory=list)
    on: Callable[[Heard], None] = lambda message: None

    def __post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port), 10)
        query = "&".join(f"topic={quote(topic, safe='/')}" for topic in self.topics)
        head = f"GET /console/api/live?{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookie}\r\n\r\n"
        self._socket.sendall(head.encode())
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait(self, true: Callable[[list[Heard]], object], seconds: float = 20) -> None:
        """Wait until what was heard meets a condition."""
        deadline = time.monotonic() + seconds
        while not true(self.heard):
            assert time.monotonic() < deadline, [message.event for message in self.heard][-5:]
            time.sleep(0.005)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _read(self) -> None:
        for block in self._blocks():
            fields = dict(line.partition(b": ")[::2] for line in block.split(b"\n"))
            if b"data" in fields:
                topic, _, event = fields[b"event"].decode().partition("|")
                message = Heard(time.time(), topic, event, json.loads(fields[b"data"]))
                self.heard.append(message)
                self.on(message)

    def _blocks(self) -> Iterator[bytes]:
        """Yield the events of the body, which comes in chunks (HTTP/1.1)."""
        raw, text, begun = b"", b"", False
        while True:
            try:
                more = self._socket.recv(1 << 20)
            except OSError:
                return
            if not more:
                return
            raw += more
            if not begun:
                if b"\r\n\r\n" not in raw:
                    continue
                raw, begun = raw.partition(b"\r\n\r\n")[2], True
            while b"\r\n" in raw:
                size, _, rest = raw.partition(b"\r\n")
                count = int(size, 16)
                if len(rest) < count + 2:
                    break
                text, raw = text + rest[:count], rest[count + 2 :]
            *blocks, text = text.split(b"\n\n")
            yield from blocks
