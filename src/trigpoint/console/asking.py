"""One request to the console, taken apart: what it asks, where it came to, and what it proves of itself."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request

from trigpoint.console import sentences
from trigpoint.console.access import Session
from trigpoint.core import wire
from trigpoint.core.errors import InvalidArgument, PermissionDenied, ResourceExhausted, Violation
from trigpoint.core.sentences import LARGE_PAYLOAD

SAFE = frozenset({"GET", "HEAD"})
MOST_BODY = 1 << 20
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?", re.ASCII)


@dataclass(frozen=True)
class Arrival:
    """Where a request came to, as its browser sees it."""

    base: str
    """Scheme, host and port: what an Origin of ours says."""
    cookie: str
    """Name of the session's cookie there. Browsers keep cookies of all ports of a host together, so it has the port;
    over TLS its prefix keeps a page in clear from setting it, and its presence from keeping such a page's out."""
    secure: bool


def arrival(request: Request) -> Arrival:
    """Return where a request came to; InvalidArgument when its Host header is not of that form."""
    host = request.headers.get("host", "")
    found = _HOST.fullmatch(host)
    if found is None:
        raise InvalidArgument(sentences.NO_HOST)
    secure = request.url.scheme == "https"
    port = found[1] or ("443" if secure else "80")
    return Arrival(
        f"{'https' if secure else 'http'}://{host}", f"{'__Host-' if secure else ''}trigpoint-{port}", secure
    )


def check_door(request: Request) -> None:
    """Refuse what comes through a replica's door: PermissionDenied."""
    if request.scope.get(wire.REPLICA):
        raise PermissionDenied(sentences.PEOPLE_ONLY)


def check(request: Request, base: str) -> None:
    """Refuse what does not come from our own page: PermissionDenied. Sessions are looked at afterwards."""
    if request.headers.get("origin", base) != base or request.headers.get("sec-fetch-site") in (
        "cross-site",
        "same-site",
    ):
        raise PermissionDenied(sentences.OTHER_PAGE)
    if request.method not in SAFE and request.headers.get("x-trigpoint") != "console":
        raise PermissionDenied(sentences.NO_MARK)


@dataclass(frozen=True)
class Ask:
    """One request for the console's own answers, on its way to a handler (which runs in a thread)."""

    method: str
    query: QueryParams
    body: Mapping[str, Any]
    base: str
    """Scheme, host and port that the request came to."""
    prove: Callable[[], Session]
    """Returns the session as it is now; Unauthenticated when there is none."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def session(self) -> Session:
        """Return the session that the request came with; Unauthenticated when there is none."""
        return self.prove()

    def text(self, name: str) -> str:
        """Return a parameter of the query that must be there."""
        value = self.query.get(name, "")
        if not value:
            raise InvalidArgument(violations=[Violation(name, sentences.REQUIRED)])
        return value

    def every(self, name: str) -> list[str]:
        """Return all values of a parameter of the query."""
        return self.query.getlist(name)

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number of the query from 0 to `most`."""
        value = whole(self.query.get(name, "") or str(default))
        if value is None or value > most:
            raise InvalidArgument(violations=[Violation(name, sentences.BAD_NUMBER.format(least=0, most=most))])
        return value


def whole(text: str) -> int | None:
    """Return the whole number that a text of at most 20 digits says; None for any other."""
    return int(text) if len(text) <= 20 and text.isascii() and text.isdecimal() else None


Handler = Callable[[Ask], object]
"""Returns a dataclass of a `wire` module, or None for nothing to say."""


def query(request: Request) -> QueryParams:
    """Return the query of a request; InvalidArgument for what no name or text here can hold."""
    found = request.query_params
    if any("\0" in text for pair in found.multi_items() for text in pair):
        raise InvalidArgument(sentences.NUL_QUERY)
    return found


async def body(request: Request) -> Mapping[str, Any]:
    """Return the JSON object of a request, empty when there is none."""
    if request.method in SAFE:
        return {}
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > MOST_BODY:
            raise ResourceExhausted(LARGE_PAYLOAD.format(most=MOST_BODY))
    if not taken.strip():
        return {}
    if b"\\u0000" in taken:
        raise InvalidArgument(sentences.NUL_BODY)
    try:
        found = orjson.loads(taken)
    except ValueError:
        raise InvalidArgument(sentences.NO_JSON) from None
    if not isinstance(found, dict):
        raise InvalidArgument(sentences.NO_OBJECT)
    return found
