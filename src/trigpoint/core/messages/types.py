"""Finds message classes by their full names, importing a generated module only when one of its classes is asked for."""

import importlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TypeVar

from protobuf import DescMessage, Message, Oneof, Registry
from protobuf.wkt import Any, Duration, Empty, FieldMask, Struct, Timestamp, Value

from trigpoint.core.errors import InvalidArgument

__all__ = [
    "REGISTRY",
    "Any",
    "Duration",
    "Empty",
    "FieldMask",
    "M",
    "Message",
    "Oneof",
    "Struct",
    "Timestamp",
    "Value",
    "find",
    "full_name",
    "message_class",
]

M = TypeVar("M", bound=Message)


def full_name(message: Message | type[Message]) -> str:
    """Return the name in the API's own spelling: `google.cloud.aiplatform.v1.CustomJob`."""
    return message.desc().type_name


def message_class(name: str) -> type[Message]:
    """Return the class of a full name; InvalidArgument when no such message is part of the APIs served here."""
    found = find(name)
    if found is None:
        raise InvalidArgument(f"{name[:200]!r} is not a message of the APIs served here")
    return found


@cache
def find(name: str) -> type[Message] | None:
    """Return the class of a full name, or None."""
    module = index().get(name)
    if module is None:
        return None
    described = importlib.import_module(module).desc()
    return _types_in(described.messages).get(name)


def _types_in(messages: Sequence[DescMessage]) -> dict[str, type[Message]]:
    found: dict[str, type[Message]] = {}
    for message in messages:
        found[message.type_name] = message.type
        found.update(_types_in(message.nested_messages))
    return found


@cache
def index() -> dict[str, str]:
    """Return full name -> module of every message and enum, as tools/generate.py wrote it."""
    held: dict[str, list[str]] = json.loads((resources.files("trigpoint.core.pb") / "index.json").read_bytes())
    return {name: module for module, names in held.items() for name in names}


class _LazyRegistry(Registry):  # type: ignore[misc]  # final for type checkers; the codec asks only `message`
    """What the codec asks for the classes inside an Any."""

    def message(self, type_name: str) -> DescMessage | None:
        """Return the description of a message by full name, importing its module when needed."""
        found = find(type_name)
        return None if found is None else found.desc()


REGISTRY = _LazyRegistry()
