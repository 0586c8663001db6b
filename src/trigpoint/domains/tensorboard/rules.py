"""What tensorboards and their parts may be; pure. Source: vertex-services.md section 1.7."""

import re
from typing import Any

from trigpoint.core import checks
from trigpoint.core.errors import AlreadyExists, Violation

_ID = re.compile(r"[a-z0-9-]{1,128}")


def ident(field: str, value: str) -> list[Violation]:
    """Check the id that the creator of an experiment or run gives."""
    if _ID.fullmatch(value):
        return []
    return [Violation(field, f"{value[:80]!r} must have 1 to 128 characters of a-z, 0-9 and hyphen")]


def described(field: str, value: Any, *, titled: bool = True) -> list[Violation]:
    """Check the display name and labels that all have in common."""
    found = checks.display_name(f"{field}.display_name", value.display_name, required=titled)
    return found + checks.labels(f"{field}.labels", _own(value.labels))


def taken(noun: str, title: str, name: str) -> AlreadyExists:
    """Return the error for a display name that a sibling has."""
    return AlreadyExists(f"{noun} {name} has the display name {title[:128]!r} already: choose another one.")


def _own(labels: dict[str, str]) -> dict[str, str]:
    """Return the labels without those that Google's clients set in the service's name."""
    return {key: value for key, value in labels.items() if not key.startswith("aiplatform.googleapis.com/")}
