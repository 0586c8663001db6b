"""The console's ASGI app: which address is answered by what, after the request has proved what it must."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from trigpoint.console import asking, passing, sentences
from trigpoint.console.access import Session
from trigpoint.console.asking import SAFE, Arrival, Ask, Handler
from trigpoint.console.pages import STRICT, Pages
from trigpoint.console.passing import Passing, Receive, Scope, Send
from trigpoint.console.streams import Stream, Streams
from trigpoint.console.wire import dump
from trigpoint.core import status
from trigpoint.core.errors import Internal, InvalidArgument, NotFound, TrigpointError
from trigpoint.core.sentences import INTERNAL

log = structlog.get_logger(__name__)

API = "/console/api/"


@dataclass(frozen=True)
class Entered:
    """An answer that comes with a cookie; an empty one takes the cookie away."""

    answer: object
    cookie: str


@dataclass(frozen=True)
class Table:
    """What is answered, by method and name below API."""

    opened: Mapping[tuple[str, str], Handler]
    """Without a session, unless the handler asks for it."""
    answered: Mapping[tuple[str, str], Handler]
    """To sessions; a viewer's only what does not change anything."""
    streamed: Mapping[str, Callable[[Ask], Stream]]
    """By GET, as server-sent events."""


@dataclass(frozen=True)
class Sessions:
    """How sessions are read and made longer."""

    read: Callable[[str], Session]
    """A cookie to its session; Unauthenticated when it is none."""
    renewed: Callable[[Session], str | None]
    """A fresh cookie for a session that is old; None when its own will do."""


class ConsoleApp:
    """Serves everything below /console, and the addresses that Google's SDK prints."""

    def __init__(
        self, pages: Pages, sessions: Sessions, api: Passing, streams: Streams, table: Table, pool: Executor
    ) -> None:
        self._pages, self._sessions, self._passing, self._streams = pages, sessions, api, streams
        self._table, self._pool = table, pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever goes wrong ends here."""
        if scope["type"] != "http":
            return
        strict = _strict(send)
        begun = _Begun(strict)
        try:
            await self._serve(scope, receive, begun)
        except ClientDisconnect:
            return
        except TrigpointError as error:
            if not begun.yes:
                await _refusal(error)(scope, receive, strict)
        except Exception:  # the edge: a fault ends as an answer without its insides
            log.exception("console.failed", path=str(scope["path"])[:200])
            if not begun.yes:
                await _refusal(Internal(INTERNAL))(scope, receive, strict)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asking.check_door(request)
        path: str = scope["path"]
        if not path.startswith(API):
            await self._page(request, path)(scope, receive, send)
            return
        came = asking.arrival(request)
        asking.check(request, came.base)
        name = path[len(API) :]
        if path.startswith((passing.VERTEX + "/", passing.STORAGE + "/")):
            await self._act(request, came, send)
        elif name in self._table.streamed and request.method == "GET":
            await self._stream(request, came, name, send)
        else:
            await (await self._answer(request, came, name))(scope, receive, send)

    def _page(self, request: Request, path: str) -> Response:
        if request.method not in SAFE:
            raise InvalidArgument(sentences.READ_PAGES)
        if path in ("/", "/console"):
            return RedirectResponse("/console/", 302)
        if path.startswith("/console/assets/"):
            found = self._pages.asset(request, path.removeprefix("/console/assets/"))
            if found is None:
                raise NotFound(sentences.NO_FILE)
            return found
        return self._pages.index(request)

    async def _act(self, request: Request, came: Arrival, send: Send) -> None:
        session = await self._run(self._prove, request, came)
        session.act()
        token = await self._run(self._passing.token, session.caller.email)
        await self._passing.pass_on(token, request.scope, request.receive, send)

    async def _stream(self, request: Request, came: Arrival, name: str, send: Send) -> None:
        ask = self._ask(request, came, {})
        stream = await self._run(self._table.streamed[name], ask)
        await self._streams.serve(stream, send, lambda: _gone(request.receive))

    async def _answer(self, request: Request, came: Arrival, name: str) -> Response:
        opened = self._table.opened.get((request.method, name))
        if opened is not None:
            ask = self._ask(request, came, await asking.body(request))
            return self._told(came, await self._run(opened, ask))
        session = await self._run(self._prove, request, came)
        handler = self._table.answered.get((request.method, name))
        if handler is None:
            raise NotFound(sentences.NO_ANSWER.format(method=request.method[:10], name=repr(name[:100])))
        if request.method not in SAFE:
            session.act()
        ask = self._ask(request, came, await asking.body(request))
        response = self._told(came, await self._run(handler, ask))
        fresh = self._sessions.renewed(session)
        if fresh is not None:
            _set_cookie(came, response, fresh)
        return response

    def _ask(self, request: Request, came: Arrival, body: Mapping[str, Any]) -> Ask:
        return Ask(
            request.method,
            asking.query(request),
            body,
            came.base,
            lambda: self._prove(request, came),
            {key.lower(): value for key, value in request.headers.items()},
        )

    def _prove(self, request: Request, came: Arrival) -> Session:
        return self._sessions.read(request.cookies.get(came.cookie, ""))

    def _told(self, came: Arrival, answer: object) -> Response:
        """Return an answer; a cookie that it names is set, or taken away."""
        response = _json(answer.answer if isinstance(answer, Entered) else answer)
        if isinstance(answer, Entered):
            _set_cookie(came, response, answer.cookie)
        return response

    async def _run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)


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


def _set_cookie(came: Arrival, response: Response, value: str) -> None:
    response.set_cookie(
        came.cookie,
        value,
        max_age=14 * 24 * 3600 if value else 0,
        path="/",
        secure=came.secure,
        httponly=True,
        samesite="strict",
    )


def _json(answer: object) -> Response:
    content = dump(answer) if answer is not None else b"{}"
    return Response(content, media_type="application/json", headers={"cache-control": "private, no-store"})


def _refusal(error: TrigpointError) -> Response:
    headers = {"cache-control": "private, no-store"}
    return Response(status.body(error), error.http, media_type="application/json", headers=headers)


async def _gone(receive: Receive) -> None:
    """Return when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
