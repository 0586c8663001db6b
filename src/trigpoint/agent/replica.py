"""The life of one replica: claim, prepare, meet the others, run, report; each step is written down before the next."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import asdict
from typing import Mapping

from . import protocol, sentences
from .directory import Directory, claim
from .logs import LogWriter, Pump, cause
from .packages import PackageError, Packages
from .protocol import Outcome
from .reports import Reporter
from .room import Room, Running
from .sandbox import Sandbox, works
from .usage import Usage

_PATIENCE = 60.0
"""Seconds for which an agent whose program has ended waits for the server; after that the directory tells."""
_RETRY = 0.5
_FOREVER = 1e9


class Replica:
    """One replica in the hands of this process."""

    def __init__(self, directory: Directory, spec: protocol.RunSpec, room: Room) -> None:
        self._directory = directory
        self._spec = spec
        self._room = room
        self._wake = threading.Condition()
        self._stop_at = _FOREVER
        self._stopping = False
        self._go: protocol.Command | None = None
        self._ended = False
        self._running: Running | None = None
        self._usage = Usage(room)
        self._reporter = Reporter(spec, directory, self._command)
        self._log = LogWriter(directory.file("logs"), spec.limits.log_bytes, self._logs_moved)
        room.watch.tell = lambda: self._reporter.files_touched(room.watch)

    def live(self) -> None:
        """Run to the end."""
        signal.signal(signal.SIGTERM, self._on_signal)
        self._reporter.report("hello", asdict(self._directory.status))
        self._reporter.start()
        if os.path.exists(self._directory.file("stop.json")):
            self._read_stop()
        if self._directory.status.state == protocol.CLAIMED:
            threading.Thread(target=self._guard, name="guard", daemon=True).start()
            outcome = self._perform()
        else:
            outcome = self._directory.status.outcome or Outcome(protocol.LOST, message=sentences.LOST)
            self._room.watch.complete = False
        self._log.close()
        if self._directory.status.outcome is None:
            self._write_down(outcome)
        files = {"files": self._room.watch.all(), "watched": self._room.watch.complete}
        self._reporter.report("outcome", {**asdict(outcome), **self._log.counts(), **files})
        self._room.clear()
        self._reporter.close(_PATIENCE)

    def _write_down(self, outcome: Outcome) -> None:
        """Save how it ended, however long the disk is full: a program whose end is forgotten would run again."""
        while True:
            try:
                self._directory.save(state=protocol.ENDED, outcome=outcome)
            except OSError:
                if self._directory.removed():
                    return
                time.sleep(_RETRY)
            else:
                return

    def _perform(self) -> Outcome:
        """Prepare and run the program; return how it ended. Nothing of it is left when this returns."""
        try:
            self._log.line("Running run_module.py")
            self._introduce()
            problem = self._prepare()
            if problem is None:
                problem = self._meet()
            return problem or self._run()
        except PackageError as error:
            self._log.line(str(error))
            tail = self._log.tail()[-8192:]
            return self._stopped() or Outcome(protocol.PREPARE_ERROR, 1, message=str(error), tail=tail)
        except (OSError, subprocess.SubprocessError) as error:
            text = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            message = sentences.NOT_SET_UP.format(problem=text)
            self._log.line(message)
            return Outcome(protocol.START_ERROR, 128, message=message)
        finally:
            self._room.close()

    def _introduce(self) -> None:
        """Log lines 3 and 4 of Vertex's images (vertex-training.md section 3.4)."""
        program = self._spec.program
        if not program.module:
            return
        try:
            cluster = json.loads(self._spec.env.get("CLUSTER_SPEC", ""))
        except ValueError:
            cluster = {}
        uris = [package.uri or os.path.basename(package.path) for package in self._spec.packages]
        job = {"python_module": program.module, "package_uris": uris, "job_args": list(program.args)}
        shown = {"cluster": cluster.get("cluster", {}), "task": cluster.get("task", {})}
        words = [f"--{name}={json.dumps(value)}" for name, value in shown.items() if value]
        words.append("--job=" + json.dumps(job, separators=(",", ":")).replace("=", "\\u003d"))
        self._log.line("Running task with arguments: " + " ".join(words))
        self._log.line(f"Running module {program.module}.")

    def _prepare(self) -> Outcome | None:
        """Make the room and bring in the packages; an outcome when a stop came in between."""
        room = self._room
        room.open()
        packages = Packages(self._spec, room, self._log, self._started, lambda: self._stopping)
        if not self._stopping:
            packages.prepare()
        self._running = None
        environment = self._spec.environment
        facts = {"environment": environment.key, "python": environment.python, **packages.facts}
        self._directory.save(
            durably=self._spec.barrier,
            state=protocol.PREPARED,
            runtime=room.runtime,
            lost=tuple(room.lost),
            facts=facts,
            address=room.network.address,
        )
        body = {"address": asdict(room.network.address), "runtime": room.runtime, "lost": room.lost, "facts": facts}
        self._reporter.report("prepared", body, held=self._spec.barrier)
        return self._stopped()

    def _meet(self) -> Outcome | None:
        """Wait at the gang's barrier."""
        with self._wake:
            while self._spec.barrier and self._go is None and not self._stopping:
                self._wake.wait()
        self._reporter.release()
        return self._stopped()

    def _run(self) -> Outcome:
        """Start the program, watch it, and see it out."""
        go = self._go or protocol.Command("go")
        self._room.set_hosts(go.hosts)
        env = self._room.variables(go.env)
        argv = self._argv(env)
        self._log.line("Running command: " + " ".join(["python3", *argv[1:]] if self._spec.program.module else argv))
        self._directory.save(state=protocol.RUNNING)
        out, write_out = os.pipe()
        error, write_error = os.pipe()
        pump = Pump(self._log, {out: protocol.STDOUT, error: protocol.STDERR})
        try:
            running = self._room.start(argv, env, write_out, write_error)
        except OSError as problem:
            message = sentences.NOT_STARTED.format(program=argv[0], problem=problem.strerror)
            self._log.line(message)
            return Outcome(protocol.START_ERROR, 128, message=message)
        finally:
            os.close(write_out)
            os.close(write_error)
        pump.start()
        self._started(running)
        body = {"pid": running.pid, "argv": argv, "env": self._room.shown(env), "watched": self._room.watch.complete}
        self._reporter.report("started", body)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        code = self._watch(running)
        self._reporter.beat(self._usage.measure(self._log.counts()))
        starved = self._room.group.out_of_memory_kills() > 0
        self._room.close()
        pump.finish(5)
        return self._judge(code, starved)

    def _argv(self, env: Mapping[str, str]) -> list[str]:
        program = self._spec.program
        if program.module:
            return [self._room.python(), "-m", program.module, *program.args]
        return [protocol.expand(word, env) for word in (*program.argv, *program.args)]

    def _watch(self, running: Running) -> int:
        """Return the exit code of the program, after stopping it if that is wanted: TERM, a while, KILL."""
        code: list[int] = []

        def wait() -> None:
            code.append(running.wait())
            with self._wake:
                self._ended = True
                self._wake.notify_all()

        threading.Thread(target=wait, name="wait", daemon=True).start()
        told = False
        with self._wake:
            while not self._ended:
                if self._stopping and not told:
                    told = True
                    running.terminate()
                left = self._stop_at - time.monotonic()
                if left <= 0:
                    break
                self._wake.wait(min(left, _FOREVER / 2) if self._stopping else None)
        if not self._ended:
            self._room.kill()
            with self._wake:
                self._wake.wait_for(lambda: self._ended, 10)
        return code[0] if code else 137

    def _judge(self, code: int, starved: bool) -> Outcome:
        number = code - 128 if 128 < code < 160 else 0
        tail = self._log.tail()[-8192:]
        message = cause(tail)
        if self._stopping:
            reason, message = protocol.STOPPED, ""  # it did not fail: what it printed last is no reason
        elif code == 0:
            reason, message = protocol.SUCCEEDED, ""
        elif starved:
            reason, message = protocol.OUT_OF_MEMORY, sentences.OUT_OF_MEMORY
        else:
            reason = protocol.FAILED
            message = message or (sentences.KILLED.format(signal=number) if number else "")
        self._log.line(f"Task completed. Exit code ({code}). Exit reason ({reason})")
        return Outcome(reason, code, number, message, tail)

    def _beat(self) -> None:
        self._pause(min(0.5, self._spec.heartbeat_s))  # the program's own start comes first
        while not self._ended:
            self._reporter.beat(self._usage.measure(self._log.counts()))
            self._room.reap()
            self._pause(self._spec.heartbeat_s)

    def _guard(self) -> None:
        """Stop, whatever is being done, once the directory is gone: nobody will ever ask for this replica again."""
        while not self._ended:
            if self._directory.removed():
                self._command(protocol.Command("stop", grace_s=0))
                return
            self._pause(self._spec.heartbeat_s)

    def _pause(self, seconds: float) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._ended, seconds)

    def _stopped(self) -> Outcome | None:
        if not self._stopping:
            return None
        return Outcome(protocol.STOPPED, 143, 15, sentences.STOPPED_EARLY)

    def _started(self, running: Running) -> None:
        """Remember what runs now, so that a stop finds it."""
        self._running = running

    def _command(self, command: protocol.Command) -> None:
        with self._wake:
            if command.kind == "go":
                self._go = command
            elif command.kind == "stop":
                self._stop(command.grace_s)
            self._wake.notify_all()

    def _on_signal(self, number: int, frame: object) -> None:
        # A signal may arrive while this very thread holds the condition: the work is done on another.
        threading.Thread(target=self._read_stop, daemon=True).start()

    def _read_stop(self) -> None:
        grace = self._spec.grace_s
        with contextlib.suppress(OSError, ValueError, TypeError), open(self._directory.file("stop.json"), "rb") as file:
            grace = float(json.load(file)["grace_s"])
        with self._wake:
            self._stop(grace)
            self._wake.notify_all()

    def _stop(self, grace: float) -> None:
        self._stopping = True
        self._stop_at = min(self._stop_at, time.monotonic() + grace)
        if self._directory.status.state == protocol.CLAIMED:  # fetching or installing: nothing in it deserves grace
            self._room.network.close()
            if self._running is not None:
                self._room.kill()

    def _logs_moved(self) -> None:
        self._reporter.logs_moved(self._log.counts)


def live(path: str) -> bool:
    """Live one replica's life in this process; False when another agent already does."""
    directory = claim(path)
    if directory is None:
        return False
    with open(directory.file("spec.json"), "rb") as file:
        spec = protocol.load_spec(file.read())
    Replica(directory, spec, _room(spec, directory.path)).live()
    directory.release()
    return True


def _room(spec: protocol.RunSpec, path: str) -> Room:
    if spec.runtime == "sandbox" or (spec.runtime == "auto" and works()):
        return Sandbox(spec, path)
    return Room(spec, path)
