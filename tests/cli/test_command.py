"""The command as a person runs it, in a process of its own, on a home without a server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

GROUPS = {
    "": ["up", "down", "status", "env", "run", "demo", "doctor", "logs", "jobs", "projects", "service-accounts"],
    "jobs": ["list", "describe", "cancel"],
    "projects": ["list", "create", "delete", "undelete"],
    "service-accounts": ["list", "create", "disable", "enable", "delete", "keys"],
    "data": ["rescan"],
}


def trig(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trigpoint.cli", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "TRIGPOINT_HOME": str(home), **environ},
    )


@pytest.mark.parametrize("group", GROUPS)
def test_help_names_every_command(tmp_path: Path, group: str) -> None:
    done = trig(tmp_path, *group.split(), "--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in GROUPS[group])
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["status"], 3, "No server runs on"),
        (["env"], 3, "trig up --detach"),
        (["jobs", "list"], 3, "trig up --detach"),
        (["jobs", "list", "--limit", "0"], 2, "'--limit'"),
        (["jobs", "list", "--limit", "-3"], 2, "'--limit'"),
        (["logs", "1"], 3, "No server runs on"),
        (["jobs", "nonsense"], 2, "nonsense"),
        (["run", "--", "no-such-program"], 2, "no-such-program"),
        (["restore", "no-such-backup"], 2, "no-such-backup"),
        (["down"], 0, "No server runs on"),
        (["--version"], 0, "trig 0."),
    ],
)
def test_every_end_has_its_status_and_says_why(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    done = trig(tmp_path, *arguments)
    assert done.returncode == status, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("prot = 1\n")
    done = trig(tmp_path, "status")
    assert done.returncode == 2
    assert "'prot'" in done.stderr


@pytest.mark.parametrize("arguments", [["--json", "status"], ["status", "--json"]])
def test_global_options_stand_anywhere(tmp_path: Path, arguments: list[str]) -> None:
    done = trig(tmp_path, *arguments)
    assert json.loads(done.stdout) == {"running": False, "home": str(tmp_path), "still_running": {}}


def test_errors_are_json_when_asked(tmp_path: Path) -> None:
    done = trig(tmp_path, "jobs", "list", "--json")
    assert done.returncode == 3
    assert "No server runs on" in json.loads(done.stdout)["error"]["message"]


def test_the_home_may_be_given_as_an_option(tmp_path: Path) -> None:
    done = trig(tmp_path, "status", "--json", "--home", str(tmp_path / "other"))
    assert json.loads(done.stdout)["home"] == str(tmp_path / "other")


def test_a_damaged_announcement_counts_as_no_server(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "server.json").write_text("{")
    (tmp_path / "run" / "lock").write_text("")
    assert trig(tmp_path, "status").returncode == 3


def test_doctor_says_what_it_saw_and_how_to_mend_it(tmp_path: Path) -> None:
    done = trig(tmp_path, "doctor", "--json", STORAGE_EMULATOR_HOST="http://localhost:1")
    findings = {one["what"]: one for one in json.loads(done.stdout)}
    assert not findings["variables that send clients elsewhere"]["sound"]
    assert "STORAGE_EMULATOR_HOST" in findings["variables that send clients elsewhere"]["seen"]
    assert findings["Python"]["sound"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "port must be a port from 0 to 65535"),
        (["--port", "-1"], "port must be a port from 0 to 65535"),
        (["--host", "203.0.113.7"], "no address of this machine"),
        (["--host", "no.such.host.invalid"], "There is no host 'no.such.host.invalid'"),
        (["--host", "a" * 300], "There is no host"),
    ],
)
@pytest.mark.parametrize("way", [[], ["--detach"]])
def test_an_address_that_cannot_be_had_is_named_in_one_line(
    tmp_path: Path, way: list[str], arguments: list[str], said: str
) -> None:
    done = trig(tmp_path, "up", *way, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_a_port_that_another_program_has_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = trig(tmp_path, "up", "--detach", "--port", port)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port or TRIGPOINT_PORT" in done.stderr


@pytest.mark.parametrize("below", [".", "folder"])
@pytest.mark.parametrize("arguments", [["up", "-d"], ["status"], ["run", "--", "true"], ["doctor"], ["jobs", "list"]])
def test_a_home_that_is_a_file_is_named(tmp_path: Path, arguments: list[str], below: str) -> None:
    (tmp_path / "home").write_text("no folder")
    done = trig(tmp_path / "home" / below, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f"the home {tmp_path / 'home' / below} is no folder" in done.stderr
    assert "--home or TRIGPOINT_HOME" in done.stderr


@pytest.mark.parametrize("arguments", [["up", "-d"], ["up"], ["run", "--", "true"]])
def test_a_home_that_cannot_be_written_is_named(arguments: list[str]) -> None:
    home = Path("/proc/trigpoint")  # even the superuser makes nothing there
    done = trig(home, *arguments)
    assert done.returncode == 2
    assert f"The home {home} can't be written" in done.stderr
    assert "--home or TRIGPOINT_HOME" in done.stderr
