"""The methods that the surface answers, from the method table: both versions led to v1 handlers, with the mixins."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trigpoint.core import contract
from trigpoint.core.transcoding import Router, Rule, Template
from trigpoint.surfaces.vertex.parts import Entry

VERSIONS = ("v1", "v1beta1")
PACKAGE = "google.cloud.aiplatform."
SERVED = (PACKAGE, "google.logging.v2.LoggingServiceV2.")
"""Methods that this surface answers; Cloud Logging has one version and needs nothing of its own."""
_PARENTS = ("projects/*/locations/*", *(f"projects/*/locations/*{'/*/*' * depth}" for depth in range(1, 5)))
"""Names of resources of any depth: operations and policies hang on each of them."""


@dataclass(frozen=True)
class MixinRule:
    """An HTTP rule of a mixin, which the descriptor set gives other services only (sdk-contract.md section 2.2)."""

    verb: str
    template: str
    body: str = ""


@dataclass(frozen=True)
class Mixin:
    """A method that every Google service answers besides its own."""

    name: str
    input: str
    output: str
    routing: str
    rules: tuple[tuple[str, str, str], ...]
    """HTTP verb, template without version (`PARENT` is any resource name), body."""


_OPERATIONS, _LONGRUNNING = "google.longrunning.Operations", "google.longrunning"
_LOCATIONS, _LOCATION = "google.cloud.location.Locations", "google.cloud.location"
_POLICIES, _IAM = "google.iam.v1.IAMPolicy", "google.iam.v1"
_EMPTY = "google.protobuf.Empty"
_OPERATION = f"{_LONGRUNNING}.Operation"
MIXINS = (
    Mixin(
        f"{_OPERATIONS}.GetOperation",
        f"{_LONGRUNNING}.GetOperationRequest",
        _OPERATION,
        "name",
        (("GET", "{name=PARENT/operations/*}", ""),),
    ),
    Mixin(
        f"{_OPERATIONS}.ListOperations",
        f"{_LONGRUNNING}.ListOperationsRequest",
        f"{_LONGRUNNING}.ListOperationsResponse",
        "name",
        (("GET", "{name=PARENT}/operations", ""),),
    ),
    Mixin(
        f"{_OPERATIONS}.DeleteOperation",
        f"{_LONGRUNNING}.DeleteOperationRequest",
        _EMPTY,
        "name",
        (("DELETE", "{name=PARENT/operations/*}", ""),),
    ),
    Mixin(
        f"{_OPERATIONS}.CancelOperation",
        f"{_LONGRUNNING}.CancelOperationRequest",
        _EMPTY,
        "name",
        (("POST", "{name=PARENT/operations/*}:cancel", "*"),),
    ),
    Mixin(
        f"{_OPERATIONS}.WaitOperation",
        f"{_LONGRUNNING}.WaitOperationRequest",
        _OPERATION,
        "name",
        (("POST", "{name=PARENT/operations/*}:wait", "*"),),
    ),
    Mixin(
        f"{_LOCATIONS}.ListLocations",
        f"{_LOCATION}.ListLocationsRequest",
        f"{_LOCATION}.ListLocationsResponse",
        "name",
        (("GET", "{name=projects/*}/locations", ""),),
    ),
    Mixin(
        f"{_LOCATIONS}.GetLocation",
        f"{_LOCATION}.GetLocationRequest",
        f"{_LOCATION}.Location",
        "name",
        (("GET", "{name=projects/*/locations/*}", ""),),
    ),
    Mixin(
        f"{_POLICIES}.GetIamPolicy",
        f"{_IAM}.GetIamPolicyRequest",
        f"{_IAM}.Policy",
        "resource",
        (("GET", "{resource=PARENT}:getIamPolicy", ""), ("POST", "{resource=PARENT}:getIamPolicy", "*")),
    ),
    Mixin(
        f"{_POLICIES}.SetIamPolicy",
        f"{_IAM}.SetIamPolicyRequest",
        f"{_IAM}.Policy",
        "resource",
        (("POST", "{resource=PARENT}:setIamPolicy", "*"),),
    ),
    Mixin(
        f"{_POLICIES}.TestIamPermissions",
        f"{_IAM}.TestIamPermissionsRequest",
        f"{_IAM}.TestIamPermissionsResponse",
        "resource",
        (("POST", "{resource=PARENT}:testIamPermissions", "*"),),
    ),
)
_VERBS = ("Create", "Get", "List", "Update", "Delete", "Cancel")


def entries() -> dict[str, Entry]:
    """Return all methods by the full name they have on the wire (`google.cloud.aiplatform.v1beta1....`).

    Those that take a stream are left out: REST has none of them, and gRPC answers UNIMPLEMENTED.
    """
    found = {
        full: _entry(full, method)
        for full, method in contract.methods().items()
        if full.startswith(SERVED) and not method.client_streaming
    }
    found.update((mixin.name, _mixin(mixin, "v1")) for mixin in MIXINS)
    return found


def router(known: Mapping[str, Entry]) -> Router[Entry]:
    """Return the router of all paths under `/v1` and `/v1beta1`; callers rewrite `/ui` to `/v1`."""
    return Router(_bindings(known))


def _bindings(known: Mapping[str, Entry]) -> Iterator[tuple[Rule, Entry]]:
    for full, method in contract.methods().items():
        if full in known and full.startswith(SERVED):
            yield from ((binding, known[full]) for binding in method.http)
    for version in VERSIONS:
        for mixin in MIXINS:
            entry = _mixin(mixin, version)
            yield from ((rule, entry) for rule in _mixin_rules(mixin, version))


def _mixin(mixin: Mixin, version: str) -> Entry:
    routing, permission = (mixin.routing,), _permission(mixin.name, "")
    return Entry(mixin.name, version, mixin.input, mixin.output, mixin.input, routing, permission=permission)


def _mixin_rules(mixin: Mixin, version: str) -> Iterator[MixinRule]:
    for verb, template, body in mixin.rules:
        if "PARENT" not in template:
            yield MixinRule(verb, f"/{version}/{template}", body)
            continue
        for parent in _PARENTS:
            yield MixinRule(verb, f"/{version}/{template.replace('PARENT', parent)}", body)


def _entry(full: str, method: contract.Method) -> Entry:
    version = full.removeprefix(PACKAGE).partition(".")[0] if full.startswith(PACKAGE) else "v1"
    templates = [Template.parse(binding.template) for binding in method.http]
    owned = [template for template in templates if "projects" in template.segments]
    routing = tuple(dict.fromkeys(name for template in owned for name, _, _ in template.variables))
    twin = full.replace(f"{PACKAGE}{version}.", f"{PACKAGE}v1.", 1)
    built_as = contract.methods().get(twin, method)
    return Entry(
        built_as.full,
        version,
        method.input,
        method.output,
        built_as.input,
        routing,
        method.server_streaming,
        _permission(full, _collection(templates)),
    )


def _collection(templates: Iterable[Template]) -> str:
    """Return the last collection that a method's path names: `customJobs`."""
    for template in templates:
        literals = [segment for segment in template.segments[1:] if segment != "*"]
        if literals:
            return literals[-1]
    return ""


def _permission(name: str, collection: str) -> str:
    """Return the IAM permission of a method in Google's spelling, as far as it follows from the names."""
    short = name.rpartition(".")[2]
    verb = next((v for v in _VERBS if short.startswith(v)), short)
    if not collection:
        collection = re.sub(r"^(Get|List|Set|Test|Delete|Cancel|Wait)", "", short)
        collection = collection[:1].lower() + collection[1:]
    return f"aiplatform.{collection}.{verb[:1].lower()}{verb[1:]}"
