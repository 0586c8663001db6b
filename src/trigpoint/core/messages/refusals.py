"""Why a JSON text or a value is refused: finds the field to name, in the words Google's services use.

It also guards the library: what it would accept and Google's would not (two members of one oneof), what it cannot
bear (deep nesting exhausts its stack when it reports a wrong type), and what Google's writes and it would not (a
Value that holds nothing, written as null).
"""

import json
import math
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any as Anything

from protobuf import Message
from protobuf.wkt import Any, Value

from trigpoint.core import sentences
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.messages.shapes import Field, per_class, reachable, shape, walk
from trigpoint.core.messages.types import REGISTRY, find, full_name
from trigpoint.core.messages.values import value

DEEPEST = 100
"""Levels of JSON lists and objects that a request may nest, as on Google's front ends."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string, closed or not: possessive, so that no text takes more than one pass."""
_STEPS = [1 if code in b"[{" else -1 for code in range(256)]
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LARGE = re.compile(r"(?<![\d.])\d{10}", re.ASCII)
_LARGE_BYTES = re.compile(_LARGE.pattern.encode())
_SHOWN = 100
_REFUSED = (ValueError, TypeError, OverflowError, RecursionError)


def short(wrong: Exception) -> str:
    """Return an error's text, never long: it may hold the caller's whole input."""
    text = str(wrong)
    return text if len(text) <= 2 * _SHOWN else text[: 2 * _SHOWN] + "..."


def check_depth(data: bytes | str, deepest: int = DEEPEST) -> None:
    """Refuse a text that nests deeper than so many levels. Cheap where there are few brackets."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if raw.count(b"[") + raw.count(b"{") <= deepest:
        return
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > deepest:
        _parsed(data)
        raise _too_deep(deepest)


def may_pass_enums(cls: type[Message], data: bytes | str) -> bool:
    """Return whether the text may hold a number past the range of an enum: the library takes it, and can't write it."""
    if not _has_enums(cls):
        return False
    return (_LARGE.search(data) if isinstance(data, str) else _LARGE_BYTES.search(data)) is not None


@per_class
def _has_enums(cls: type[Message]) -> bool:
    """Return whether a message of this class can hold an enum, or an Any with who knows what."""
    return any(
        other is Any or (not _has_own_json(other) and any(field.enum for field in shape(other).fields))
        for other in reachable(cls)
    )


def _too_deep(deepest: int = DEEPEST) -> InvalidArgument:
    return InvalidArgument(sentences.DEEP_JSON.format(deepest=deepest))


def _parsed(data: bytes | str) -> Anything:
    """Return the parsed text; InvalidArgument saying where it is no JSON."""
    try:
        text = data if isinstance(data, str) else data.decode()
        return json.loads(text, parse_constant=_no_constant)
    except UnicodeDecodeError as wrong:
        raise InvalidArgument(sentences.NO_UTF8.format(at=wrong.start)) from wrong
    except RecursionError as wrong:
        raise _too_deep() from wrong
    except ValueError as wrong:
        raise InvalidArgument(sentences.BAD_JSON.format(problem=short(wrong))) from wrong


def _no_constant(name: str) -> float:
    raise ValueError(sentences.NO_CONSTANT.format(name=name))


def explain(
    cls: type[Message], data: bytes | str, wrong: Exception, *, ignore_unknown: bool = False
) -> InvalidArgument:
    """Return the refusal of a text that the library refused, naming the field when one is to blame."""
    try:
        parsed = _parsed(data)
    except InvalidArgument as refusal:
        return refusal
    found = _fault(cls, parsed, "", ignore_unknown)
    if found is None:
        return InvalidArgument(sentences.BAD_JSON.format(problem=short(wrong)))
    return InvalidArgument(found.description, violations=[found] if found.field else [])


def _fault(cls: type[Message], data: Anything, path: str, ignore_unknown: bool) -> Violation | None:
    """Return the first bad field of a message, searching inwards for the smallest part that is refused."""
    if not isinstance(data, dict) or _has_own_json(cls):
        return _invalid(path, f"type.googleapis.com/{full_name(cls)}", data)
    by_name = shape(cls).by_name
    for key, item in data.items():
        field = by_name.get(key)
        if field is not None and not _accepted(cls, {key: item}, ignore_unknown):
            return _fault_in(cls, field, item, f"{path}.{field.name}" if path else field.name, ignore_unknown)
        if field is None and not ignore_unknown:
            if path:
                return Violation(path, sentences.UNKNOWN_NAME_AT.format(name=key[:_SHOWN], path=path))
            return Violation(key[:_SHOWN], sentences.UNKNOWN_NAME.format(name=key[:_SHOWN]))
    return None


def _fault_in(cls: type[Message], field: Field, data: Anything, path: str, ignore_unknown: bool) -> Violation:
    """Return what is wrong with a field whose value is refused."""
    for where, item, alone in _parts(field, data, path):
        if not _accepted(cls, {field.json_name: alone}, ignore_unknown):
            inner = None
            if field.message is not None and item is not None:
                inner = _fault(field.message, item, where, ignore_unknown)
            return inner or _invalid(where, field.kind, item)
    return _invalid(path, field.kind, data)


def _parts(field: Field, data: Anything, path: str) -> Iterator[tuple[str, Anything, Anything]]:
    """Yield path, value, and the field holding nothing else, of each element."""
    if field.repeated and isinstance(data, list):
        yield from ((f"{path}[{index}]", item, [item]) for index, item in enumerate(data))
    elif field.mapped and isinstance(data, dict):
        yield from ((f'{path}["{key[:_SHOWN]}"]', item, {key: item}) for key, item in data.items())
    elif not field.repeated and not field.mapped:
        yield path, data, data


def _accepted(cls: type[Message], data: Anything, ignore_unknown: bool) -> bool:
    try:
        cls.from_json(json.dumps(data), ignore_unknown_fields=ignore_unknown, registry=REGISTRY).to_binary()
    except _REFUSED:
        return False
    return True


def _invalid(path: str, kind: str, data: Anything) -> Violation:
    shown = json.dumps(data, ensure_ascii=False)
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
    if path:
        return Violation(path, sentences.BAD_VALUE.format(path=path, kind=kind, value=shown))
    return Violation(path, sentences.BAD_MESSAGE.format(kind=kind, value=shown))


def _has_own_json(cls: type[Message]) -> bool:
    """Return whether the class is one of Google's well-known types, whose JSON is not that of their fields."""
    return full_name(cls).startswith("google.protobuf.")


def check_oneofs(cls: type[Message], data: bytes | str) -> None:
    """Refuse two members of one oneof in an accepted text: the library would silently keep the last."""
    if _needs_check(cls):
        _check_oneofs(cls, json.loads(data), "")


def _check_oneofs(cls: type[Message], data: Anything, path: str) -> None:
    if cls is Any:
        inner = find(str(data.get("@type", "")).rpartition("/")[2])
        data = {key: item for key, item in data.items() if key != "@type"}
        return _check_oneofs(inner, data, path) if inner is not None and not _has_own_json(inner) else None
    by_name = shape(cls).by_name
    taken: dict[str, str] = {}
    for key, item in data.items():
        field = by_name.get(key)
        if field is None or item is None:
            continue
        where = f"{path}.{field.name}" if path else field.name
        if field.oneof and taken.setdefault(field.oneof, key) != key:
            told = {"path": path or field.name, "oneof": field.oneof}
            violation = Violation(where, sentences.ALREADY_SET.format(**told))
            raise InvalidArgument(sentences.CANNOT_SET.format(**told, field=field.name), violations=[violation])
        if field.message is not None and _needs_check(field.message):
            for inner_path, inner, _ in _parts(field, item, where):
                _check_oneofs(field.message, inner, inner_path)
    return None


@per_class
def _needs_check(cls: type[Message]) -> bool:
    """Return whether a message of this class can hold a oneof, or an Any with who knows what."""
    return cls is Any or any(
        other is Any or (not _has_own_json(other) and any(field.oneof for field in shape(other).fields))
        for other in reachable(cls)
    )


def render_settled(message: Message, wrong: Exception, *, enums_as_ints: bool) -> bytes:
    """Return the JSON of a message that the library refused to write, with each empty Value as null.

    InvalidArgument naming the field when that was not the reason.
    """
    settled = type(message).from_binary(message.to_binary())
    for path, inner in walk(settled):
        if isinstance(inner, Value):
            _settle(inner, path)
    try:
        return settled.to_json(registry=REGISTRY, print_enums_as_ints=enums_as_ints).encode()
    except _REFUSED:
        raise InvalidArgument(
            sentences.NO_JSON_FORM.format(message=full_name(message), problem=short(wrong))
        ) from wrong


def _settle(held: Value, path: str) -> None:
    if held.kind is None:
        held.kind = value(None).kind
    elif held.kind.field == "number_value" and not math.isfinite(held.kind.value):
        text = sentences.NO_SUCH_NUMBER.format(path=path, value=held.kind.value)
        raise InvalidArgument(text, violations=[Violation(path, text)])
