"""What is kept back from read-only links: the values of variables that are secrets by their names. Pure."""

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(r"key|token|secret|passw|credential|auth|cookie|private", re.IGNORECASE)


def secret(name: str) -> bool:
    """Return whether a variable is a secret by its name."""
    return bool(_SECRET.search(name))


def guarded(message: Any) -> Any:
    """Return a resource's JSON without the values of variables that look like secrets."""
    if isinstance(message, Mapping):
        if {"name", "value"} <= set(message) and secret(str(message["name"])):
            return {**message, "value": ""}
        return {key: guarded(value) for key, value in message.items()}
    return [guarded(one) for one in message] if isinstance(message, list) else message
