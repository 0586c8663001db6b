"""`trig up`, `down` and `status`: the life of the server of a home."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import typer

from trigpoint.cli import client, console, server, work
from trigpoint.cli.server import Life
from trigpoint.cli.session import Failure, Session, Status
from trigpoint.core import ready
from trigpoint.core.ready import Ready

_TEMPORARY = "  ends      with the command that it was started for, and its jobs; `trig up --detach` has it stay"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)


def up(
    context: typer.Context,
    port: int | None = typer.Option(None, help="The TLS port; otherwise the last one used, or a free one."),
    host: str | None = typer.Option(None, help="The address to bind; anything but loopback lets others in."),
    detach: bool = typer.Option(False, "--detach", "-d", help="Return once it serves; stop it with `trig down`."),
) -> None:
    """Start the server. In the foreground Ctrl-C stops it and cancels what still runs."""
    session: Session = context.obj
    flags = {"port": port, "host": host, "project": session.chosen_project, "location": session.chosen_location}
    if not detach:
        raise typer.Exit(_foreground(session, flags))
    server.prepare(session)
    held = ready.hold(session.run_folder)
    try:
        process, info = None, server.running(session)
        if info is None:
            process, info = server.start(session, flags, Life.LASTING)
        kept = ready.temporary(session.run_folder)
        ready.make_temporary(session.run_folder, wanted=False)
    finally:
        os.close(held)
    if process is not None:
        session.show(*_welcome(session, info))
        return
    url = console.link_or_address(session, info)
    text = f"Already serving on port {info.port} (process {info.pid})."
    text += " It was to end with the command that started it; now it stays until `trig down`." if kept else ""
    session.show({**described(session, info), "console_url": url}, f"{text}\n  console   {url}")


def _foreground(session: Session, flags: Mapping[str, Any]) -> int:
    """Serve until somebody ends it; Failure when a server runs already."""
    info = server.running(session)
    process = None
    if info is None:
        process, info = server.start(session, flags, Life.WITH_US)
    if process is None:
        raise Failure(
            f"A server already runs on {session.settings.home} (process {info.pid}, port {info.port}).",
            "It ends with the command that it was started for; have it stay with `trig up --detach`."
            if ready.temporary(session.run_folder)
            else "Stop it with `trig down`, or leave it: `trig run` and `trig env` use it.",
        )
    return _attend(session, process, info)


def _attend(session: Session, process: Any, info: Ready) -> int:
    """Say where it serves and wait for it. Ctrl-C leaves nothing behind.

    SIGTERM, and SIGHUP of a terminal that was closed, end the server only: jobs go on.
    """

    def end(number: int, frame: FrameType | None) -> None:
        process.send_signal(signal.SIGTERM)

    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, end)
        session.show(*_welcome(session, info))
        status: int = process.wait()
    except KeyboardInterrupt:
        session.note("\nStopping; once more kills.")
        work.cancel(session, client.connect(session, info))
        server.stop(session, info)
        process.wait()
        return int(Status.OK)
    return status


def _welcome(session: Session, info: Ready) -> tuple[dict[str, Any], str]:
    """What is said of a server that just started, with a link that signs one browser in."""
    url = console.link_or_address(session, info)
    return {**described(session, info), "console_url": url}, banner(session, replace(info, console=url))


def banner(session: Session, info: Ready) -> str:
    """What a person needs to know about a server that just started."""
    lines = [
        f"Trigpoint {info.version} serves on {info.host}:{info.port} (process {info.pid})",
        f"  project   {info.project} ({info.project_number}), {info.location}",
        f"  home      {session.settings.home}",
        *([f"  console   {info.console}"] if info.console else []),
        *([_TEMPORARY] if ready.temporary(session.run_folder) else []),
        "  run a script against it:  trig run -- python your_script.py",
        '  or in a shell:            eval "$(trig env)"',
    ]
    return "\n".join(lines)


def down(
    context: typer.Context,
    cancel_jobs: bool = typer.Option(False, "--cancel-jobs", help="Cancel running jobs first, and wait for their end."),
) -> None:
    """Stop the server of this home. Running jobs go on, and the next server takes them over again."""
    session: Session = context.obj
    info = server.running(session)
    if info is None:
        living, text = _without_server(session)
        session.show({"stopped": False, "still_running": living}, text)
        return
    left: list[str] = []
    with suppress(Failure):
        api = client.connect(session, info)
        if cancel_jobs:
            work.cancel(session, api)
        left = work.ids(work.active(api))
    server.stop(session, info)
    text = f"Stopped the server (process {info.pid})."
    if left:
        text += f" Still running: {work.named(left)}; `trig up` takes them over, `trig down --cancel-jobs` ends them."
    session.show({"stopped": True, "pid": info.pid, "still_running": left}, text)


def status(context: typer.Context) -> None:
    """Show the server of this home and its jobs; exit status 3 when none runs."""
    session: Session = context.obj
    info = server.running(session)
    if info is None:
        living, text = _without_server(session)
        session.show({"running": False, "home": str(session.settings.home), "still_running": living}, text)
        raise typer.Exit(int(Status.NO_SERVER))
    api = client.connect(session, info)
    counts: dict[str, int] = {}
    for job in api.pages(api.vertex, f"v1/{api.parent(info.project)}/customJobs", "customJobs", {"pageSize": 100}):
        counts[job["state"]] = counts.get(job["state"], 0) + 1
    since = datetime.fromtimestamp(info.start_time / 1e6, UTC)
    seconds = max(0, int(time.time() - since.timestamp()))
    text = banner(session, info) + f"\n  up for    {seconds // 3600} h {seconds % 3600 // 60} min {seconds % 60} s"
    text += f"\n  jobs      {', '.join(f'{n} {state}' for state, n in sorted(counts.items())) or 'none yet'}"
    session.show({**described(session, info), "home": str(session.settings.home), "jobs": counts}, text)


def _without_server(session: Session) -> tuple[dict[str, list[str]], str]:
    """Return the replicas that run without a server, by job, and what is said of a home that has none."""
    home = session.settings.home
    living: dict[str, list[str]] = {}
    if home.joinpath("attempts").is_dir() and any(home.joinpath("attempts").iterdir()):
        living = json.loads(server.maintain(session, "agents"))
    text = f"No server runs on {home}."
    if living:
        jobs = ", ".join(f"{job} ({', '.join(replicas)})" for job, replicas in living.items())
        text += (
            f"\nStill running without it: {jobs}.\n"
            "They go on by themselves; `trig up` takes them over, and they wait for it to be told how they ended.\n"
            "To end them: trig up --detach && trig down --cancel-jobs"
        )
    return living, text


def described(session: Session, info: Ready) -> dict[str, Any]:
    """A server as JSON shows it."""
    return {"running": True, "temporary": ready.temporary(session.run_folder), **asdict(info)}
