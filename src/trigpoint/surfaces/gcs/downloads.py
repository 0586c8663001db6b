"""Sends an object's bytes: whole, a range, or unpacked; reads the file in threads, a piece at a time."""

import re
import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from trigpoint.core.errors import OutOfRange
from trigpoint.data.objects import Reading
from trigpoint.domains.storage import Storage, Target, rules
from trigpoint.domains.storage.things import attributes
from trigpoint.store.objects import ObjectRow
from trigpoint.surfaces.gcs import sentences
from trigpoint.surfaces.gcs.asking import Ask, Threads
from trigpoint.surfaces.gcs.resources import etag

PIECE = 1 << 20
TOLD = 8 << 20
"""Bytes of a long read after which those who follow hear how far it is."""
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*")


class Downloads:
    """Serves `alt=media` and XML-style reads."""

    def __init__(self, storage: Storage, threads: Threads) -> None:
        self._storage = storage
        self._threads = threads

    async def send(self, ask: Ask, target: Target) -> Response:
        """Return the response for a read: 200, 206, or an error; HEAD has the headers only."""
        if ask.method == "GET":
            small = await self._threads.run(self._begin, ask, target)
        else:
            small = await self._threads.run(self._head, ask, target)
        return small

    def _head(self, ask: Ask, target: Target) -> Response:
        row = self._storage.things.get(ask.caller, target)
        headers = {**_headers(row), "content-length": str(row.size)}
        return Response(status_code=200, headers=headers)

    def _begin(self, ask: Ask, target: Target) -> Response:
        reading = self._storage.things.open(ask.caller, target)
        try:
            return self._answer(ask, reading)
        except BaseException:
            reading.close()
            raise

    def _answer(self, ask: Ask, reading: Reading) -> Response:
        row = reading.row
        headers = _headers(row)
        if attributes(row).get("contentEncoding") == "gzip" and "gzip" not in ask.header("accept-encoding"):
            del headers["content-encoding"]
            headers["x-guploader-response-body-transformations"] = "gunzipped"
            headers["warning"] = "214 UploadServer gunzipped"
            return StreamingResponse(self._unpacked(ask, reading), 200, headers)
        start, end = span(ask.header("range"), row.size)
        status = 200 if end is None else 206
        stop = row.size if end is None else end
        if status == 206:
            headers["content-range"] = f"bytes {start}-{stop - 1}/{row.size}"
        if stop - start <= PIECE:
            data = reading.read(start, stop - start)
            self._done(ask, reading, len(data))
            return Response(data, status, headers)
        headers["content-length"] = str(stop - start)
        return StreamingResponse(self._pieces(ask, reading, start, stop), status, headers)

    async def _pieces(self, ask: Ask, reading: Reading, start: int, stop: int) -> AsyncGenerator[bytes]:
        offset = told = start
        try:
            while offset < stop:
                piece = await self._threads.run(reading.read, offset, min(PIECE, stop - offset))
                if not piece:
                    return
                yield piece
                offset += len(piece)
                if offset - told >= TOLD or told == start:
                    await self._threads.run(self._told, ask, reading, offset - told, told == start)
                    told = offset
        finally:
            await self._threads.run(self._done, ask, reading, offset - told, told == start)

    async def _unpacked(self, ask: Ask, reading: Reading) -> AsyncGenerator[bytes]:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            async with aclosing(self._pieces(ask, reading, 0, reading.row.size)) as pieces:
                async for piece in pieces:
                    rest = piece
                    while rest and not unpacker.eof:  # a piece may unpack to a thousand times its size
                        yield await self._threads.run(unpacker.decompress, rest, PIECE)
                        rest = unpacker.unconsumed_tail
                    if unpacker.eof:  # what follows would only be collected
                        break
            yield unpacker.flush()
        except zlib.error:
            # The headers are out: ending early tells the client that the body is not whole.
            return

    def _told(self, ask: Ask, reading: Reading, size: int, begins: bool) -> None:
        self._storage.things.served(ask.caller, reading.row, size, begins=begins)

    def _done(self, ask: Ask, reading: Reading, size: int, begins: bool = True) -> None:
        reading.close()
        if size or begins:
            self._told(ask, reading, size, begins)


def span(header: str, size: int) -> tuple[int, int | None]:
    """Return start and end (exclusive) of a Range header, end None for the whole; OutOfRange past the end.

    Forms that are no single byte range are ignored, as HTTP says.
    """
    found = _RANGE.fullmatch(header)
    if found is None or not (found[1] or found[2]):
        return 0, None
    start = int(found[1]) if found[1] else max(0, size - int(found[2]))
    end = min(size, int(found[2]) + 1) if found[1] and found[2] else size
    if found[1] and found[2] and int(found[2]) < int(found[1]):
        return 0, None
    if start >= size or (not found[1] and int(found[2]) == 0):
        raise OutOfRange(sentences.NO_RANGE.format(size=size))
    return start, end


def _headers(row: ObjectRow) -> dict[str, str]:
    about: dict[str, Any] = attributes(row)
    hashes = f"crc32c={rules.crc_text(row.crc32c)}" + (f",md5={row.md5}" if row.md5 else "")
    headers = {
        "content-type": about.get("contentType") or "application/octet-stream",
        "etag": f'"{etag(row.generation, row.metageneration)}"',
        "accept-ranges": "bytes",
        "x-goog-generation": str(row.generation),
        "x-goog-metageneration": str(row.metageneration),
        "x-goog-hash": hashes,
        "x-goog-storage-class": about.get("storageClass", "STANDARD"),
        "x-goog-stored-content-length": str(row.size),
        "x-goog-stored-content-encoding": about.get("contentEncoding", "identity"),
    }
    for field, name in _NAMED.items():
        if about.get(field):
            headers[name] = about[field]
    for key, value in (about.get("metadata") or {}).items():
        headers[f"x-goog-meta-{key.lower()}"] = value
    return {_token(name): _safe(value) for name, value in headers.items()}


_NAMED = {
    "contentEncoding": "content-encoding",
    "contentDisposition": "content-disposition",
    "contentLanguage": "content-language",
    "cacheControl": "cache-control",
}


def _safe(value: str) -> str:
    """Return a header value without anything that could end it or is no latin-1."""
    return (
        quote(value, safe=" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
        if not value.isascii() or not value.isprintable()
        else value
    )


def _token(name: str) -> str:
    return name if name.isascii() and name.replace("-", "").replace("_", "").isalnum() else quote(name, safe="").lower()
