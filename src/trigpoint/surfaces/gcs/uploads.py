"""Uploads of the JSON API: media, multipart, resumable (vertex-services.md section 10.2)."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.data.objects_blobs import Content, Writer
from trigpoint.data.objects_uploads import Appending
from trigpoint.domains.storage import Storage, Target
from trigpoint.domains.storage.rules import Hashes
from trigpoint.store.objects import ObjectRow
from trigpoint.surfaces.gcs import sentences
from trigpoint.surfaces.gcs.asking import Ask, Threads, json_object
from trigpoint.surfaces.gcs.bodies import Related, pour
from trigpoint.surfaces.gcs.resources import answer, object_resource

_RANGE = re.compile(r"\s*bytes\s+(?:(\d{1,19})\s*-\s*(\d{1,19})|\*)\s*/\s*(\d{1,19}|\*)\s*")


@dataclass(frozen=True, slots=True)
class Span:
    """A Content-Range: where the bytes of a request belong. `start` is None when it brings none."""

    start: int | None
    stop: int
    total: int | None


class UploadMethods:
    """Handlers of the upload paths."""

    def __init__(self, storage: Storage, threads: Threads) -> None:
        self._storage = storage
        self._things = storage.things
        self._uploads = storage.uploads
        self._threads = threads

    async def insert(self, ask: Ask, bucket: str) -> Response:
        """Upload an object, begin a session, or go on with one."""
        if ask.query.get("upload_id"):
            return await self.resume(ask, bucket)
        kind = ask.query.get("uploadType", "media") or "media"
        if kind == "resumable":
            return await self._begin(ask, bucket)
        if kind == "multipart":
            return await self._multipart(ask, bucket)
        if kind != "media":
            text = sentences.BAD_TYPE.format(type=repr(kind[:40]))
            raise InvalidArgument(violations=[Violation("uploadType", text)])
        target = _target(ask, bucket, {})
        return await self.store(ask, target, {}, ask.header("content-type"), ask.body(), Hashes())

    async def store(
        self, ask: Ask, target: Target, given: dict[str, Any], kind: str, body: AsyncIterator[bytes], claimed: Hashes
    ) -> Response:
        """Store a body as an object."""
        row = await self.stored(ask, target, _described(ask, given, kind), body, claimed)
        return answer(object_resource(row, ask.base))

    async def stored(
        self, ask: Ask, target: Target, given: dict[str, Any], body: AsyncIterator[bytes], claimed: Hashes
    ) -> ObjectRow:
        """Store a body as an object; return it. Nothing is left when the client goes away or checksums differ."""
        await self._threads.run(self._storage.buckets.open, ask.caller, target.bucket)
        claimed = ask.hashes().merged(claimed)
        async with self._writing() as writer:
            await pour(body, writer.write, self._threads)
            return await self._threads.run(self._finish, ask, target, given, writer, claimed)

    async def content(self, ask: Ask) -> Content:
        """Store a body as bytes without a name, a part of an object."""
        async with self._writing() as writer:
            await pour(ask.body(), writer.write, self._threads)
            content = await self._threads.run(writer.finish)
            return await self._threads.run(lambda: self._things.verified(content, ask.hashes(), part=True))

    async def resume(self, ask: Ask, bucket: str) -> Response:
        """Take a piece of a resumable upload, answer its status, or cancel it."""
        ident = ask.query.get("upload_id", "")
        if ask.method == "DELETE":
            await self._threads.run(self._uploads.cancel, ask.caller, ident)
            return Response(status_code=499)
        found = await self._threads.run(self._uploads.status, ask.caller, ident)
        if isinstance(found, ObjectRow):
            return answer(object_resource(found, ask.base))
        span = _span(ask)
        received = found.received
        if span.start is not None:
            received, total = await self._append(ask, ident, span)
        else:
            total = span.total
        if total is None or received < total:
            return _incomplete(ask, received)
        row = await self._threads.run(self._uploads.finish, ask.caller, ident, total, ask.hashes())
        return answer(object_resource(row, ask.base))

    async def _begin(self, ask: Ask, bucket: str) -> Response:
        given = await ask.json()
        target = _target(ask, bucket, given)
        size = ask.header("x-upload-content-length")
        total = int(size) if size.isdecimal() and len(size) < 19 else None
        described = _described(ask, given, ask.header("x-upload-content-type"))
        claimed = ask.hashes().merged(_claimed(given))
        ident = await self._threads.run(self._uploads.begin, ask.caller, target, described, claimed, total)
        where = f"{ask.base}/upload/storage/v1/b/{bucket}/o?uploadType=resumable"
        where += f"&name={quote(target.name, safe='')}&upload_id={ident}"
        return Response(status_code=200, headers={"location": where, "x-guploader-uploadid": ident})

    async def _multipart(self, ask: Ask, bucket: str) -> Response:
        related = Related(ask.header("content-type"), ask.body())
        text, kind = await related.head()
        given = json_object(text)
        return await self.store(ask, _target(ask, bucket, given), given, kind, related.data(), _claimed(given))

    async def _append(self, ask: Ask, ident: str, span: Span) -> tuple[int, int | None]:
        """Write a piece; return how much the session holds now and its total, if known by now."""
        start = span.start or 0
        async with self._appending(ask, ident) as appending:
            offset = start

            def write(piece: bytes) -> None:
                nonlocal offset
                offset = appending.write(offset, piece)

            size = await pour(ask.body(), write, self._threads)
        whole = span.stop < 0
        if not whole and size != span.stop - start:
            text = sentences.OTHER_SIZE.format(size=span.stop - start, came=size)
            raise InvalidArgument(violations=[Violation("Content-Range", text)])
        return appending.row.received, start + size if whole else span.total

    def _finish(self, ask: Ask, target: Target, given: dict[str, Any], writer: Writer, claimed: Hashes) -> ObjectRow:
        content = self._things.verified(writer.finish(), claimed)
        return self._things.insert(ask.caller, target, content, given)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Writer]:
        writer = await self._threads.run(self._things.writer)
        try:
            yield writer
        finally:
            await self._threads.run(writer.abort)

    @asynccontextmanager
    async def _appending(self, ask: Ask, ident: str) -> AsyncIterator[Appending]:
        """Hold a session while the body comes; what came is durable when this is left, however that is."""
        held = self._uploads.appending(ask.caller, ident)
        async with AsyncExitStack() as stack:
            appending = await self._threads.run(held.__enter__)

            async def leave(*error: Any) -> None:
                await self._threads.run(held.__exit__, None, None, None)

            stack.push_async_exit(leave)
            yield appending


def _target(ask: Ask, bucket: str, given: dict[str, Any]) -> Target:
    name = ask.query.get("name") or given.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidArgument(violations=[Violation("name", sentences.NO_NAME)])
    return Target(bucket, name, when=ask.conditions())


def _described(ask: Ask, given: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the attributes with what else the request says of content type and encoding."""
    found = dict(given)
    if not found.get("contentType") and kind:
        found["contentType"] = kind
    if ask.query.get("contentEncoding"):
        found["contentEncoding"] = ask.query["contentEncoding"]
    return found


def _claimed(given: dict[str, Any]) -> Hashes:
    crc32c, md5 = given.get("crc32c") or "", given.get("md5Hash") or ""
    if not isinstance(crc32c, str) or not isinstance(md5, str):
        raise InvalidArgument(violations=[Violation("crc32c", sentences.BAD_CHECKSUMS)])
    return Hashes(crc32c, md5)


def _span(ask: Ask) -> Span:
    text = ask.header("content-range")
    if not text:
        return Span(0, -1, None)
    found = _RANGE.fullmatch(text)
    total = None if found is None or found[3] == "*" else int(found[3])
    if found is None or (
        found[1] and (int(found[2]) < int(found[1]) or (total is not None and int(found[2]) >= total))
    ):
        wrong = sentences.BAD_RANGE.format(value=repr(text[:80]))
        raise InvalidArgument(violations=[Violation("Content-Range", wrong)])
    if not found[1]:
        return Span(None, 0, total)
    return Span(int(found[1]), int(found[2]) + 1, total)


def _incomplete(ask: Ask, received: int) -> Response:
    headers = {"range": f"bytes=0-{received - 1}"} if received else {}
    if ask.header("x-guploader-no-308") == "yes":
        return Response(status_code=200, headers={**headers, "x-http-status-code-override": "308"})
    return Response(status_code=308, headers=headers)
