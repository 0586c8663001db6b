"""Starts agents: through a process that has loaded the agent already, or, failing that, from nothing."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import trigpoint.agent
from trigpoint.core.errors import Unavailable

AGENT = Path(trigpoint.agent.__file__).parent
"""The folder that is the agent."""


def agent_command(*arguments: str) -> list[str]:
    """Return the command line of the agent."""
    return [sys.executable, "-I", "-S", str(AGENT), *arguments]


class Nursery:
    """Thread-safe. The agents leave the session of the server and survive it; the nursery does not."""

    def __init__(self, spares: int = 0) -> None:
        self._spares = str(spares)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def warm(self) -> None:
        """Start the helper process now, so that the first launch need not wait for it."""
        with self._lock, contextlib.suppress(OSError):
            self._ready()

    def launch(self, directory: Path) -> None:
        """Start an agent for an attempt's directory. Unavailable when no process can be started."""
        with self._lock:
            for _ in range(2):
                try:
                    requests = self._ready()
                    requests.sendall(os.fsencode(directory) + b"\n")
                    if _answer(requests):
                        return
                except OSError:
                    pass
                self._drop()
        self._launch_alone(directory)

    def close(self) -> None:
        """End the helper process; agents stay."""
        with self._lock:
            self._drop()

    def _ready(self) -> socket.socket:
        if self._requests is None or self._process is None or self._process.poll() is not None:
            self._drop()
            ours, theirs = socket.socketpair()
            ours.settimeout(10)
            with theirs:
                self._process = subprocess.Popen(
                    agent_command("--nursery", str(theirs.fileno()), self._spares),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            self._requests = ours
        return self._requests

    def _drop(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _launch_alone(self, directory: Path) -> None:
        try:
            # Through a shell that ends at once: the agent is nobody's child that could become a zombie.
            subprocess.run(
                ["/bin/sh", "-c", '"$@" & exit 0', "sh", *agent_command(str(directory))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                start_new_session=True,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable("this machine cannot start another process now") from error


def _answer(requests: socket.socket) -> bool:
    data = b""
    while not data.endswith(b"\n"):
        more = requests.recv(64)
        if not more:
            return False
        data += more
    return True
