"""The contract of `runtime.engine`, on the local engine with real processes and on the fake."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.live.python import bare

from trigpoint.agent import protocol as p
from trigpoint.core.errors import InvalidArgument
from trigpoint.runtime.engine import Engine, GangObservation, GangSpec, Placement
from trigpoint.runtime.fake import FakeEngine
from trigpoint.runtime.local import LocalEngine, LocalOptions

UID = f"e{os.getpid()}"
"""Of the attempts here: marks and control groups are the machine's, and other workers run tests beside this one."""


class Subject(NamedTuple):
    engine: Engine
    tick: Callable[[str], None]
    """Lets the agents of a gang do what real ones do by themselves."""
    attempts: Path


def gang(uid: str, script: str = "exec sleep 60", names: tuple[str, ...] = ("workerpool0-0",)) -> GangSpec:
    program = p.Program(argv=("/bin/sh", "-c", script))
    environment = bare()
    return GangSpec(uid, tuple(p.RunSpec(uid, name, program=program, environment=environment) for name in names))


def until(engine: Engine, uid: str, wanted: Callable[[GangObservation], bool]) -> GangObservation:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        seen = engine.observe([uid])[uid]
        if wanted(seen):
            return seen
        time.sleep(0.01)
    raise AssertionError(f"still {engine.observe([uid])}")


def is_in(state: str) -> Callable[[GangObservation], bool]:
    def check(seen: GangObservation) -> bool:
        statuses = [replica.status for replica in seen.replicas.values()]
        return bool(statuses) and all(s is not None and s.state == state for s in statuses)

    return check


@pytest.fixture(params=["fake", "process", "sandbox"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    if request.param == "fake":
        fake = FakeEngine()

        def tick(uid: str) -> None:
            for name, status in fake.statuses(uid).items():
                if status.state == p.PREPARED:
                    fake.run(uid, name)

        yield Subject(fake, tick, tmp_path / "attempts")
        return
    engine = LocalEngine(tmp_path / "attempts", LocalOptions(runtime=request.param))
    yield Subject(engine, lambda uid: None, tmp_path / "attempts")
    engine.sweep([])
    engine.close()


def test_an_unknown_gang_is_gone(subject: Subject) -> None:
    seen = subject.engine.observe(["nobody"])
    assert seen["nobody"].placement is Placement.GONE
    assert seen["nobody"].replicas == {}


def test_a_gang_is_placed_and_stays_so(subject: Subject) -> None:
    for _ in range(3):
        subject.engine.ensure(gang(UID))
    subject.tick(UID)
    seen = until(subject.engine, UID, is_in(p.RUNNING))
    assert seen.placement is Placement.PLACED
    status = seen.replicas["workerpool0-0"].status
    assert status is not None
    assert status.fence == 1
    assert sum(node.replicas for node in subject.engine.nodes()) in (0, 1)


def test_a_stop_ends_it_and_it_never_starts_again(subject: Subject) -> None:
    subject.engine.ensure(gang(UID))
    subject.tick(UID)
    until(subject.engine, UID, is_in(p.RUNNING))
    subject.engine.stop(UID, 0.2)
    seen = until(subject.engine, UID, lambda o: o.placement is Placement.GONE)
    status = seen.replicas["workerpool0-0"].status
    assert status is not None
    assert status.outcome is not None
    assert status.outcome.reason == p.STOPPED
    subject.engine.ensure(gang(UID))
    assert subject.engine.observe([UID])[UID].placement is Placement.GONE


def test_a_gang_stopped_before_it_was_ensured_never_starts(subject: Subject) -> None:
    subject.engine.stop(UID, 5)
    subject.engine.ensure(gang(UID))
    assert subject.engine.observe([UID])[UID].placement is Placement.GONE


def test_a_gang_of_an_earlier_boot_never_starts(subject: Subject) -> None:
    spec = gang(UID)
    subject.engine.ensure(GangSpec(UID, spec.replicas, boot="long ago"))
    assert subject.engine.observe([UID])[UID].placement is Placement.GONE


def test_what_is_forgotten_is_unknown(subject: Subject) -> None:
    subject.engine.ensure(gang(UID, names=("workerpool0-0", "workerpool1-0")))
    subject.engine.forget(UID)
    subject.engine.forget(UID)
    assert subject.engine.observe([UID])[UID].replicas == {}


def test_what_is_over_is_released_and_can_still_be_read(subject: Subject) -> None:
    subject.engine.ensure(gang(UID, names=("workerpool0-0", "workerpool1-0")))
    subject.tick(UID)
    until(subject.engine, UID, is_in(p.RUNNING))
    subject.engine.stop(UID, 0)
    until(subject.engine, UID, lambda o: o.placement is Placement.GONE)
    for _ in range(2):
        subject.engine.release(UID)
    seen = subject.engine.observe([UID])[UID]
    assert all(one.status is not None and one.status.outcome is not None for one in seen.replicas.values())
    left = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    ours = f"trig-{hashlib.sha256(os.fsencode(subject.attempts)).hexdigest()[:6]}-"
    assert not [name for name in left if name.startswith(ours)]


def test_a_stop_of_an_unknown_gang_is_nothing(subject: Subject) -> None:
    subject.engine.stop("nobody", 1)
    subject.engine.release("nobody")
    subject.engine.forget("nobody")


def test_a_gang_without_distinct_replicas_is_refused(subject: Subject) -> None:
    for names in ((), ("a", "a")):
        with pytest.raises(InvalidArgument):
            subject.engine.ensure(gang(UID, names=names))


def test_all_of_a_gang_are_placed(subject: Subject) -> None:
    names = ("workerpool0-0", "workerpool1-0", "workerpool1-1")
    subject.engine.ensure(gang(UID, names=names))
    subject.tick(UID)
    seen = until(subject.engine, UID, is_in(p.RUNNING))
    assert tuple(seen.replicas) == names
