"""The object methods of the JSON API except uploads."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from trigpoint.core.errors import InvalidArgument, Unimplemented, Violation
from trigpoint.domains.storage import Storage, Target
from trigpoint.domains.storage.rules import Preconditions, Query
from trigpoint.surfaces.gcs.asking import Ask, Threads
from trigpoint.surfaces.gcs.downloads import Downloads
from trigpoint.surfaces.gcs.resources import answer, object_resource

PAGE = 1000


class ObjectMethods:
    """Handlers named after the API's methods; path parameters come by position."""

    def __init__(self, storage: Storage, threads: Threads, downloads: Downloads) -> None:
        self._things = storage.things
        self._run = threads.run
        self._downloads = downloads

    async def list(self, ask: Ask, bucket: str) -> Response:
        """Return one page of a bucket's objects and of the prefixes below a delimiter."""
        if ask.flag("softDeleted"):
            if ask.flag("versions"):
                raise InvalidArgument(violations=[Violation("softDeleted", "cannot be combined with versions")])
            return answer({"kind": "storage#objects"})
        page = await self._run(self._things.list, ask.caller, bucket, _query(ask))
        found: dict[str, Any] = {"kind": "storage#objects"}
        if page.items:
            found["items"] = [object_resource(row, ask.base) for row in page.items]
        if page.prefixes:
            found["prefixes"] = [prefix.decode() for prefix in page.prefixes]
        if page.token:
            found["nextPageToken"] = page.token
        return answer(found)

    async def get(self, ask: Ask, bucket: str, name: str) -> Response:
        """Return an object's metadata, or with alt=media its bytes."""
        target = Target(bucket, name, ask.generation(), ask.conditions())
        if ask.query.get("alt") == "media":
            return await self._downloads.send(ask, target)
        if ask.flag("softDeleted"):
            raise Unimplemented("Soft-deleted objects are not kept: use the bucket's versioning.")
        row = await self._run(lambda: self._things.get(ask.caller, target, md5=True))
        return answer(object_resource(row, ask.base))

    async def download(self, ask: Ask, bucket: str, name: str) -> Response:
        """Return an object's bytes."""
        return await self._downloads.send(ask, Target(bucket, name, ask.generation(), ask.conditions()))

    async def patch(self, ask: Ask, bucket: str, name: str) -> Response:
        """Change some metadata, or with PUT all."""
        given, whole = await ask.json(), ask.method == "PUT"
        target = Target(bucket, name, ask.generation(), ask.conditions())
        row = await self._run(lambda: self._things.change(ask.caller, target, given, whole=whole))
        return answer(object_resource(row, ask.base))

    async def delete(self, ask: Ask, bucket: str, name: str) -> Response:
        """Delete the live generation, or the one asked for."""
        target = Target(bucket, name, ask.generation(), ask.conditions())
        await self._run(self._things.delete, ask.caller, target)
        return answer(None, 204)

    async def copy(self, ask: Ask, bucket: str, name: str, target_bucket: str, target_name: str) -> Response:
        """Copy an object."""
        row = await self._copied(ask, bucket, name, target_bucket, target_name)
        return answer(object_resource(row, ask.base))

    async def rewrite(self, ask: Ask, bucket: str, name: str, target_bucket: str, target_name: str) -> Response:
        """Copy an object in the form that may take several calls; here one does."""
        row = await self._copied(ask, bucket, name, target_bucket, target_name)
        size = str(row.size)
        done = {"totalBytesRewritten": size, "objectSize": size, "done": True}
        return answer({"kind": "storage#rewriteResponse", **done, "resource": object_resource(row, ask.base)})

    async def compose(self, ask: Ask, bucket: str, name: str) -> Response:
        """Join objects of one bucket."""
        given = await ask.json()
        listed = given.get("sourceObjects")
        if not isinstance(listed, list):
            raise InvalidArgument(violations=[Violation("sourceObjects", "is required: a list of objects")])
        sources = [_source(bucket, each) for each in listed]
        destination = given.get("destination") or {}
        if not isinstance(destination, dict):
            raise InvalidArgument(violations=[Violation("destination", "must be an object")])
        target = Target(bucket, name, when=ask.conditions())
        row = await self._run(self._things.compose, ask.caller, sources, target, destination)
        if ask.flag("deleteSourceObjects") or given.get("deleteSourceObjects") is True:
            for source in sources:
                if source.name != name:
                    await self._run(self._things.delete, ask.caller, replace(source, when=Preconditions()))
        return answer(object_resource(row, ask.base))

    async def move(self, ask: Ask, bucket: str, name: str, target_name: str) -> Response:
        """Give an object another name in its bucket."""
        source = Target(bucket, name, when=ask.conditions("ifSource"))
        target = Target(bucket, target_name, when=ask.conditions())
        row = await self._run(self._things.move, ask.caller, source, target)
        return answer(object_resource(row, ask.base))

    async def restore(self, ask: Ask, bucket: str, name: str) -> Response:
        """Refuse: nothing is soft-deleted here."""
        raise Unimplemented("Soft-deleted objects are not kept: use the bucket's versioning.")

    async def nothing(self, ask: Ask, bucket: str, name: str) -> Response:
        """Return an empty access control list."""
        await self._run(self._things.get, ask.caller, Target(bucket, name))
        return answer({"kind": "storage#objectAccessControls", "items": []})

    async def _copied(self, ask: Ask, bucket: str, name: str, target_bucket: str, target_name: str) -> Any:
        given = await ask.json()
        source = Target(bucket, name, ask.generation("sourceGeneration"), ask.conditions("ifSource"))
        target = Target(target_bucket, target_name, when=ask.conditions())
        return await self._run(self._things.copy, ask.caller, source, target, given)


def _query(ask: Ask) -> Query:
    text = ask.query
    limit = ask.number("maxResults")
    if limit is not None and limit < 0:
        raise InvalidArgument(violations=[Violation("maxResults", "must not be negative")])
    return Query(
        prefix=text.get("prefix", "").encode(),
        delimiter=text.get("delimiter", "").encode(),
        start=text.get("startOffset", "").encode(),
        end=text.get("endOffset", "").encode(),
        glob=text.get("matchGlob", ""),
        versions=ask.flag("versions"),
        trailing=ask.flag("includeTrailingDelimiter"),
        limit=min(PAGE, limit or PAGE),
        token=text.get("pageToken", ""),
    )


def _source(bucket: str, given: Any) -> Target:
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise InvalidArgument(violations=[Violation("sourceObjects", "every entry needs the name of an object")])
    try:
        generation = int(given.get("generation") or 0)
        wanted = (given.get("objectPreconditions") or {}).get("ifGenerationMatch")
        when = Preconditions(generation=None if wanted is None else int(wanted))
    except (TypeError, ValueError, AttributeError):
        raise InvalidArgument(violations=[Violation("sourceObjects", "generations must be integers")]) from None
    return Target(bucket, given["name"], generation, when)
