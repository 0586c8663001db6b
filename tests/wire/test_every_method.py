"""REST equals gRPC and v1 equals v1beta1, for every method of the table: what the handler sees and what comes back."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from trigpoint.core import contract, messages
from trigpoint.core.messages.shapes import Field, shape
from trigpoint.core.pb.google.longrunning.operations_pb import Operation
from trigpoint.core.transcoding import Template
from trigpoint.surfaces.vertex import table

from .conftest import NUMBER, Build

ENTRIES = table.entries()
OWN = {full: entry for full, entry in ENTRIES.items() if full.startswith(table.PACKAGE)}
_WELL_KNOWN: dict[str, Any] = {
    "google.protobuf.Timestamp": "2026-01-02T03:04:05.678901Z",
    "google.protobuf.Duration": "3.5s",
    "google.protobuf.Struct": {"a": [1.5, None, {"b": "c"}]},
    "google.protobuf.Value": {"x": True},
    "google.protobuf.ListValue": [1.0, "y"],
    "google.protobuf.FieldMask": "displayName,labels",
    "google.protobuf.Empty": {},
    "google.protobuf.Any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"},
    "google.api.HttpBody": {"contentType": "text/plain", "data": "aGk="},
}
_SCALARS = {"TYPE_STRING": "text é", "TYPE_BOOL": True, "TYPE_BYTES": "aGk=", "TYPE_FLOAT": 0.5, "TYPE_DOUBLE": 0.25}
_WRAPPED = {"BoolValue": True, "StringValue": "s", "DoubleValue": 1.5, "FloatValue": 0.5, "BytesValue": "aGk="}


def sample(cls: type[messages.Message], depth: int = 3) -> dict[str, Any]:
    """Return ProtoJSON that fills every field of a class, the first member of each oneof, to some depth."""
    filled: dict[str, Any] = {}
    taken: set[str] = set()
    for member in shape(cls).fields:
        if member.oneof in taken:
            continue
        value = _value(member, depth)
        if value is not None:
            filled[member.json_name] = (
                {"key" if member.key == "TYPE_STRING" else "7": value} if member.mapped else value
            )
            if member.repeated and not member.mapped:
                filled[member.json_name] = [value, value]
            taken |= {member.oneof} - {""}
    return filled


def _value(member: Field, depth: int) -> Any:
    kind = member.kind.rpartition("/")[2]
    if kind in _WELL_KNOWN:
        return _WELL_KNOWN[kind]
    if kind.startswith("google.protobuf."):
        return _WRAPPED.get(kind.rpartition(".")[2], 7)
    if member.message is not None:
        return sample(member.message, depth - 1) if depth else None
    if member.enum is not None:
        return 1
    return _SCALARS.get(kind, 7)


def _address(template: Template, project: str) -> Iterator[tuple[str, str]]:
    concrete = ["x" if s == "*" else s for s in template.segments]
    for i, segment in enumerate(concrete[:-1]):
        if segment == "projects":
            concrete[i + 1] = project
        if segment == "locations":
            concrete[i + 1] = "us-central1"
    for name, start, stop in template.variables:
        yield name, "/".join(concrete[start:stop])


def _place(data: dict[str, Any], path: str, value: str) -> None:
    *outer, last = path.split(".")
    for part in outer:
        data = data.setdefault(_camel(part), {})
    data[_camel(last)] = value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _flat(cls: type[messages.Message], data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what fits into a query; the rest is dropped from `data` too."""
    for key in list(data):
        member, value = shape(cls).by_name[key], data[key]
        kind = member.kind.rpartition("/")[2]
        plain = member.message is None or kind in (
            "google.protobuf.FieldMask",
            "google.protobuf.Timestamp",
            "google.protobuf.Duration",
        )
        if member.mapped or (
            member.message is not None and not plain and (member.repeated or kind.startswith("google." + "protobuf."))
        ):
            del data[key]
        elif not plain:
            assert member.message is not None
            yield from _flat(member.message, value, f"{prefix}{key}.")
            if not value:
                del data[key]
        else:
            for one in value if isinstance(value, list) else [value]:
                yield f"{prefix}{key}", {True: "true", False: "false"}.get(one, one) if isinstance(one, bool) else one


def _binding(method: contract.Method) -> contract.Binding:
    return next((b for b in method.http if "projects" in b.template), method.http[0])


def _rest_form(full: str, project: str) -> tuple[str, str, bytes, list[tuple[str, Any]], dict[str, Any]]:
    """Return verb, path, body and query of a sample request, and the whole request as ProtoJSON."""
    method = contract.methods()[full]
    binding = _binding(method)
    template = Template.parse(binding.template)
    cls = messages.message_class(method.input)
    data = sample(cls)
    variables = dict(_address(template, project))
    for name, value in variables.items():
        _place(data, name, value)
    rest = json.loads(json.dumps(data))
    for name in variables:
        if "." not in name:
            rest.pop(_camel(name))
    body, query = b"", []
    if binding.body == "*":
        body = json.dumps(rest).encode()
    else:
        if binding.body:
            body = json.dumps(rest.pop(_camel(binding.body))).encode()
        held = {key: data[key] for key in list(rest)}
        for key in rest:
            data.pop(key)
        query = list(_flat(cls, held))
        data.update(held)
    concrete = list(template.segments)
    for name, start, stop in template.variables:
        concrete[start:stop] = variables[name].split("/")
    path = "/" + "/".join(concrete) + (f":{template.custom}" if template.custom else "")
    return binding.verb, path, body, query, data


def _response(output: str) -> messages.Message:
    if output == "google.longrunning.Operation":
        inner = messages.message_class("google.cloud.aiplatform.v1.Dataset")
        packed = messages.pack(inner(display_name="d"))
        return messages.from_dict(Operation, {"name": "o", "done": True, "response": messages.to_dict(packed)})
    cls = messages.message_class(output)
    return messages.from_dict(cls, sample(cls))


@pytest.mark.parametrize("service", sorted({full.rsplit(".", 1)[0] for full in OWN}))
async def test_both_transports(build: Build, service: str) -> None:
    seen: list[Any] = []

    def handler_of(output: str, streaming: bool) -> Any:
        def handler(call: Any, request: Any) -> Any:
            seen.append((call.project, call.location, call.version, call.method, messages.to_dict(request)))
            answer = _response(output)
            return iter([answer, answer]) if streaming else answer

        return handler

    mine = {full: entry for full, entry in OWN.items() if full.rsplit(".", 1)[0] == service}
    wire = build(
        {entry.name: handler_of(contract.methods()[entry.name].output, entry.streaming) for entry in mine.values()}
    )
    for full, entry in mine.items():
        verb, path, body, query, data = _rest_form(full, "my-project")
        answer = await wire.rest(verb, path, body, query)
        assert answer.status == 200, (full, verb, path, answer.body[:500])
        for name in [p for p in entry.routing if p in dict(_paths(full))]:
            _place(data, name, dict(_paths(full))[name])
        request = messages.from_dict(messages.message_class(entry.input), data)
        raw = messages.encode(request)
        told = [await wire.rpc(full, raw)] if not entry.streaming else await wire.rpc_stream(full, raw)
        by_rest, by_rpc = seen[-2:]
        assert by_rest == by_rpc, full
        assert by_rest[0] == (NUMBER if entry.routing else "")
        cls = messages.message_class(entry.output)
        decoded = [messages.to_dict(messages.decode(cls, part)) for part in told]
        assert (answer.json if entry.streaming else [answer.json]) == decoded, full
        if entry.output == "google.longrunning.Operation":
            assert decoded[0]["response"]["@type"].endswith(f".{entry.version}.Dataset")


def _paths(full: str) -> Iterator[tuple[str, str]]:
    binding = _binding(contract.methods()[full])
    yield from _address(Template.parse(binding.template), NUMBER)


def test_the_table_is_complete() -> None:
    v1 = {full for full in OWN if ".v1." in full}
    assert len(v1) > 330
    assert len(OWN) - len(v1) > 390
    ownerless = {entry.short for entry in OWN.values() if not entry.routing}
    assert ownerless == {"GetPublisherModel", "ListPublisherModels"}, "every other method is checked for its project"
    bodily = {entry.short for full, entry in ENTRIES.items() if full not in OWN and not entry.routing}
    assert bodily == {"ListLogEntries", "WriteLogEntries", "ListMonitoredResourceDescriptors"}, (
        "these name projects in their bodies: their handlers check them"
    )
