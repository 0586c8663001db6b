"""A storage server of the test's own over plain HTTP, with two projects and a stand-in for identity."""

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa

from trigpoint.core.call import Caller
from trigpoint.core.clock import SystemClock, SystemIds
from trigpoint.core.errors import NotFound, Unauthenticated
from trigpoint.domains.storage import Storage
from trigpoint.store import Store
from trigpoint.surfaces.gcs import GcsApp, Signer, Threads

# Read by gcsfs when it is first imported, by whichever test that is: over plain HTTP it would wait a minute per bucket.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

NUMBERS = {"demo-project": "100000000001", "other-project": "100000000002"}
ALICE = Caller("alice@demo-project.iam.gserviceaccount.com", NUMBERS["demo-project"])
BOB = Caller("bob@other-project.iam.gserviceaccount.com", NUMBERS["other-project"])
CALLERS = {"alice-token": ALICE, "bob-token": BOB}


def authenticate(headers: Mapping[str, str], replica: str) -> Caller:
    caller = CALLERS.get(headers.get("authorization", "").removeprefix("Bearer "))
    if caller is None:
        raise Unauthenticated("Invalid Credentials")
    return caller


def number_of(project: str) -> str:
    if project in NUMBERS.values():
        return project
    if project not in NUMBERS:
        raise NotFound(f"Project {project} does not exist.")
    return NUMBERS[project]


@dataclass
class Endpoint:
    """Where clients find Cloud Storage, and as whom."""

    url: str
    token: str = "alice-token"
    project: str = "demo-project"
    number: str = NUMBERS["demo-project"]


@dataclass
class Served:
    """One running server and what it is made of."""

    home: Path
    storage: Storage
    endpoint: Endpoint
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)


class Server:
    """uvicorn in a thread."""

    def __init__(self, app: GcsApp) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", lifespan="off", http="httptools", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> "Server":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self.socket.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    store = Store.open(f"sqlite:///{home}/trigpoint.db", f"sqlite:///{home}/telemetry.db")
    clock, threads = SystemClock(), Threads(8)
    storage = Storage(store, home, clock, SystemIds(), number_of)
    storage.start()
    made = Served(home, storage, Endpoint(""))

    def signers(email: str) -> Signer | None:
        key = made.keys.get(email)
        return Signer(ALICE, [key.public_key()]) if key is not None and email == ALICE.email else None

    with Server(GcsApp(storage, clock, threads, authenticate, signers=signers)) as server:
        made.endpoint.url = server.url
        yield made
    threads.close()
    storage.close()
    store.close()


@pytest.fixture
def endpoint(served: Served) -> Endpoint:
    """The endpoint that the clients' checks run against; another suite may hand in another."""
    return served.endpoint
