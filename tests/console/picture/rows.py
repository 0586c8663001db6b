"""A store with a run in it, written row by row: what gathering and following read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from tests.console.picture.drawn import HERE, IMAGE, JOB, PIPELINE

from trigpoint.console.picture.gather import Sources
from trigpoint.core.clock import SystemClock
from trigpoint.domains.jobs import Replica
from trigpoint.domains.jobs import records as kept
from trigpoint.kernel.recorder import Recorder
from trigpoint.store import Store, Tx, events, resources, telemetry
from trigpoint.store.resources import Row
from trigpoint.store.steps import Growth
from trigpoint.store.telemetry import Access, Heartbeat

OLD = frozenset({"argv", "environ", "printed"})
"""What records of replicas did not have at first."""


class Jobs:
    """The part of the jobs slice that is asked here."""

    def kept(self, tx: Tx, name: str, known: Mapping[str, kept.Kept]) -> dict[str, kept.Kept]:
        return kept.kept_of_job(tx, name, known)


class Nobody:
    """Knows no project and no model."""

    def find(self, name: str) -> None:
        return None


class Rows:
    """Writes a run."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.store = Store.open(f"sqlite:///{folder}/main.db", f"sqlite:///{folder}/telemetry.db")
        self.recorder = Recorder(self.store, self.clock)
        self.sources = Sources(self.store, Jobs(), Nobody(), Nobody())  # type: ignore[arg-type]

    def resource(self, name: str, state: str, message: Mapping[str, Any], **notes: Any) -> None:
        """Put a job or pipeline as it is now."""
        now, kind = self.clock.now(), name.split("/")[-2]

        def unit(tx: Tx) -> None:
            old = resources.get(tx, name)
            row = Row(name, kind, HERE, b"", json=orjson.dumps(message), state=state, update_time=now, notes=notes)
            if old is None:
                resources.insert(tx, _with(row, create_time=now))
            else:
                resources.update(tx, _with(row, create_time=old.create_time, version=old.version))

        self.store.write(unit)

    def delete(self, name: str) -> None:
        def unit(tx: Tx) -> None:
            row = resources.get(tx, name)
            assert row is not None
            resources.delete(tx, row, self.clock.now())

        self.store.write(unit)

    def tell(self, kind: str, actor: str = "", **data: Any) -> None:
        """Append a line of the narrative."""
        subject, now = PIPELINE if kind.startswith("trainingPipeline.") else JOB, self.clock.now()
        self.store.write(
            lambda tx: events.append(tx, time=now, project="1", subject=subject, kind=kind, actor=actor, data=data)
        )

    def replica(self, attempt: int, task: str, *, old: bool = False, **members: Any) -> Replica:
        """Put a replica as it is now; `old` as an older version kept it."""
        pool, _, index = task.removeprefix("workerpool").partition("-")
        made = Replica(
            JOB, f"5-{attempt}", task, int(pool), int(index), int(pool), "h", "n1", IMAGE, "sa@x", "t-tp", **members
        )
        now = self.clock.now()

        def unit(tx: Tx) -> None:
            found = resources.get(tx, made.name)
            if found is None:
                kept.insert(tx, made, now)
            else:
                kept.save(tx, found, made, now)
            row = resources.get(tx, made.name)
            assert row is not None
            if old:
                message = {key: value for key, value in asdict(made).items() if key not in OLD}
                resources.update(tx, _with(row, message=orjson.dumps(message)))

        self.store.write(unit)
        return made

    def passed(
        self, replica: Replica, what: str, thing: str, *, bytes: int = 0, lines: int = 0, count: int = 0
    ) -> None:
        """Record something that passed, and write it down."""
        growth = Growth(self.clock.now(), bytes, lines, count)
        self.recorder.passed(replica.name, what, (thing,), growth)
        self.recorder.flush()

    def older(self, *accesses: Access) -> None:
        """Put accesses as an older version kept them: without steps."""
        self.store.telemetry.write(lambda tx: telemetry.record_accesses(tx, accesses))

    def beat(self, replica: Replica, body: Mapping[str, Any]) -> None:
        """Put a sign of life."""
        sign = Heartbeat(f"{replica.uid}/{replica.task}", self.clock.now(), body)
        self.store.telemetry.write(lambda tx: telemetry.beat(tx, [sign]))


def _with(row: Row, **changes: Any) -> Row:
    return Row(**{**{name: getattr(row, name) for name in Row.__slots__}, **changes})
