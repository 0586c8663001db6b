"""What the apps of this surface share: reading a request with limits, answering, and the edge where errors end.

Which methods there are and what they do is left to the apps and the slices behind them.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
import structlog

from trigpoint.core import status, wire
from trigpoint.core.errors import Internal, InvalidArgument, NotFound, TrigpointError
from trigpoint.core.transcoding import Router

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_MOST_BODY = 1 << 20


@dataclass(frozen=True, slots=True)
class Rule:
    """An HTTP binding, as `core.transcoding` reads it."""

    verb: str
    template: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole."""

    verb: str
    path: str
    """Still percent-encoded."""
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    """Lower-case names; of a repeated header the last value."""
    body: bytes
    replica: str
    """The replica whose own socket it came through, or empty."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json; charset=UTF-8"


class App:
    """An ASGI app around one function from a request to an answer; errors become Google's JSON bodies."""

    def __init__(self, pool: Executor | None = None) -> None:
        self._pool = pool
        """Where calls run that may touch the database or cost CPU; None is the loop's own pool."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; whatever goes wrong ends here."""
        if scope["type"] != "http":
            return
        try:
            answer = await self.answer(await _read(scope, receive))
        except TrigpointError as error:
            answer = self.refuse(error)
        except Exception:  # the edge of the surface: a fault must end as an answer without its insides
            log.exception("identity surface failed", path=scope["path"][:200])
            answer = self.refuse(Internal("Internal error encountered."))
        headers = [(b"content-type", answer.content_type.encode()), (b"content-length", b"%d" % len(answer.body))]
        headers += [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def answer(self, request: Request) -> Answer:
        """Return the answer; raise core.errors for `refuse`."""
        raise NotImplementedError

    def refuse(self, error: TrigpointError) -> Answer:
        """Return an error as Google's APIs write it."""
        asks = (("www-authenticate", 'Bearer realm="https://accounts.google.com/"'),) if error.http == 401 else ()
        return Answer(error.http, status.body(error), asks)


class Routes:
    """Handlers by verb and path."""

    def __init__(self, entries: Iterable[tuple[Rule, str]]) -> None:
        self._router: Router[str] = Router(entries)

    def find(self, request: Request) -> tuple[str, Rule, dict[str, str]]:
        """Return the name of the handler, its rule and the path's variables; NotFound when there is none."""
        found = self._router.find(request.verb, request.path)
        if found is None:
            raise NotFound(f"Nothing answers {request.verb[:10]} {request.path[:200]}: check method and path.")
        route, variables = found
        return route.target, Rule(route.rule.verb, route.rule.template, route.rule.body), variables


def json_answer(document: Any, code: int = 200, *headers: tuple[str, str]) -> Answer:
    """Return a JSON answer that no cache keeps."""
    body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    return Answer(code, body, (("cache-control", "private, no-store"), *headers))


def json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request, empty when there is no body; InvalidArgument otherwise."""
    if not request.body.strip():
        return {}
    try:
        found = orjson.loads(request.body)
    except ValueError as error:
        raise InvalidArgument(f"Invalid JSON payload received. {str(error)[:200]}") from None
    if not isinstance(found, dict):
        raise InvalidArgument("Invalid JSON payload received. Root element must be a message.")
    return found


async def _read(scope: Scope, receive: Receive) -> Request:
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise InvalidArgument("The request ended early.")
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        if size > _MOST_BODY:
            raise InvalidArgument(f"Request payload size exceeds the limit: {_MOST_BODY} bytes.")
        if not event.get("more_body"):
            break
    try:
        query = parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
        path = scope.get("raw_path", scope["path"].encode()).decode("ascii")
    except ValueError:
        raise InvalidArgument("The URL is not valid: encode it as UTF-8 and percent escapes.") from None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], path, query, headers, b"".join(chunks), scope.get(wire.REPLICA, ""))
