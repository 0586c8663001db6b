"""A home with real parts on SQLite and a clock that tests set; keys of clients are made once for the whole suite."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trigpoint.core.clock import SECOND, SystemClock, SystemIds
from trigpoint.domains.identity import Account, Identity, keys
from trigpoint.domains.projects import Project, Projects
from trigpoint.store import Store

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_URL = "https://oauth2.googleapis.com/token"


class Hands(SystemClock):
    """The machine's clock, which tests move on."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def wall(self) -> int:
        return super().wall() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += int(seconds * SECOND)


@dataclass
class Home:
    folder: Path
    clock: Hands = field(default_factory=Hands)
    ids: SystemIds = field(default_factory=SystemIds)

    def open(self) -> None:
        """Open, or open again as after a restart."""
        url = f"sqlite:///{self.folder}/trigpoint.db"
        self.store = Store.open(url, f"sqlite:///{self.folder}/telemetry.db")
        self.projects = Projects(self.store, self.clock, self.ids)
        self.project = self.projects.ensure("demo-project")
        self.identity = Identity(self.store, self.clock, self.ids, self.projects, self.folder / "keys")
        self.operator_file = self.identity.prepare_operator("demo-project")

    def restart(self) -> None:
        self.store.close()
        self.open()

    def account(self, account_id: str, project: Project | None = None) -> Account:
        owner = project or self.project
        return self.identity.accounts.create(owner.number, f"{account_id}@{owner.id}.iam.gserviceaccount.com")

    def caller(self, token: str, replica: str | None = None) -> Any:
        return self.identity.authenticate({"authorization": f"Bearer {token}"}, replica)

    def claims(self, email: str, **more: Any) -> dict[str, Any]:
        now = self.clock.wall() // SECOND
        made = {"iss": email, "sub": email, "scope": SCOPE, "iat": now, "exp": now + 3600, **more}
        return {key: value for key, value in made.items() if value is not None}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    made.open()
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def pair() -> keys.Pair:
    return keys.generate()


@pytest.fixture(scope="session")
def other_pair() -> keys.Pair:
    return keys.generate()


def segment(value: Any) -> str:
    """Return one part of a JWT."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def hs256(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """Return a JWT signed with a shared secret, as an attacker would with our public key."""
    text = f"{segment(header)}.{segment(claims)}"
    return f"{text}.{segment(hmac.digest(secret, text.encode(), hashlib.sha256))}"
