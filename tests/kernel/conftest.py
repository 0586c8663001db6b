from collections.abc import Iterator
from pathlib import Path

import pytest

from trigpoint.core.clock import SystemClock, SystemIds
from trigpoint.kernel.resource import Kernel
from trigpoint.kernel.schedule import Schedule
from trigpoint.store import Store


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    store = Store.open(f"sqlite:///{tmp_path}/main.db", f"sqlite:///{tmp_path}/telemetry.db")
    yield Kernel(store, SystemClock(), SystemIds(), Schedule())
    store.close()
