"""Tells the server what happens, and hears what it wants: in order, repeated until acknowledged, patient for ever."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from dataclasses import asdict
from typing import Any, Callable, Mapping

from . import protocol, sockets
from .directory import Directory, now, spooled
from .watch import Watch

Commanded = Callable[[protocol.Command], None]

_HELD = 20.0
"""Seconds for which the server may hold an answer at the barrier."""
_LONGEST_PAUSE = 2.0
_KEPT = 2000
"""Heartbeats that are kept while the server is away."""
_STATES = {
    "hello": protocol.CLAIMED,
    "prepared": protocol.PREPARED,
    "started": protocol.RUNNING,
    "outcome": protocol.ENDED,
}
"""What a report tells of: both say the same time."""
_LOG_PAUSE = 0.2
"""Least seconds between two reports that say nothing but that the log has grown; anything else is sent at once."""


class Fenced(Exception):
    """The server says that this agent is not, or no longer, the one."""


class Reporter(threading.Thread):
    """The only thing that talks to the server. `command` is called on its thread, with each command."""

    def __init__(self, spec: protocol.RunSpec, directory: Directory, command: Commanded) -> None:
        super().__init__(name="reporter", daemon=True)
        self._spec = spec
        self._directory = directory
        self._command = command
        self._lock = threading.Condition()
        before = spooled(directory.file("spool.jsonl"))  # of an agent that died: it may not have been heard
        self._pending: deque[protocol.Report] = deque(before)
        self._loose: deque[protocol.Report] = deque(maxlen=_KEPT)
        self._logs: Callable[[], Mapping[str, Any]] | None = None
        self._logs_after = 0.0
        self._watch: Watch | None = None
        self._touched = False
        self._missed = False
        self._sequence = before[-1].seq if before else 0
        self._held = False
        self._away = False
        self._closing = False
        self.fenced = threading.Event()

    def report(self, kind: str, body: Mapping[str, Any], held: bool = False) -> None:
        """Add a report that must arrive, with the status's time where it has one; `held`: then wait for a command."""
        at = self._directory.status.times.get(_STATES.get(kind, ""), 0) or now()
        with self._lock:
            self._sequence += 1
            report = protocol.Report(self._sequence, kind, at, body)
            self._directory.spool(report)
            self._pending.append(report)
            self._held = held
            self._lock.notify_all()

    def beat(self, body: Mapping[str, Any]) -> None:
        """Add a heartbeat."""
        with self._lock:
            self._loose.append(protocol.Report(0, "heartbeat", now(), body))
            self._lock.notify_all()

    def logs_moved(self, counts: Callable[[], Mapping[str, Any]]) -> None:
        """Say that there is more to read; many such calls make one report."""
        if self._logs is None:
            with self._lock:
                self._logs = counts
                self._lock.notify_all()

    def files_touched(self, watch: Watch) -> None:
        """Say that files were touched; what is known of them by then is told."""
        with self._lock:
            self._watch, self._touched = watch, True
            self._lock.notify_all()

    def release(self) -> None:
        """Stop waiting at the barrier."""
        with self._lock:
            self._held = False

    def close(self, seconds: float) -> bool:
        """Wait until everything is acknowledged, at most so long; return whether it is."""
        deadline = time.monotonic() + seconds
        with self._lock:
            self._closing = True
            self._lock.notify_all()
            while self._pending and not self.fenced.is_set():
                left = deadline - time.monotonic()
                if left <= 0 or not self._spec.reports or self._directory.removed():
                    return False
                self._lock.wait(min(left, 1.0))
        return True

    def run(self) -> None:
        """Send what there is to send, until fenced."""
        if not self._spec.reports:
            return
        pause = 0.02
        while True:
            batch, held = self._next()
            try:
                answer = self._post(batch, _HELD if held else 0)
            except Fenced:
                self.fenced.set()
                self._command(protocol.Command("stop", grace_s=0))
                with self._lock:
                    self._lock.notify_all()
                return
            except (OSError, ValueError):
                self._away = self._missed = True
                self._touched = self._watch is not None
                self._keep(batch)
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = 0.02
            self._away = False
            self._acknowledge(int(answer.get("ack", 0)))
            for command in answer.get("commands") or ():
                self._command(protocol.load_command(command))
            if batch and batch[-1].kind == "logs":
                self._logs_after = time.monotonic() + _LOG_PAUSE

    def _next(self) -> tuple[list[protocol.Report], bool]:
        """Wait for something to send and return it; a server that was away is greeted first."""
        with self._lock:
            while not (self._pending or self._loose or self._held or self._touched):
                pause = self._logs_after - time.monotonic()
                if self._logs and pause <= 0:
                    break
                self._lock.wait(pause if self._logs else None)
            batch = list(self._pending)
            batch.extend(self._loose)
            self._loose.clear()
            if self._touched and self._watch is not None:
                files = self._watch.all() if self._missed else self._watch.news()
                batch.append(protocol.Report(0, "files", now(), {"files": files}))
                self._touched = self._missed = False
            if self._logs is not None:
                batch.append(protocol.Report(0, "logs", now(), dict(self._logs())))
                self._logs = None
            if self._away:
                batch.insert(0, protocol.Report(0, "hello", now(), asdict(self._directory.status)))
            return batch, self._held

    def _keep(self, batch: list[protocol.Report]) -> None:
        with self._lock:
            beats = [report for report in batch if report.kind == "heartbeat"]
            self._loose.extendleft(reversed(beats[-max(0, _KEPT - len(self._loose)) :]))

    def _acknowledge(self, upto: int) -> None:
        with self._lock:
            while self._pending and self._pending[0].seq <= upto:
                self._pending.popleft()
            self._lock.notify_all()

    def _post(self, batch: list[protocol.Report], wait: float) -> dict[str, Any]:
        reports = [asdict(report) for report in batch]
        message = {"fence": self._directory.status.fence, "wait_s": wait, "reports": reports}
        body = json.dumps(message, separators=(",", ":")).encode()
        path = f"/v1/attempts/{self._spec.attempt}/replicas/{self._spec.replica}/reports"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: agents\r\nAuthorization: Bearer {self._spec.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with sockets.connect(self._spec.reports, wait + 30) as connection:
            connection.sendall(head.encode() + body)
            status, answer = _read_answer(connection)
        if status == 409:
            raise Fenced
        if status != 200:
            raise ValueError(f"the server answered {status}")
        loaded = json.loads(answer)
        if not isinstance(loaded, dict):
            raise ValueError("not an answer")
        return loaded


def _read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return status and body of an answer with a Content-Length, or one that ends with the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ValueError("no answer")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = -1
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    while length < 0 or len(body) < length:
        more = connection.recv(65536)
        if not more:
            break
        body += more
    if len(body) < length:
        raise ValueError("the answer is cut off")
    return int(lines[0].split()[1]), body
