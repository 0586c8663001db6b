"""Somebody before the console, signed in: JSON, and live streams that are heard by threads of their own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from tests.live.browser import Browser
from tests.live.rest import Rest

from trigpoint.core.ready import Ready

HOUR = 3600.0


@dataclass
class Heard:
    """One message of a stream, and when its last byte came."""

    at: float
    """Seconds since 1970, by this process."""
    topic: str
    event: str
    data: Any


class Console:
    """A signed-in browser; for one thread, but for the streams that it begins."""

    def __init__(self, info: Ready, link: str = "") -> None:
        """Come by a read-only link's secret, or else as the operator."""
        self._browser = Browser(info)
        self._browser.ask("POST", "session", {"link": link} if link else {"code": _code(info)})

    def get(self, path: str, **query: str) -> Any:
        """Return an answer, which must be good."""
        return self._browser.ask("GET", f"{path}?{urlencode(query)}")

    def status(self, path: str, **query: str) -> int:
        """Return the status of an answer."""
        return self._browser.api("GET", f"{path}?{urlencode(query)}").status

    def viewer(self, run: str) -> Console:
        """Return who came by a read-only link to a run."""
        url = str(self._browser.ask("POST", "links", {"run": run})["url"])
        return Console(self._browser.info, url.partition("#link=")[2])

    def follow(self, *topics: str) -> Stream:
        """Begin a stream."""
        return Stream(self._browser, topics)


class Stream:
    """A live stream."""

    def __init__(self, browser: Browser, topics: tuple[str, ...]) -> None:
        self.heard: list[Heard] = []
        self.on: Callable[[Heard], None] = lambda message: None
        query = "&".join(f"topic={quote(topic, safe='/')}" for topic in topics)
        self._connection = browser.connect(HOUR)
        self._connection.connect()
        self._events = browser.stream(f"live?{query}", connection=self._connection)
        self._socket = self._connection.sock
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
        self._thread.join(5)

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed by the other thread
            for event in self._events:
                topic, _, name = event.name.partition("|")
                if name:
                    message = Heard(time.time(), topic, name, event.data)
                    self.heard.append(message)
                    self.on(message)


def _code(info: Ready) -> str:
    rest = Rest(info)
    token = rest.token(rest.vertex)
    rest.close()
    made = Browser(info).api("POST", "codes", {}, authorization=f"Bearer {token}")
    assert made.status == 200, made.body
    return str(made.json["url"]).partition("#code=")[2]
