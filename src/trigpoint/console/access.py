"""Who may look at the pages: one-time codes, signed sessions, and what each request has to prove; no HTTP in here."""

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

import jwt

from trigpoint.console import sentences
from trigpoint.core.call import Caller
from trigpoint.core.clock import SECOND, Clock, Micros
from trigpoint.core.errors import PermissionDenied, ResourceExhausted, Unauthenticated
from trigpoint.core.names import project_of
from trigpoint.domains.projects import Projects
from trigpoint.store import Store, Tx, resources
from trigpoint.store.resources import Row

CODE_LIFE = 12 * 3600 * SECOND
SESSION_LIFE = 14 * 24 * 3600 * SECOND
RENEW_AFTER = 24 * 3600 * SECOND
MOST_CODES = 100
MOST_WRONG = 10
"""Wrong codes and links that are taken within a minute, from anybody together."""
_EPOCH = "consoleEpochs/console"
_AUDIENCE = "trigpoint-console"

CallerOf = Callable[[str], Caller | None]
"""An account's e-mail to who it is, while it may act; None otherwise."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who looks at the pages."""

    caller: Caller
    role: str
    """owner or viewer."""
    begun: Micros
    expires: Micros
    link: str = ""
    """Id of the read-only link that a viewer came by."""
    runs: frozenset[str] = frozenset()
    """What a viewer sees: a run's full name and, of a pipeline, its job's."""

    @property
    def owner(self) -> bool:
        """Whether they may do what their account may; a viewer only looks."""
        return self.role == "owner"

    def may_see(self, name: str) -> bool:
        """Return whether a resource's facts are for them. Names carry the project's number."""
        if not self.owner:
            return any(name == run or name.startswith(f"{run}/") for run in self.runs)
        return self.caller.may_act_in(project_of(name))

    def act(self) -> None:
        """Raise PermissionDenied for a viewer."""
        if not self.owner:
            raise PermissionDenied(sentences.LOOK_ONLY)

    def see(self, name: str) -> None:
        """Raise PermissionDenied, the same for what is absent and what is not theirs, unless they may see it."""
        if not self.may_see(name):
            raise denied(name)

    def project(self, projects: Projects, segment: str) -> str:
        """Return the number of a project, given by id or number; PermissionDenied unless its facts are for them."""
        if not self.owner:
            raise denied(f"projects/{segment}")
        return projects.admit(self.caller, segment).number


class Codes:
    """Codes for one use each, kept in memory as hashes. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, Micros]] = {}

    def issue(self, email: str) -> tuple[str, Micros]:
        """Return a fresh code for an account and until when it can be used; the oldest of too many is forgotten."""
        code = secrets.token_urlsafe(24)
        until = self._clock.now() + CODE_LIFE
        with self._lock:
            while len(self._known) >= MOST_CODES:
                del self._known[next(iter(self._known))]
            self._known[_hash(code)] = (email, until)
        return code, until

    def redeem(self, code: str) -> str | None:
        """Use a code up; return the account it was issued for, or None when it is none, used or too old."""
        with self._lock:
            email, until = self._known.pop(_hash(code), ("", 0))
        return email if until > self._clock.now() else None


class Patience:
    """Counts the wrong codes of the last minute. Thread-safe.

    A right one is never refused for others' wrong ones, or whoever can reach the port could lock people out. Codes
    are too long to be guessed at any rate; what this saves is the server's time and its log.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: deque[Micros] = deque(maxlen=MOST_WRONG)

    def wrong(self) -> None:
        """Note one more; ResourceExhausted when there were too many lately."""
        with self._lock:
            now = self._clock.now()
            if len(self._wrong) == MOST_WRONG and self._wrong[0] > now - 60 * SECOND:
                raise ResourceExhausted(sentences.MANY_CODES)
            self._wrong.append(now)


class Sessions:
    """Signed sessions: no row each, one row for the epoch that ends them all. Thread-safe."""

    def __init__(self, store: Store, clock: Clock, secret: bytes, caller_of: CallerOf) -> None:
        self._store, self._clock, self._caller_of = store, clock, caller_of
        self._key = hmac.digest(secret, b"console sessions", hashlib.sha256)
        self._epoch = store.read(_epoch)

    def begin(self, email: str, link: str = "") -> str:
        """Return the cookie of a new session."""
        now = self._clock.now()
        return self._sign(email, link, now, now + SESSION_LIFE)

    def read(self, cookie: str) -> Session:
        """Return the session of a cookie, an owner's or a viewer's without its runs; Unauthenticated otherwise."""
        try:
            told = jwt.decode(cookie, self._key, ["HS256"], audience=_AUDIENCE, options={"verify_exp": False})
            email, link, epoch = str(told["sub"]), str(told.get("link", "")), int(told["epoch"])
            begun, expires = int(told["begun"]), int(told["until"])
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
            raise _signed_out(sentences.NOT_SIGNED_IN) from None
        if epoch != self._epoch or expires <= self._clock.now():
            raise _signed_out(sentences.SESSION_ENDED)
        caller = self._caller_of(email)
        if caller is None:
            raise _signed_out(sentences.NO_ACCOUNT)
        return Session(caller, "viewer" if link else "owner", begun, expires, link)

    def renewed(self, session: Session) -> str | None:
        """Return a fresh cookie for a session that is older than a day; None when its own will do."""
        now = self._clock.now()
        if now - session.begun < RENEW_AFTER or not session.owner:
            return None
        return self._sign(session.caller.email, "", now, now + SESSION_LIFE)

    def end_all(self) -> None:
        """End every session of the home."""
        self._epoch = self._store.write(lambda tx: end_sessions(tx, self._clock.now()))

    def _sign(self, email: str, link: str, begun: Micros, until: Micros) -> str:
        told = {"sub": email, "aud": _AUDIENCE, "epoch": self._epoch, "begun": begun, "until": until}
        return jwt.encode({**told, **({"link": link} if link else {})}, self._key, "HS256")


def end_sessions(tx: Tx, now: Micros) -> int:
    """Begin another epoch, of which no session is yet, also none that a backup forgot the end of; return it."""
    row = resources.get(tx, _EPOCH)
    if row is None:
        resources.insert(tx, Row(_EPOCH, "consoleEpochs", "", b"%d" % now, create_time=now, update_time=now))
        return now
    following = max(now, int(row.message) + 1)
    resources.update(tx, Row(**{**asdict(row), "message": b"%d" % following, "update_time": now}))
    return following


def denied(name: str) -> PermissionDenied:
    """Return what is said of a thing that is absent or somebody else's: one text for both."""
    return PermissionDenied(sentences.NOTHING.format(name=repr(name[:300])))


def _signed_out(text: str) -> Unauthenticated:
    return Unauthenticated(text, reason="CONSOLE_SIGNED_OUT")


def _epoch(tx: Tx) -> int:
    row = resources.get(tx, _EPOCH)
    return int(row.message) if row is not None else 0


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
