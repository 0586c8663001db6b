"""The command with a real server: the life of the server, programs pointed at it, what is left behind (nothing)."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from trigpoint.core import ready

ASK = """
import json, os, ssl, urllib.request, jwt, time
key = json.load(open(os.environ["GOOGLE_APPLICATION_CREDENTIALS"]))
url = "https://us-central1-aiplatform.googleapis.com"
now = int(time.time())
claims = {"iss": key["client_email"], "sub": key["client_email"], "aud": url + "/", "iat": now, "exp": now + 60}
token = jwt.encode(claims, key["private_key"], algorithm="RS256", headers={"kid": key["private_key_id"]})
path = f"/v1/projects/{key['project_id']}/locations/us-central1/customJobs"
request = urllib.request.Request(url + path, headers={"Authorization": "Bearer " + token})
print(urllib.request.urlopen(request).read().decode())
"""


def environ(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), "TRIGPOINT_HOME": str(home)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "trigpoint.cli", *arguments]


def trig(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environ(home), stdin=subprocess.DEVNULL
    )


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with a server, for all tests that leave it serving."""
    home = tmp_path_factory.mktemp("serving")
    done = trig(home, "up", "--detach")
    assert done.returncode == 0, done.stderr
    yield home
    trig(home, "down", "--cancel-jobs")


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_up_serves_once_and_down_frees_the_home(tmp_path: Path) -> None:
    first = trig(tmp_path, "up", "--detach", "--json")
    assert first.returncode == 0, first.stderr
    again = trig(tmp_path, "up", "--detach", "--json")
    assert json.loads(first.stdout)["pid"] == json.loads(again.stdout)["pid"]
    assert trig(tmp_path, "up").returncode == 1
    shown = json.loads(trig(tmp_path, "status", "--json").stdout)
    assert shown["running"]
    assert shown["project"] == "demo-project"
    assert json.loads(trig(tmp_path, "down", "--json").stdout)["stopped"]
    assert trig(tmp_path, "status").returncode == 3
    assert not ready.locked(tmp_path / "run")
    wait_until(lambda: not alive(shown["pid"]))


def test_env_points_a_program_at_the_server_and_nothing_else(serving: Path) -> None:
    given = json.loads(trig(serving, "env", "--format", "json").stdout)
    assert given["STORAGE_EMULATOR_HOST"] is None
    set_ones = {name: value for name, value in given.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, env={**environ(serving), **set_ones}
    )
    assert json.loads(done.stdout) == {}, done.stderr


def test_env_for_a_shell_can_be_evaluated(serving: Path) -> None:
    script = f'eval "$({" ".join(command("env"))})" && echo $https_proxy && echo ${{STORAGE_EMULATOR_HOST:-none}}'
    done = subprocess.run(
        ["sh", "-ec", script], capture_output=True, text=True, env={**environ(serving), "STORAGE_EMULATOR_HOST": "x"}
    )
    assert done.stdout.startswith("http://127.0.0.1:"), done.stderr
    assert done.stdout.endswith("\nnone\n")


def test_run_uses_the_running_server_and_passes_the_status_on(serving: Path) -> None:
    pid = json.loads(trig(serving, "status", "--json").stdout)["pid"]
    assert json.loads(trig(serving, "run", "--", sys.executable, "-c", ASK).stdout) == {}
    assert trig(serving, "run", "--", "sh", "-c", "exit 7").returncode == 7
    assert trig(serving, "run", "--", "sh", "-c", "kill -9 $$").returncode == 137
    assert json.loads(trig(serving, "status", "--json").stdout)["pid"] == pid


def test_run_refuses_when_a_file_that_a_client_needs_is_gone(serving: Path) -> None:
    info = ready.read(serving / "run")
    assert info is not None
    Path(info.key_file).rename(f"{info.key_file}.away")
    done = trig(serving, "run", "--", "true")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    Path(f"{info.key_file}.away").rename(info.key_file)


@pytest.mark.parametrize("words", [("env",), ("run", "--", "true")])
def test_a_project_that_is_not_there_is_named_with_those_that_are(serving: Path, words: tuple[str, ...]) -> None:
    done = trig(serving, "--project", "no-such-project", *words)
    assert done.returncode == 2
    said, fix = done.stderr.splitlines()
    assert "'no-such-project'" in said
    assert "demo-project" in said
    assert fix.endswith("trig projects create no-such-project")
    assert done.stdout == ""


def test_a_project_is_chosen_by_id_or_number_until_it_is_deleted(serving: Path) -> None:
    made = json.loads(trig(serving, "projects", "create", "third-project", "--json").stdout)
    for chosen in ("third-project", made["name"].rpartition("/")[2]):
        given = json.loads(trig(serving, "--project", chosen, "env", "--format", "json").stdout)
        assert given["GOOGLE_CLOUD_PROJECT"] == chosen
    trig(serving, "projects", "delete", "third-project", "--yes")
    done = trig(serving, "--project", "third-project", "env")
    assert done.returncode == 2
    assert done.stderr == "Error: Project third-project was deleted.\ntrig projects undelete third-project\n"
    assert trig(serving, "projects", "undelete", "third-project").returncode == 0
    assert trig(serving, "--project", "third-project", "env").returncode == 0


def test_a_project_is_deleted_only_when_somebody_says_so(serving: Path) -> None:
    trig(serving, "projects", "create", "fourth-project")
    refused = trig(serving, "projects", "delete", "fourth-project")
    assert refused.returncode == 2
    assert refused.stderr.endswith("trig projects delete fourth-project --yes\n")
    assert answered(serving, "no", "projects", "delete", "fourth-project") == 1
    assert project_state(serving, "fourth-project") == "ACTIVE"
    assert answered(serving, "y", "projects", "delete", "fourth-project") == 0
    assert project_state(serving, "fourth-project") == "DELETE_REQUESTED"


def answered(home: Path, answer: str, *arguments: str) -> int:
    """Run a command on a terminal, answer its question and return its status; its results go elsewhere."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments), env=environ(home), stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    said = process.communicate(timeout=60)[1]
    os.close(ours)
    assert b"Delete project" in said
    return process.returncode


def project_state(home: Path, project: str) -> str:
    listed = json.loads(trig(home, "projects", "list", "--json").stdout)
    return str(next(one["state"] for one in listed if one["projectId"] == project))


def test_a_project_that_is_not_there_leaves_no_server_behind(tmp_path: Path) -> None:
    done = trig(tmp_path, "--project", "no-such-project", "run", "--", "true")
    assert done.returncode == 2
    assert "trig up --detach && trig projects create no-such-project" in done.stderr
    assert not ready.locked(tmp_path / "run")


def test_run_without_a_server_starts_one_for_its_length(tmp_path: Path) -> None:
    done = trig(tmp_path, "run", "--", sys.executable, "-c", ASK)
    assert json.loads(done.stdout) == {}, done.stderr
    assert not ready.locked(tmp_path / "run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_run_ends_its_server_ends_too(tmp_path: Path, number: signal.Signals) -> None:
    marker = tmp_path / "started"
    process = subprocess.Popen(
        command("run", "--", "sh", "-c", f"touch {marker}; exec sleep 60"),
        env=environ(tmp_path),
        stdin=subprocess.DEVNULL,
    )
    wait_until(marker.exists)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    status = process.wait(60)
    assert status == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    wait_until(lambda: not ready.locked(tmp_path / "run"))
    sleeping = [child for child in children if child.is_running() and child.name() == "sleep"]
    if number == signal.SIGKILL:
        for child in sleeping:
            child.kill()
    else:
        assert not sleeping


def test_up_in_the_foreground_ends_on_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("up"), env=environ(tmp_path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_until(lambda: ready.read(tmp_path / "run") is not None)
    process.send_signal(signal.SIGINT)
    # 130 when the signal comes in the instant between the announcement and the command's own "ready".
    assert process.wait(60) in (0, 130)
    wait_until(lambda: not ready.locked(tmp_path / "run"))


def test_a_killed_server_is_seen_and_replaced(serving: Path) -> None:
    pid = json.loads(trig(serving, "status", "--json").stdout)["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not ready.locked(serving / "run"))
    assert trig(serving, "status").returncode == 3
    assert trig(serving, "up", "--detach").returncode == 0
    assert json.loads(trig(serving, "status", "--json").stdout)["pid"] != pid


def test_accounts_and_keys_from_creation_to_refusal(serving: Path) -> None:
    assert trig(serving, "projects", "create", "second-project").returncode == 0
    listed = json.loads(trig(serving, "projects", "list", "--json").stdout)
    assert {"demo-project", "second-project"} <= {one["projectId"] for one in listed}
    assert trig(serving, "service-accounts", "create", "robot-account").returncode == 0
    key = serving / "robot.json"
    made = trig(serving, "service-accounts", "keys", "create", str(key), "--iam-account", "robot-account")
    assert made.returncode == 0, made.stderr
    assert json.loads(key.read_text())["client_email"].startswith("robot-account@demo-project.")
    assert key.stat().st_mode & 0o777 == 0o600
    assert trig(serving, "service-accounts", "disable", "robot-account").returncode == 0
    accounts = json.loads(trig(serving, "service-accounts", "list", "--json").stdout)
    assert [one.get("disabled") for one in accounts if one["email"].startswith("robot-account@")] == [True]


def test_a_job_that_is_not_there_is_named(serving: Path) -> None:
    done = trig(serving, "jobs", "describe", "nothing")
    assert done.returncode == 1
    assert "'nothing'" in done.stderr
    assert json.loads(trig(serving, "jobs", "list", "--json").stdout) == []


def test_backup_and_restore(serving: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    trig(serving, "projects", "create", "kept-project")
    copy = serving / "copy"
    done = trig(serving, "backup", str(copy))
    assert done.returncode == 0, done.stderr
    other = tmp_path_factory.mktemp("other")
    done = trig(other, "restore", str(copy))
    assert done.returncode == 0, done.stderr
    assert trig(other, "up", "--detach").returncode == 0
    listed = json.loads(trig(other, "projects", "list", "--json").stdout)
    trig(other, "down")
    assert "kept-project" in {one["projectId"] for one in listed}


def test_a_server_that_cannot_begin_says_so_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environ = {"TRIGPOINT_PORT": str(taken.getsockname()[1]), "TRIGPOINT_HOME": str(tmp_path / "one")}
        done = subprocess.run(
            [sys.executable, "-m", "trigpoint.server", "serve"],
            env={**os.environ, "PYTHONPATH": ":".join(sys.path), **environ},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Address already in use" in done.stderr
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "run").write_text("no folder")
    done = trig(tmp_path / "two", "up", "--detach")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
