"""Parts for tests of the agent: a server that hears reports on a unix socket, and agents as real processes."""

import contextlib
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.live.python import bare

from trigpoint.agent import protocol as p
from trigpoint.agent import tree
from trigpoint.agent.limits import Group, name_of
from trigpoint.runtime.logs import LogReader
from trigpoint.runtime.nursery import AGENT

WAIT = 30.0


def until(check: Callable[[], Any], what: str = "") -> Any:
    """Return what `check` returns once it is true."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        result = check()
        if result:
            return result
        time.sleep(0.005)
    raise AssertionError(f"never came true: {what or check}")


class Ears:
    """The server's side of the report socket. It can go away and come back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reports: dict[str, list[p.Report]] = {}
        self.commands: dict[str, list[p.Command]] = {}
        self.status = 200
        self.fences: dict[str, int] = {}
        self._server: socketserver.ThreadingMixIn | None = None

    def open(self) -> None:
        ears = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(ears.hear(self.path, self.headers["Authorization"], body)).encode()
                self.send_response(ears.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def address_string(self) -> str:
                return "agent"

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self.path.unlink(missing_ok=True)
        self._server = Server(str(self.path), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        server, self._server = self._server, None
        if isinstance(server, socketserver.BaseServer):
            server.shutdown()
            server.server_close()
        self.path.unlink(missing_ok=True)

    def hear(self, path: str, token: str, message: dict[str, Any]) -> dict[str, Any]:
        replica = path.split("/")[5]
        assert token == f"Bearer token-{replica}"
        assert message["fence"] > 0
        if self.status != 200:
            return {}
        known = self.reports.setdefault(replica, [])
        self.fences[replica] = max(message["fence"], self.fences.get(replica, 0))
        last = max((r.seq for r in known), default=0)
        for raw in message["reports"]:
            report = p.load_report(raw)
            if report.seq == 0 or report.seq == last + 1:
                known.append(report)
                last = max(last, report.seq)
        deadline = time.monotonic() + message["wait_s"]
        while message["wait_s"] and not self.commands.get(replica) and time.monotonic() < deadline and self._server:
            time.sleep(0.002)
        if message["fence"] < self.fences[replica]:
            return {"ack": last}  # of an agent that died meanwhile: commands are for its successor
        return {"ack": last, "commands": [vars(c) for c in self.commands.pop(replica, [])]}

    def kinds(self, replica: str = "workerpool0-0") -> list[str]:
        return [r.kind for r in self.reports.get(replica, []) if r.seq]

    def body(self, kind: str, replica: str = "workerpool0-0") -> dict[str, Any]:
        found = until(lambda: [r for r in list(self.reports.get(replica, [])) if r.kind == kind], kind)
        return dict(found[-1].body)


class Agent:
    """One agent of one directory."""

    def __init__(self, directory: Path, spec: p.RunSpec, python: str = sys.executable) -> None:
        self.directory = directory
        self.spec = spec
        self.python = python
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "spec.json").write_bytes(p.dump(spec))
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        command = [self.python, "-I", "-S", str(AGENT), str(self.directory)]
        environ = {"PATH": os.environ["PATH"], "SECRET_OF_THE_SERVER": "1"}
        process = subprocess.Popen(command, env=environ, start_new_session=True)
        self.processes.append(process)
        return process

    def status(self) -> p.Status | None:
        with contextlib.suppress(FileNotFoundError):
            return p.load_status((self.directory / "status.json").read_bytes())
        return None

    def outcome(self) -> p.Outcome:
        def ended() -> p.Outcome | None:
            status = self.status()
            return status.outcome if status else None

        found = until(ended, f"the end of {self.directory}")
        assert isinstance(found, p.Outcome)
        return found

    def reach(self, state: str) -> p.Status:
        def there() -> p.Status | None:
            status = self.status()
            return status if status and status.state == state else None

        found = until(there, state)
        assert isinstance(found, p.Status)
        return found

    def lines(self, *streams: str) -> list[str]:
        wanted = streams or (p.STDOUT,)
        found, _ = LogReader(self.directory / "logs").read(limit=1_000_000, ended=True)
        return [line.data.decode("utf-8", "surrogateescape") for line in found if line.stream in wanted]

    def mark(self) -> str:
        return f"{self.spec.attempt}/{self.spec.replica}"

    def kill(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()


Make = Callable[..., Agent]


@pytest.fixture
def ears(tmp_path: Path) -> Iterator[Ears]:
    """A listening server."""
    # Socket paths are short; pytest's folders are not.
    link = Path(f"/tmp/trig-{os.getpid()}-{time.monotonic_ns()}")
    made = Ears(link)
    made.open()
    yield made
    made.close()


@pytest.fixture
def make(tmp_path: Path, ears: Ears) -> Iterator[Make]:
    """Make agents of scripts; everything of them is gone at the end."""
    made: list[Agent] = []

    def new(script: str = "", replica: str = "workerpool0-0", python: str = sys.executable, **fields: Any) -> Agent:
        values: dict[str, Any] = {
            "attempt": f"a{os.getpid()}-{time.monotonic_ns()}",
            "token": f"token-{replica}",
            "hostname": f"cmle-training-{replica.rpartition('-')[0]}-0123456789-{replica[-1]}",
            "program": p.Program(argv=("/bin/sh", "-c", script)),
            "environment": bare(),
            "runtime": "process",
            "uid": 210_000 + len(made),
            "reports": str(ears.path),
            "heartbeat_s": 0.2,
            **fields,
        }
        spec = p.RunSpec(replica=replica, **values)
        agent = Agent(tmp_path / spec.attempt / replica, spec, python)
        made.append(agent)
        return agent

    yield new
    ears.status = 409  # whatever still waits for an answer goes
    for agent in made:
        agent.kill()
        tree.kill_marked(agent.mark())
        Group(name_of(agent.spec), p.Limits()).remove()


@pytest.fixture(params=["process", "sandbox"])
def runtime(request: pytest.FixtureRequest) -> str:
    """Both kinds of rooms."""
    return str(request.param)


def listening(path: Path) -> socket.socket:
    """Return a listening unix socket."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(64)
    return listener
