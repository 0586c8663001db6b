"""The console: the web pages' server side. It reads rows and events, and acts only through the public API.

`Console.app` is for the front; docs/design/0004-the-console.md says what is answered where.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from trigpoint.console import sentences
from trigpoint.console.access import Codes, Patience, denied
from trigpoint.console.access import Sessions as SignedSessions
from trigpoint.console.app import ConsoleApp, Sessions, Table
from trigpoint.console.asking import Ask, Handler
from trigpoint.console.datasets import answers
from trigpoint.console.doors import Doors, Start
from trigpoint.console.links import Links
from trigpoint.console.live import Live, Topic
from trigpoint.console.logs.answers import Logs
from trigpoint.console.machine.home import Home
from trigpoint.console.machine.wire import Finding, HomeInfo
from trigpoint.console.narrative import Narrative
from trigpoint.console.pages import Pages
from trigpoint.console.passing import App, Passing
from trigpoint.console.picture.details import Details
from trigpoint.console.picture.gather import Sources
from trigpoint.console.picture.topic import Pictures
from trigpoint.console.picture.wire import NodeDetails
from trigpoint.console.runs import listing
from trigpoint.console.runs.details import details
from trigpoint.console.runs.listing import Runs
from trigpoint.console.runs.wire import Offers, RunDetails, RunPage
from trigpoint.console.streams import Streams
from trigpoint.console.usage import reading
from trigpoint.console.usage.wire import Usage
from trigpoint.core.clock import Clock, Ids, Micros
from trigpoint.core.errors import Unauthenticated
from trigpoint.core.names import project_of, with_project
from trigpoint.core.paging import Tokens
from trigpoint.domains.datasets import Datasets
from trigpoint.domains.identity import Identity
from trigpoint.domains.jobs import Jobs
from trigpoint.domains.logging import Logging
from trigpoint.domains.models import Models
from trigpoint.domains.projects import Projects
from trigpoint.store import Store

__all__ = ["Console", "Finding", "Here", "Offers", "Parts", "Start"]


@dataclass(frozen=True)
class Here:
    """What the console tells of this installation and its machine."""

    home: Path
    start: Start
    offers: Offers
    examine: Callable[[], Sequence[Finding]]
    """Finds out what the machine can do; takes seconds."""
    memory_of: Callable[[str], int]
    """A machine type to the bytes of its memory; 0 for one that is not known."""


@dataclass(frozen=True)
class Parts:
    """What the console is made of; `server` hands it over."""

    store: Store
    clock: Clock
    ids: Ids
    tokens: Tokens
    secret: bytes
    identity: Identity
    projects: Projects
    jobs: Jobs
    datasets: Datasets
    logging: Logging
    models: Models
    vertex: App
    storage: App
    here: Here
    pool: Executor


class Console:
    """The facade."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        store, clock, pool = parts.store, parts.clock, parts.pool
        sessions = SignedSessions(store, clock, parts.secret, parts.identity.caller)
        doors = Doors(
            Codes(clock),
            sessions,
            Links(store, clock, parts.ids, self._run),
            Patience(clock),
            parts.projects,
            parts.identity.authenticate,
            parts.here.start,
            self._numbered,
        )
        self._runs = Runs(store, parts.tokens)
        self._home = Home(store, self._runs, parts.jobs.load, parts.here.examine, parts.here.home)
        logs = Logs(store, parts.logging.reading, parts.jobs, self._job, pool)
        sources = Sources(store, parts.jobs, parts.models, parts.projects)
        self._pictures, self._nodes = Pictures(sources), Details(sources, parts.datasets)
        topics: dict[str, Topic] = {"project": Narrative(store, parts.projects, pool), "run": self._pictures}
        streamed = {"live": Live(topics).open, "logs/stream": logs.open}
        answered = {**doors.handlers(), **self._handlers(), ("GET", "logs"): logs.page}
        self._streams = Streams(pool)
        self.app = ConsoleApp(
            Pages(),
            Sessions(doors.read, sessions.renewed),
            Passing(parts.vertex, parts.storage, self._token, clock),
            self._streams,
            Table(doors.opened(), answered, streamed),
            pool,
        )

    def drain(self) -> None:
        """Let the live streams go: the first step of a stop, so that the front need not wait for them."""
        self._streams.close()

    def close(self) -> None:
        """Let what is being drawn end; after `drain`."""
        self._pictures.close()

    def _handlers(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("GET", "home"): self._start_page,
            ("GET", "runs"): self._run_page,
            ("GET", "run"): self._details,
            ("GET", "picture"): lambda ask: self._pictures.picture(self._name(ask, "run")),
            ("GET", "picture/node"): self._node,
            ("GET", "offers"): self._offers,
            ("GET", "usage"): self._usage,
            ("GET", "datasets/profile"): lambda ask: answers.profile(self._parts.datasets, self._name(ask, "dataset")),
            ("GET", "datasets/uses"): lambda ask: answers.uses(self._parts.store, self._name(ask, "dataset")),
        }

    def _start_page(self, ask: Ask) -> HomeInfo:
        return self._home.info(self._project(ask))

    def _run_page(self, ask: Ask) -> RunPage:
        return self._runs.page(self._project(ask), ask.query)

    def _details(self, ask: Ask) -> RunDetails:
        name = self._name(ask, "run")
        return details(self._parts.store, self._parts.jobs, name, guarded=not ask.session.owner)

    def _offers(self, ask: Ask) -> Offers:
        ask.session.act()
        return self._parts.here.offers

    def _usage(self, ask: Ask) -> Usage:
        replicas = self._parts.jobs.replicas(self._job(ask))
        return reading.usage(self._parts.store, replicas, ask.number("since", 0, 1 << 53), self._parts.here.memory_of)

    def _node(self, ask: Ask) -> NodeDetails:
        return self._nodes.of(self._name(ask, "run"), ask.text("id"), guarded=not ask.session.owner)

    def _project(self, ask: Ask) -> str:
        """Return the number of the project that a request asks about, if the session may see it."""
        return ask.session.project(self._parts.projects, ask.text("project"))

    def _name(self, ask: Ask, key: str) -> str:
        """Return the resource name in a request, with its project's number, if the session may see it."""
        given = ask.text(key)
        name = self._numbered(given)
        if not ask.session.may_see(name):
            raise denied(given)
        return name

    def _job(self, ask: Ask) -> str:
        """Return the name of the job that a request asks about by its own name or its pipeline's."""
        name = self._name(ask, "job")
        found = self._parts.store.read(lambda tx: listing.find(tx, name))
        job = found[1] if found is not None else None
        if job is None:
            raise denied(name)
        return job.name

    def _numbered(self, name: str) -> str:
        """Return a resource name with its project's number instead of its id."""
        found = self._parts.projects.find(project_of(name))
        if found is None:
            raise denied(name)
        return with_project(name, found.number)

    def _run(self, name: str) -> tuple[str, frozenset[str]] | None:
        """Return a run's display name and the names of all that belongs to it; None when there is no such run."""
        found = self._parts.store.read(lambda tx: listing.find(tx, name))
        if found is None:
            return None
        run, job = found
        return run.display_name, frozenset(row.name for row in (run, job) if row is not None)

    def _token(self, email: str) -> tuple[str, Micros]:
        account = self._parts.identity.accounts.find(email)
        if account is None:
            raise Unauthenticated(sentences.ACCOUNT_DELETED, reason="CONSOLE_SIGNED_OUT")
        issued = self._parts.identity.access_token(account, scope="https://www.googleapis.com/auth/cloud-platform")
        return issued.token, issued.expires
