"""IAM v1, IAM Credentials v1 and Resource Manager v3 as ASGI apps, and Resource Manager's gRPC rows.

They prove the caller, read the request, call the slice in a thread, and write the answer; what it means is the slice's.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from trigpoint.core import messages, wire
from trigpoint.core.call import Caller
from trigpoint.core.transcoding import is_system, read_request
from trigpoint.domains.identity import Identity
from trigpoint.surfaces.identity.http import Answer, App, Request, Routes, Rule, json_answer, json_body

Json = dict[str, Any]
Handler = Callable[[Caller, Json], Json]
Handlers = Mapping[str, Handler]

_ACCOUNTS = "/v1/{name=projects/*/serviceAccounts/*}"
_KEYS = "/v1/{name=projects/*/serviceAccounts/*/keys/*}"
_IAM = (
    (Rule("GET", "/v1/{name=projects/*}/serviceAccounts"), "ListServiceAccounts"),
    (Rule("POST", "/v1/{name=projects/*}/serviceAccounts", "*"), "CreateServiceAccount"),
    (Rule("GET", _ACCOUNTS), "GetServiceAccount"),
    (Rule("PATCH", _ACCOUNTS, "*"), "PatchServiceAccount"),
    (Rule("DELETE", _ACCOUNTS), "DeleteServiceAccount"),
    (Rule("POST", f"{_ACCOUNTS}:enable", "*"), "EnableServiceAccount"),
    (Rule("POST", f"{_ACCOUNTS}:disable", "*"), "DisableServiceAccount"),
    (Rule("GET", f"{_ACCOUNTS}/keys"), "ListServiceAccountKeys"),
    (Rule("POST", f"{_ACCOUNTS}/keys", "*"), "CreateServiceAccountKey"),
    (Rule("GET", _KEYS), "GetServiceAccountKey"),
    (Rule("DELETE", _KEYS), "DeleteServiceAccountKey"),
    (Rule("POST", f"{_KEYS}:enable", "*"), "EnableServiceAccountKey"),
    (Rule("POST", f"{_KEYS}:disable", "*"), "DisableServiceAccountKey"),
)
_CREDENTIALS = (
    (Rule("POST", f"{_ACCOUNTS}:generateAccessToken", "*"), "GenerateAccessToken"),
    (Rule("POST", f"{_ACCOUNTS}:generateIdToken", "*"), "GenerateIdToken"),
    (Rule("POST", f"{_ACCOUNTS}:signBlob", "*"), "SignBlob"),
    (Rule("POST", f"{_ACCOUNTS}:signJwt", "*"), "SignJwt"),
    (Rule("GET", f"{_ACCOUNTS}/allowedLocations"), "GetAllowedLocations"),
)
_PROJECT = "/v3/{name=projects/*}"
_PROJECTS = (
    (Rule("GET", _PROJECT), "GetProject"),
    (Rule("GET", "/v3/projects"), "ListProjects"),
    (Rule("GET", "/v3/projects:search"), "SearchProjects"),
    (Rule("POST", "/v3/projects", "project"), "CreateProject"),
    (Rule("PATCH", "/v3/{project.name=projects/*}", "project"), "UpdateProject"),
    (Rule("DELETE", _PROJECT), "DeleteProject"),
    (Rule("POST", f"{_PROJECT}:undelete", "*"), "UndeleteProject"),
    (Rule("POST", "/v3/{resource=projects/*}:testIamPermissions", "*"), "TestIamPermissions"),
    (Rule("POST", "/v3/{resource=projects/*}:getIamPolicy", "*"), "GetIamPolicy"),
    (Rule("GET", "/v3/{name=operations/*}"), "GetOperation"),
)
_V3 = "google.cloud.resourcemanager.v3."
_MESSAGES = {
    "GetProject": (f"{_V3}GetProjectRequest", f"{_V3}Project"),
    "ListProjects": (f"{_V3}ListProjectsRequest", f"{_V3}ListProjectsResponse"),
    "SearchProjects": (f"{_V3}SearchProjectsRequest", f"{_V3}SearchProjectsResponse"),
    "CreateProject": (f"{_V3}CreateProjectRequest", "google.longrunning.Operation"),
    "UpdateProject": (f"{_V3}UpdateProjectRequest", "google.longrunning.Operation"),
    "DeleteProject": (f"{_V3}DeleteProjectRequest", "google.longrunning.Operation"),
    "UndeleteProject": (f"{_V3}UndeleteProjectRequest", "google.longrunning.Operation"),
    "TestIamPermissions": ("google.iam.v1.TestIamPermissionsRequest", "google.iam.v1.TestIamPermissionsResponse"),
    "GetIamPolicy": ("google.iam.v1.GetIamPolicyRequest", "google.iam.v1.Policy"),
    "GetOperation": ("google.longrunning.GetOperationRequest", "google.longrunning.Operation"),
}


class _Api(App):
    """A REST API over JSON handlers, for proved callers only."""

    routes: Routes

    def __init__(self, identity: Identity, handlers: Handlers, pool: Executor | None = None) -> None:
        super().__init__(pool)
        self._identity, self._handlers = identity, handlers

    async def answer(self, request: Request) -> Answer:
        """Prove the caller, then find the method: a stranger learns nothing of which paths there are."""
        caller = await prove(self._identity, request.headers, request.replica, self._pool)
        name, rule, variables = self.routes.find(request)
        given = self.read(name, rule, variables, request)
        handler = self._handlers[name]
        answered = await asyncio.get_running_loop().run_in_executor(self._pool, handler, caller, given)
        return json_answer(answered)

    def read(self, name: str, rule: Rule, variables: dict[str, str], request: Request) -> Json:
        """Return the request as one JSON object: body, query and path, the later winning."""
        given = json_body(request) if rule.body else {}
        for key, value in request.query:
            if key in ("keyTypes", "keyTypes[]"):
                given.setdefault("keyTypes", [])
                given["keyTypes"] = [*given["keyTypes"], value]
            elif not is_system(key):
                given[key] = value
        return given | variables


class IamApp(_Api):
    """iam.googleapis.com."""

    routes = Routes(_IAM)


class CredentialsApp(_Api):
    """iamcredentials.googleapis.com."""

    routes = Routes(_CREDENTIALS)


class ResourceManagerApp(_Api):
    """cloudresourcemanager.googleapis.com over REST."""

    routes = Routes(_PROJECTS)

    def read(self, name: str, rule: Rule, variables: dict[str, str], request: Request) -> Json:
        """Return the request by its message class, which knows each field and its type."""
        cls = messages.message_class(_MESSAGES[name][0])
        return _object(read_request(cls, rule, variables, request.query, request.body))


def resource_manager_rpcs(identity: Identity, handlers: Handlers, pool: Executor | None = None) -> wire.RpcTable:
    """Return the gRPC rows of google.cloud.resourcemanager.v3.Projects."""
    return {
        f"{_V3}Projects.{name}": wire.Unary(_rpc(identity, handler, name, pool))
        for name, handler in handlers.items()
        if name != "GetOperation"
    }


async def prove(identity: Identity, headers: Mapping[str, str], replica: str, pool: Executor | None) -> Caller:
    """Return who calls: at once for a token seen before, in a thread for a new one; Unauthenticated otherwise."""
    known = identity.recall(headers, replica)
    if known is not None:
        return known
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(pool, identity.authenticate, headers, replica)


def _rpc(identity: Identity, handler: Handler, name: str, pool: Executor | None) -> wire.Handler:
    asked, answered = _MESSAGES[name]

    def act(caller: Caller, data: bytes) -> bytes:
        given = _object(messages.decode(messages.message_class(asked), data))
        return messages.encode(messages.from_dict(messages.message_class(answered), handler(caller, given)))

    async def handle(call: wire.RpcCall) -> bytes:
        caller = await prove(identity, call.headers, call.replica, pool)
        return await asyncio.get_running_loop().run_in_executor(pool, act, caller, call.message)

    return handle


def _object(message: Any) -> Json:
    """Return a request message as JSON. Masks are taken as they were spelled: their own JSON form is too strict."""
    mask = getattr(message, "update_mask", None)
    if mask is not None:
        message.update_mask = None
    found: Json = messages.to_dict(message)
    return found if mask is None else {**found, "updateMask": ",".join(mask.paths)}
