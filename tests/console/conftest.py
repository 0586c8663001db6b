"""A server with runs in it, and people before it: its owner, viewers of single runs, strangers."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from tests.live.browser import Browser
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, PIPELINE_FINAL, Plan
from tests.live.rest import Rest

YEAR = 365 * 24 * 3600 * 1_000_000


class World:
    """One home with a server, and how people come to its console."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.rest = home.client()

    @property
    def number(self) -> str:
        """Number of the default project."""
        assert self.home.info is not None
        return self.home.info.project_number

    def browser(self, *, secure: bool = False) -> Browser:
        """Return a fresh browser."""
        assert self.home.info is not None
        return Browser(self.home.info, secure=secure)

    def code(self, **body: str) -> str:
        """Return a fresh one-time code, asked for by the operator's token."""
        made = self.browser().api("POST", "codes", body, authorization=self.bearer())
        assert made.status == 200, made.body
        return str(made.json["url"].split("#code=")[1])

    def bearer(self, rest: Rest | None = None) -> str:
        """Return the operator's authorization header."""
        of = rest or self.rest
        return f"Bearer {of.token(of.vertex)}"

    def owner(self, *, secure: bool = False) -> Browser:
        """Return a browser that is signed in."""
        browser = self.browser(secure=secure)
        browser.ask("POST", "session", {"code": self.code()})
        return browser

    def viewer(self, run: str, days: float = 1) -> Browser:
        """Return a browser that came by a read-only link."""
        url = self.owner().ask("POST", "links", {"run": run, "days": days})["url"]
        browser = self.browser()
        browser.ask("POST", "session", {"link": url.split("#link=")[1]})
        return browser

    def forged(self, email: str = "", **claims: Any) -> Browser:
        """Return a browser with a session that the server signed, by its own secret, with these claims."""
        secret = (self.home.path / "keys" / "server.secret").read_bytes()
        now = time.time_ns() // 1000
        told = {
            "sub": email or f"operator@{self.rest.parent.split('/')[1]}.iam.gserviceaccount.com",
            "aud": "trigpoint-console",
            "epoch": 0,
            "begun": now,
            "until": now + YEAR,
            **claims,
        }
        browser = self.browser()
        key = hmac.digest(secret, b"console sessions", hashlib.sha256)
        browser.cookies[f"trigpoint-{browser.info.port}"] = jwt.encode(told, key, "HS256")
        return browser

    def job(self, plan: Plan, *, wait: bool = True) -> str:
        """Create a custom job and return its name, when it has ended if asked."""
        name = str(self.rest.ask("POST", f"/v1/{self.rest.parent}/customJobs", plan.job())["name"])
        if wait:
            wait_until(lambda: self.rest.ask("GET", f"/v1/{name}").get("state") in FINAL, 60)
        return name

    def pipeline(self, plan: Plan) -> tuple[str, str]:
        """Run a training pipeline; return its name and its job's."""
        name = str(self.rest.ask("POST", f"/v1/{self.rest.parent}/trainingPipelines", plan.pipeline())["name"])
        wait_until(lambda: self.rest.ask("GET", f"/v1/{name}").get("state") in PIPELINE_FINAL, 60)
        found = self.rest.ask("GET", f"/v1/{name}")
        return name, str(found["trainingTaskMetadata"]["backingCustomJob"])


@pytest.fixture(scope="module")
def new_world(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Callable[..., World]]:
    """Make homes with a server; each is cleared at the end."""
    homes: list[Home] = []
    worlds: list[World] = []

    def make(**settings: object) -> World:
        homes.append(Home(tmp_path_factory.mktemp("console"), environments, **settings))
        homes[-1].start()
        worlds.append(World(homes[-1]))
        return worlds[-1]

    yield make
    for world in worlds:
        world.rest.close()
    for home in homes:
        home.clear()


@pytest.fixture(scope="module")
def world(new_world: Callable[..., World]) -> World:
    """One home for all tests of a module that leave it serving."""
    return new_world()
