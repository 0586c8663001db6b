"""The metadata server of one replica: who it is, in which project it runs, its tokens; the front brings the replica.

Which replica asks is the socket's word; nothing else is trusted. Paths: sdk-contract.md section 1.4, and Compute
Engine's documented tree as far as training code asks for it.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from trigpoint.core.clock import SECOND
from trigpoint.core.errors import NotFound, TrigpointError
from trigpoint.domains.identity import Identity, Replica
from trigpoint.kernel.recorder import Recorder
from trigpoint.store.steps import Growth
from trigpoint.surfaces.identity.http import Answer, App, Request

_FLAVOR = ("metadata-flavor", "Google")
_SERVER = ("server", "Metadata Server for VM")
_ROOT = "/computeMetadata/v1"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")

ASKS = "ask"
"""The series (store.steps) of what a replica's metadata server gave it."""
OTHER = "other"

Leaf = str | int | list[str]


@dataclass(frozen=True, slots=True)
class Act:
    """A leaf that is made when it is asked for, and never shown in a listing of values."""

    make: Callable[[Mapping[str, str]], Answer]


Node = Leaf | Act | dict[str, Any]


class MetadataApp(App):
    """Answers a replica about itself."""

    def __init__(self, identity: Identity, pool: Executor | None = None, recorder: Recorder | None = None) -> None:
        super().__init__(pool)
        self._identity = identity
        self._recorder = recorder

    async def answer(self, request: Request) -> Answer:
        """Answer one request; the flavor header is asked for below the root, and a forwarded request is refused."""
        if "x-forwarded-for" in request.headers:
            return _plain(403, "Requests that were forwarded are not answered.")
        if request.verb not in ("GET", "HEAD"):
            return _plain(405, "Only GET is answered.")
        path = unquote(request.path)
        if path in ("", "/"):
            return _plain(200, "computeMetadata/\n")
        if path in ("/computeMetadata", "/computeMetadata/"):
            return _plain(200, "v1/\n")
        if request.headers.get("metadata-flavor", "").lower() != "google":
            return _plain(403, "Missing required header: send Metadata-Flavor: Google.")
        replica = self._identity.replica(request.replica)
        if replica is None:
            return _plain(403, "This metadata server belongs to a replica that has ended.")
        node = _walk(self._tree(replica), path)
        query = dict(request.query)
        if isinstance(node, Act):
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, node.make, query)
        else:
            answer = _rendered(node, path, query)
        if answer.status == 200:
            self._note(replica, path.rsplit("/", 1)[-1] if isinstance(node, Act) else OTHER)
        return answer

    def _note(self, replica: Replica, thing: str) -> None:
        """Note what a replica was given: `token`, `identity` (a token too) or something else."""
        if self._recorder is not None:
            self._recorder.passed(replica.name, ASKS, (thing,), Growth(self._identity.now(), count=1))

    def refuse(self, error: TrigpointError) -> Answer:
        """Return an error as text, as the metadata server does."""
        return _plain(error.http, error.message)

    def _tree(self, replica: Replica) -> dict[str, Any]:
        project = self._identity.surroundings(replica)
        zone = f"{replica.location}-a"
        digest = hashlib.sha256(f"{replica.name}\0{replica.attempt}".encode()).digest()
        name = replica.host or f"replica-{digest[:6].hex()}"
        account = {
            "aliases": ["default"],
            "email": replica.account,
            "identity": Act(lambda query: self._id_token(replica, query)),
            "scopes": list(_SCOPES),
            "token": Act(lambda query: self._token(replica, query)),
        }
        return {
            "instance": {
                "attributes": {},
                "hostname": f"{name}.{zone}.c.{project.tenant}.internal",
                "id": 1_000_000_000_000_000_000 + int.from_bytes(digest[8:15], "big"),
                "name": name,
                "service-accounts": {"default": account, replica.account: account},
                "zone": f"projects/{project.tenant_number}/zones/{zone}",
            },
            "project": {
                "attributes": {},
                "numeric-project-id": int(project.tenant_number),
                "project-id": project.tenant,
            },
            "universe": {"universe-domain": "googleapis.com", "universe_domain": "googleapis.com"},
        }

    def _token(self, replica: Replica, query: Mapping[str, str]) -> Answer:
        scopes = " ".join(query.get("scopes", "").replace(",", " ").split()) or " ".join(_SCOPES)
        issued = self._identity.replica_token(replica.name, scopes)
        seconds = (issued.expires - self._identity.now()) // SECOND
        return _json({"access_token": issued.token, "expires_in": seconds, "token_type": "Bearer"})

    def _id_token(self, replica: Replica, query: Mapping[str, str]) -> Answer:
        audience = query.get("audience", "")
        if not audience or len(audience) > 2048:
            return _plain(400, "non-empty audience parameter required")
        account = self._identity.accounts.find(replica.account)
        if account is None or not account.enabled:
            raise NotFound("The service account of this replica is disabled or deleted.")
        full = query.get("format", "standard") == "full"
        return _plain(200, self._identity.id_token(account, audience, include_email=full).token)


def _walk(tree: dict[str, Any], path: str) -> Node:
    """Return the node of a path; NotFound when there is none."""
    if not (path + "/").startswith(_ROOT + "/"):
        raise NotFound("The requested URL was not found on this server.")
    node: Any = tree
    for part in path[len(_ROOT) :].strip("/").split("/"):
        if part == "":
            continue
        if not isinstance(node, dict) or part not in node:
            raise NotFound("The requested URL was not found on this server.")
        node = node[part]
    found: Node = node
    return found


def _rendered(node: Node, path: str, query: Mapping[str, str]) -> Answer:
    """Return a directory or a value, as text or as JSON."""
    recursive = query.get("recursive", "").lower() == "true"
    as_json = query.get("alt", "json" if recursive and isinstance(node, dict) else "text") == "json"
    if isinstance(node, dict):
        if recursive:
            return _json(_values(node)) if as_json else _plain(200, "".join(_lines(node, "")))
        if not path.endswith("/"):
            return Answer(301, b"", (_FLAVOR, _SERVER, ("location", path + "/")), "text/html; charset=UTF-8")
        names = [name + "/" * isinstance(child, dict) for name, child in sorted(node.items())]
        return _json(names) if as_json else _plain(200, "".join(f"{name}\n" for name in names))
    if path.endswith("/"):
        raise NotFound("The requested URL was not found on this server.")
    return _json(node) if as_json else _plain(200, _text(node))


def _values(node: Node) -> Any:
    """Return the values below a node with camelCase names, as `?recursive=true` shows them."""
    if not isinstance(node, dict):
        return node
    shown = {_camel(name): _values(child) for name, child in node.items() if not isinstance(child, Act)}
    return {name: value for name, value in shown.items() if name not in ("identity", "token", "universe_domain")}


def _lines(node: Node, prefix: str) -> list[str]:
    if isinstance(node, dict):
        return [line for name, child in sorted(node.items()) for line in _lines(child, f"{prefix}{name}/")]
    if isinstance(node, Act):
        return []
    return [f"{prefix.rstrip('/')} {_text(node)}\n"]


def _text(node: Any) -> str:
    return "".join(f"{one}\n" for one in node) if isinstance(node, list) else str(node)


def _camel(name: str) -> str:
    head, *rest = name.split("-") if "@" not in name else [name]
    return head + "".join(part.capitalize() for part in rest)


def _plain(code: int, text: str) -> Answer:
    return Answer(code, text.encode(), (_FLAVOR, _SERVER), "application/text" if code == 200 else "text/plain")


def _json(document: Any) -> Answer:
    return Answer(200, orjson.dumps(document), (_FLAVOR, _SERVER, ("cache-control", "no-store")), "application/json")
