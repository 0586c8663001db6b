"""Starts, finds and stops the server process of a home; what the server does is its own business."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import Any

from trigpoint.cli.session import Failure, Session, Status, configured
from trigpoint.core import ready
from trigpoint.core.errors import FailedPrecondition
from trigpoint.core.listening import listen
from trigpoint.core.ready import Ready

START_SECONDS = 60.0
STOP_SECONDS = 45.0
_TICK = 0.05
_PR_SET_PDEATHSIG = 1


def running(session: Session) -> Ready | None:
    """Return the server of this home if it runs and is ready."""
    info = ready.read(session.run_folder) if ready.locked(session.run_folder) else None
    return info if info is not None and _lives(info.pid) else None


def _lives(pid: int) -> bool:
    """Return whether there is a process of this id: what a killed server announced stands until the next one begins."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def required(session: Session) -> Ready:
    """Return the running server, or fail with the way to start one."""
    info = running(session)
    if info is None:
        raise Failure(
            f"No server runs on {session.settings.home}.",
            "Start one with `trig up --detach`, or give the command one for its length with `trig run -- ...`.",
            Status.NO_SERVER,
        )
    return info


class Life(Enum):
    """When a server that is started here ends."""

    WITH_US = "with us"
    """When `trig` ends, however that happens."""
    USED = "used"
    """When nobody uses it any more: see `core.ready`."""
    LASTING = "lasting"
    """When it is told to."""


def start(session: Session, flags: Mapping[str, Any], life: Life) -> tuple[subprocess.Popen[bytes] | None, Ready]:
    """Start the server and return the process and its announcement once it serves.

    When another one begins at the same time, that one is returned instead, without a process. The server gets its own
    session, so that Ctrl-C reaches `trig` alone.
    """
    prepare(session)
    if ready.locked(session.run_folder):
        return None, _other(session)
    _check_address({"home": session.settings.home, **flags})
    log = session.settings.path("logs", "server.log")
    log.parent.mkdir(exist_ok=True, mode=0o700)
    before = log.stat().st_size if log.exists() else 0
    to_file = life is not Life.WITH_US
    parent = os.getpid()
    with open(log, "ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "trigpoint.server", "serve", *(["--temporary"] if life is Life.USED else [])],
            env=_environment(session, flags),
            stdin=subprocess.DEVNULL,
            stdout=file if to_file else None,
            stderr=file if to_file else None,
            start_new_session=True,
            preexec_fn=(lambda: _end_with(parent)) if life is Life.WITH_US else None,
        )
    try:
        info = _wait_until_ready(session, process, before if to_file else None)
    except BaseException:
        _end(process)
        raise
    return (process, info) if info.pid == process.pid else (None, info)


def prepare(session: Session) -> None:
    """Make the folder of the home unless it is there; Failure where that or writing to it is not possible."""
    home = session.settings.home
    try:
        session.run_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        reason = "" if os.access(session.run_folder, os.W_OK) else "Permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise Failure(
            f"The home {home} can't be written: {reason}.",
            "Choose another with --home or TRIGPOINT_HOME.",
            Status.USAGE,
        )


def _check_address(flags: Mapping[str, Any]) -> None:
    """Refuse what a server could not listen at, before there is one."""
    given = configured(flags)
    try:
        listen(given.host, given.port).close()
    except FailedPrecondition as error:
        raise Failure(error.message, status=Status.USAGE) from error


def _environment(session: Session, flags: Mapping[str, Any]) -> dict[str, str]:
    given = {f"TRIGPOINT_{name.upper()}": str(value) for name, value in flags.items() if value is not None}
    return {**os.environ, **given, "TRIGPOINT_HOME": str(session.settings.home)}


def _end_with(parent: int) -> None:
    """In the child before it becomes the server: ask Linux for a SIGTERM when the parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


def _wait_until_ready(session: Session, process: subprocess.Popen[bytes], log_from: int | None) -> Ready:
    """Return the announcement; `log_from` is where in the log the server began, None if it writes to the terminal."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        info = ready.read(session.run_folder)
        if info is not None and info.pid == process.pid:
            return info
        if process.poll() == Status.NO_SERVER:
            return _other(session)
        if process.returncode is not None:
            raise _stillborn(process.returncode, "it said why above" if log_from is None else _said(session, log_from))
        time.sleep(_TICK)
    said = "" if log_from is None else _said(session, log_from)
    raise Failure(f"The server was not ready after {START_SECONDS:g} s. {said}".strip(), "`trig doctor`")


def _stillborn(status: int, said: str) -> Failure:
    """Return how to say that a server did not begin: by its only line where it said one."""
    if said and "\n" not in said:
        return Failure(f"The server can't start: {said}", "`trig doctor` looks for the usual causes.")
    return Failure(
        f"The server ended with status {status} before it was ready.{said}", "`trig doctor` looks for the usual causes."
    )


def _other(session: Session) -> Ready:
    """Return the server that somebody else started just now, once it serves."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        info = running(session)
        if info is not None:
            return info
        if not ready.locked(session.run_folder):
            raise Failure(
                f"Another server began on {session.settings.home} and ended before it was ready.", "Try again."
            )
        time.sleep(_TICK)
    raise Failure(f"Another server has {session.settings.home} and was not ready after {START_SECONDS:g} s.")


def _said(session: Session, start: int, lines: int = 8) -> str:
    """Return what a server wrote to its log: one line as it is, of more the last ones under a heading."""
    try:
        with open(session.settings.path("logs", "server.log"), "rb") as file:
            file.seek(start)
            said = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    if len(said) < 2:
        return "".join(said)
    return "\nThe end of logs/server.log in the home:\n  " + "\n  ".join(said[-lines:])


def stop(session: Session, info: Ready) -> None:
    """Ask the server to drain and end, and wait until the home is free; kill it when it does not."""
    with suppress(ProcessLookupError):
        os.kill(info.pid, signal.SIGTERM)
    if _wait_until_free(session, STOP_SECONDS):
        return
    session.note(f"The server (process {info.pid}) did not end within {STOP_SECONDS:g} s; killing it.")
    with suppress(ProcessLookupError):
        os.kill(info.pid, signal.SIGKILL)
    if not _wait_until_free(session, 5):
        raise Failure(f"Process {info.pid} still holds {session.settings.home}.")


def _wait_until_free(session: Session, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not ready.locked(session.run_folder):
            return True
        time.sleep(_TICK)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def maintain(session: Session, *arguments: str) -> str:
    """Run one maintenance mode of the server as a process and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "trigpoint.server", *arguments],
        env=_environment(session, {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"`{arguments[0]}` ended with status {done.returncode}"]
        raise Failure(lines[-1].removeprefix("Error: "))
    return done.stdout
