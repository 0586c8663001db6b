"""Takes request bodies to the disk in pieces: one piece is written while the next arrives, none is held whole."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

from trigpoint.core.errors import InvalidArgument
from trigpoint.surfaces.gcs.asking import ClientGone, Threads

PIECE = 512 << 10
HEAD_LIMIT = 1 << 20
_BOUNDARY = re.compile(r"""boundary=(?:(["'])([^"']{1,200})\1|([^\s;"']{1,200}))""", re.IGNORECASE)
_BREAK = re.compile(rb"\r?\n\r?\n")
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


async def pour(body: AsyncIterator[bytes], write: Callable[[bytes], object], threads: Threads) -> int:
    """Write a body piece by piece in threads; return how many bytes came.

    What came before the client went away is written before ClientGone is raised.
    """
    held, size, under_way = bytearray(), 0, None
    gone: ClientGone | None = None
    try:
        async for chunk in body:
            held += chunk
            size += len(chunk)
            if len(held) >= PIECE:
                if under_way is not None:
                    await under_way
                under_way = asyncio.ensure_future(threads.run(write, bytes(held)))
                held = bytearray()
    except ClientGone as error:
        gone = error
    finally:
        if under_way is not None:
            await under_way
    if held:
        await threads.run(write, bytes(held))
    if gone is not None:
        raise gone
    return size


class Related:
    """A `multipart/related` upload: JSON, then bytes. Takes CRLF and bare LF, bare and quoted boundaries.

    The quotes are double, or single, as gcloud's are.

    The bytes are the last part, so they end where the body does: a boundary inside them ends nothing.
    """

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise InvalidArgument("Content-Type: multipart/related needs a boundary.")
        self._mark = b"--" + (found[2] or found[3]).encode()
        self._body = body
        self._rest = b""

    async def head(self) -> tuple[bytes, str]:
        """Return the JSON part and the content type of the bytes that follow."""
        found = b""
        async for chunk in self._body:
            found += chunk
            parts = self._split(found)
            if parts is not None:
                metadata, kind, self._rest = parts
                return metadata, kind
            if len(found) > HEAD_LIMIT:
                break
        raise InvalidArgument("The multipart body has no metadata part followed by a part with the object's bytes.")

    async def data(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the second part."""
        tail, longest = self._rest, len(self._mark) + 8
        async for chunk in self._body:
            tail += chunk
            if len(tail) > longest:
                yield tail[:-longest]
                tail = tail[-longest:]
        end = tail.rfind(self._mark + b"--")
        if end < 0:
            raise InvalidArgument("The multipart body does not end with its boundary: it was cut.")
        before = tail[:end]
        yield before[: -2 if before.endswith(b"\r\n") else -1 if before.endswith(b"\n") else len(before)]

    def _split(self, found: bytes) -> tuple[bytes, str, bytes] | None:
        start = found.find(self._mark)
        first = _BREAK.search(found, start + len(self._mark)) if start >= 0 else None
        second = found.find(b"\n" + self._mark, first.end() - 1) if first else -1
        if first is None or second < 0:
            return None
        headers_end = _BREAK.search(found, second + 1 + len(self._mark))
        if headers_end is None:
            return None
        kind = _TYPE.search(found, second, headers_end.start() + 1)
        text = kind[1].decode("latin-1").strip() if kind else ""
        return found[first.end() : second], text, found[headers_end.end() :]
