"""Google's own protobuf library as the judge of the codec: random messages of any class, and their JSON by it."""

import gzip
import importlib
import math
import random
from functools import cache
from importlib import resources
from typing import Any

NAMES = ("google.cloud.aiplatform.v1.", "google.cloud.aiplatform.v1beta1.")
_TEXTS = ("", "a", "é\u4e2d\U0001f600", '"\\/\n\t\x7f\u2028', "projects/1/locations/l", "0", "null", "x" * 300)
_INTEGERS = (0, 1, -1, 127, 128, 2**31 - 1, -(2**31), 2**32 - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1)
_FLOATS = (0.0, -0.0, 1.0, 0.1, -1e-7, 1e20, 3.4e38, 1e300, math.nan, math.inf, -math.inf, 5e-324)
_PATHS = ("a", "display_name", "a.b_c", "x1.y2")

json_format = importlib.import_module("google.protobuf.json_format")


@cache
def pool() -> Any:
    """Return a private pool with everything in the descriptor set."""
    descriptors = importlib.import_module("google.protobuf.descriptor_pb2")
    found = importlib.import_module("google.protobuf.descriptor_pool").DescriptorPool()
    packed = (resources.files("trigpoint.core") / "descriptors/api.binpb.gz").read_bytes()
    for file in descriptors.FileDescriptorSet.FromString(gzip.decompress(packed)).file:
        found.Add(file)
    return found


def message_class(name: str) -> Any:
    """Return Google's class of a full name."""
    factory = importlib.import_module("google.protobuf.message_factory")
    return factory.GetMessageClass(pool().FindMessageTypeByName(name))


def parse_json(text: str | bytes, name: str) -> Any:
    """Return Google's message of a JSON text; its ParseError (or worse) when it refuses."""
    return json_format.Parse(text, message_class(name)(), descriptor_pool=pool())


def to_dict(message: Any, *, enums_as_ints: bool = False) -> dict[str, Any]:
    """Return the message's JSON as Google's library gives it."""
    found: dict[str, Any] = json_format.MessageToDict(
        message, descriptor_pool=pool(), use_integers_for_enums=enums_as_ints
    )
    return found


def random_message(name: str, seed: int) -> Any:
    """Return a message of a class, filled at random with values at the edges of their types."""
    message = message_class(name)()
    _fill(message, random.Random(f"{name} {seed}"), 0)
    return message


def _fill(message: Any, dice: random.Random, depth: int) -> None:
    if message.DESCRIPTOR.full_name in _SPECIAL:
        _SPECIAL[message.DESCRIPTOR.full_name](message, dice, depth)
        return
    for field in message.DESCRIPTOR.fields:
        if dice.random() < (0.7 if depth < 2 else 0.3):
            _fill_field(message, field, dice, depth)


def _fill_field(message: Any, field: Any, dice: random.Random, depth: int) -> None:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        entries = getattr(message, field.name)
        for _ in range(dice.randrange(3)):
            key = _scalar(kind.fields_by_name["key"], dice)
            if kind.fields_by_name["value"].message_type is not None:
                _fill_inner(entries[key], dice, depth)
            else:
                entries[key] = _scalar(kind.fields_by_name["value"], dice)
    elif kind is not None and field.is_repeated:
        for _ in range(dice.randrange(3)):
            _fill_inner(getattr(message, field.name).add(), dice, depth)
    elif kind is not None:
        getattr(message, field.name).SetInParent()
        _fill_inner(getattr(message, field.name), dice, depth)
    elif field.is_repeated:
        getattr(message, field.name).extend(_scalar(field, dice) for _ in range(dice.randrange(3)))
    else:
        setattr(message, field.name, _scalar(field, dice))


def _fill_inner(message: Any, dice: random.Random, depth: int) -> None:
    """Fill a message inside another; what must hold something is filled at any depth."""
    if depth < 4 or message.DESCRIPTOR.full_name in _SPECIAL:
        _fill(message, dice, depth + 1)


def _scalar(field: Any, dice: random.Random) -> Any:
    kind = field.cpp_type
    if kind == field.CPPTYPE_STRING:
        return (
            dice.choice(_TEXTS).encode() * dice.randrange(3) if field.type == field.TYPE_BYTES else dice.choice(_TEXTS)
        )
    if kind == field.CPPTYPE_BOOL:
        return dice.random() < 0.5
    if kind == field.CPPTYPE_ENUM:
        unknown = [] if field.enum_type.full_name == "google.protobuf.NullValue" else [987_654]
        return dice.choice([value.number for value in field.enum_type.values] + unknown)
    if kind == field.CPPTYPE_FLOAT:
        return dice.choice([number for number in _FLOATS if not math.isfinite(number) or abs(number) <= 3.4e38])
    if kind == field.CPPTYPE_DOUBLE:
        return dice.choice(_FLOATS)
    low, high = _RANGES[kind - field.CPPTYPE_INT32]
    return dice.choice([number for number in _INTEGERS if low <= number <= high])


_RANGES = ((-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1), (0, 2**32 - 1), (0, 2**64 - 1))
"""Of CPPTYPE_INT32, INT64, UINT32, UINT64, in the order of their numbers."""


def _fill_any(message: Any, dice: random.Random, depth: int) -> None:
    names = ("google.protobuf.Empty", "google.protobuf.Struct", "google.protobuf.Duration", "google.rpc.ErrorInfo")
    inner = message_class(dice.choice((*names, NAMES[0] + "CustomJob", NAMES[1] + "Dataset")))()
    if depth < 3:
        _fill(inner, dice, depth + 1)
    message.Pack(inner)


def _fill_value(message: Any, dice: random.Random, depth: int) -> None:
    match dice.randrange(6 if depth < 4 else 4):
        case 0:
            message.null_value = 0
        case 1:
            message.number_value = dice.choice([number for number in _FLOATS if math.isfinite(number)])
        case 2:
            message.string_value = dice.choice(_TEXTS)
        case 3:
            message.bool_value = dice.random() < 0.5
        case 4:
            message.list_value.SetInParent()
            _fill_list(message.list_value, dice, depth + 1)
        case _:
            message.struct_value.SetInParent()
            _fill_struct(message.struct_value, dice, depth + 1)


def _fill_list(message: Any, dice: random.Random, depth: int) -> None:
    for _ in range(dice.randrange(3)):
        _fill_value(message.values.add(), dice, depth)


def _fill_struct(message: Any, dice: random.Random, depth: int) -> None:
    for _ in range(dice.randrange(3)):
        _fill_value(message.fields[dice.choice(_TEXTS)], dice, depth)


def _fill_timestamp(message: Any, dice: random.Random, _depth: int) -> None:
    message.seconds = dice.choice([0, 1, -1, 1_700_000_000, -62_135_596_800, 253_402_300_799])
    message.nanos = dice.choice([0, 1, 1_000, 123_000_000, 999_999_999])


def _fill_duration(message: Any, dice: random.Random, _depth: int) -> None:
    message.seconds = dice.choice([0, 1, 3600, 315_576_000_000])
    message.nanos = dice.choice([0, 1, 1_000, 999_999_999])
    if dice.random() < 0.5:
        message.seconds, message.nanos = -message.seconds, -message.nanos


def _fill_mask(message: Any, dice: random.Random, _depth: int) -> None:
    message.paths.extend(dice.sample(_PATHS, dice.randrange(3)))


_SPECIAL = {
    "google.protobuf.Any": _fill_any,
    "google.protobuf.Value": _fill_value,
    "google.protobuf.ListValue": _fill_list,
    "google.protobuf.Struct": _fill_struct,
    "google.protobuf.Timestamp": _fill_timestamp,
    "google.protobuf.Duration": _fill_duration,
    "google.protobuf.FieldMask": _fill_mask,
}
