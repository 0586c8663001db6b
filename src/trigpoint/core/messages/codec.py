"""Messages to and from bytes and JSON; why a JSON text is refused is worked out by `refusals`.

Bad input raises InvalidArgument, whatever the library raises. A message that our own code filled with a wrong type
raises TypeError from the library: a fault of ours. JSON is ProtoJSON as Google's services write it: lowerCamelCase
names, fields at their default left out, 64-bit integers as strings, enums by name.
"""

import json
from collections.abc import Mapping
from typing import Any as Anything

from trigpoint.core.errors import InvalidArgument
from trigpoint.core.messages import refusals
from trigpoint.core.messages.types import REGISTRY, M, Message, full_name


def encode(message: Message) -> bytes:
    """Return the wire bytes, unknown fields kept."""
    return message.to_binary()


def decode(cls: type[M], data: bytes) -> M:
    """Return the message of these wire bytes; InvalidArgument when they are none. Unknown fields are kept."""
    try:
        return cls.from_binary(data)
    except (ValueError, TypeError, OverflowError, RecursionError, EOFError) as wrong:
        raise InvalidArgument(f"the bytes are not a {full_name(cls)}: {refusals.short(wrong)}") from wrong


def copy(message: M) -> M:
    """Return an independent deep copy."""
    return type(message).from_binary(message.to_binary())


def to_json(message: Message, *, enums_as_ints: bool = False) -> bytes:
    """Return compact ProtoJSON in UTF-8.

    InvalidArgument when a value has no JSON form: an unknown type in an Any, NaN in a Value, a time out of range.
    """
    try:
        return message.to_json(registry=REGISTRY, print_enums_as_ints=enums_as_ints).encode()
    except (ValueError, OverflowError, RecursionError) as wrong:
        return refusals.render_settled(message, wrong, enums_as_ints=enums_as_ints)


def from_json(cls: type[M], data: bytes | str, *, ignore_unknown: bool = False) -> M:
    """Return the message of a ProtoJSON text; InvalidArgument naming the field for every text that is none."""
    refusals.check_depth(data)
    try:
        message = cls.from_json(data, ignore_unknown_fields=ignore_unknown, registry=REGISTRY)
        if refusals.may_pass_enums(cls, data):
            encode(message)
    except (ValueError, TypeError, OverflowError, RecursionError) as wrong:
        raise refusals.explain(cls, data, wrong, ignore_unknown=ignore_unknown) from wrong
    refusals.check_oneofs(cls, data)
    return message


def to_dict(message: Message, *, enums_as_ints: bool = False) -> dict[str, Anything]:
    """Return what `to_json` writes, as Python values."""
    found: dict[str, Anything] = json.loads(to_json(message, enums_as_ints=enums_as_ints))
    return found


def from_dict(cls: type[M], data: Mapping[str, Anything], *, ignore_unknown: bool = False) -> M:
    """Return the message of ProtoJSON that is already parsed; InvalidArgument as for `from_json`."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError) as wrong:
        raise InvalidArgument(f"not JSON values for a {full_name(cls)}: {refusals.short(wrong)}") from wrong
    return from_json(cls, text, ignore_unknown=ignore_unknown)
