"""Passage between v1, in which everything is handled, and v1beta1; they are wire compatible (sdk-contract.md 2.1)."""

from typing import Any

from trigpoint.core import messages
from trigpoint.surfaces.vertex.parts import Entry


def request_in(entry: Entry, request: messages.Message) -> messages.Message:
    """Return a request as the handler takes it; fields that v1 does not know are kept as unknown ones."""
    return request if entry.accepts == entry.input else messages.recast(request, messages.message_class(entry.accepts))


def answer_in(entry: Entry, answer: Any) -> Any:
    """Return a v1 answer in the caller's version, with the types inside any Any in that version too."""
    if entry.version == "v1":
        return answer
    return messages.recast(answer, messages.message_class(entry.output), version=entry.version)
