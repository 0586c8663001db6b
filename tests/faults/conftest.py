"""Homes for the fault tests, cleared of every process whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.live.environments import build
from tests.live.home import Home

LEAKS = r"ignore:Exception ignored in. <ssl\.SSLSocket:pytest.PytestUnraisableExceptionWarning"
"""What ssl itself leaks of a connection whose peer was killed between accept and handshake (SSLSocket._create)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no killed server be taken for a test's own leak."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings(LEAKS))


@pytest.fixture(scope="session")
def environments(request: pytest.FixtureRequest) -> Path:
    """The environment of the tests' image; pytest's own cache keeps it for the next run."""
    cache = request.config.cache
    assert cache is not None
    return build(Path(cache.mkdir("environments")))


@pytest.fixture
def new_home(tmp_path: Path, environments: Path) -> Iterator[Callable[..., Home]]:
    """Make homes with settings; each is cleared at the end."""
    made: list[Home] = []

    def make(**settings: object) -> Home:
        home = Home(tmp_path / f"home{len(made)}", environments, **settings)
        made.append(home)
        return home

    yield make
    for home in made:
        home.clear()
