"""How long servers live that commands start for themselves, with real jobs on them; what is said when none runs."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tests.live.environments import lend
from tests.live.jobs import Plan
from tests.live.rest import Rest

from trigpoint.core import ready

from .test_serving import alive, command, environ, trig, wait_until


@pytest.fixture
def home(tmp_path: Path, environments: Path) -> Iterator[Path]:
    """A home with the environment that jobs need; nothing of it runs afterwards."""
    made = tmp_path / "home"
    made.mkdir()
    lend(environments, made)
    yield made
    trig(made, "up", "--detach")
    trig(made, "down", "--cancel-jobs")


@pytest.fixture
def running(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `trig run` with a server of its own, which ends when it is told to by a file."""
    script = f"touch {home}/begun; while [ ! -e {home}/end ]; do sleep 0.1; done"
    process = subprocess.Popen(command("run", "--", "sh", "-c", script), env=environ(home), stdin=subprocess.DEVNULL)
    wait_until((home / "begun").exists, 60)
    yield process
    (home / "end").touch()
    process.wait(60)


@contextmanager
def client(home: Path) -> Iterator[Rest]:
    info = ready.read(home / "run")
    assert info is not None
    rest = Rest(info)
    try:
        yield rest
    finally:
        rest.close()


def job(home: Path, seconds: float) -> str:
    """Start a job that prints for so long; return its name once it runs."""
    plan = Plan("other", lines=int(seconds * 10), pause=0.1)
    with client(home) as rest:
        name = str(rest.ask("POST", f"/v1/{rest.parent}/customJobs", plan.job())["name"])
    wait_until(lambda: state(home, name) == "JOB_STATE_RUNNING", 120)
    return name


def state(home: Path, name: str) -> str:
    with client(home) as rest:
        return str(rest.ask("GET", f"/v1/{name}")["state"])


def test_a_run_leaves_its_server_to_the_jobs_that_others_began(home: Path, running: subprocess.Popen[bytes]) -> None:
    pid = json.loads(trig(home, "status", "--json").stdout)["pid"]
    name = job(home, 600)
    (home / "end").touch()
    assert running.wait(60) == 0
    shown = json.loads(trig(home, "status", "--json").stdout)
    assert shown["pid"] == pid
    assert shown["temporary"]
    assert state(home, name) == "JOB_STATE_RUNNING"
    with client(home) as rest:
        rest.ask("POST", f"/v1/{name}:cancel", {})
    wait_until(lambda: not ready.locked(home / "run"), 60)


def test_what_an_interrupted_run_began_ends_with_it(home: Path, running: subprocess.Popen[bytes]) -> None:
    name = job(home, 600)
    running.send_signal(signal.SIGTERM)
    running.wait(90)
    assert not ready.locked(home / "run")
    assert trig(home, "up", "--detach").returncode == 0
    assert state(home, name) == "JOB_STATE_CANCELLED"


def test_an_interrupted_run_cancels_nothing_where_others_were(home: Path, running: subprocess.Popen[bytes]) -> None:
    assert trig(home, "run", "--", "true").returncode == 0
    assert ready.locked(home / "run"), "the last user but one must not end the server"
    name = job(home, 600)
    running.send_signal(signal.SIGTERM)
    running.wait(90)
    assert state(home, name) == "JOB_STATE_RUNNING"


def test_up_keeps_the_server_of_a_run(home: Path, running: subprocess.Popen[bytes]) -> None:
    pid = json.loads(trig(home, "status", "--json").stdout)["pid"]
    refused = trig(home, "up")
    assert refused.returncode == 1
    assert "trig up --detach" in refused.stderr
    done = trig(home, "up", "--detach")
    assert "stays until `trig down`" in done.stdout
    (home / "end").touch()
    assert running.wait(60) == 0
    time.sleep(3)  # longer than the server takes to see that it is not needed
    shown = json.loads(trig(home, "status", "--json").stdout)
    assert (shown["pid"], shown["temporary"]) == (pid, False)


def test_a_server_ends_when_its_run_was_killed(home: Path, running: subprocess.Popen[bytes]) -> None:
    children = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    wait_until(lambda: not ready.locked(home / "run"))
    for child in children:
        if child.is_running():
            child.kill()


@pytest.mark.parametrize("second", [("run", "--", "sh", "-c", "sleep 1"), ("up", "--detach")])
def test_commands_that_start_together_share_one_server(tmp_path: Path, second: tuple[str, ...]) -> None:
    both = [
        subprocess.Popen(
            command(*words), env=environ(tmp_path), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for words in (("run", "--", "sh", "-c", "sleep 1"), second)
    ]
    ends = [(process.communicate(timeout=90)[1], process.returncode) for process in both]
    assert [status for _, status in ends] == [0, 0], ends
    assert ready.locked(tmp_path / "run") == (second[0] == "up")
    trig(tmp_path, "down")


def test_a_closed_terminal_ends_the_server_and_no_job(home: Path) -> None:
    process = subprocess.Popen(command("up"), env=environ(home), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_until(lambda: ready.read(home / "run") is not None, 60)
    time.sleep(1)  # until `trig` itself has seen that
    name = job(home, 600)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    ident = name.rpartition("/")[2]
    for shown in (trig(home, "status"), trig(home, "down")):
        assert ident in shown.stdout
        assert "workerpool0-0" in shown.stdout
        assert "`trig up` takes them over" in shown.stdout
    assert json.loads(trig(home, "down", "--json").stdout)["still_running"] == {ident: ["workerpool0-0"]}
    assert trig(home, "up", "--detach").returncode == 0
    assert state(home, name) == "JOB_STATE_RUNNING"
    assert trig(home, "down", "--cancel-jobs").returncode == 0
    assert "Still running" not in trig(home, "status").stdout


def test_a_server_on_a_terminal_that_is_closed_ends_in_order(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("up"),
        env=environ(tmp_path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    said = b""
    while b"trig run --" not in said:
        said += os.read(ours, 4096)
    time.sleep(1)
    os.close(ours)
    assert process.wait(60) == 0
    assert not ready.locked(tmp_path / "run")


def test_a_server_of_its_own_ends_on_sighup_but_not_under_nohup(tmp_path: Path) -> None:
    server = [sys.executable, "-m", "trigpoint.server", "serve"]
    for words, ends in ((server, True), (["nohup", *server], False)):
        process = subprocess.Popen(
            words, env=environ(tmp_path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda pid=process.pid: (r := ready.read(tmp_path / "run")) is not None and r.pid == pid, 60)  # type: ignore[misc]
        os.kill(process.pid, signal.SIGHUP)
        if ends:
            assert process.wait(30) == 0
        else:
            time.sleep(1)
            assert alive(process.pid)
            process.terminate()
            process.wait(30)
