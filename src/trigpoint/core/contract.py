"""The API as data: methods, their HTTP bindings and operation types, resource name patterns, rules of fields.

Read from the tables that tools/generate.py makes of the descriptor set; no descriptor is parsed at start. Which
methods are built, and how a request is matched to one, is left to the surfaces.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources as files
from typing import Any, NamedTuple

VERTEX = "google.cloud.aiplatform."
MIXINS = ("google.longrunning.Operations", "google.cloud.location.Locations", "google.iam.v1.IAMPolicy")
"""Services that every API carries beside its own; their bindings hold the paths of all the APIs served."""


class Binding(NamedTuple):
    """One HTTP form of a method (google/api/http.proto)."""

    verb: str
    """GET, POST, PUT, PATCH or DELETE."""
    template: str
    """`/v1/{parent=projects/*/locations/*}/customJobs`."""
    body: str
    """The field that the body holds, `*` for the whole request, or empty. Google's front ends take what a body of
    `*` leaves out from the query (`:testIamPermissions` is sent so)."""
    response_body: str
    """The field of the response that is answered alone, or empty."""


class Method(NamedTuple):
    """One RPC."""

    full: str
    """`google.cloud.aiplatform.v1.JobService.CreateCustomJob`; on the wire `/SERVICE/NAME`."""
    service: str
    name: str
    input: str
    """Full name of the request message."""
    output: str
    client_streaming: bool
    server_streaming: bool
    http: tuple[Binding, ...]
    """Empty where only gRPC serves the method."""
    lro: tuple[str, str] | None
    """Full names of the operation's response and metadata messages, for methods that return an Operation."""

    @property
    def version(self) -> str:
        """The API version that the service belongs to: `v1`, `v1beta1`, ...; empty for the mixins."""
        found = self.service.split(".")[-2]
        return found if found[:1] == "v" and found[1:2].isdigit() and self.service not in MIXINS else ""


class Rules(NamedTuple):
    """What the API says of one field."""

    required: bool
    output_only: bool
    immutable: bool
    refers_to: str
    """Type of the resource it names (`aiplatform.googleapis.com/Dataset`, `*` for any), or empty."""
    parents: str
    """For a `parent` field: the type of the children that it is the parent of, or empty."""


_FREE = Rules(False, False, False, "", "")


@cache
def methods() -> Mapping[str, Method]:
    """Return every method of every API in the descriptor set, by full name."""
    services: dict[str, list[list[Any]]] = _tables()["services"]
    return {method.full: method for service, rows in services.items() for method in (_method(service, r) for r in rows)}


def _method(service: str, row: list[Any]) -> Method:
    name, request, response, streaming, lro, http = row
    return Method(
        full=f"{service}.{name}",
        service=service,
        name=name,
        input=request,
        output=response,
        client_streaming=bool(streaming & 1),
        server_streaming=bool(streaming & 2),
        http=tuple(Binding(*binding) for binding in http),
        lro=(lro[0], lro[1]) if lro else None,
    )


def twin(method: Method, version: str) -> Method | None:
    """Return the same Vertex method in another version, or None; methods of other APIs have no twin but themselves."""
    if not method.service.startswith(VERTEX) or method.version == version:
        return method
    return methods().get(method.full.replace(f"{VERTEX}{method.version}.", f"{VERTEX}{version}.", 1))


def resources() -> Mapping[str, tuple[str, ...]]:
    """Return resource type -> name patterns: `aiplatform.googleapis.com/Model` -> (`projects/{project}/...`,)."""
    return _resources()


@cache
def _resources() -> Mapping[str, tuple[str, ...]]:
    return {kind: tuple(patterns) for kind, patterns in _tables()["resources"].items()}


@cache
def rules(message: str) -> Mapping[str, Rules]:
    """Return the rules of a message's fields by field name; fields without any are left out."""
    return {field: _rules(said) for field, said in _fields().get(message, {}).items()}


def _rules(said: list[str]) -> Rules:
    reference = next((word[1:] for word in said if word[0] == "@"), "")
    return _FREE._replace(
        required="required" in said,
        output_only="output_only" in said,
        immutable="immutable" in said,
        refers_to="" if reference[:1] == "<" else reference,
        parents=reference[1:] if reference[:1] == "<" else "",
    )


@cache
def _tables() -> dict[str, Any]:
    return _read("contract.json")


@cache
def _fields() -> dict[str, dict[str, list[str]]]:
    return _read("fields.json")


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files.files("trigpoint.core.pb") / name).read_bytes())
    return found
