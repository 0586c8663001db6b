"""A world of jobs for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.domains.jobs.world import SECRET, Hands, Shelf, World

from trigpoint.core.call import Call, Caller
from trigpoint.core.clock import SystemIds
from trigpoint.core.paging import Tokens
from trigpoint.domains.identity import Identity
from trigpoint.domains.jobs import Host, Jobs, Parts, Places
from trigpoint.domains.jobs.offers import Types
from trigpoint.domains.logging import Logging
from trigpoint.domains.projects import Projects
from trigpoint.domains.storage import Storage
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Queries
from trigpoint.kernel.recorder import Recorder
from trigpoint.kernel.resource import Kernel
from trigpoint.kernel.schedule import Schedule
from trigpoint.kernel.standard import Standard
from trigpoint.runtime.fake import FakeEngine
from trigpoint.store import Store


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store.open(f"sqlite:///{tmp_path}/main.db", f"sqlite:///{tmp_path}/telemetry.db")
    clock, ids = Hands(), SystemIds()
    kernel = Kernel(store, clock, ids, Schedule())
    tokens = Tokens(SECRET)
    standard = Standard(kernel, Operations(kernel, tokens), Queries(kernel, tokens))
    projects = Projects(store, clock, ids)
    number = projects.ensure("demo-project").number
    identity = Identity(store, clock, ids, projects, tmp_path / "keys")
    recorder = Recorder(store, clock)
    storage = Storage(store, tmp_path, clock, ids, lambda segment: projects.resolve(segment).number, recorder=recorder)
    engine, shelf = FakeEngine(), Shelf()
    places = Places(
        reports=tmp_path / "agents.sock",
        doors=tmp_path / "doors",
        ca_file=tmp_path / "ca.pem",
        hide=(),
        hosts=(),
        runtime="sandbox",
        outbound=True,
        secret=SECRET,
        tenant=lambda number: projects.resolve(number).tenant,
        buckets=lambda _: {},
        proxy=lambda _: {},
    )
    host = Host(cpus=2, memory_gib=24, replicas_at_once=4, vcpu_quota=100, strict=False)
    logging = Logging(store, tmp_path, tokens, lambda segment: number, lambda _: "demo-project")
    parts = Parts(
        standard=standard,
        engine=engine,
        images=shelf,
        accounts=identity,
        files=storage.files,
        logging=logging,
        machines=Types(),
        host=host,
        places=places,
        recorder=recorder,
    )
    call = Call(Caller("me@demo-project.iam.gserviceaccount.com", number), project=number)
    yield World(kernel, Jobs(parts), engine, shelf, call, recorder, storage, projects, identity)
    store.close()
