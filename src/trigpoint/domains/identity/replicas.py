"""Which replicas are alive and as whom they act: rows, so that a restart forgets none; tokens are made elsewhere."""

import threading
from dataclasses import asdict, dataclass
from functools import partial

import orjson

from trigpoint.core.clock import Clock
from trigpoint.store import Store, Tx, resources
from trigpoint.store.resources import Row

KIND = "replicaIdentities"


@dataclass(frozen=True, slots=True)
class Replica:
    """The identity of one replica for the life of one attempt."""

    name: str
    """Full name of the replica: what the front writes into the scope of requests that come through its socket."""
    attempt: str
    project: str
    """Number of the project whose job it runs."""
    account: str
    """E-mail of the service account it acts as."""
    tenant: str = ""
    """Id of the tenant project it runs in."""
    location: str = "us-central1"
    host: str = ""
    """The host name that its metadata server gives; derived from the attempt when empty."""


class Replicas:
    """The living replicas, held in memory. Thread-safe."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._living: dict[str, Replica] = {row.name: replica for row, replica in store.read(_all)}

    def find(self, name: str) -> Replica | None:
        """Return the identity of a living replica, or None. Never touches the database."""
        return self._living.get(f"{KIND}/{name}")

    def alive(self, name: str, attempt: str) -> bool:
        """Return whether this attempt of a replica is the living one."""
        found = self.find(name)
        return found is not None and found.attempt == attempt

    def begin(self, tx: Tx, replica: Replica) -> None:
        """Let a replica act in the caller's transaction; another attempt of the same name ends. Idempotent."""
        now = self._clock.now()
        name = f"{KIND}/{replica.name}"
        row = Row(name, KIND, replica.attempt, orjson.dumps(asdict(replica)), create_time=now, update_time=now)
        old = resources.get(tx, name)
        if old is None:
            resources.insert(tx, row)
        elif old.message != row.message:
            resources.delete(tx, old, now)
            resources.insert(tx, row)
        tx.after_commit(lambda: self._set(name, replica))

    def end(self, tx: Tx, attempt: str) -> None:
        """End every replica of an attempt in the caller's transaction. Idempotent."""
        for row in resources.select(tx, KIND, attempt, limit=10_000).rows:
            resources.delete(tx, row, self._clock.now())
            tx.after_commit(partial(self._unset, row.name, attempt))

    def _set(self, name: str, replica: Replica) -> None:
        with self._lock:
            self._living[name] = replica

    def _unset(self, name: str, attempt: str) -> None:
        with self._lock:
            if name in self._living and self._living[name].attempt == attempt:
                del self._living[name]


def _all(tx: Tx) -> list[tuple[Row, Replica]]:
    page = resources.select(tx, KIND, limit=1000)
    rows = list(page.rows)
    while page.next is not None:
        page = resources.select(tx, KIND, after=page.next, limit=1000)
        rows += page.rows
    return [(row, Replica(**orjson.loads(row.message))) for row in rows]
