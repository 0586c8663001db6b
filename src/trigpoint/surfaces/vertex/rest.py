"""The REST side of the Vertex surface: an ASGI app that transcodes by the method table (sdk-contract.md 2.2)."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from trigpoint.core import errors, messages, partial, status, transcoding, wire
from trigpoint.core.errors import InvalidArgument, NotFound
from trigpoint.core.sentences import LARGE_PAYLOAD
from trigpoint.kernel.resource import Rendered
from trigpoint.surfaces.vertex import sentences
from trigpoint.surfaces.vertex.dispatch import Dispatcher, hidden
from trigpoint.surfaces.vertex.parts import Arrival, Entry
from trigpoint.surfaces.vertex.versions import answer_in, request_in

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Query = list[tuple[str, str]]

_JSON = (b"content-type", b"application/json; charset=UTF-8")
_EVENTS = (b"content-type", b"text/event-stream")
_MAX_PARAMETERS = 1000


class Rest:
    """The app. Every answer is JSON, refusals too."""

    def __init__(self, dispatcher: Dispatcher, router: transcoding.Router[Entry], max_body: int) -> None:
        self._dispatcher, self._router, self._max_body = dispatcher, router, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            await self._serve(scope, receive, send)
        except Exception as error:  # noqa: BLE001  the edge: whatever went wrong becomes an error body
            await _refuse(send, hidden(error, scope["path"][:300]))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        query = _query(scope["query_string"])
        if "authorization" not in headers and (token := _last(query, "access_token")):
            headers["authorization"] = f"Bearer {token}"
        arrival = Arrival(headers, "rest", _host(headers), scope.get(wire.REPLICA, ""))
        caller = await self._dispatcher.admit(arrival)
        route, variables = self._route(scope)
        entry = route.target
        body = await self._body(headers, receive)
        request = transcoding.read_request(messages.message_class(entry.input), route.rule, variables, query, body)
        request = request_in(entry, request)
        if fields := _fields(query):
            partial.parsed(fields)  # refused before anything is done
        if entry.streaming:
            await self._stream(send, entry, self._dispatcher.stream(entry, caller, request, arrival), query)
            return
        answer = await self._dispatcher.call(entry, caller, request, arrival)
        await _send(send, 200, _rendered(entry, answer, query))

    def _route(self, scope: Scope) -> tuple[transcoding.Route[Entry], dict[str, str]]:
        path = scope["raw_path"].decode("latin-1")
        found = self._router.find(scope["method"], f"/v1/{path[4:]}" if path.startswith("/ui/") else path)
        if found is None:
            raise NotFound(sentences.NO_METHOD.format(method=scope["method"], path=scope["path"][:300]))
        return found

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes:
        size = headers.get("content-length", "0")
        if size.isdecimal() and int(size) > self._max_body:
            raise self._too_big()
        chunks: list[bytes] = []
        total = 0
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise errors.Cancelled(sentences.CLOSED)
            chunk = event.get("body", b"")
            total += len(chunk)
            if total > self._max_body:
                raise self._too_big()
            chunks.append(chunk)
            if not event.get("more_body", False):
                return b"".join(chunks)

    def _too_big(self) -> InvalidArgument:
        return InvalidArgument(LARGE_PAYLOAD.format(most=self._max_body))

    async def _stream(self, send: Send, entry: Entry, answers: AsyncIterator[Any], query: Query) -> None:
        """Send a JSON array as it grows, or server-sent events; an error before the first answer is a plain error."""
        events = _last(query, "alt") == "sse"
        begun = False
        try:
            async for answer in answers:
                part = _rendered(entry, answer, query)
                if not begun:
                    await _start(send, 200, [_EVENTS if events else _JSON])
                before = b"data: " if events else b",\r\n" if begun else b"["
                begun = True
                await _part(send, before + part + (b"\r\n\r\n" if events else b""))
        except Exception as error:  # an error in mid-stream ends the stream with its body
            if not begun:
                raise
            told = status.body(hidden(error, entry.name))
            await _part(send, b"data: " + told + b"\r\n\r\n" if events else b",\r\n" + told)
        if not begun:
            await _start(send, 200, [_EVENTS if events else _JSON])
        await _part(send, b"" if events else b"]" if begun else b"[]", last=True)


def _query(raw: bytes) -> Query:
    try:
        return parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise InvalidArgument(sentences.MANY_PARAMETERS.format(most=_MAX_PARAMETERS)) from None


def _last(query: Query, name: str) -> str:
    return next((value for key, value in reversed(query) if key == name), "")


def _host(headers: dict[str, str]) -> str:
    return headers.get("host", "").partition(":")[0].lower()


def _rendered(entry: Entry, answer: Any, query: Query) -> bytes:
    """Return an answer's JSON: the stored one where it fits, else rendered in the version and enum form asked for."""
    as_ints = "enum-encoding=int" in (_last(query, "$alt") or _last(query, "alt"))
    if isinstance(answer, Rendered):
        if entry.version == "v1" and not as_ints:
            text = answer.json
        else:
            output = messages.decode(messages.message_class(entry.output), answer.message)
            text = messages.to_json(output, enums_as_ints=as_ints)
    else:
        text = messages.to_json(answer_in(entry, answer), enums_as_ints=as_ints)
    return _shaped(text, query)


def _fields(query: Query) -> str:
    return _last(query, "$fields") or _last(query, "fields")


def _shaped(text: bytes, query: Query) -> bytes:
    """Return the JSON cut to the `fields` asked for and indented where asked."""
    fields = _fields(query)
    pretty = "true" in (_last(query, "prettyPrint"), _last(query, "$prettyPrint"))
    if not fields and not pretty:
        return text
    data = orjson.loads(text)
    return orjson.dumps(partial.cut(data, fields) if fields else data, option=orjson.OPT_INDENT_2 if pretty else 0)


async def _refuse(send: Send, error: errors.TrigpointError) -> None:
    extra = [(b"www-authenticate", b'Bearer realm="https://accounts.google.com/"')] if error.http == 401 else []
    await _send(send, error.http, status.body(error), extra)


async def _send(send: Send, code: int, body: bytes, extra: list[tuple[bytes, bytes]] | None = None) -> None:
    await _start(send, code, [_JSON, (b"content-length", str(len(body)).encode()), *(extra or [])])
    await _part(send, body, last=True)


async def _start(send: Send, code: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": code, "headers": headers})


async def _part(send: Send, body: bytes, *, last: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": not last})
