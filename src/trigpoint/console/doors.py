"""The ways in and out: codes for links, links for viewers, sessions for both; `access` and `links` keep them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from trigpoint import __version__
from trigpoint.console import sentences
from trigpoint.console.access import Codes, Patience, Session, Sessions
from trigpoint.console.app import Entered
from trigpoint.console.asking import Ask, Handler
from trigpoint.console.links import Link, Links
from trigpoint.console.wire import CodeInfo, LinkInfo, ProjectItem, SessionInfo
from trigpoint.console.wire import Links as LinkList
from trigpoint.core.call import Caller
from trigpoint.core.errors import InvalidArgument, PermissionDenied, Unauthenticated, Violation
from trigpoint.core.names import project_of
from trigpoint.domains.projects import Projects

Authenticate = Callable[[Mapping[str, str]], Caller]
_DAYS = 7


@dataclass(frozen=True)
class Start:
    """Where a page begins when its address says nothing."""

    project: str
    location: str
    locations: Sequence[str]


class Doors:
    """Lets people in and out. Thread-safe."""

    def __init__(
        self,
        codes: Codes,
        sessions: Sessions,
        links: Links,
        patience: Patience,
        projects: Projects,
        authenticate: Authenticate,
        start: Start,
        named: Callable[[str], str],
    ) -> None:
        self._codes, self._sessions, self._links, self._patience = codes, sessions, links, patience
        self._projects, self._authenticate, self._start, self._named = projects, authenticate, start, named

    def opened(self) -> Mapping[tuple[str, str], Handler]:
        """Return what is answered without a session."""
        return {("POST", "session"): self._enter, ("DELETE", "session"): self._leave, ("POST", "codes"): self._code}

    def handlers(self) -> Mapping[tuple[str, str], Handler]:
        """Return what is answered to a session."""
        return {
            ("GET", "session"): lambda ask: self._info(ask.session),
            ("POST", "sessions:end"): self._end_all,
            ("GET", "links"): self._listed,
            ("POST", "links"): self._made,
            ("DELETE", "links"): self._removed,
        }

    def read(self, cookie: str) -> Session:
        """Return the session of a cookie, a viewer's with what the link shows; Unauthenticated otherwise."""
        session = self._sessions.read(cookie)
        if session.owner:
            return session
        link = self._links.find(session.link)
        if link is None:
            raise Unauthenticated(sentences.LINK_ENDED, reason="CONSOLE_SIGNED_OUT")
        return replace(session, runs=self._links.runs(link), expires=min(session.expires, link.expires))

    def _enter(self, ask: Ask) -> Entered:
        """Trade a code or the secret of a link for a session."""
        email = self._codes.redeem(str(ask.body.get("code") or ""))
        link = self._links.open(str(ask.body.get("link") or "")) if email is None else None
        if email is None and link is None:
            self._patience.wrong()
            raise Unauthenticated(sentences.LINK_USED, reason="CONSOLE_CODE")
        cookie = self._sessions.begin(email) if email else self._sessions.begin(link.by, link.id) if link else ""
        return Entered(self._info(self.read(cookie)), cookie)

    def _leave(self, ask: Ask) -> Entered:
        return Entered(None, "")

    def _code(self, ask: Ask) -> CodeInfo:
        """Make a one-time link for the operator, who proves it by a token as to any API, or for an owner's session."""
        if "authorization" in ask.headers:
            caller = self._authenticate(ask.headers)
            if not caller.operator or caller.replica:
                raise PermissionDenied(sentences.OPERATORS_ONLY)
        else:
            ask.session.act()
            caller = ask.session.caller
        to = str(ask.body.get("to") or "/console/")
        if not to.startswith("/console/") or "//" in to or "\\" in to or ".." in to or not to.isprintable():
            raise InvalidArgument(violations=[Violation("to", sentences.NO_PATH)])
        code, until = self._codes.issue(caller.email)
        return CodeInfo(f"{quote(to, safe='/?=&%@:.-_~+')}#code={code}", until)

    def _info(self, session: Session) -> SessionInfo:
        shown = [project for project in self._projects.all() if project.active]
        if session.owner:
            shown = [project for project in shown if session.caller.may_act_in(project.number)]
        else:
            numbers = {project_of(run) for run in session.runs}
            shown = [project for project in shown if project.number in numbers]
        first = next((project for project in shown if project.id == self._start.project), shown[0] if shown else None)
        return SessionInfo(
            email=session.caller.email if session.owner else "",
            role="owner" if session.owner else "viewer",
            run=min(session.runs, key=lambda name: "/customJobs/" in name, default=""),
            projects=[ProjectItem(one.id, one.number, one.display_name, one.tenant) for one in shown],
            project=first.id if first else self._start.project,
            location=self._start.location,
            locations=list(self._start.locations),
            version=__version__,
            expires=session.expires,
        )

    def _end_all(self, ask: Ask) -> None:
        self._sessions.end_all()

    def _listed(self, ask: Ask) -> LinkList:
        number = ask.session.project(self._projects, ask.text("project"))
        return LinkList([_told(link, "") for link in self._links.of_project(number)])

    def _made(self, ask: Ask) -> LinkInfo:
        run, days = self._named(str(ask.body.get("run") or "")), ask.body.get("days", _DAYS)
        if not isinstance(days, int | float) or isinstance(days, bool):
            raise InvalidArgument(violations=[Violation("days", sentences.NO_DAYS)])
        ask.session.see(run)
        link, secret = self._links.make(run, float(days), ask.session.caller.email)
        return _told(link, f"{ask.base}/console/{link.run}#link={secret}")

    def _removed(self, ask: Ask) -> None:
        self._links.remove(ask.text("id"), ask.session)


def _told(link: Link, url: str) -> LinkInfo:
    return LinkInfo(link.id, link.run, link.title, url, link.created, link.expires, link.by)
