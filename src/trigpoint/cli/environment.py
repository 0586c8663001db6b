"""`trig env` and `trig run`: point a program's Google clients at the server, wholly or not at all."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType

import typer

from trigpoint.cli import client, lease, server, upkeep
from trigpoint.cli.client import RESOURCES
from trigpoint.cli.session import Failure, Session, Status
from trigpoint.cli.variables import UNSET, variables
from trigpoint.core import ready
from trigpoint.core.ready import Ready

_SHOWN = 10
"""Projects that are named to somebody who chose none of them."""


class Format(StrEnum):
    """How `trig env` writes the variables."""

    SH = "sh"
    JSON = "json"
    DOTENV = "dotenv"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(env)
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(run)


def env(
    context: typer.Context,
    format_: Format = typer.Option(Format.SH, "--format", help="sh (for eval), json, or dotenv."),
) -> None:
    """Print the variables that point Google's clients at the running server."""
    session: Session = context.obj
    info = server.required(session)
    given = checked(session, info)
    ready.share(session.run_folder)
    if ready.temporary(session.run_folder):
        session.note("This server ends with the command that it was started for; `trig up --detach` has it stay.")
    unset = [name for name in UNSET if name not in given]
    if session.as_json or format_ is Format.JSON:
        print(json.dumps({**given, **dict.fromkeys(unset)}, indent=2))
    elif format_ is Format.DOTENV:
        print("\n".join(f"{name}={_dotenv(value)}" for name, value in given.items()))
    else:
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in given.items()))
        print(f"unset {' '.join(unset)}")


def run(
    context: typer.Context,
    command: list[str] = typer.Argument(metavar="-- CMD...", help="The command and its arguments."),
) -> None:
    """Run a command against the running server of this home, or one started for the command's length.

    Jobs that it leaves running go on, and a server started for it stays until they end. Interrupting it cancels them,
    unless somebody else uses the server.
    """
    session: Session = context.obj
    words = command[1:] if command[:1] == ["--"] else command
    if not words or shutil.which(words[0]) is None:
        raise Failure(
            f"There is no command {words[0]!r}." if words else "No command given.",
            "trig run -- python your_script.py",
            Status.USAGE,
        )
    with lease.leased(session) as lent:
        status, lent.cancels = attended(words, environment(session, lent.info))
    raise typer.Exit(status)


def environment(session: Session, info: Ready) -> dict[str, str]:
    """Return the whole environment of a program that is to reach the server and nothing else of Google's."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**kept, **checked(session, info)}


def checked(session: Session, info: Ready) -> Mapping[str, str]:
    """Return the variables; Failure unless every file they name is there and the server answers."""
    given = variables(info, project=_project(session, info))
    missing = [name for name, value in given.items() if value.startswith("/") and not Path(value).exists()]
    if missing:
        raise Failure(
            f"Not pointing anything at a half-configured server: the file that {missing[0]} names is not there.",
            "Restart the server (`trig down`, `trig up`): it writes its files again.",
        )
    upkeep.probe(session)
    return given


def _project(session: Session, info: Ready) -> str:
    """Return the project to work in; Failure when there is none of the id or number that was chosen.

    The server's own needs no question: it is there, and most programs work in it.
    """
    chosen = session.project(info)
    if chosen in (info.project, info.project_number):
        return chosen
    active = []
    for one in client.connect(session, info).pages(RESOURCES, "v3/projects:search", "projects", {"pageSize": 100}):
        if one.get("state") == "ACTIVE":
            active.append(one["projectId"])
        if chosen in (one["projectId"], one["name"].rpartition("/")[2]):
            if one["projectId"] in active:
                return chosen
            raise Failure(f"Project {chosen} was deleted.", _fix(session, "undelete", chosen), Status.USAGE)
    known = f"{', '.join(active[:_SHOWN])}{', ...' if len(active) > _SHOWN else ''}"
    raise Failure(
        f"There is no project {chosen!r} on this home; there are: {known}.",
        f"Choose one of them with --project, or have it: {_fix(session, 'create', chosen)}",
        Status.USAGE,
    )


def _fix(session: Session, verb: str, project: str) -> str:
    """Return the command that mends a choice; a server of our own ends with this failure, so another has to run."""
    first = "trig up --detach && " if ready.temporary(session.run_folder) else ""
    return f"{first}trig projects {verb} {shlex.quote(project)}"


def attended(words: Sequence[str], surroundings: Mapping[str, str]) -> tuple[int, bool]:
    """Run a command in the foreground and pass signals on.

    Returns its status as a shell gives it, and whether somebody interrupted it.
    """
    process = subprocess.Popen(words, env=dict(surroundings))
    with _passing_on(process) as passed:
        status = process.wait()
    return (128 - status if status < 0 else status), bool(passed)


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Pass TERM and HUP on; a terminal sends Ctrl-C to the command itself, so here it must only not kill `trig`.

    Gives the list of the signals that came.
    """
    passed: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        passed.append(number)
        process.send_signal(number)

    def interrupt(number: int, frame: FrameType | None) -> None:
        passed.append(number)
        if not sys.stdin.isatty():
            process.send_signal(number)

    before = {
        number: signal.signal(number, interrupt if number == signal.SIGINT else pass_on)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield passed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _dotenv(value: str) -> str:
    return value if value.replace("/", "").replace("-", "").isalnum() else json.dumps(value)
