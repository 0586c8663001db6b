"""Parts with storage for this slice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.domains.stored import StoredParts


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[StoredParts]:
    made = StoredParts(tmp_path)
    yield made
    made.close()
