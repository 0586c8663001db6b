"""`trig demo`: runs the penguins walkthrough as any user would, and accounts for what happened."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

import trigpoint
from trigpoint.cli import account, client, console, environment, jobs, lease, lineage, work
from trigpoint.cli.client import Api
from trigpoint.cli.progress import Progress
from trigpoint.cli.session import Failure, Session, Status
from trigpoint.core import ready
from trigpoint.core.ready import Ready

_LOOK_SECONDS = 0.5
LABEL = ("example", "penguins")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(context: typer.Context) -> None:
    """Run examples/penguins, unmodified Google client code, and show what ran where and what came of it."""
    session: Session = context.obj
    script = _walkthrough()
    started = time.monotonic()
    with lease.leased(session) as lent:
        info, own = lent.info, lent.own
        session.note(f"Serving on port {info.port}, home {session.settings.home}")
        surroundings = environment.environment(session, info)
        api = client.connect(session, info)
        try:
            with Progress(api, lambda text: session.err.print(f"   {text}", style="cyan", markup=False)):
                report = _run(session, script, surroundings)
            facts = _completed(session, api, report)
        except BaseException:
            work.cancel(session, api, LABEL)
            raise
        facts["seconds"] = round(time.monotonic() - started, 1)
        stays = own and session.out.is_terminal and not session.as_json
        lasting = stays or not own
        facts["console"] = _picture(session, info, facts, lasting=lasting)
        again = f"trig up --detach && trig console {facts['runs'][0]['display_name']}"
        session.show(facts, lambda: account.draw(session, facts, facts["console"] if lasting else again))
        if stays:
            _stay(session)


def _picture(session: Session, info: Ready, facts: dict[str, Any], *, lasting: bool) -> str:
    """Return a link to the picture of the first run; its mere address when the server is about to end."""
    to = f"/console/{facts['runs'][0]['pipeline']}"
    return console.link_or_address(session, info, to) if lasting else console.address(info, to)


def _stay(session: Session) -> None:
    """Keep serving what the demo made until Ctrl-C, or until somebody else stops the server."""
    session.note("\nServing, so that you can look at it; Ctrl-C stops. What was made stays in the home.")
    with suppress(KeyboardInterrupt):
        while ready.locked(session.run_folder):
            time.sleep(_LOOK_SECONDS)
    session.note("\nStopping.")


def _walkthrough() -> Path:
    script = Path(trigpoint.__file__).resolve().parents[2] / "examples" / "penguins" / "walkthrough.py"
    if not script.exists():
        raise Failure("The example is not part of this installation.", "Run `make demo` in a clone of the repository.")
    try:
        found = importlib.util.find_spec("google.cloud.aiplatform")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise Failure(
            "The walkthrough is written with Google's client libraries, and they are not installed here.",
            "Run `make demo`, which installs them beside trig.",
        )
    return script


def _run(session: Session, script: Path, surroundings: dict[str, str]) -> dict[str, Any]:
    """Run the walkthrough, show its lines as they come, and return its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        process = subprocess.Popen(
            [sys.executable, "-u", str(script), "--report", str(report)],
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            _show_lines(session, process)
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if status:
            raise Failure(
                f"The walkthrough ended with status {status}; its own last lines say why.", status=Status.FAILED
            )
        facts: dict[str, Any] = json.loads(report.read_text())
        return facts


def _show_lines(session: Session, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        text = line.rstrip()
        style = "bold" if text.startswith("== ") else "dim"
        session.err.print(text, style=style, markup=False)


def _completed(session: Session, api: Api, report: dict[str, Any]) -> dict[str, Any]:
    """Add what the server knows: the jobs as they ended, the lineage as a tree, where the files lie on this disk."""
    for run in report["runs"]:
        job = api.call("GET", api.vertex, f"v1/{run['job']}")
        run["job_state"] = job["state"]
        run["seconds"] = jobs.ran_seconds(job)
    for graph in report["lineage"]:
        graph["tree"] = lineage.tree(graph)
    report["home"] = str(session.settings.home)
    report["bucket_folder"] = str(session.settings.path("buckets", report["bucket"].removeprefix("gs://")))
    return report
