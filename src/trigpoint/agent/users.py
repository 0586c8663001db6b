"""Users that exist for one replica only: a number, and the user namespace that maps the server's files to it."""

from __future__ import annotations

import secrets

from . import linux

_FIRST, _COUNT = 1 << 28, 1 << 28
"""No system hands these numbers out to people; two replicas draw the same one in 2**28."""

_ready: list[tuple[int, int]] = []


def prepare() -> None:
    """Make a user in advance. OSError where that is not possible. Needs root, and a process with one thread."""
    _ready.append(_make())


def take(wanted: int) -> tuple[int, int]:
    """Return a user and the descriptor of its namespace: the wanted one, or, for -1, any."""
    if wanted >= 0:
        return wanted, linux.user_namespace(wanted)
    return _ready.pop() if _ready else _make()


def _make() -> tuple[int, int]:
    user = _FIRST + secrets.randbelow(_COUNT)
    return user, linux.user_namespace(user)
