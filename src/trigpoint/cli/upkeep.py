"""`trig backup`, `restore`, `gc`, `data rescan` and `doctor`: looking after a home."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from trigpoint.cli import client, server
from trigpoint.cli.session import Failure, Session, Status

ENOUGH_DISK = 2 * 1024**3
CONFLICTS = ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "API_ENDPOINT_OVERRIDE", "GOOGLE_CLOUD_UNIVERSE_DOMAIN")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
    app.command()(gc)
    data = typer.Typer(help="The files of buckets.", no_args_is_help=True)
    data.command("rescan")(rescan)
    app.add_typer(data, name="data")
    app.command()(doctor)


def backup(
    context: typer.Context,
    path: Path = typer.Argument(help="The folder to write: a new one. Folders above it are made where they lack."),
) -> None:
    """Write a consistent copy of everything the home holds; a running server goes on meanwhile."""
    session: Session = context.obj
    if path.is_dir():
        new = path / "trigpoint-backup"
        raise Failure(f"The folder {path} is already there.", f"Name a new one, such as {new}.", Status.USAGE)
    if os.path.lexists(path):
        raise Failure(f"{path} is already there.", "Name a path that does not exist.", Status.USAGE)
    above = next(one for one in path.absolute().parents if os.path.lexists(one))
    if not above.is_dir() or not os.access(above, os.W_OK):
        reason = "can't be written" if above.is_dir() else "is no folder"
        raise Failure(f"{path} can't be made: {above} {reason}.", "Name a path elsewhere.", Status.USAGE)
    _maintain(session, "backup", str(path.absolute()), said=f"Wrote {path}.")


def restore(
    context: typer.Context,
    path: Path | None = typer.Argument(None, help="What `trig backup` wrote."),
    accept_loss: bool = typer.Option(
        False, "--accept-loss", help="Instead of a backup: go on without the newest changes, which are lost."
    ),
) -> None:
    """Put a backup into this home; the server must be down. What was there moves aside and is kept.

    Sessions of the console and read-only links end, for some of the backup's may have been ended since.
    """
    session: Session = context.obj
    if accept_loss == (path is not None):
        raise Failure("Give either a backup or --accept-loss.", "trig restore PATH", Status.USAGE)
    if path is not None and not path.exists():
        raise Failure(f"{path} is not there.", "Name what `trig backup` wrote.", Status.USAGE)
    if server.running(session) is not None:
        raise Failure(f"A server runs on {session.settings.home}.", "Stop it first: trig down --cancel-jobs")
    if path is None:
        _maintain(session, "accept-loss", said=f"{session.settings.home} goes on with what is left.")
    else:
        _maintain(session, "restore", str(path.absolute()), said=f"Restored {path} into {session.settings.home}.")


def gc(context: typer.Context) -> None:
    """Remove what retention says: old logs, history, finished attempts, unused environments."""
    _maintain(context.obj, "gc", said="Collected.")


def rescan(context: typer.Context) -> None:
    """Take up files that were put into, changed in or removed from the buckets' folders by hand."""
    session: Session = context.obj
    result = _maintain(session, "rescan", said="Rescanned.")
    if strange := result.get("no buckets"):
        session.note(
            f"Not buckets, and so left alone: {', '.join(strange)}.\n"
            "Create a bucket of such a name with any client of Cloud Storage, then rescan again."
        )


def _maintain(session: Session, *arguments: str, said: str) -> dict[str, Any]:
    """Run one maintenance mode, show what it did and return that."""
    printed = server.maintain(session, *arguments)
    try:
        result: dict[str, Any] = json.loads(printed) if printed.strip() else {}
    except ValueError:
        result = {"output": printed}
    facts = "".join(f"\n  {key}: {value}" for key, value in result.items() if not isinstance(value, list))
    session.show(result, said + facts)
    return result


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `fix` says what to do about it when it is not sound."""

    what: str
    sound: bool
    seen: str
    fix: str = ""
    needed: bool = True


def doctor(context: typer.Context) -> None:
    """Look for what would keep Trigpoint from working here, and say what to do; exit status 1 when something would."""
    session: Session = context.obj
    findings = list(_findings(session))

    def human() -> None:
        for one in findings:
            mark = "ok     " if one.sound else "MISSING" if one.needed else "without"
            session.out.print(f"{mark}  {one.what}: {one.seen}", markup=False)
            if not one.sound and one.fix:
                session.out.print(f"         {one.fix}", markup=False)

    session.show([asdict(one) for one in findings], human)
    if any(one.needed and not one.sound for one in findings):
        raise typer.Exit(int(Status.FAILED))


def _findings(session: Session) -> Iterator[Finding]:
    yield Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0], "Trigpoint needs 3.11 or newer.")
    yield _home(session)
    yield from _machine(session)
    set_ones = [name for name in CONFLICTS if os.environ.get(name)]
    yield Finding(
        "variables that send clients elsewhere",
        not set_ones,
        ", ".join(set_ones) or "none",
        "Unset them in this shell; `trig run` does so for its command.",
        needed=False,
    )
    yield _server(session)
    yield _store(session)


def _home(session: Session) -> Finding:
    home = session.settings.home
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        return Finding("home", False, f"{home} can't be written", "Choose another with --home or TRIGPOINT_HOME.")
    return Finding(
        "home", free > ENOUGH_DISK, f"{home}, {free / 1024**3:.1f} GiB free", "Environments need some 2 GiB of disk."
    )


def _machine(session: Session) -> Iterator[Finding]:
    """What programs can have here, as the runtime finds it: a JSON list of name, works, seen and otherwise."""
    try:
        probes = json.loads(server.maintain(session, "doctor"))
    except Failure as failure:
        yield Finding("machine", False, f"could not be examined: {failure.message}")
        return
    for probe_ in probes:
        yield Finding(probe_["name"], probe_["works"], probe_["seen"], probe_["otherwise"], needed=False)


def _server(session: Session) -> Finding:
    info = server.running(session)
    if info is None:
        return Finding("server", True, "none runs on this home")
    return _tried("server", f"answers on port {info.port}", lambda: probe(session))


def _store(session: Session) -> Finding:
    if not session.settings.path("trigpoint.db").exists() and not session.settings.database:
        return Finding("store", True, "nothing stored yet")
    return _tried("store", "sound", lambda: server.maintain(session, "check"))


def _tried(what: str, sound: str, attempt: Callable[[], object]) -> Finding:
    try:
        attempt()
    except Failure as failure:
        return Finding(what, False, failure.message, failure.fix)
    return Finding(what, True, sound)


def probe(session: Session) -> None:
    """Ask the running server one authenticated question through TLS, and its proxy for a connection; Failure if not."""
    info = server.required(session)
    api = client.connect(session, info)
    api.call("GET", api.vertex, f"v1/projects/{info.project}/locations/{info.location}")
    try:
        socket.create_connection(("127.0.0.1", info.proxy_port), timeout=5).close()
    except OSError as error:
        raise Failure(f"The proxy on port {info.proxy_port} does not answer: {error.strerror}.") from error
