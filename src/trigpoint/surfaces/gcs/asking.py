"""One request to Cloud Storage, taken apart without decoding before routing, and the threads that do its work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson

from trigpoint.core.call import Caller
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.messages.refusals import check_depth
from trigpoint.domains.storage.rules import Hashes, Preconditions
from trigpoint.surfaces.gcs import sentences

T = TypeVar("T")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
JSON_LIMIT = 4 << 20
_INT64 = 1 << 63


class ClientGone(Exception):
    """The client closed the connection before the request's end: there is nobody left to answer."""


NOBODY = Caller("", "")
"""The caller until one is proved."""


@dataclass(slots=True)
class Ask:
    """A request. `path` is as it came, still encoded; `query` holds the last value of each name, decoded."""

    method: str
    path: bytes
    raw_query: bytes
    headers: Mapping[str, str]
    """Lower-case names."""
    receive: Receive
    base: str
    """Scheme and host by which the client reached us."""
    caller: Caller = NOBODY
    given: Mapping[str, str] | None = None
    replica: str = ""

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters, decoded once."""
        if self.given is None:
            text = self.raw_query.decode("latin-1")
            self.given = dict(parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="replace"))
        return self.given

    def segments(self) -> list[str]:
        """Return the decoded parts of the path; InvalidArgument when one is no UTF-8."""
        return [segment(part) for part in self.path.split(b"/")[1:]]

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, or an empty string."""
        return self.headers.get(name, "")

    def number(self, name: str, default: int | None = None) -> int | None:
        """Return a 64-bit integer parameter; InvalidArgument when it is none."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.removeprefix("-").isdecimal() or len(text) > 20 or not -_INT64 <= int(text) < _INT64:
            raise InvalidArgument(violations=[Violation(name, sentences.NO_INTEGER.format(value=repr(text[:40])))])
        return int(text)

    def flag(self, name: str) -> bool:
        """Return whether a boolean parameter is true."""
        return self.query.get(name, "").lower() == "true"

    def generation(self, name: str = "generation") -> int:
        """Return the generation asked for, 0 for the live one."""
        return self.number(name) or 0

    def conditions(self, prefix: str = "if") -> Preconditions:
        """Return the preconditions whose parameters start with `if` or `ifSource`."""
        return Preconditions(
            self.number(f"{prefix}GenerationMatch"),
            self.number(f"{prefix}GenerationNotMatch"),
            self.number(f"{prefix}MetagenerationMatch"),
            self.number(f"{prefix}MetagenerationNotMatch"),
        )

    def hashes(self) -> Hashes:
        """Return the checksums in `X-Goog-Hash` and `Content-MD5`."""
        found = {}
        for part in self.header("x-goog-hash").split(","):
            name, _, value = part.strip().partition("=")
            found[name] = value
        return Hashes(found.get("crc32c", ""), found.get("md5", "") or self.header("content-md5"))

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes; ClientGone when it breaks off."""
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def whole(self, limit: int = JSON_LIMIT) -> bytes:
        """Return the body; InvalidArgument when it has more than `limit` bytes."""
        found = bytearray()
        async for chunk in self.body():
            found += chunk
            if len(found) > limit:
                raise InvalidArgument(sentences.LARGE_BODY.format(most=limit))
        return bytes(found)

    async def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; an empty body is an empty object."""
        return json_object(await self.whole())


def json_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty text is an empty object, anything else InvalidArgument.

    What is taken here can be written again: orjson reads a thousand levels and writes a quarter of that.
    """
    if not text.strip():
        return {}
    check_depth(text)
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(sentences.BAD_JSON.format(problem=error.msg)) from None
    if not isinstance(found, dict):
        raise InvalidArgument(sentences.NO_OBJECT)
    return found


def segment(part: bytes) -> str:
    """Return one decoded part of a path; InvalidArgument when it is no UTF-8."""
    try:
        return unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise InvalidArgument(sentences.BAD_PATH) from None


class Threads:
    """The pool that blocking calls run in."""

    def __init__(self, workers: int = 24) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="gcs")

    async def run(self, work: Callable[..., T], *given: Any) -> T:
        """Run a call in a thread. It runs to its end even when the request is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *given)

    def close(self) -> None:
        """End the threads once what runs is done."""
        self._pool.shutdown()
