"""A kernel over a real SQLite store, with the lineage slice and a caller."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.domains.parts import NUMBER, Parts

from trigpoint.kernel.resource import Kernel


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    made = Parts(tmp_path)
    yield made
    made.close()


@pytest.fixture
def kernel(parts: Parts) -> Kernel:
    return parts.kernel


@pytest.fixture
def location() -> str:
    return f"projects/{NUMBER}/locations/us-central1"
