"""`trig console`: a fresh link into the console's pages, good for one browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from urllib.parse import urlsplit

import typer

from trigpoint.cli import client, jobs, server
from trigpoint.cli.client import Api
from trigpoint.cli.session import Failure, Session
from trigpoint.core.ready import Ready

HOST = "console.cloud.google.com"
"""The name under which the console answers beside the APIs."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(console)


def console(
    context: typer.Context,
    run: str | None = typer.Argument(None, help="A job or pipeline to show: id, resource name or display name."),
    open_: bool | None = typer.Option(
        None, "--open/--no-open", help="Open a browser; by default on a terminal with a display."
    ),
) -> None:
    """Print a link that signs one browser in to the console, and open it where there is a display."""
    session: Session = context.obj
    info = server.required(session)
    api = client.connect(session, info)
    url = link(api, info, path_of(session, api, run) if run else "/console/")
    session.show({"console_url": url}, url)
    if open_ if open_ is not None else _has_display():
        webbrowser.open(url)


def link(api: Api, info: Ready, to: str = "/console/") -> str:
    """Return a fresh one-time link to a page of a running server."""
    path: str = api.call("POST", HOST, "console/api/codes", {"to": to}, headers={"x-trigpoint": "console"})["url"]
    return address(info, path)


def link_or_address(session: Session, info: Ready, to: str = "/console/") -> str:
    """Return a one-time link to a page, or its mere address when the server makes none."""
    try:
        return link(client.connect(session, info), info, to)
    except Failure:
        return address(info, to)


def address(info: Ready, to: str) -> str:
    """Return where a page is, for a browser that is signed in already."""
    base = urlsplit(info.console)
    return f"{base.scheme}://{base.netloc}{to}"


def path_of(session: Session, api: Api, run: str) -> str:
    """Return the page of a run that is named by id, resource name or display name."""
    return f"/console/{jobs.find_run(session, api, run)['name']}"


def _has_display() -> bool:
    return sys.stdout.isatty() and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
