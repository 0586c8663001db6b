"""Google's well-known value types to and from plain Python; which fields hold them is left to the callers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any as Anything

from protobuf import Oneof
from protobuf.wkt import Duration, ListValue, NullValue, Struct, Timestamp, Value

from trigpoint.core.clock import Micros
from trigpoint.core.errors import InvalidArgument

_DEEPEST = 48
"""Levels of lists and objects inside a Value: the wire allows 100 messages and each level takes two."""
_EXACT = 2**53


def struct(data: Mapping[str, Anything]) -> Struct:
    """Return the Struct of a JSON object; InvalidArgument for what JSON cannot hold or nests too deep."""
    return _struct(data, 0)


def value(data: Anything) -> Value:
    """Return the Value of a JSON value; InvalidArgument for what JSON cannot hold or nests too deep."""
    return _value(data, 0)


def _struct(data: Mapping[str, Anything], depth: int) -> Struct:
    return Struct(fields={key: _value(item, depth + 1) for key, item in data.items()})


def _value(data: Anything, depth: int) -> Value:
    if depth > _DEEPEST:
        raise InvalidArgument(f"the value nests deeper than {_DEEPEST} levels")
    match data:
        case None:
            return _of("null_value", NullValue.NULL_VALUE)
        case bool():
            return _of("bool_value", data)
        case int() | float():
            return _of("number_value", _number(data))
        case str():
            return _of("string_value", data)
        case Mapping():
            return _of("struct_value", _struct(data, depth))
        case Sequence() if not isinstance(data, bytes | bytearray):
            items = [_value(item, depth + 1) for item in data]
            return _of("list_value", ListValue(values=items))
        case _:
            raise InvalidArgument(f"{type(data).__name__} has no JSON form")


def _of(field: Anything, held: Anything) -> Value:
    """Return a Value of one kind (the library's literal types are past mypy's inference)."""
    return Value(kind=Oneof(field=field, value=held))


def _number(data: float) -> float:
    try:
        number = float(data)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidArgument("NaN, infinities and numbers past the range of a double have no JSON form")
    return number


def plain(data: Struct | Value | ListValue) -> Anything:
    """Return the JSON value: whole numbers as int (as Google's own library does), an unset Value as None."""
    if isinstance(data, Struct):
        return {key: plain(item) for key, item in data.fields.items()}
    if isinstance(data, ListValue):
        return [plain(item) for item in data.values]
    match data.kind:
        case Oneof(field="number_value", value=float(number)):
            return int(number) if number.is_integer() and abs(number) <= _EXACT else number
        case Oneof(field="string_value" | "bool_value", value=scalar):
            return scalar
        case Oneof(value=Struct() | ListValue() as inner):
            return plain(inner)
        case _:
            return None


def timestamp(instant: Micros) -> Timestamp:
    """Return the Timestamp of an instant in microseconds UTC."""
    whole, rest = divmod(instant, 1_000_000)
    return Timestamp(seconds=whole, nanos=rest * 1000)


def micros(instant: Timestamp) -> Micros:
    """Return the instant in microseconds UTC; what is finer is cut off."""
    return Micros(instant.seconds * 1_000_000 + instant.nanos // 1000)


def duration(length: float) -> Duration:
    """Return the Duration of a number of seconds, to the nanosecond."""
    return Duration.from_nanos(round(length * 1_000_000_000))


def seconds(length: Duration) -> float:
    """Return the length in seconds."""
    return length.seconds + length.nanos / 1_000_000_000
