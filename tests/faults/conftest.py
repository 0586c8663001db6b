"""Homes for the fault tests, cleared of every process whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.live.home import Home


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
