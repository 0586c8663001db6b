"""The metadata service, called by the short names of its methods."""

from typing import Any

import pytest
from tests.domains.parts import Ask, Parts

from trigpoint.domains.lineage import Lineage


@pytest.fixture
def lineage(parts: Parts) -> Lineage:
    return parts.lineage


@pytest.fixture
def ask(parts: Parts) -> Ask:
    handlers = parts.lineage.handlers()

    def send(method: str, **fields: Any) -> Any:
        return parts.ask("MetadataService", handlers, method, fields)

    return send


@pytest.fixture
def store(parts: Parts, location: str) -> str:
    return parts.store.write(lambda tx: parts.lineage.ensure_store(tx, location))
