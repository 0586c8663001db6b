"""The server that a command uses for its length: the one that runs, or a temporary one that ends with its last user."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trigpoint.cli import client, server, work
from trigpoint.cli.server import Life
from trigpoint.cli.session import Failure, Session
from trigpoint.core import ready
from trigpoint.core.ready import Ready


@dataclass
class Lease:
    """A server in use."""

    info: Ready
    own: bool
    """Whether it was started for this."""
    found: frozenset[str] = frozenset()
    """Names of the work that a server of one's own took over from an earlier one."""
    cancels: bool = False
    """Set by whoever uses it: cancel, at the end, what was begun on a server that nobody else has used."""


@contextmanager
def leased(session: Session) -> Iterator[Lease]:
    """Give the running server of this home, or a temporary one.

    At the end a temporary server that nobody else uses is stopped, unless jobs still run on it: those may be anybody's,
    so it stays until they end.
    """
    server.prepare(session)
    held = ready.hold(session.run_folder)
    lease: Lease | None = None
    try:
        lease = _taken(session)
        yield lease
    finally:
        with _deaf():
            os.close(held)
            if lease is not None:
                _leave(session, lease)


def _taken(session: Session) -> Lease:
    info = server.running(session)
    if info is None:
        process, info = server.start(session, {}, Life.USED)
        if process is not None:
            return Lease(info, own=True, found=frozenset(work.unfinished(client.connect(session, info))))
    ready.share(session.run_folder)
    return Lease(info, own=False)


def _leave(session: Session, lease: Lease) -> None:
    """End a temporary server, unless it is of use to somebody."""
    info = server.running(session)
    if info is None or info.pid != lease.info.pid or not ready.temporary(session.run_folder):
        return
    alone = ready.alone(session.run_folder)
    if alone is None:
        return  # its other users see to it
    try:
        left = _left(session, lease)
        if not left:
            server.stop(session, info)
            return
        session.note(
            f"Still running: {work.named(left)}. The server stays until they have ended (`trig status`); "
            "`trig down --cancel-jobs` ends them and it, `trig up --detach` keeps it for longer."
        )
    finally:
        os.close(alone)


def _left(session: Session, lease: Lease) -> list[str]:
    """Return the ids of the jobs that go on; none when the server does not tell."""
    try:
        api = client.connect(session, lease.info)
        if lease.own and lease.cancels and not ready.shared(session.run_folder):
            work.cancel(session, api, spare=lease.found)
        return work.ids(work.active(api))
    except Failure as failure:
        session.note(f"Could not find out what still runs: {failure.message}")
        return []


@contextmanager
def _deaf() -> Iterator[None]:
    """Let no second Ctrl-C interrupt the tidying up."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
