"""The ASGI app of Cloud Storage: who calls, which handler, what an error looks like; handlers know no transport."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette.responses import Response

from trigpoint.core import partial
from trigpoint.core.call import Caller
from trigpoint.core.clock import Clock
from trigpoint.core.errors import Internal, NotFound, TrigpointError, Unauthenticated, Unimplemented
from trigpoint.core.wire import REPLICA
from trigpoint.domains.storage import Storage
from trigpoint.surfaces.gcs import sentences
from trigpoint.surfaces.gcs.asking import Ask, ClientGone, Receive, Threads, segment
from trigpoint.surfaces.gcs.batch import batch
from trigpoint.surfaces.gcs.buckets import BucketMethods
from trigpoint.surfaces.gcs.control import Authenticate
from trigpoint.surfaces.gcs.downloads import Downloads
from trigpoint.surfaces.gcs.resources import cut, refusal
from trigpoint.surfaces.gcs.signed import Signers, is_signed, verify
from trigpoint.surfaces.gcs.things import ObjectMethods
from trigpoint.surfaces.gcs.uploads import UploadMethods
from trigpoint.surfaces.gcs.xml import XmlMethods, xml_refusal

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[..., Awaitable[Response]]
Recall = Callable[[Mapping[str, str], str], Caller | None]
PREFIXES = (
    b"/storage/v1", b"/upload/storage/v1", b"/resumable/upload/storage/v1", b"/download/storage/v1",
    b"/batch/storage/v1",
)  # fmt: skip
"""Path prefixes of the JSON API; every other path is `/BUCKET/OBJECT`."""

_log = logging.getLogger(__name__)


class GcsApp:
    """Serves `storage.googleapis.com`, and the storage paths of `www.googleapis.com`.

    `recall` answers from memory who sent a request, or None; `authenticate` may block and runs in a thread. Without
    `signers` no signed URL is accepted.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        threads: Threads,
        authenticate: Authenticate,
        *,
        recall: Recall = lambda headers, replica: None,
        signers: Signers = lambda email: None,
    ) -> None:
        self._storage, self._clock, self._threads = storage, clock, threads
        self._authenticate, self._recall, self._signers = authenticate, recall, signers
        downloads = Downloads(storage, threads)
        uploads = UploadMethods(storage, threads)
        self._xml = XmlMethods(storage, threads, downloads, uploads)
        self._routes = _routes(BucketMethods(storage, threads), ObjectMethods(storage, threads, downloads), uploads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise Internal(sentences.HTTP_ONLY)
        ask = _ask(scope, receive)
        try:
            response = await self._answer(ask)
        except ClientGone:
            return
        await response(scope, receive, send)
        if self._storage.access.full:
            await self._threads.run(self._storage.access.flush)

    async def _answer(self, ask: Ask) -> Response:
        json_api = _prefix(ask.path) is not None
        try:
            ask.caller = await self._caller(ask)
            if json_api:
                return await self.dispatch(ask)
            bucket, _, name = ask.path[1:].partition(b"/")
            return await self._xml.serve(ask, segment(bucket), segment(name))
        except TrigpointError as error:
            return refusal(error) if json_api else xml_refusal(error)
        except ClientGone:
            raise
        except Exception:  # noqa: BLE001 - the surface's edge: no error of ours may reach a client as it is
            _log.exception("A storage request failed")
            return refusal(Internal(sentences.INTERNAL))

    async def dispatch(self, ask: Ask) -> Response:
        """Find the handler of a JSON API request and run it; errors of the API become its answers."""
        try:
            prefix = _prefix(ask.path) or b""
            if prefix.startswith(b"/batch"):
                return await batch(ask, self.dispatch)
            fields = ask.query.get("fields", "")
            if fields:
                partial.parsed(fields)  # refused before anything is done
            rest = [segment(part) for part in ask.path[len(prefix) :].split(b"/")[1:]]
            kind = "upload" if b"upload" in prefix else "download" if b"download" in prefix else "storage"
            for words, handler in self._routes.get((kind, ask.method, len(rest)), ()):
                if all(word in ("", part) for word, part in zip(words, rest, strict=True)):
                    given = (part for word, part in zip(words, rest, strict=True) if not word)
                    response = await handler(ask, *given)
                    return cut(response, fields) if fields else response
            if any(key[0] == kind and key[2] == len(rest) for key in self._routes) and rest[:1] == ["b"]:
                raise Unimplemented(sentences.NOT_SERVED)
            raise NotFound(sentences.NO_METHOD)
        except TrigpointError as error:
            return refusal(error)

    async def _caller(self, ask: Ask) -> Caller:
        if is_signed(ask):
            return await self._threads.run(verify, ask, self._signers, self._clock)
        if not ask.header("authorization"):
            raise Unauthenticated(sentences.ANONYMOUS)
        known = self._recall(ask.headers, ask.replica)
        if known is not None:
            return known
        return await self._threads.run(self._authenticate, ask.headers, ask.replica)


def _ask(scope: Scope, receive: Receive) -> Ask:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "storage.googleapis.com")
    path = scope.get("raw_path") or scope["path"].encode()
    return Ask(
        method=str(headers.get("x-http-method-override") or scope["method"]).upper(),
        path=path.partition(b"?")[0],
        raw_query=scope["query_string"],
        headers=headers,
        receive=receive,
        base=f"{scope.get('scheme', 'https')}://{host}",
        replica=scope.get(REPLICA) or "",
    )


def _prefix(path: bytes) -> bytes | None:
    for prefix in PREFIXES:
        if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in (b"", b"/"):
            return prefix
    return None


Routes = Mapping[tuple[str, str, int], list[tuple[list[str], Handler]]]


def _routes(buckets: BucketMethods, things: ObjectMethods, uploads: UploadMethods) -> Routes:
    """Return the handlers by kind of path, verb and number of segments; `*` stands for any segment."""
    table: list[tuple[str, str, str, Handler]] = [
        ("storage", "GET", "b", buckets.list),
        ("storage", "POST", "b", buckets.insert),
        ("storage", "GET", "b/*", buckets.get),
        ("storage", "PATCH PUT", "b/*", buckets.patch),
        ("storage", "DELETE", "b/*", buckets.delete),
        ("storage", "GET", "b/*/iam", buckets.get_policy),
        ("storage", "PUT", "b/*/iam", buckets.set_policy),
        ("storage", "GET", "b/*/iam/testPermissions", buckets.test_permissions),
        ("storage", "GET", "b/*/storageLayout", buckets.layout),
        ("storage", "GET", "b/*/notificationConfigs", buckets.nothing),
        ("storage", "GET", "b/*/acl", buckets.nothing),
        ("storage", "GET", "b/*/defaultObjectAcl", buckets.nothing),
        ("storage", "GET", "projects/*/serviceAccount", buckets.service_account),
        ("storage", "GET", "b/*/o", things.list),
        ("storage", "POST PUT", "b/*/o", uploads.insert),
        ("storage", "GET HEAD", "b/*/o/*", things.get),
        ("storage", "PATCH PUT", "b/*/o/*", things.patch),
        ("storage", "DELETE", "b/*/o/*", things.delete),
        ("storage", "GET", "b/*/o/*/acl", things.nothing),
        ("storage", "POST", "b/*/o/*/compose", things.compose),
        ("storage", "POST", "b/*/o/*/restore", things.restore),
        ("storage", "POST", "b/*/o/*/copyTo/b/*/o/*", things.copy),
        ("storage", "POST", "b/*/o/*/rewriteTo/b/*/o/*", things.rewrite),
        ("storage", "POST", "b/*/o/*/moveTo/o/*", things.move),
        ("upload", "POST PUT DELETE", "b/*/o", uploads.insert),
        ("download", "GET HEAD", "b/*/o/*", things.download),
    ]
    found: dict[tuple[str, str, int], list[tuple[list[str], Handler]]] = {}
    for kind, verbs, pattern, handler in table:
        words = ["" if word == "*" else word for word in pattern.split("/")]
        for verb in verbs.split():
            found.setdefault((kind, verb, len(words)), []).append((words, handler))
    return found
