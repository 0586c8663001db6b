"""Puts project numbers for project ids into every resource name of a request, so that slices see one spelling only.

Which fields hold names follows from the API's own data: those annotated as references, and those called `name` or
after a kind of resource (`parent_model`), as the older ones without an annotation are. Whatever else a request says
(programs, their arguments, labels, metadata) stays as it was written. Names in filters are the kernel's.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from trigpoint.core import contract, messages
from trigpoint.core.messages.shapes import Field, per_class, reachable, shape
from trigpoint.core.names import numbered

NumberOf = Callable[[str], str | None]
"""A project's id or number to its number; None for one that the caller may not know of."""
_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def number(request: messages.Message, number_of: NumberOf) -> None:
    """Change the names of a v1 request in place; those of unknown projects stay."""
    for holder, field in _found(request):
        held = field.read(holder)
        if field.repeated:
            field.write(holder, [numbered(name, number_of) for name in held])
        elif held:
            field.write(holder, numbered(held, number_of))


def _found(message: messages.Message) -> Iterator[tuple[messages.Message, Field]]:
    """Yield the fields that hold names, at any depth, each with its message."""
    for field in _names(type(message)):
        yield message, field
    for field in _ways(type(message)):
        held = field.read(message)
        for inner in held if field.repeated else held.values() if field.mapped else [held]:
            if inner is not None:
                yield from _found(inner)


@per_class
def _names(cls: type[messages.Message]) -> tuple[Field, ...]:
    """Return the fields of a class that hold resource names."""
    rules = contract.rules(messages.full_name(cls))

    def holds_names(field: Field) -> bool:
        if field.kind != "TYPE_STRING" or field.mapped:
            return False
        said = rules.get(field.name)
        return bool(said and (said.refers_to or said.parents)) or field.name == "name" or _called_after(field.name)

    return tuple(field for field in shape(cls).fields if holds_names(field))


@per_class
def _ways(cls: type[messages.Message]) -> tuple[Field, ...]:
    """Return the fields of a class through which names can be reached."""

    def leads(inner: type[Any]) -> bool:
        return any(_names(one) for one in reachable(inner))

    return tuple(field for field in shape(cls).fields if field.message is not None and leads(field.message))


def _called_after(name: str) -> bool:
    """Return whether a field is called after a kind of resource: `model`, `parent_model`."""
    return any(name == noun or name.endswith(f"_{noun}") for noun in _nouns())


@cache
def _nouns() -> frozenset[str]:
    kinds = (kind for kind in contract.resources() if kind.startswith("aiplatform."))
    return frozenset(_INNER_CAPITAL.sub("_", kind.rpartition("/")[2]).lower() for kind in kinds)
