"""Time and ids as parts that are handed in, so that rules stay pure and tests choose the instant."""

import datetime
import secrets
import threading
import time
from typing import Protocol

Micros = int
"""Microseconds since the Unix epoch, UTC: the one representation of an instant inside the server."""

SECOND: Micros = 1_000_000


def micros(text: str) -> Micros:
    """Return the instant of an RFC 3339 time in UTC, as the API writes it; ValueError for another text."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.UTC)
    return int(moment.timestamp()) * SECOND + int(fraction[:6].ljust(6, "0") or 0)


def rfc3339(instant: Micros) -> str:
    """Return an instant as protobuf's JSON writes it: UTC, `Z`, and no, three or six decimals as needed."""
    seconds, micros = divmod(instant, SECOND)
    whole = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{micros:06d}" if micros % 1000 else f".{micros // 1000:03d}" if micros else ""
    return f"{whole}{fraction}Z"


class Clock(Protocol):
    """What tells the time. Thread-safe."""

    def now(self) -> Micros:
        """Return the instant to write down; never less than an earlier answer of the same clock."""
        ...

    def wall(self) -> Micros:
        """Return what the machine's clock says, also when it was set back: by it instants of others are judged."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that no adjustment moves; only differences mean anything."""
        ...


class Ids(Protocol):
    """What mints identifiers. Thread-safe."""

    def number(self) -> str:
        """Return a fresh resource id as Vertex mints them: a decimal string of 19 digits."""
        ...

    def token(self) -> str:
        """Return a fresh unguessable secret of 256 bits, URL-safe."""
        ...

    def hex(self, digits: int) -> str:
        """Return that many random hexadecimal digits."""
        ...


class SystemClock:
    """The machine's clock, made to grow: set back, it goes on at half its pace until the machine has caught up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._ticked = 0
        self._lead = 0
        """How much the machine's clock was ahead of its monotonic one, at most."""

    def now(self) -> Micros:
        """Return the current instant, strictly greater than every earlier answer."""
        with self._lock:
            tick = int(self.monotonic() * SECOND)
            lead = self.wall() - tick
            self._lead = max(lead, self._lead - (tick - self._ticked) // 2) if self._ticked else lead
            self._ticked = tick
            self._last = max(tick + self._lead, self._last + 1)
            return self._last

    def wall(self) -> Micros:
        """Return what the machine's clock says."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return the system's monotonic seconds."""
        return time.monotonic()


class SystemIds:
    """Ids from the operating system's random source."""

    def number(self) -> str:
        """Return 19 digits, the first never zero, below 2**63."""
        return str(1_000_000_000_000_000_000 + secrets.randbelow(8_000_000_000_000_000_000))

    def token(self) -> str:
        """Return 43 URL-safe characters."""
        return secrets.token_urlsafe(32)

    def hex(self, digits: int) -> str:
        """Return lower-case hexadecimal digits."""
        return secrets.token_hex((digits + 1) // 2)[:digits]
