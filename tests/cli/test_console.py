"""The command's ways into the console: links that work once, pages of runs, a demo that stays to be looked at."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.live.browser import Browser
from tests.live.environments import lend
from tests.live.home import wait_until
from tests.live.jobs import Plan
from tests.live.rest import Rest

from trigpoint.core import ready
from trigpoint.core.ready import Ready

DEMO = """
import sys
from pathlib import Path
from trigpoint.cli import account, app, demo
pipeline = "projects/demo-project/locations/us-central1/trainingPipelines/1"
demo._walkthrough = lambda: Path("/x")
demo._run = lambda *a: {}
demo._completed = lambda *a: {"runs": [{"pipeline": pipeline, "display_name": "penguins-forest"}]}
account.draw = lambda session, facts, look: session.out.print("The picture of it:", look)
app.main(sys.argv[1:])
"""


def environ(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), "TRIGPOINT_HOME": str(home), **more}


def trig(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trigpoint.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ(home, **more), stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("looking")
    lend(environments, home)
    assert trig(home, "up", "--detach").returncode == 0
    yield home
    trig(home, "down", "--cancel-jobs")


def info_of(home: Path) -> Ready:
    found = ready.read(home / "run")
    assert found is not None
    return found


def enters(home: Path, url: str) -> str:
    """Use a link up as a browser does, and return the path that it led to."""
    parts = urlsplit(url)
    assert parts.netloc == f"127.0.0.1:{info_of(home).port}"
    assert parts.scheme == "http"
    browser = Browser(info_of(home))
    assert browser.ask("POST", "session", {"code": parts.fragment.removeprefix("code=")})["role"] == "owner"
    return parts.path


def test_up_says_where_to_look_and_how_to_get_in(tmp_path: Path) -> None:
    first = json.loads(trig(tmp_path, "up", "--detach", "--json").stdout)
    assert first["console"] == f"http://127.0.0.1:{first['port']}/console/"
    assert enters(tmp_path, first["console_url"]) == "/console/"
    again = trig(tmp_path, "up", "--detach")
    assert "Already serving" in again.stdout
    assert enters(tmp_path, again.stdout.split()[-1]) == "/console/"
    shown = trig(tmp_path, "status")
    assert f"  console   {first['console']}\n" in shown.stdout
    assert "#code=" not in shown.stdout
    trig(tmp_path, "down")
    assert trig(tmp_path, "console").returncode == 3


def test_console_prints_a_fresh_link_each_time(serving: Path) -> None:
    urls = [
        trig(serving, "console").stdout.strip(),
        json.loads(trig(serving, "console", "--json").stdout)["console_url"],
    ]
    assert urls[0] != urls[1]
    for url in urls:
        assert enters(serving, url) == "/console/"


def test_a_run_is_found_by_whatever_a_person_calls_it(serving: Path) -> None:
    rest = Rest(info_of(serving))
    pipeline = rest.ask("POST", f"/v1/{rest.parent}/trainingPipelines", Plan("my forest").pipeline())["name"]
    job = rest.ask("POST", f"/v1/{rest.parent}/customJobs", Plan("alone").job())["name"]
    for called, name in ((pipeline, pipeline), (pipeline.split("/")[-1], pipeline), ("my forest", pipeline),
                         (job, job), (job.split("/")[-1], job), ("alone", job)):  # fmt: skip
        assert enters(serving, trig(serving, "console", called).stdout.strip()) == f"/console/{name}"
    wait_until(lambda: "END" in trig(serving, "logs", job).stdout, 60)
    assert "START" in trig(serving, "logs", job, "--replica", "workerpool0-0").stdout
    assert "START" not in trig(serving, "logs", job, "--replica", "service").stdout
    wrong = trig(serving, "console", "nothing")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "'nothing'" in wrong.stderr
    rest.close()


def test_a_browser_is_opened_when_asked_and_not_where_nobody_looks(serving: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    assert trig(serving, "console", BROWSER=str(browser), DISPLAY=":0").returncode == 0
    assert not seen.exists()
    done = trig(serving, "console", "--open", BROWSER=str(browser))
    wait_until(lambda: seen.exists() and seen.read_text())
    assert seen.read_text().strip() == done.stdout.strip()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, home: Path, *command: str) -> None:
        self._screen, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, env=environ(home, TERM="dumb"), stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.text = ""

    def shows(self, text: str) -> None:
        """Return once a text is on the screen."""
        deadline = time.monotonic() + 60
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            self.text += os.read(self._screen, 4096).decode()

    def close(self) -> None:
        """Give the terminal back."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._screen)


def test_a_demo_on_a_terminal_stays_until_ctrl_c(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, sys.executable, "-c", DEMO, "demo")
    try:
        terminal.shows("Ctrl-C stops")
        url = next(word for word in terminal.text.split() if "#code=" in word)
        assert enters(tmp_path, url).endswith("/trainingPipelines/1")
        assert ready.locked(tmp_path / "run")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(60) == 0
        assert not ready.locked(tmp_path / "run")
    finally:
        terminal.close()


def test_a_demo_that_stays_ends_when_its_server_is_stopped(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, sys.executable, "-c", DEMO, "demo")
    try:
        terminal.shows("Ctrl-C stops")
        trig(tmp_path, "down")
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()


def test_a_demo_elsewhere_says_how_to_look(tmp_path: Path, serving: Path) -> None:
    def demo(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", DEMO, "demo", *options]
        return subprocess.run(command, capture_output=True, text=True, env=environ(home), stdin=subprocess.DEVNULL)

    alone = demo(tmp_path)
    assert alone.returncode == 0, alone.stderr
    assert "trig up --detach && trig console penguins-forest" in alone.stdout
    assert "http://" not in alone.stdout
    assert not ready.locked(tmp_path / "run")
    told = json.loads(demo(tmp_path, "--json").stdout)
    assert told["console"].endswith("/trainingPipelines/1")
    beside = json.loads(demo(serving, "--json").stdout)
    assert enters(serving, beside["console"]).endswith("/trainingPipelines/1")
    assert ready.locked(serving / "run")
