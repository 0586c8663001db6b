"""The environment that the runs of these tests need, built once for this checkout."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.live.environments import build

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
