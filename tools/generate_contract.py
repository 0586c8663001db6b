"""Makes the tables of the contract (methods, resources, field rules) that src/trigpoint/core/contract.py reads.

The annotations are extensions, which the served classes leave out; so Google's annotation files are generated into a
scratch package here, and the descriptor set is read with them.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from protobuf import Message
from protobuf.wkt.google.protobuf.descriptor_pb import (
    DescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
)

ANNOTATIONS = (
    "google/api/annotations.proto",
    "google/api/client.proto",
    "google/api/field_behavior.proto",
    "google/api/http.proto",
    "google/api/launch_stage.proto",
    "google/api/resource.proto",
    "google/longrunning/operations.proto",
    "google/rpc/status.proto",
)
VERTEX = ("ui", "v1", "v1beta1")
"""The path prefixes under which Vertex answers its mixins; GAPIC clients over REST use `ui` (sdk-contract.md 2.2)."""
LOCATION = "projects/*/locations/*"
PARENTS = (LOCATION, LOCATION + "/*", *(LOCATION + "/*/*" * depth for depth in range(1, 5)))
"""What an operation can hang under: a location, a singleton in it (ragEngineConfig), a resource up to 4 levels deep."""
CODES = {2: "required", 3: "output_only", 5: "immutable"}
"""google.api.FieldBehavior, as far as a server acts on it."""


class Annotations:
    """The annotation extensions, from modules generated into `folder`."""

    def __init__(self, folder: Path) -> None:
        """Import what was generated from ANNOTATIONS into the package `folder`."""
        sys.path.insert(0, str(folder.parent))
        try:
            modules = [importlib.import_module(f"{folder.name}.{_dotted(path)}") for path in ANNOTATIONS]
        finally:
            sys.path.remove(str(folder.parent))
        self.http = _extension(modules, "ext_http")
        self.lro = _extension(modules, "ext_operation_info")
        self.behaviour = _extension(modules, "ext_field_behavior")
        self.resource = _extension(modules, "ext_resource")
        self.reference = _extension(modules, "ext_resource_reference")
        self.definitions = _extension(modules, "ext_resource_definition")


def tables(files: list[FileDescriptorProto], known: Annotations) -> dict[str, Any]:
    """Return the content of contract.json and fields.json by name."""
    named = {name for file in files for name, _ in _messages(file.package, file.message_type)}
    services = {
        f"{file.package}.{service.name}": [_method(file.package, method, known, named) for method in service.method]
        for file in files
        for service in file.service
    }
    for service, methods in _mixins().items():
        for method in services[service]:
            method[5] = methods.get(method[0], [])
    fields = {
        name: found
        for file in files
        for name, message in _messages(file.package, file.message_type)
        if (found := _field_rules(message, known))
    }
    return {"contract.json": {"services": services, "resources": _resources(files, known)}, "fields.json": fields}


def _dotted(path: str) -> str:
    return path.removesuffix(".proto").replace("/", ".") + "_pb"


def _extension(modules: list[ModuleType], name: str) -> Any:
    return next(getattr(module, name) for module in modules if hasattr(module, name))


def _read(options: Message | None, extension: Any) -> Any:
    """Return what the options say under an extension, or None."""
    return options[extension] if options is not None and extension in options else None


def _messages(prefix: str, messages: list[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        name = f"{prefix}.{message.name}"
        yield name, message
        yield from _messages(name, message.nested_type)


def _method(package: str, method: MethodDescriptorProto, known: Annotations, named: set[str]) -> list[Any]:
    """Return name, input, output, streaming (1 client, 2 server), [response, metadata] of the operation, bindings."""
    lro = _read(method.options, known.lro)
    rule = _read(method.options, known.http)
    return [
        method.name,
        method.input_type.removeprefix("."),
        method.output_type.removeprefix("."),
        int(method.client_streaming) + 2 * int(method.server_streaming),
        [_full(lro.response_type, package, named), _full(lro.metadata_type, package, named)] if lro else None,
        list(_bindings(rule)) if rule else [],
    ]


def _full(name: str, package: str, named: set[str]) -> str:
    """Return the full name of a type that an annotation gives relative to its package."""
    found = f"{package}.{name}" if f"{package}.{name}" in named else name
    if found not in named:
        raise SystemExit(f"no message {name} for an operation of {package}")
    return found


def _bindings(rule: Any) -> Iterator[list[str]]:
    if rule.pattern is not None:
        verb, template = rule.pattern.field, rule.pattern.value
        if rule.pattern.field == "custom":
            verb, template = template.kind, template.path
        yield [verb.upper(), template, rule.body, rule.response_body]
    for more in rule.additional_bindings:
        yield from _bindings(more)


def _mixins() -> dict[str, dict[str, list[list[str]]]]:
    """Return the REST bindings of the services that every API carries beside its own.

    Google's .proto files give them only their bare form; where each API serves them is in its service configuration,
    of which the client libraries show the result (sdk-contract.md section 2.2). `:wait` and `:cancel` take no body.
    """
    under = [(prefix, parent) for prefix in VERTEX for parent in PARENTS] + [("v2", LOCATION)]

    def each(verb: str, ending: str, body: str = "") -> list[list[str]]:
        return [[verb, f"/{prefix}/{{name={parent}{ending}", body, ""] for prefix, parent in under]

    def policy(action: str) -> list[list[str]]:
        return [["POST", f"/{prefix}/{{resource=projects/**}}:{action}", "*", ""] for prefix in (*VERTEX, "v2")]

    return {
        "google.longrunning.Operations": {
            "ListOperations": each("GET", "}/operations"),
            "GetOperation": [*each("GET", "/operations/*}"), ["GET", "/v3/{name=operations/**}", "", ""]],
            "DeleteOperation": each("DELETE", "/operations/*}"),
            "CancelOperation": each("POST", "/operations/*}:cancel"),
            "WaitOperation": each("POST", "/operations/*}:wait"),
        },
        "google.cloud.location.Locations": {
            "ListLocations": [
                ["GET", f"/{prefix}/{{name=projects/*}}/locations", "", ""] for prefix in (*VERTEX, "v2")
            ],
            "GetLocation": [["GET", f"/{prefix}/{{name={LOCATION}}}", "", ""] for prefix in (*VERTEX, "v2")],
        },
        "google.iam.v1.IAMPolicy": {
            "SetIamPolicy": policy("setIamPolicy"),
            "GetIamPolicy": policy("getIamPolicy"),
            "TestIamPermissions": policy("testIamPermissions"),
        },
    }


def _resources(files: list[FileDescriptorProto], known: Annotations) -> dict[str, list[str]]:
    """Return resource type -> name patterns, from messages and from definitions in file options."""
    found: dict[str, list[str]] = {}
    for file in files:
        told = [
            _read(message.options, known.resource) for _, message in _messages(file.package, file.message_type)
        ] + list(_read(file.options, known.definitions) or ())
        for resource in told:
            if resource is not None:
                patterns = found.setdefault(resource.type, [])
                patterns.extend(pattern for pattern in resource.pattern if pattern not in patterns)
    return dict(sorted(found.items()))


def _field_rules(message: DescriptorProto, known: Annotations) -> dict[str, list[str]]:
    """Return field -> its behaviours and, after `@`, the type of resource it names."""
    found: dict[str, list[str]] = {}
    for field in message.field:
        rules = [CODES[int(code)] for code in _read(field.options, known.behaviour) or () if int(code) in CODES]
        reference = _read(field.options, known.reference)
        if reference is not None:
            rules.append(f"@{reference.type or '<' + reference.child_type}")
        if rules:
            found[field.name] = rules
    return found
