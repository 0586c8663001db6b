"""`trig up`, `down` and `status`: the life of the server of a home."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import typer

from trigpoint.cli import client, console, server
from trigpoint.cli.client import Api, ApiError
from trigpoint.cli.session import Failure, Session, Status
from trigpoint.core.ready import Ready

ACTIVE = ("JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_CANCELLING")
CANCEL_SECONDS = 40.0


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
    info = server.running(session)
    if info is not None and not detach:
        raise Failure(
            f"A server already runs on {session.settings.home} (process {info.pid}, port {info.port}).",
            "Stop it with `trig down`, or leave it: `trig run` and `trig env` use it.",
        )
    if info is not None:
        url = console.link_or_address(session, info)
        text = f"Already serving on port {info.port} (process {info.pid}).\n  console   {url}"
        session.show({**described(info), "console_url": url}, text)
        return
    flags = {"port": port, "host": host, "project": session.chosen_project, "location": session.chosen_location}
    process, info = server.start(session, flags, detach=detach, log_to_file=detach)
    if detach:
        session.show(*_welcome(session, info))
    else:
        raise typer.Exit(_attend(session, process, info))


def _attend(session: Session, process: Any, info: Ready) -> int:
    """Say where it serves and wait for it; SIGTERM is passed on (jobs go on), Ctrl-C leaves nothing behind."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    try:
        signal.signal(signal.SIGTERM, pass_on)
        session.show(*_welcome(session, info))
        status: int = process.wait()
    except KeyboardInterrupt:
        session.note("\nStopping; once more kills.")
        cancel_active(session, client.connect(session, info))
        server.stop(session, info)
        process.wait()
        return int(Status.OK)
    return status


def _welcome(session: Session, info: Ready) -> tuple[dict[str, Any], str]:
    """What is said of a server that just started, with a link that signs one browser in."""
    url = console.link_or_address(session, info)
    return {**described(info), "console_url": url}, banner(session, replace(info, console=url))


def banner(session: Session, info: Ready) -> str:
    """What a person needs to know about a server that just started."""
    lines = [
        f"Trigpoint {info.version} serves on {info.host}:{info.port} (process {info.pid})",
        f"  project   {info.project} ({info.project_number}), {info.location}",
        f"  home      {session.settings.home}",
        *([f"  console   {info.console}"] if info.console else []),
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
        session.show({"stopped": False}, f"No server runs on {session.settings.home}.")
        return
    left: list[str] = []
    with suppress(Failure):
        api = client.connect(session, info)
        if cancel_jobs:
            cancel_active(session, api)
        left = [job["name"].split("/")[-1] for job in active(api, info.project)]
    server.stop(session, info)
    text = f"Stopped the server (process {info.pid})."
    if left:
        text += f" Still running: {', '.join(left)}; `trig up` takes them over, `trig down --cancel-jobs` ends them."
    session.show({"stopped": True, "pid": info.pid, "still_running": left}, text)


def status(context: typer.Context) -> None:
    """Show the server of this home and its jobs; exit status 3 when none runs."""
    session: Session = context.obj
    info = server.running(session)
    if info is None:
        session.show({"running": False, "home": str(session.settings.home)}, f"No server on {session.settings.home}.")
        raise typer.Exit(int(Status.NO_SERVER))
    api = client.connect(session, info)
    counts: dict[str, int] = {}
    for job in _jobs(api, info.project, ""):
        counts[job["state"]] = counts.get(job["state"], 0) + 1
    since = datetime.fromtimestamp(info.start_time / 1e6, UTC)
    seconds = max(0, int(time.time() - since.timestamp()))
    text = banner(session, info) + f"\n  up for    {seconds // 3600} h {seconds % 3600 // 60} min {seconds % 60} s"
    text += f"\n  jobs      {', '.join(f'{n} {state}' for state, n in sorted(counts.items())) or 'none yet'}"
    session.show({**described(info), "home": str(session.settings.home), "jobs": counts}, text)


def described(info: Ready) -> dict[str, Any]:
    """A server as JSON shows it."""
    return {"running": True, **asdict(info)}


def active(api: Api, project: str) -> Iterable[dict[str, Any]]:
    """The jobs of a project that have not ended."""
    return list(_jobs(api, project, " OR ".join(f'state="{state}"' for state in ACTIVE)))


def _jobs(api: Api, project: str, only: str) -> Iterable[dict[str, Any]]:
    query: dict[str, str | int] = {"pageSize": 100, **({"filter": only} if only else {})}
    return api.pages(api.vertex, f"v1/{api.parent(project)}/customJobs", "customJobs", query)


def cancel_active(session: Session, api: Api, label: tuple[str, str] | None = None) -> None:
    """Cancel pipelines and jobs that have not ended, or only pipelines with a label, and wait for their end."""
    try:
        for path in _unfinished(api, label):
            session.note(f"Cancelling {'/'.join(path.split('/')[-2:])}")
            with suppress(ApiError):
                api.call("POST", api.vertex, f"v1/{path}:cancel", {})
        deadline = time.monotonic() + CANCEL_SECONDS
        while _unfinished(api, label) and time.monotonic() < deadline:
            time.sleep(0.25)
    except Failure as failure:
        session.note(f"Could not cancel what still runs: {failure.message}")


def _unfinished(api: Api, label: tuple[str, str] | None) -> list[str]:
    project = api.info.project
    pipelines = api.pages(api.vertex, f"v1/{api.parent(project)}/trainingPipelines", "trainingPipelines", {})
    names = [
        one["name"]
        for one in pipelines
        if not one.get("endTime") and (label is None or one.get("labels", {}).get(label[0]) == label[1])
    ]
    return names if label else [*names, *(job["name"] for job in active(api, project))]
