"""Checks that every slice's rules share: display names, labels, ids. Each returns the violations it finds.

Texts and limits: vertex-training.md sections 8.1 and 8.7.
"""

import re
from collections.abc import Mapping

from trigpoint.core import sentences, uris
from trigpoint.core.errors import InvalidArgument, Violation

_LABEL_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_CLIENT_ID = re.compile(r"[a-z_-][a-z0-9_-]{0,62}")


def display_name(field: str, value: str, *, required: bool = True) -> list[Violation]:
    """Check a display name: present, at most 128 characters, no control characters."""
    if not value and required:
        return [Violation(field, sentences.NO_NAME)]
    if len(value) > 128:
        return [Violation(field, sentences.LONG_NAME.format(count=len(value)))]
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        return [Violation(field, sentences.ODD_NAME)]
    return []


def labels(field: str, given: Mapping[str, str]) -> list[Violation]:
    """Check user labels; keys under `aiplatform.googleapis.com/` are the system's and refused here."""
    fine = len(given) <= 64 and all(_label(key, value) for key, value in given.items())
    return [] if fine else [Violation(field, sentences.LABELS)]


def client_id(field: str, value: str) -> list[Violation]:
    """Check an id that the client chose: at most 63 of `[a-z0-9_-]`, the first neither digit nor hyphen."""
    if _CLIENT_ID.fullmatch(value) and value[0] != "-":
        return []
    return [Violation(field, sentences.BAD_ID.format(value=repr(value[:80])))]


def gs_uri(field: str, value: str) -> list[Violation]:
    """Check that a value is a `gs://BUCKET[/NAME]` URI."""
    try:
        uris.parse(value, field)
    except InvalidArgument as error:
        return list(error.violations)
    return []


def refuse(violations: list[Violation]) -> None:
    """Raise InvalidArgument carrying all violations, or return when there are none."""
    if violations:
        raise InvalidArgument(violations=violations)


def _label(key: str, value: str) -> bool:
    bounded = len(key.encode()) < 128 and len(value.encode()) < 128
    return bool(bounded and _LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value) and value == value.lower())
