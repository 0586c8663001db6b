"""A home with a real server process in it: started, killed, stopped, and searched for what it left running."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.live.environments import lend
from tests.live.rest import Rest

from trigpoint.agent.protocol import MARK
from trigpoint.core import ready
from trigpoint.core.ready import Ready

SERVER = ("-m", "trigpoint.server", "serve")
START_SECONDS = 60.0


@dataclass(frozen=True)
class Process:
    """A process that belongs to a home."""

    pid: int
    command: str


class Home:
    """One home, for one thread; `environments` are built ones to be lent to it (`tests.live.environments`)."""

    def __init__(self, path: Path, environments: Path | None = None, **settings: object) -> None:
        self.path = path
        self.settings = {f"TRIGPOINT_{name.upper()}": str(value) for name, value in settings.items()}
        self.process: subprocess.Popen[bytes] | None = None
        self.info: Ready | None = None
        self.ready_seconds: list[float] = []
        path.mkdir(parents=True, exist_ok=True)
        if environments is not None:
            lend(environments, path)

    @property
    def log(self) -> str:
        """What the servers of this home said."""
        file = self.path / "server.out"
        return file.read_text(errors="replace") if file.exists() else ""

    def start(self, *command: str, more: Mapping[str, str] | None = None) -> Ready:
        """Start a server and return its announcement once it serves; how long that took is kept."""
        begun = time.monotonic()
        self.launch(*command, more=more)
        info = self.wait_until_ready()
        self.ready_seconds.append(time.monotonic() - begun)
        return info

    def launch(self, *command: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a server and do not wait for it; the test process takes it along when it dies."""
        parent = os.getpid()
        with open(self.path / "server.out", "ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, *(command or SERVER)],
                env={**self.environ(), **(more or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=lambda: _die_with(parent),
            )
        return self.process

    def wait_until_ready(self) -> Ready:
        """Return the announcement of the server just started."""
        assert self.process is not None
        process = self.process

        def announced() -> bool:
            assert process.poll() is None, f"the server ended with {process.returncode}\n{self.log[-4000:]}"
            found = ready.read(self.path / "run")
            if found is None or found.pid != process.pid:
                return False
            self.info = found
            return True

        wait_until(announced, START_SECONDS, 0.005)
        assert self.info is not None
        return self.info

    def client(self) -> Rest:
        """Return a client of the server that was started last."""
        assert self.info is not None
        return Rest(self.info)

    def kill(self) -> None:
        """Kill the server where it stands."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask the server to end and return its exit status; it is killed when it takes longer than 30 s."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within 30 s\n{self.log[-4000:]}") from None

    def environ(self) -> dict[str, str]:
        """Return the variables of a process that works on this home."""
        path = os.pathsep.join(entry for entry in sys.path if entry)
        return {**os.environ, "PYTHONPATH": path, "TRIGPOINT_HOME": str(self.path), **self.settings}

    def processes(self) -> list[Process]:
        """Return every living process of this home but the server itself: helpers, agents, programs."""
        attempts = self.path / "attempts"
        marks = tuple(f"{MARK}={place.name}/" for place in attempts.glob("*")) if attempts.exists() else ()
        own = {os.getpid(), self.process.pid if self.process else 0}
        return [
            found
            for name in os.listdir("/proc")
            if name.isdigit() and int(name) not in own and (found := _of_home(int(name), str(self.path), marks))
        ]

    def clear(self) -> None:
        """End the server and everything that it left, each by its pid: for the end of a test, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        for _ in range(100):
            left = self.processes()
            if not left:
                return
            for process in left:
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.05)


def wait_until(true: Callable[[], object], seconds: float = 30.0, step: float = 0.02, what: str = "") -> None:
    """Wait for a condition; AssertionError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what or f"not within {seconds:g} s"
        time.sleep(step)


def _of_home(pid: int, home: str, marks: tuple[str, ...]) -> Process | None:
    """Return a process when its command line or its variables name the home or one of its attempts."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        variables = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    if f"{home}/" in f"{command}/" or any(v.startswith(marks) or v == f"TRIGPOINT_HOME={home}" for v in variables):
        return Process(pid, command[:200])
    return None


def _die_with(parent: int) -> None:
    """In the child: die with the tests, for nobody else would end it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
