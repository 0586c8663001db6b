"""REST to messages and back by the HTTP rules of the method table (google.api.http); opens no socket, calls no handler.

`Router` finds the method of a verb and path in a few microseconds; `read_request` makes its message from path, query
and body. What the API's own clients send is in sdk-contract.md section 2.2.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from urllib.parse import unquote

from trigpoint.core import messages, sentences
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.messages.shapes import Field, shape

T = TypeVar("T")
M = TypeVar("M", bound=messages.Message)

_TRUTH = {"true": True, "false": False, "True": True, "False": False, "1": True, "0": False}
_UPPER = re.compile("[A-Z]")
_NUMBER = re.compile(r"-?\d{1,10}", re.ASCII)
_MASK = "google.protobuf.FieldMask"
_NUMBERS = ("Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "FloatValue", "DoubleValue")
_TEXTUAL = frozenset(
    f"google.protobuf.{name}" for name in ("Timestamp", "Duration", "StringValue", "BytesValue", *_NUMBERS)
)
_SYSTEM = frozenset(
    {"access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "uploadType"}
    | {"upload_protocol", "userIp"}
)
"""Query parameters that belong to Google's front ends and to no method; so does every name that starts with `$`."""


class Rule(Protocol):
    """What is needed of an HTTP binding: `contract.Binding`."""

    @property
    def verb(self) -> str:
        """GET, POST, ..."""
        ...

    @property
    def template(self) -> str:
        """Path template: `/v1/{name=projects/*/locations/*/customJobs/*}:cancel`."""
        ...

    @property
    def body(self) -> str:
        """`*`, a field, or empty."""
        ...


@dataclass(frozen=True, slots=True)
class Template:
    """A path template taken apart."""

    segments: tuple[str, ...]
    """Literals, `*`, and `**` at the end only."""
    custom: str
    """The verb after the last colon: `cancel`."""
    variables: tuple[tuple[str, int, int | None], ...]
    """Field path, and the slice of segments that it takes (None: to the end)."""

    @classmethod
    def parse(cls, text: str) -> "Template":
        """Take a template of google.api.http apart."""
        segments: list[str] = []
        variables: list[tuple[str, int, int | None]] = []
        path, colon, custom = text.rpartition(":") if ":" in text.rpartition("}")[2] else (text, "", "")
        for piece in _pieces(path):
            if not piece.startswith("{"):
                segments.append(piece)
                continue
            name, _, inner = piece[1:-1].partition("=")
            start = len(segments)
            segments += (inner or "*").split("/")
            variables.append((name, start, None if segments[-1] == "**" else len(segments)))
        return cls(tuple(segments), custom if colon else "", tuple(variables))


@dataclass(frozen=True, slots=True)
class Route(Generic[T]):
    """A binding and what it leads to."""

    target: T
    rule: Rule
    template: Template


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, "_Node[T]"] = field(default_factory=dict)
    star: "_Node[T] | None" = None
    ends: dict[tuple[str, str], Route[T]] = field(default_factory=dict)
    rests: dict[tuple[str, str], Route[T]] = field(default_factory=dict)


class Router(Generic[T]):
    """Finds routes by path. Filled once, then thread-safe. Literals win over `*`, earlier bindings over later."""

    def __init__(self, entries: Iterable[tuple[Rule, T]]) -> None:
        self._root: _Node[T] = _Node()
        for rule, target in entries:
            self._add(Route(target, rule, Template.parse(rule.template)))

    def find(self, verb: str, raw_path: str) -> tuple[Route[T], dict[str, str]] | None:
        """Return the route and the values of its path variables by field path, or None.

        `raw_path` is still percent-encoded. A verb is split off the last segment only: inner ones may hold a colon.
        """
        segments = raw_path.split("/")[1:]
        if not segments:
            return None
        stem, colon, custom = segments[-1].rpartition(":")
        if colon:
            shorter = [*segments[:-1], stem]
            route = _walk(self._root, shorter, 0, (verb, custom))
            if route is not None:
                return route, _values(route.template, shorter)
        route = _walk(self._root, segments, 0, (verb, ""))
        return None if route is None else (route, _values(route.template, segments))

    def _add(self, route: Route[T]) -> None:
        node, key = self._root, (route.rule.verb, route.template.custom)
        for segment in route.template.segments:
            if segment == "**":
                node.rests.setdefault(key, route)
                return
            if segment == "*":
                node.star = node.star or _Node()
                node = node.star
            else:
                node = node.literals.setdefault(segment, _Node())
        node.ends.setdefault(key, route)


def _walk(node: _Node[T], segments: Sequence[str], at: int, key: tuple[str, str]) -> Route[T] | None:
    if at == len(segments):
        return node.ends.get(key)
    segment = segments[at]
    literal = node.literals.get(segment)
    if literal is not None:
        found = _walk(literal, segments, at + 1, key)
        if found is not None:
            return found
    if node.star is not None and segment:
        found = _walk(node.star, segments, at + 1, key)
        if found is not None:
            return found
    return node.rests.get(key)


def _values(template: Template, segments: Sequence[str]) -> dict[str, str]:
    return {name: "/".join(map(_decoded, segments[start:stop])) for name, start, stop in template.variables}


def _decoded(segment: str) -> str:
    """Decode one segment; one that would grow a slash stays as it is, and names nothing."""
    if "%" not in segment:
        return segment
    plain = unquote(segment)
    return segment if "/" in plain else plain


def _pieces(path: str) -> Iterator[str]:
    """Split a template at the slashes outside of braces."""
    depth, piece = 0, ""
    for letter in path.removeprefix("/"):
        depth += (letter == "{") - (letter == "}")
        if letter == "/" and depth == 0:
            yield piece
            piece = ""
        else:
            piece += letter
    yield piece


def read_request(
    cls: type[M], rule: Rule, variables: dict[str, str], query: Sequence[tuple[str, str]], body: bytes
) -> M:
    """Return the request message; InvalidArgument names the field or parameter that is wrong.

    The path wins over the body. Query parameters are accepted beside any body, because clients send
    `:testIamPermissions` with an empty one and the permissions in the query.
    """
    message = _from_body(cls, rule.body, body)
    _apply_query(message, query)
    for path, value in variables.items():
        _assign(message, path, value)
    return message


def is_system(name: str) -> bool:
    """Return whether a query parameter is for the front end and not for the method."""
    return name in _SYSTEM or name.startswith("$")


def _from_body(cls: type[M], where: str, body: bytes) -> M:
    blank = not body.strip()
    if where == "*":
        return cls() if blank else messages.from_json(cls, body)
    message = cls()
    if blank:
        return message
    if not where:
        messages.from_json(messages.message_class("google.protobuf.Empty"), body)
        return message
    target = shape(cls).by_name[where]
    if target.repeated or target.message is None:
        return messages.from_json(cls, b'{"' + target.json_name.encode() + b'":' + body + b"}")
    target.write(message, messages.from_json(target.message, body))
    return message


def _apply_query(message: messages.Message, query: Sequence[tuple[str, str]]) -> None:
    """Set the fields that query parameters name."""
    tree: dict[str, object] = {}
    masks: dict[str, list[str]] = {}
    for name, text in query:
        if is_system(name):
            continue
        fields = _resolve(type(message), name)
        if fields[-1].message is not None and _type_of(fields[-1]) == _MASK:
            masks.setdefault(name, []).extend(_snake(path.strip()) for path in text.split(",") if path.strip())
            continue
        node = tree
        for outer in fields[:-1]:
            node = node.setdefault(outer.json_name, {})  # type: ignore[assignment]
            if not isinstance(node, dict):
                raise _unbindable(name, sentences.GIVEN_WHOLE)
        value = _value(fields[-1], name, text)
        if fields[-1].repeated:
            node.setdefault(fields[-1].json_name, []).append(value)  # type: ignore[attr-defined]
        else:
            node[fields[-1].json_name] = value
    if tree:
        parsed = messages.from_dict(type(message), tree)
        for key in tree:
            named = shape(type(message)).by_name[key]
            named.write(message, named.read(parsed))
    for path, paths in masks.items():
        _assign(message, path, messages.message_class(_MASK)(paths=paths))


def _snake(path: str) -> str:
    """Return a mask's path as ProtoJSON reads it: clients write either spelling, gRPC has the snake_case one."""
    return _UPPER.sub(lambda found: "_" + found[0].lower(), path)


def _resolve(cls: type[messages.Message], name: str) -> list[Field]:
    """Return the fields along a dotted parameter name, in either spelling."""
    found: list[Field] = []
    current: type[messages.Message] | None = cls
    for part in name.split("."):
        known = shape(current).by_name.get(part) if current is not None else None
        if known is None or (found and (found[-1].repeated or found[-1].mapped)):
            raise _unbindable(name, sentences.NO_PARAMETER.format(name=repr(part[:80])))
        found.append(known)
        current = known.message
    return found


def _value(target: Field, name: str, text: str) -> object:
    """Return a parameter's text as the JSON value of a field."""
    if target.mapped:
        raise _unbindable(name, sentences.NO_MAP_HERE)
    if target.message is not None:
        kind = _type_of(target)
        if kind == "google.protobuf.BoolValue":
            return _truth(name, text)
        if kind not in _TEXTUAL:
            raise _unbindable(name, sentences.NO_MESSAGE_HERE)
        return text
    if target.enum is not None:
        return int(text) if _NUMBER.fullmatch(text) else text
    return _truth(name, text) if target.kind == "TYPE_BOOL" else text


def _truth(name: str, text: str) -> bool:
    if text not in _TRUTH:
        raise InvalidArgument(violations=[Violation(name[:80], sentences.NO_TRUTH.format(value=repr(text[:80])))])
    return _TRUTH[text]


def _assign(message: messages.Message, path: str, value: object) -> None:
    """Set a field by its dotted path, making the messages on the way."""
    *outer, last = path.split(".")
    for part in outer:
        step = shape(type(message)).by_name[part]
        inner = step.read(message)
        if inner is None:
            assert step.message is not None
            inner = step.message()
            step.write(message, inner)
        message = inner
    shape(type(message)).by_name[last].write(message, value)


def _type_of(target: Field) -> str:
    return target.kind.rpartition("/")[2]


def _unbindable(name: str, why: str) -> InvalidArgument:
    shown = name[:80]
    return InvalidArgument(
        sentences.UNBINDABLE.format(name=shown, problem=why),
        violations=[Violation(shown, why)],
    )
