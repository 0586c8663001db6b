"""Replicas whose programs are simulated: the agents' real protocol, claims, reports and logs, without any process.

`Home.start(*QUIET)` starts a server whose engine writes the directories of attempts and starts no agent; a `Gang` of
this module takes them up, each replica a thread. What a program would do is a function that is handed its replica.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trigpoint.agent import protocol, sockets
from trigpoint.agent.directory import Directory, claim
from trigpoint.agent.fetch import _TOKEN, _Connection
from trigpoint.agent.logs import LogWriter
from trigpoint.agent.protocol import Address, Command, Outcome
from trigpoint.agent.reports import Reporter
from trigpoint.runtime.local import LocalEngine

QUIET = ("-m", "tests.live.simulated")
"""The server to start: `Home(..., runtime="process").start(*QUIET)`."""
_HOST = "storage.googleapis.com"


class QuietEngine(LocalEngine):
    """Places attempts and starts nobody; what ends them are commands in answers to reports."""

    def stop(self, uid: str, grace_s: float) -> None:
        """Only remember it: the processes that hold the claims are the tests' own."""
        home = self._attempts / uid
        home.mkdir(exist_ok=True, mode=0o700)
        (home / "stopped").touch()

    def _launch(self, directory: Path) -> None:
        pass

    def _kill(self, directory: Path) -> None:
        pass

    def _clean(self, directory: Path) -> None:
        pass


class Stopped(Exception):
    """The server wants the replica to end."""


class Simulated(threading.Thread):
    """One replica: claims its directory, prepares, meets its gang, runs `program`, and reports all of it."""

    def __init__(self, path: Path, program: Program) -> None:
        super().__init__(name=f"simulated {path.name}", daemon=True)
        found = claim(str(path))
        assert found is not None
        self.directory: Directory = found
        self.spec = protocol.load_spec((path / "spec.json").read_bytes())
        self.program = program
        self.stopping = threading.Event()
        self._go = threading.Event()
        self._env: dict[str, str] = {}
        self._log = LogWriter(str(path / "logs"), 0, lambda: self._reporter.logs_moved(self._log.counts))
        self._reporter = Reporter(self.spec, self.directory, self._command)
        self._token = ""

    @property
    def task(self) -> str:
        return self.spec.replica

    @property
    def rank(self) -> int:
        return self.spec.network.rank

    def run(self) -> None:
        """Live to the end."""
        self._reporter.report("hello", asdict(self.directory.status))
        self._reporter.start()
        ip = f"127.77.{self.rank >> 8}.{1 + (self.rank & 255)}"
        address = Address(ip, ip, {str(port): port for port in self.spec.network.ports})
        self.directory.save(state=protocol.PREPARED, runtime="process", address=address)
        body = {"address": asdict(address), "runtime": "process", "lost": ["Nothing of it is real."], "facts": {}}
        self._reporter.report("prepared", body, held=self.spec.barrier)
        while self.spec.barrier and not self._go.wait(0.05) and not self.stopping.is_set():
            pass
        self._reporter.release()
        outcome = self._perform()
        self._log.close()
        self.directory.save(state=protocol.ENDED, outcome=outcome)
        self._reporter.report("outcome", {**asdict(outcome), **self._log.counts()})
        self._reporter.close(30)
        self.directory.release()

    def say(self, *lines: str, stream: str = protocol.STDOUT) -> None:
        """Print lines."""
        self._log.write(stream, "".join(f"{line}\n" for line in lines).encode())

    def beat(self, **usage: float) -> None:
        """Give a sign of life."""
        self._reporter.beat({"cpu_s": 1.0, "memory_bytes": 1 << 20, "processes": 1, **usage, **self._log.counts()})

    def token(self) -> str:
        """Ask the metadata server for a token."""
        answer = self._ask("metadata", "metadata.google.internal", "GET", _TOKEN, b"", {"Metadata-Flavor": "Google"})
        self._token = str(json.loads(answer)["access_token"])
        return self._token

    def read(self, uri: str) -> bytes:
        """Read an object."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        path = f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"
        return self._ask("plain", _HOST, "GET", path, b"", self._bearer())

    def write(self, uri: str, data: bytes) -> None:
        """Write an object."""
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}"
        self._ask("plain", _HOST, "POST", path, data, self._bearer())

    def sleep(self, seconds: float) -> None:
        """Wait; Stopped when the server wants the end meanwhile."""
        if self.stopping.wait(seconds):
            raise Stopped

    def _perform(self) -> Outcome:
        if self.stopping.is_set():
            return Outcome(protocol.STOPPED, 143, 15)
        self.directory.save(state=protocol.RUNNING)
        env = {**self.spec.env, **self._env}
        self._reporter.report("started", {"pid": 1, "argv": ["simulated"], "env": env})
        try:
            code = self.program(self) or 0
        except Stopped:
            return Outcome(protocol.STOPPED, 143, 15)
        return Outcome(protocol.SUCCEEDED if code == 0 else protocol.FAILED, code)

    def _bearer(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token or self.token()}"}

    def _ask(self, kind: str, host: str, verb: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        def opened() -> Any:
            door = sockets.connect(self.spec.network.socket, 30)
            door.sendall(kind.encode() + b"\n")
            return door

        connection = _Connection(host, opened)
        try:
            connection.request(verb, path, body or None, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status < 300, (verb, path, answer.status, content[:500])
            return content
        finally:
            connection.close()

    def _command(self, command: Command) -> None:
        if command.kind == "go":
            self._env = dict(command.env)
            self._go.set()
        elif command.kind == "stop":
            self.stopping.set()


Program = Callable[[Simulated], "int | None"]


class Gang:
    """Takes up every attempt that appears in a home, until closed."""

    def __init__(self, home: Path, program: Program) -> None:
        self._attempts, self._program = home / "attempts", program
        self.replicas: list[Simulated] = []
        self._known: set[Path] = set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let every replica end."""
        self._closing.set()
        self._thread.join(10)
        for replica in self.replicas:
            replica.stopping.set()
        for replica in self.replicas:
            replica.join(10)

    def _watch(self) -> None:
        while not self._closing.wait(0.01):
            for gang in self._attempts.glob("*/gang.json"):
                for spec in sorted(gang.parent.glob("*/spec.json")):
                    if spec.parent not in self._known:
                        self._known.add(spec.parent)
                        replica = Simulated(spec.parent, self._program)
                        self.replicas.append(replica)
                        replica.start()


def main() -> int:
    """Serve a home with the quiet engine."""
    from trigpoint import server

    vars(server)["LocalEngine"] = QuietEngine
    return server.main(["serve"])


def pace(seconds: float, every: float) -> Any:
    """Yield at a steady pace for a while, whatever the work in between takes."""
    begun = time.monotonic()
    for number in range(round(seconds / every)):
        yield number * every
        time.sleep(max(0.0, begun + (number + 1) * every - time.monotonic()))


if __name__ == "__main__":
    sys.exit(main())
