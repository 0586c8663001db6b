"""A Vertex surface over a real store, with small handlers of the tests' own, called below the sockets."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from trigpoint.core import errors, messages, wire
from trigpoint.core.call import Call, Caller
from trigpoint.core.clock import SystemClock
from trigpoint.core.pb.google.longrunning.operations_pb import Operation
from trigpoint.store import Store, operations
from trigpoint.surfaces.vertex import Parts, Vertex

NUMBER = "123456789012"
LOCATION = f"projects/{NUMBER}/locations/us-central1"
GOOD = {"authorization": "Bearer good"}


class Tokens:
    """Proves two callers by fixed tokens."""

    known: Mapping[str, Caller] = {
        "Bearer good": Caller("me@x", NUMBER),
        "Bearer other": Caller("you@x", "999999999999"),
        "Bearer slow": Caller("slow@x", NUMBER),
    }

    def recall(self, headers: Mapping[str, str], replica: str | None = None) -> Caller | None:
        if not headers.get("authorization"):
            raise errors.Unauthenticated(
                "Request is missing required authentication credential.", reason="CREDENTIALS_MISSING"
            )
        return None if "slow" in headers["authorization"] else self.authenticate(headers, replica)

    def authenticate(self, headers: Mapping[str, str], replica: str | None = None) -> Caller:
        found = self.known.get(headers["authorization"])
        if found is None:
            raise errors.Unauthenticated("Request had invalid authentication credentials.")
        return found


class Book:
    """Operations straight from their rows."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> Operation:
        row = self._store.read(lambda tx: operations.get(tx, name))
        if row is None:
            raise errors.NotFound(f"{name} does not exist")
        return messages.decode(Operation, row.message)

    def list(self, parent: str, page_size: int, page_token: str) -> tuple[list[Operation], str]:
        rows, _ = self._store.read(lambda tx: operations.select_page(tx, parent, after=None, limit=page_size or 10))
        return [messages.decode(Operation, row.message) for row in rows], ""

    def delete(self, name: str) -> None:
        self.get(name)
        self._store.write(lambda tx: operations.remove(tx, name))

    def cancel(self, name: str) -> None:
        self.get(name)
        raise errors.FailedPrecondition("it cannot be cancelled")


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


@dataclass
class Wire:
    """The surface and both ways into it."""

    vertex: Vertex
    store: Store
    handlers: dict[str, Callable[[Call, Any], Any]] = field(default_factory=dict)

    async def rest(
        self,
        verb: str,
        path: str,
        body: bytes | str | dict[str, Any] = b"",
        query: Any = (),
        headers: Mapping[str, str] = GOOD,
        replica: str = "",
    ) -> Answer:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
        chunks = [raw[i : i + 65536] for i in range(0, len(raw), 65536)] or [b""]
        scope = {
            "type": "http",
            "method": verb,
            "path": path,
            "raw_path": path.encode(),
            "query_string": (query if isinstance(query, str) else urlencode(query)).encode(),
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
            wire.REPLICA: replica,
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

        async def send(event: Any) -> None:
            sent.append(event)

        await self.vertex.app(scope, receive, send)
        told = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], b"".join(event["body"] for event in sent[1:]), told)

    async def rpc(
        self, method: str, message: bytes, headers: Mapping[str, str] = GOOD, host: str = "", left: float | None = None
    ) -> bytes:
        row = self.vertex.rpcs[method]
        assert isinstance(row, wire.Unary)
        return await row.handle(wire.RpcCall(method, message, headers, "", host, left))

    async def rpc_stream(self, method: str, message: bytes, headers: Mapping[str, str] = GOOD) -> list[bytes]:
        row = self.vertex.rpcs[method]
        assert isinstance(row, wire.ServerStream)
        return [part async for part in row.handle(wire.RpcCall(method, message, headers))]


Build = Callable[..., Wire]


def opened(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder}/a.db", f"sqlite:///{folder}/b.db")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One for all tests that put nothing into it; the others have a `store` of their own."""
    made = opened(tmp_path_factory.mktemp("wire"))
    yield made
    made.close()


@pytest.fixture
def build(store: Store) -> Iterator[Build]:
    made: list[Wire] = []

    def make(handlers: Mapping[str, Callable[[Call, Any], Any]], **options: Any) -> Wire:
        projects = {"my-project": NUMBER, NUMBER: NUMBER, "other": "999999999999"}
        options = {"clock": SystemClock(), "threads": 4, "held_reads": False, **options}
        parts = Parts(
            handlers=dict(handlers),
            prover=Tokens(),
            projects=projects.get,
            locations=("us-central1", "europe-west4"),
            store=store,
            operations=Book(store),
            **options,
        )
        made.append(Wire(Vertex(parts), store, dict(handlers)))
        return made[-1]

    yield make
    for one in made:
        one.vertex.close()
