"""XML-style requests, `/BUCKET/OBJECT`: what signed URLs, TensorFlow's reads and parallel uploads use."""

import re
from http import HTTPStatus
from xml.sax.saxutils import escape

from starlette.responses import Response

from trigpoint.core.errors import InvalidArgument, TrigpointError, Unimplemented, Violation
from trigpoint.domains.storage import Storage, Target, rules
from trigpoint.domains.storage.rules import Hashes, Preconditions
from trigpoint.surfaces.gcs.asking import Ask, Threads
from trigpoint.surfaces.gcs.downloads import Downloads
from trigpoint.surfaces.gcs.resources import CHALLENGE, etag, message, place
from trigpoint.surfaces.gcs.uploads import UploadMethods

_ASPECTS = frozenset({"acl", "attributes", "compose", "encryption", "legal-hold", "restore", "retention", "tagging"})
"""Queries that ask for something about an object: taken for a plain request, they would overwrite or delete it."""
_SOURCES = ("x-goog-copy-source", "x-amz-copy-source")
_PART = re.compile(rb"<(?:\w+:)?PartNumber>\s*(\d{1,6})\s*</")
_CODES = {
    400: "InvalidArgument",
    401: "AuthenticationRequired",
    403: "AccessDenied",
    404: "NoSuchKey",
    409: "Conflict",
    412: "PreconditionFailed",
    416: "InvalidRange",
    501: "NotImplemented",
    503: "ServiceUnavailable",
    507: "InsufficientStorage",
}


class XmlMethods:
    """Handlers of the XML API, as far as clients of the JSON API use it."""

    def __init__(self, storage: Storage, threads: Threads, downloads: Downloads, uploads: UploadMethods) -> None:
        self._storage = storage
        self._threads = threads
        self._downloads = downloads
        self._uploads = uploads

    async def serve(self, ask: Ask, bucket: str, name: str) -> Response:
        """Answer a request; errors are XML too."""
        try:
            return await self._serve(ask, bucket, name)
        except TrigpointError as error:
            return xml_refusal(error)

    async def _serve(self, ask: Ask, bucket: str, name: str) -> Response:
        if not _ASPECTS.isdisjoint(ask.query) or any(ask.header(source) for source in _SOURCES):
            raise Unimplemented("This request of the XML API is not served: use the JSON API.")
        target = Target(bucket, name, ask.generation(), _conditions(ask))
        if ask.method in ("GET", "HEAD") and name:
            return await self._downloads.send(ask, target)
        if ask.method == "PUT" and name and "uploadId" in ask.query:
            return await self._put_part(ask)
        if ask.method == "PUT" and name:
            row = await self._uploads.stored(ask, target, _described(ask), ask.body(), Hashes())
            headers = {
                "etag": f'"{etag(row.generation, row.metageneration)}"',
                "x-goog-generation": str(row.generation),
            }
            return Response(status_code=200, headers=headers)
        if ask.method == "POST" and name and "uploads" in ask.query:
            return await self._begin(ask, target)
        if ask.method == "POST" and name and "uploadId" in ask.query:
            return await self._complete(ask)
        if ask.method == "DELETE" and name and "uploadId" in ask.query:
            await self._threads.run(self._storage.uploads.cancel, ask.caller, ask.query["uploadId"])
            return Response(status_code=204)
        if ask.method == "DELETE" and name:
            await self._threads.run(self._storage.things.delete, ask.caller, target)
            return Response(status_code=204)
        raise Unimplemented("This request of the XML API is not served: use the JSON API.")

    async def _begin(self, ask: Ask, target: Target) -> Response:
        begin = self._storage.uploads.begin
        ident = await self._threads.run(begin, ask.caller, target, _described(ask), Hashes())
        return _xml(
            f"<InitiateMultipartUploadResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
            f"<Bucket>{escape(target.bucket)}</Bucket><Key>{escape(target.name)}</Key>"
            f"<UploadId>{ident}</UploadId></InitiateMultipartUploadResult>"
        )

    async def _put_part(self, ask: Ask) -> Response:
        number = ask.number("partNumber") or 0
        await self._threads.run(self._storage.uploads.status, ask.caller, ask.query["uploadId"])
        content = await self._uploads.content(ask)
        put = self._storage.uploads.put_part
        part = await self._threads.run(put, ask.caller, ask.query["uploadId"], number, content)
        tag, crc32c = etag(part.crc32c, part.size), rules.crc_text(part.crc32c)
        return Response(status_code=200, headers={"etag": f'"{tag}"', "x-goog-hash": f"crc32c={crc32c}"})

    async def _complete(self, ask: Ask) -> Response:
        numbers = [int(number) for number in _PART.findall(await ask.whole())]
        row = await self._threads.run(self._storage.uploads.join, ask.caller, ask.query["uploadId"], numbers)
        return _xml(
            f"<CompleteMultipartUploadResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
            f"<Bucket>{escape(row.bucket)}</Bucket><Key>{escape(row.name.decode())}</Key>"
            f"<ETag>&quot;{etag(row.generation, 1)}&quot;</ETag></CompleteMultipartUploadResult>"
        )


def xml_refusal(error: TrigpointError) -> Response:
    """Return the response for an error in the XML API's form."""
    status, _ = place(error)
    if status == HTTPStatus.NOT_MODIFIED:
        return Response(status_code=status)
    code = _CODES.get(status, "InternalError")
    answer = _xml(f"<Error><Code>{code}</Code><Message>{escape(_printable(message(error)))}</Message></Error>", status)
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["www-authenticate"] = CHALLENGE
    return answer


def _xml(body: str, status: int = 200) -> Response:
    text = f"<?xml version='1.0' encoding='UTF-8'?>{body}"
    return Response(text.encode("utf-8", "replace"), status, media_type="application/xml; charset=UTF-8")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _described(ask: Ask) -> dict[str, object]:
    names = {
        "content-type": "contentType",
        "content-encoding": "contentEncoding",
        "content-disposition": "contentDisposition",
        "content-language": "contentLanguage",
        "cache-control": "cacheControl",
        "x-goog-storage-class": "storageClass",
    }
    found: dict[str, object] = {field: ask.header(name) for name, field in names.items() if ask.header(name)}
    metadata = {k.removeprefix("x-goog-meta-"): v for k, v in ask.headers.items() if k.startswith("x-goog-meta-")}
    return {**found, "metadata": metadata} if metadata else found


def _conditions(ask: Ask) -> Preconditions:
    def number(name: str) -> int | None:
        text = ask.header(name)
        if text and (not text.isdecimal() or len(text) > 19):
            raise InvalidArgument(violations=[Violation(name, "is not a number")])
        return int(text) if text else None

    return Preconditions(
        generation=number("x-goog-if-generation-match"), metageneration=number("x-goog-if-metageneration-match")
    )
