"""The console: the web pages' server side. It reads rows and events, and acts only through the public API.

`Console.app` is for the front; docs/design/0004-the-console.md says what is answered where.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from trigpoint.console.access import Codes, Patience, Sessions
from trigpoint.console.app import Ask, ConsoleApp, Door, Handler
from trigpoint.console.datasets import answers
from trigpoint.console.doors import Doors, Start
from trigpoint.console.links import Links
from trigpoint.console.live import Narrative, Streams, Topic
from trigpoint.console.machine.home import Home
from trigpoint.console.machine.wire import Finding, HomeInfo
from trigpoint.console.pages import Pages
from trigpoint.console.passing import App, Passing
from trigpoint.console.picture.details import Details
from trigpoint.console.picture.gather import Sources
from trigpoint.console.picture.topic import Pictures
from trigpoint.console.picture.wire import NodeDetails
from trigpoint.console.runs import listing
from trigpoint.console.runs.details import details
from trigpoint.console.runs.listing import Runs
from trigpoint.console.runs.wire import Offers, RunPage
from trigpoint.console.usage import reading
from trigpoint.console.usage.wire import Usage
from trigpoint.core.clock import Clock, Ids, Micros
from trigpoint.core.errors import Unauthenticated
from trigpoint.core.names import project_of, with_project
from trigpoint.core.paging import Tokens
from trigpoint.domains.datasets import Datasets
from trigpoint.domains.identity import Identity
from trigpoint.domains.jobs import Jobs
from trigpoint.domains.models import Models
from trigpoint.domains.projects import Projects
from trigpoint.store import Store

__all__ = ["Console", "Finding", "Offers", "Parts", "Start"]


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
    models: Models
    vertex: App
    storage: App
    examine: Callable[[], Sequence[Finding]]
    """Finds out what the machine can do; takes seconds."""
    offers: Offers
    home: Path
    start: Start
    pool: Executor


class Console:
    """The facade."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        store, clock = parts.store, parts.clock
        sessions = Sessions(store, clock, parts.secret, parts.identity.caller)
        links = Links(store, clock, parts.ids, self._run)
        doors = Doors(
            Codes(clock), sessions, links, Patience(clock), parts.projects, parts.identity.authenticate, parts.start
        )
        self._runs = Runs(store, parts.tokens)
        self._home = Home(store, self._runs, parts.jobs.load, parts.examine, parts.home)
        sources = Sources(store, parts.jobs, parts.models, parts.projects)
        self._pictures, self._nodes = Pictures(sources), Details(sources, parts.datasets)
        topics: dict[str, Topic] = {"project": Narrative(store, parts.pool), "run": self._pictures}
        self._streams = Streams(topics, parts.pool)
        self.app = ConsoleApp(
            Pages(),
            Door(doors.read, sessions.renewed),
            Passing(parts.vertex, parts.storage, self._token, clock),
            self._streams,
            {**doors.handlers(), **self._handlers()},
            doors.opened(),
            parts.pool,
        )

    def start(self) -> None:
        """Begin what goes on in the background."""
        self._home.examine()

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
            ("GET", "run"): lambda ask: details(self._parts.store, self._parts.jobs, self._name(ask, "run")),
            ("GET", "picture"): lambda ask: self._pictures.picture(self._name(ask, "run")),
            ("GET", "picture/node"): self._node,
            ("GET", "offers"): lambda ask: self._parts.offers,
            ("GET", "usage"): self._usage,
            ("GET", "datasets/profile"): lambda ask: answers.profile(self._parts.datasets, self._name(ask, "dataset")),
            ("GET", "datasets/uses"): lambda ask: answers.uses(self._parts.store, self._name(ask, "dataset")),
        }

    def _start_page(self, ask: Ask) -> HomeInfo:
        return self._home.info(self._project(ask))

    def _run_page(self, ask: Ask) -> RunPage:
        return self._runs.page(self._project(ask), ask.query)

    def _usage(self, ask: Ask) -> Usage:
        replicas = self._parts.jobs.replicas(self._name(ask, "job"))
        return reading.usage(self._parts.store, replicas, ask.number("since", 0, 1 << 62), 0)

    def _node(self, ask: Ask) -> NodeDetails:
        return self._nodes.of(self._name(ask, "run"), ask.text("id"), guarded=not ask.session.owner)

    def _project(self, ask: Ask) -> str:
        """Return the number of the project that a request asks about, if the session may see it."""
        number = self._parts.projects.admit(ask.session.caller, ask.text("project")).number
        ask.session.see_project(number)
        return number

    def _name(self, ask: Ask, key: str) -> str:
        """Return the resource name in a request, with its project's number, if the session may see it."""
        given = ask.text(key)
        found = self._parts.projects.find(project_of(given))
        name = with_project(given, found.number) if found is not None else given
        ask.session.see(name)
        return name

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
            raise Unauthenticated("The account of this session is deleted.", reason="CONSOLE_SIGNED_OUT")
        issued = self._parts.identity.access_token(account, scope="https://www.googleapis.com/auth/cloud-platform")
        return issued.token, issued.expires
