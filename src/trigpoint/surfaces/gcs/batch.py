"""`/batch/storage/v1`: many small calls in one request, answered part by part in their order."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus

from starlette.responses import Response

from trigpoint.core.errors import InvalidArgument
from trigpoint.surfaces.gcs.asking import Ask

LIMIT = 1000
_BOUNDARY = re.compile(r"""boundary=(?:(["'])([^"']{1,200})\1|([^\s;"']{1,200}))""", re.IGNORECASE)
_LINE = re.compile(rb"([A-Z]+) (?:https?://[^/\s]*)?(/[^\s?]*)(?:\?(\S*))? HTTP/1\.[01]")
_BREAK = re.compile(rb"\r?\n\r?\n")

Serve = Callable[[Ask], Awaitable[Response]]


async def batch(ask: Ask, serve: Serve) -> Response:
    """Answer each part by itself; a part's error is that part's answer."""
    found = _BOUNDARY.search(ask.header("content-type"))
    if found is None:
        raise InvalidArgument("Content-Type: multipart/mixed needs a boundary.")
    mark = b"--" + (found[2] or found[3]).encode()
    parts = [part for part in (await ask.whole(64 << 20)).split(mark)[1:] if not part.startswith(b"--")]
    if len(parts) > LIMIT:
        raise InvalidArgument(f"The batch has {len(parts)} calls; at most {LIMIT} are allowed.")
    answers = []
    for part in parts:
        ident, inner = _inner(ask, part)
        answers.append(_outer(ident, await serve(inner)))
    body = b"".join(b"--batch_answer\r\n" + each for each in answers) + b"--batch_answer--\r\n"
    return Response(body, 200, media_type="multipart/mixed; boundary=batch_answer")


def _inner(ask: Ask, part: bytes) -> tuple[str, Ask]:
    pieces = _BREAK.split(part.strip(b"\r\n"), maxsplit=2)
    line = _LINE.match(pieces[1]) if len(pieces) > 1 else None
    if line is None:
        raise InvalidArgument("A part of the batch is no HTTP request.")
    headers = _headers(pieces[1].split(b"\n")[1:])
    body = pieces[2].strip(b"\r\n") if len(pieces) > 2 else b""
    message = {"type": "http.request", "body": body, "more_body": False}

    async def receive() -> dict[str, object]:
        return message

    inner = replace(
        ask,
        method=line[1].decode(),
        path=line[2],
        raw_query=line[3] or b"",
        headers=headers,
        receive=receive,
        given=None,
    )
    if line[2].startswith((b"/batch", b"/upload", b"/download")) or inner.query.get("alt") == "media":
        raise InvalidArgument("Uploads, downloads and batches cannot be part of a batch.")
    return _headers(pieces[0].split(b"\n")).get("content-id", ""), inner


def _headers(lines: list[bytes]) -> dict[str, str]:
    pairs = (line.decode("latin-1").partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _outer(ident: str, answer: Response) -> bytes:
    lines = ["Content-Type: application/http"]
    if ident:
        lines.append(f"Content-ID: {_answer_id(ident)}")
    lines += ["", f"HTTP/1.1 {answer.status_code} {HTTPStatus(answer.status_code).phrase}"]
    for name, value in answer.headers.items():
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + bytes(answer.body) + b"\r\n"


def _answer_id(ident: str) -> str:
    safe = "".join(char for char in ident if char.isprintable())[:200]
    return f"<response-{safe.removeprefix('<')}" if safe.startswith("<") else f"response-{safe}"
