"""The console's ASGI app: which address is answered by what, after the request has proved what it must."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trigpoint.console import passing
from trigpoint.console.access import Session
from trigpoint.console.live import Streams
from trigpoint.console.pages import STRICT, Pages
from trigpoint.console.passing import Passing, Receive, Scope, Send
from trigpoint.console.wire import dump
from trigpoint.core import status
from trigpoint.core.errors import (
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    TrigpointError,
    Violation,
)

log = structlog.get_logger(__name__)

API = "/console/api/"
SAFE = frozenset({"GET", "HEAD"})
_MOST_BODY = 1 << 20


@dataclass(frozen=True)
class Ask:
    """One request for the console's own answers, on its way to a handler (which runs in a thread)."""

    method: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    session: Session
    base: str
    """Scheme and host that the request came to."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a parameter of the query that must be there."""
        value = self.query.get(name, "")
        if not value:
            raise InvalidArgument(violations=[Violation(name, "it is required")])
        return value

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number of the query from 0 to `most`."""
        value = self.query.get(name, "") or str(default)
        if not value.isdecimal() or not value.isascii() or int(value[:20]) > most:
            raise InvalidArgument(violations=[Violation(name, f"a whole number from 0 to {most}")])
        return int(value)


Handler = Callable[[Ask], object]
"""Returns a dataclass of a `wire` module, or None for nothing to say."""


class Door:
    """What a request proves before anything is answered; `access` decides, this reads the HTTP."""

    def __init__(self, read: Callable[[str], Session], renewed: Callable[[Session], str | None]) -> None:
        self.read, self.renewed = read, renewed

    def cookie_of(self, request: Request) -> str:
        """Return the name of this server's cookie: browsers keep those of all ports of a host together."""
        return f"trigpoint-{request.url.port or (443 if request.url.scheme == 'https' else 80)}"

    def session(self, request: Request) -> Session:
        """Return the session of a request; Unauthenticated when there is none."""
        return self.read(request.cookies.get(self.cookie_of(request), ""))

    def check(self, request: Request) -> None:
        """Refuse what does not come from our own page: PermissionDenied."""
        origin = request.headers.get("origin")
        if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host', '')}":
            raise PermissionDenied("This request comes from another page.")
        if request.method not in SAFE and request.headers.get("x-trigpoint") != "console":
            raise PermissionDenied("Requests that change something must carry `x-trigpoint: console`.")


class ConsoleApp:
    """Serves everything below /console, and the addresses that Google's SDK prints."""

    def __init__(
        self,
        pages: Pages,
        door: Door,
        api: Passing,
        streams: Streams,
        handlers: Mapping[tuple[str, str], Handler],
        open_handlers: Mapping[tuple[str, str], Callable[[Request, Mapping[str, Any]], object]],
        pool: Executor,
    ) -> None:
        self._pages, self._door, self._passing, self._streams, self._pool = pages, door, api, streams, pool
        self._handlers, self._open = handlers, open_handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong ends here."""
        if scope["type"] != "http":
            return
        strict = _strict(send)
        begun = _Begun(strict)
        try:
            await self._serve(scope, receive, begun)
        except TrigpointError as error:
            if not begun.yes:
                await _refusal(error)(scope, receive, strict)
        except Exception:  # the edge: a fault ends as an answer without its insides
            log.exception("console.failed", path=str(scope["path"])[:200])
            if not begun.yes:
                await _refusal(Internal("Internal error encountered."))(scope, receive, strict)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path: str = scope["path"]
        if not path.startswith(API):
            await self._page(request, path)(scope, receive, send)
        elif path.startswith((passing.VERTEX + "/", passing.STORAGE + "/")):
            await self._act(request, scope, receive, send)
        elif path == f"{API}live":
            await self._live(request, receive, send)
        else:
            await (await self._answer(request, path[len(API) :]))(scope, receive, send)

    def _page(self, request: Request, path: str) -> Response:
        if request.method not in SAFE:
            raise InvalidArgument("Pages are only read.")
        if path == "/":
            return RedirectResponse("/console/", 302)
        if path.startswith("/console/assets/"):
            found = self._pages.asset(request, path.removeprefix("/console/assets/"))
            if found is None:
                raise NotFound("There is no such file.")
            return found
        return self._pages.index(request)

    async def _act(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        self._door.check(request)
        session = await self._run(self._door.session, request)
        if not session.owner:
            raise PermissionDenied("A read-only link lets one look, not act.")
        token = await self._run(self._passing.token, session.caller.email)
        await self._passing.pass_on(session, token, scope, receive, send)

    async def _live(self, request: Request, receive: Receive, send: Send) -> None:
        self._door.check(request)
        await self._run(self._door.session, request)
        given = request.headers.get("last-event-id") or request.query_params.get("after", "")
        after = int(given[:18]) if given.isdecimal() and given.isascii() else 0
        topics = request.query_params.getlist("topic")
        await self._streams.serve(lambda: self._door.session(request), topics, after, send, _gone(receive))

    async def _answer(self, request: Request, name: str) -> Response:
        self._door.check(request)
        opened = self._open.get((request.method, name))
        body = await _body(request)
        if opened is not None:
            entered: Response = await self._run(self._entered, request, opened, body)
            return entered
        handler = self._handlers.get((request.method, name))
        session = await self._run(self._door.session, request)
        if handler is None:
            raise NotFound(f"The console answers no {request.method} {name[:100]!r}.")
        if request.method not in SAFE and not session.owner:
            raise PermissionDenied("A read-only link lets one look, not act.")
        base = f"{request.url.scheme}://{request.headers.get('host', '')}"
        ask = Ask(request.method, dict(request.query_params), body, session, base, request.headers)
        response = _json(await self._run(handler, ask))
        fresh = self._door.renewed(session)
        if fresh is not None:
            self._set_cookie(request, response, fresh)
        return response

    def _entered(self, request: Request, opened: Callable[[Request, Mapping[str, Any]], object], body: Any) -> Response:
        """Answer what needs no session yet; a cookie that the answer names is set, or taken away."""
        answer = opened(request, body)
        if isinstance(answer, Entered):
            response = _json(answer.answer)
            self._set_cookie(request, response, answer.cookie)
            return response
        return _json(answer)

    def _set_cookie(self, request: Request, response: Response, value: str) -> None:
        response.set_cookie(
            self._door.cookie_of(request),
            value,
            max_age=14 * 24 * 3600 if value else 0,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    async def _run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)


@dataclass(frozen=True)
class Entered:
    """An answer that comes with a cookie; an empty one takes the cookie away."""

    answer: object
    cookie: str


class _Begun:
    """A sender that remembers whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.yes = False

    async def __call__(self, message: Any) -> None:
        self.yes = True
        await self._send(message)


def _strict(send: Send) -> Send:
    """Return a sender that puts the strict headers on every answer that does not bring its own."""

    async def sent(message: Any) -> None:
        if message["type"] == "http.response.start":
            have = {key.lower() for key, _ in message["headers"]}
            more = [(k.encode(), v.encode()) for k, v in STRICT.items() if k.encode() not in have]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sent


def _json(answer: object) -> Response:
    content = dump(answer) if answer is not None else b"{}"
    return Response(content, media_type="application/json", headers={"cache-control": "private, no-store"})


def _refusal(error: TrigpointError) -> Response:
    headers = {"cache-control": "private, no-store"}
    return Response(status.body(error), error.http, media_type="application/json", headers=headers)


async def _body(request: Request) -> Mapping[str, Any]:
    """Return the JSON object of a request, empty when there is none."""
    if request.method in SAFE:
        return {}
    taken = b""
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > _MOST_BODY:
            raise InvalidArgument(f"Request payload size exceeds the limit: {_MOST_BODY} bytes.")
    if not taken.strip():
        return {}
    try:
        found = orjson.loads(taken)
    except ValueError:
        raise InvalidArgument("The request's body is no JSON.") from None
    if not isinstance(found, dict):
        raise InvalidArgument("The request's body must be a JSON object.")
    return found


async def _gone(receive: Receive) -> None:
    """Return when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
