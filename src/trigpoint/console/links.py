"""Read-only links to single runs: rows, so that they can be listed and taken back; the secret itself is not kept."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass

import orjson

from trigpoint.console import sentences
from trigpoint.console.access import Session, denied
from trigpoint.core.clock import SECOND, Clock, Ids, Micros
from trigpoint.core.errors import InvalidArgument, NotFound, Violation
from trigpoint.core.names import project_of
from trigpoint.store import Store, Tx, resources
from trigpoint.store.queries import COLUMNS
from trigpoint.store.resources import Row

KIND = "consoleLinks"
MOST_DAYS = 365
RunsOf = Callable[[str], tuple[str, frozenset[str]] | None]
"""A run's full name to its display name and all names that belong to it; None when there is no such run."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link."""

    id: str
    run: str
    title: str
    by: str
    hash: str
    created: Micros
    expires: Micros


class Links:
    """All links of the home. Thread-safe."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, runs_of: RunsOf) -> None:
        self._store, self._clock, self._ids, self._runs_of = store, clock, ids, runs_of

    def make(self, run: str, days: float, by: str) -> tuple[Link, str]:
        """Return a new link to a run and its secret, which is told only now."""
        if not 0 < days <= MOST_DAYS:
            raise InvalidArgument(violations=[Violation("days", sentences.BAD_DAYS.format(most=MOST_DAYS, days=days))])
        known = self._runs_of(run)
        if known is None:
            raise denied(run)
        secret, now = secrets.token_urlsafe(24), self._clock.now()
        until = now + int(days * 24 * 3600 * SECOND)
        link = Link(self._ids.hex(12), run, known[0], by, _hash(secret), now, until)
        self._store.write(lambda tx: resources.insert(tx, _row(link)))
        return link, f"{link.id}.{secret}"

    def of_project(self, number: str) -> list[Link]:
        """Return the links to runs of a project that still work, newest first."""
        now = self._clock.now()
        where = COLUMNS["state"] == number
        page = self._store.read(lambda tx: resources.select(tx, KIND, where=where, limit=1000))
        return [link for row in page.rows if (link := _read(row)).expires > now]

    def open(self, secret: str) -> Link | None:
        """Return the link of a secret, while it works."""
        ident, _, rest = secret.partition(".")
        link = self.find(ident)
        return link if link is not None and secrets.compare_digest(link.hash, _hash(rest)) else None

    def find(self, ident: str) -> Link | None:
        """Return a link by its id, while it works."""
        row = self._store.read(lambda tx: resources.get(tx, f"{KIND}/{ident[:64]}"))
        link = _read(row) if row is not None else None
        return link if link is not None and link.expires > self._clock.now() else None

    def runs(self, link: Link) -> frozenset[str]:
        """Return the names of what a link shows; nothing once the run is deleted."""
        known = self._runs_of(link.run)
        return known[1] if known is not None else frozenset()

    def remove(self, ident: str, session: Session) -> None:
        """Take a link back: who came by it is out at once. NotFound when there is none; a session sees its run."""

        def unit(tx: Tx) -> None:
            row = resources.get(tx, f"{KIND}/{ident[:64]}")
            if row is None or not session.may_see(_read(row).run):
                raise NotFound(sentences.NO_LINK.format(link=repr(ident[:64])))
            resources.delete(tx, row, self._clock.now())

        self._store.write(unit)


def remove_all(tx: Tx, now: Micros) -> int:
    """Take every link of the home back; return how many there were."""
    rows = resources.select(tx, KIND, limit=100_000).rows
    for row in rows:
        resources.delete(tx, row, now)
    return len(rows)


def _row(link: Link) -> Row:
    return Row(
        f"{KIND}/{link.id}",
        KIND,
        "",
        orjson.dumps(asdict(link)),
        state=project_of(link.run),
        create_time=link.created,
        update_time=link.created,
    )


def _read(row: Row) -> Link:
    return Link(**orjson.loads(row.message))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
