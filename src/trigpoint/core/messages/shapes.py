"""What fields a message class has: the reflection that masks, filters and checks need, and nothing about their meaning.

A `Field` says how a field is spelled and read; `walk` goes through a message; `reachable` through its classes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any as Anything
from typing import TypeVar, cast

from protobuf import (
    DescEnum,
    DescField,
    DescFieldValueEnum,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueMessage,
    DescMessage,
    Message,
    Oneof,
    ScalarType,
)

T = TypeVar("T")


def per_class(function: Callable[[type[Message]], T]) -> Callable[[type[Message]], T]:
    """Return the function made to work once per message class (mypy doubts that a message class is hashable)."""
    return cast("Callable[[type[Message]], T]", cache(function))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message class."""

    name: str
    """As in the .proto file: `display_name`."""
    json_name: str
    attribute: str
    """The Python attribute; that of the oneof for its members."""
    oneof: str
    """Name of the oneof it belongs to, or empty (the implied ones of `optional` do not count)."""
    repeated: bool
    mapped: bool
    key: str
    """Kind of a map's keys, `TYPE_STRING`; empty otherwise."""
    kind: str
    """Google's spelling of the value's type: `TYPE_INT64`, or the type url of a message or enum."""
    message: type[Message] | None
    """Class of the value, of the elements, or of a map's values."""
    enum: type[Anything] | None
    member: DescField

    def read(self, message: Message) -> Anything:
        """Return the value, or the default; None for an unset message or member of a oneof."""
        held = getattr(message, self.attribute)
        if not self.oneof:
            return held
        return held.value if held is not None and held.field == self.name else None

    def write(self, message: Message, value: Anything) -> None:
        """Set the value."""
        setattr(message, self.attribute, Oneof(field=self.name, value=value) if self.oneof else value)

    def clear(self, message: Message) -> None:
        """Set back to the default."""
        del message[self.member]

    def present(self, message: Message) -> bool:
        """Return whether the field would be written to the wire."""
        return self.member in message


@dataclass(frozen=True, slots=True)
class Shape:
    """All fields of a class, and the same by either spelling of their names."""

    fields: tuple[Field, ...]
    by_name: Mapping[str, Field]


@per_class
def shape(cls: type[Message]) -> Shape:
    """Return the fields of a message class."""
    fields = tuple(_field(member) for member in cls.desc().fields)
    return Shape(fields, {f.json_name: f for f in fields} | {f.name: f for f in fields})


def _field(member: DescField) -> Field:
    held = member.value
    repeated, mapped = isinstance(held, DescFieldValueList), isinstance(held, DescFieldValueMap)
    oneof = None if isinstance(held, DescFieldValueList | DescFieldValueMap) else held.oneof
    element = _element(held)
    return Field(
        name=member.name,
        json_name=member.json_name,
        attribute=member.local_name if oneof is None else oneof.local_name,
        oneof="" if oneof is None else oneof.name,
        repeated=repeated,
        mapped=mapped,
        key=f"TYPE_{held.key.name}" if isinstance(held, DescFieldValueMap) else "",
        kind=_kind(element),
        message=element.type if isinstance(element, DescMessage) else None,
        enum=element.type if isinstance(element, DescEnum) else None,
        member=member,
    )


def _element(held: Anything) -> ScalarType | DescMessage | DescEnum:
    """Return the type of the value, of the elements, or of a map's values."""
    match held:
        case DescFieldValueList(element=element):
            return element
        case DescFieldValueMap(value=value):
            return value
        case DescFieldValueMessage(message=message):
            return message
        case DescFieldValueEnum(enum=enum):
            return enum
        case _:
            scalar: ScalarType = held.scalar
            return scalar


def _kind(element: ScalarType | DescMessage | DescEnum) -> str:
    return f"TYPE_{element.name}" if isinstance(element, ScalarType) else f"type.googleapis.com/{element.type_name}"


@per_class
def reachable(cls: type[Message]) -> frozenset[type[Message]]:
    """Return the class and every class that a message of it can hold, at any depth."""
    found: set[type[Message]] = set()
    waiting = [cls]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(field.message for field in shape(current).fields if field.message is not None)
    return frozenset(found)


def walk(message: Message, path: str = "") -> Iterator[tuple[str, Message]]:
    """Yield each message held, with its path (`job_spec.worker_pool_specs[0]`), the outermost first."""
    yield path, message
    for field in shape(type(message)).fields:
        if field.message is not None:
            for where, inner in _held(field, message, f"{path}.{field.name}" if path else field.name):
                yield from walk(inner, where)


def _held(field: Field, message: Message, path: str) -> Iterator[tuple[str, Message]]:
    held = field.read(message)
    if field.repeated:
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(held))
    elif field.mapped:
        yield from ((f'{path}["{key}"]', item) for key, item in held.items())
    elif held is not None:
        yield path, held
