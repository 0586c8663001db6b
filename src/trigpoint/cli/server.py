"""Starts, finds and stops the server process of a home; what the server does is its own business."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from trigpoint.cli.session import Failure, Session, Status
from trigpoint.core import ready
from trigpoint.core.ready import Ready

START_SECONDS = 60.0
STOP_SECONDS = 45.0
_TICK = 0.05
_PR_SET_PDEATHSIG = 1


def running(session: Session) -> Ready | None:
    """Return the server of this home if it runs and is ready."""
    return ready.read(session.run_folder) if ready.locked(session.run_folder) else None


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


def start(session: Session, flags: Mapping[str, Any], *, detach: bool, log_to_file: bool) -> tuple[Any, Ready]:
    """Start the server and return the process and its announcement once it serves.

    The server gets its own session, so that Ctrl-C reaches `trig` alone; unless detached it ends with `trig`,
    however that ends.
    """
    home = session.settings.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if ready.locked(session.run_folder):
        raise Failure(f"A server already runs on {home}.", "See `trig status`; stop it with `trig down`.")
    ready.withdraw(session.run_folder)
    log = home / "logs" / "server.log"
    log.parent.mkdir(exist_ok=True, mode=0o700)
    parent = os.getpid()
    with open(log, "ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "trigpoint.server", "serve"],
            env=_environment(session, flags),
            stdin=subprocess.DEVNULL,
            stdout=file if log_to_file else None,
            stderr=file if log_to_file else None,
            start_new_session=True,
            preexec_fn=None if detach else lambda: _end_with(parent),
        )
    try:
        return process, _wait_until_ready(session, process, log_to_file)
    except BaseException:
        _end(process)
        raise


def _environment(session: Session, flags: Mapping[str, Any]) -> dict[str, str]:
    given = {f"TRIGPOINT_{name.upper()}": str(value) for name, value in flags.items() if value is not None}
    return {**os.environ, **given, "TRIGPOINT_HOME": str(session.settings.home)}


def _end_with(parent: int) -> None:
    """In the child before it becomes the server: ask Linux for a SIGTERM when the parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


def _wait_until_ready(session: Session, process: subprocess.Popen[bytes], log_to_file: bool) -> Ready:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        info = ready.read(session.run_folder)
        if info is not None and info.pid == process.pid:
            return info
        if process.poll() is not None:
            raise Failure(
                f"The server ended with status {process.returncode} before it was ready.{_last_words(session)}"
                if log_to_file
                else f"The server ended with status {process.returncode} before it was ready; it said why above.",
                "`trig doctor` looks for the usual causes.",
            )
        time.sleep(_TICK)
    raise Failure(f"The server was not ready after {START_SECONDS:g} s.{_last_words(session)}", "`trig doctor`")


def _last_words(session: Session, lines: int = 8) -> str:
    try:
        text = (session.settings.home / "logs" / "server.log").read_text(errors="replace")
    except OSError:
        return ""
    tail = text.splitlines()[-lines:]
    return "\nThe end of logs/server.log in the home:\n  " + "\n  ".join(tail) if tail else ""


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


@contextmanager
def for_a_while(session: Session) -> Iterator[tuple[Ready, bool]]:
    """Give the running server of this home, or one for the length of the block; says whether it is one's own."""
    info = running(session)
    if info is not None:
        yield info, False
        return
    process, info = start(session, {}, detach=False, log_to_file=True)
    try:
        yield info, True
    finally:
        with _deaf():
            stop(session, info)
            process.wait()


@contextmanager
def _deaf() -> Iterator[None]:
    """Let no second Ctrl-C interrupt the tidying up."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
