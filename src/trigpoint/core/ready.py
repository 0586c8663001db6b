"""What a serving server says about itself in HOME/run, and who uses it; who starts it is left to others.

`server.json` is the announcement, `lock` is held by the one server of a home. A server that was started for the
length of a command is temporary: the file `temporary` says so, each such command holds `users`, shared with others, and
the server ends when nobody does and no work is left. Both locks are the kernel's, so no crash leaves one behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything a local client needs to reach the server; written once it serves, by rename, mode 0600."""

    pid: int
    version: str
    host: str
    port: int
    proxy_port: int
    project: str
    project_number: str
    location: str
    ca_bundle: str
    key_file: str
    start_time: int
    console: str = ""

    def write(self, run: Path) -> None:
        """Announce this server in a home's run directory."""
        path = run / "server.json"
        scratch = path.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file, indent=2)
        scratch.replace(path)


def read(run: Path) -> Ready | None:
    """Return what the last server announced, whether or not it still runs; None when there is nothing usable."""
    try:
        given = json.loads((run / "server.json").read_bytes())
        return Ready(**{field.name: given[field.name] for field in fields(Ready) if field.name in given})
    except (OSError, ValueError, TypeError):
        return None


def withdraw(run: Path) -> None:
    """Take the announcement back: the first step of stopping."""
    (run / "server.json").unlink(missing_ok=True)


def take_lock(run: Path, patience: float = 1.0) -> int | None:
    """Take the one lock of a home; return the descriptor that holds it, None when another server has it.

    It waits up to `patience` seconds, because whoever asks `locked` holds it for an instant.
    """
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(max(1, round(patience / _STEP))):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_STEP)
        else:
            return descriptor
    os.close(descriptor)
    return None


def locked(run: Path) -> bool:
    """Tell whether a server holds the lock of a home."""
    try:
        descriptor = os.open(run / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def hold(run: Path) -> int:
    """Say that this process uses the server of a home, until the descriptor returned is closed.

    While a temporary server is ending for want of users, this waits until it has ended.
    """
    descriptor = _users(run)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def alone(run: Path) -> int | None:
    """Keep every user away until the descriptor returned is closed; None when there are some."""
    descriptor = _users(run)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _users(run: Path) -> int:
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(run / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def temporary(run: Path) -> bool:
    """Return whether the server of a home ends with its last user."""
    return (run / "temporary").exists()


def make_temporary(run: Path, wanted: bool) -> None:
    """Have the server of a home end with its last user, or stay. To have it stay, `hold` it meanwhile."""
    (run / "shared").unlink(missing_ok=True)
    if wanted:
        (run / "temporary").touch(0o600)
    else:
        (run / "temporary").unlink(missing_ok=True)


def share(run: Path) -> None:
    """Note that somebody else than the command that started it has used a server."""
    (run / "shared").touch(0o600)


def shared(run: Path) -> bool:
    """Return whether somebody noted so since the server started."""
    return (run / "shared").exists()
