"""What was observed is written soon, once and whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trigpoint.core.clock import SECOND, SystemClock
from trigpoint.core.errors import Unavailable
from trigpoint.kernel import recorder as module
from trigpoint.kernel.recorder import Recorder
from trigpoint.store import Store, steps, telemetry
from trigpoint.store.steps import Growth, Step
from trigpoint.store.telemetry import Access, Heartbeat, Point

REPLICA = "projects/1/locations/l/customJobs/5/attempts/1/replicas/workerpool0-0"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/main.db", f"sqlite:///{tmp_path}/telemetry.db")
    yield opened
    opened.close()


def of(store: Store, replica: str = REPLICA) -> list[Step]:
    return store.telemetry.read(lambda tx: steps.of_replica(tx, replica))


def totals(found: list[Step]) -> list[tuple[str, int, int, int]]:
    return [(step.thing, step.time, step.bytes, step.count) for step in found]


def read_of(name: str, time: int, size: int = 10) -> tuple[Access, str, tuple[str, ...]]:
    uri = f"gs://b/d/{name}"
    fact = Access(REPLICA, "me", uri, 1, False, "1", size, 1, time, time)
    return fact, "read", (f"{uri}#1", "gs://b/d/*", "gs://b/*")


def test_the_first_access_is_a_step_of_its_own_and_later_ones_are_merged(store: Store) -> None:
    recorder = Recorder(store, SystemClock())
    for moment in (5, 6, 7):
        recorder.access(*read_of("o", moment))
    assert recorder.flush() == 2
    recorder.access(*read_of("o", 8))
    recorder.access(*read_of("o", 9 + SECOND))
    recorder.flush()
    assert totals(of(store)) == [
        ("gs://b/d/o#1", 5, 10, 1),
        ("gs://b/d/o#1", 8, 40, 4),
        ("gs://b/d/o#1", 9 + SECOND, 50, 5),
    ]
    (kept,) = store.telemetry.read(lambda tx: telemetry.accesses_of_attempt(tx, REPLICA))
    assert (kept.bytes, kept.count, kept.first_time, kept.last_time) == (50, 5, 5, 9 + SECOND)


def test_a_restart_goes_on_where_the_steps_end(store: Store) -> None:
    for size in (3, 4):
        recorder = Recorder(store, SystemClock())
        recorder.passed(REPLICA, "ask", ("token",), Growth(size * SECOND, count=size))
        recorder.flush()
    assert totals(of(store)) == [("token", 3 * SECOND, 0, 3), ("token", 4 * SECOND, 0, 7)]


def test_totals_that_come_late_or_twice_change_nothing(store: Store) -> None:
    recorder = Recorder(store, SystemClock())
    for moment, size in ((1, 10), (9, 30), (5, 20), (9, 30)):
        recorder.passed(REPLICA, "print", ("stdout",), Growth(moment, size, lines=size, total=True))
        recorder.flush()
    assert [(step.time, step.bytes, step.lines) for step in of(store)] == [(1, 10, 10), (9, 30, 30)]


def test_more_things_than_there_is_room_for_are_counted_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_THINGS", 3)
    for first in (0, 5):  # the second one has to learn from the rows what there is
        recorder = Recorder(store, SystemClock())
        for number in range(first, first + 5):
            recorder.access(*read_of(str(number), number))
            recorder.access(*read_of("0", number))
        recorder.flush()
    newest = {step.thing: step for step in of(store)}
    assert set(newest) == {"gs://b/d/0#1", "gs://b/d/1#1", "gs://b/d/2#1", "gs://b/d/*"}
    assert sum(step.count for step in newest.values()) == 20
    assert len(store.telemetry.read(lambda tx: telemetry.accesses_of_attempt(tx, REPLICA))) == 10


def test_nothing_is_lost_or_counted_twice_when_a_write_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(store, SystemClock())
    recorder.access(*read_of("o", 1))
    with monkeypatch.context() as broken:
        broken.setattr(store.telemetry, "write", _refuse)
        for moment in (2, 3):
            with pytest.raises(Unavailable):
                recorder.flush()
            recorder.access(*read_of("o", moment))
            recorder.beat(REPLICA, Heartbeat("5-1/w", moment), [Point("5-1/w", "cpu", moment, 1.0)])
    recorder.flush()
    assert totals(of(store)) == [("gs://b/d/o#1", 1, 10, 1), ("gs://b/d/o#1", 3, 30, 3)]
    assert len(store.telemetry.read(lambda tx: telemetry.points(tx, "5-1/w", "cpu"))) == 2
    assert store.telemetry.read(lambda tx: telemetry.heartbeats(tx, ["5-1/w"]))["5-1/w"].time == 3


def test_it_writes_by_itself_the_first_sighting_at_once(store: Store) -> None:
    recorder = Recorder(store, SystemClock())
    recorder.start()
    told: list[float] = []
    heard = threading.Event()

    def listen(names: frozenset[str]) -> None:
        assert names == {REPLICA}
        told.append(time.monotonic())
        heard.set()

    store.measured.subscribe(listen)
    waits = []
    for name in ("a", "a", "b"):
        begun = time.monotonic()
        heard.clear()
        recorder.access(*read_of(name, SystemClock().now()))
        assert heard.wait(5)
        waits.append(told[-1] - begun)
    recorder.close()
    assert waits[0] < 0.15
    assert waits[1] < 1.0
    assert waits[2] < 0.15


def test_closing_writes_what_is_left(store: Store) -> None:
    recorder = Recorder(store, SystemClock())
    recorder.start()
    recorder.access(Access("", "me", "gs://b/o", 1, False, "1", 10, 1, 5, 5), "read", ("gs://b/o#1",))
    recorder.close()
    assert of(store, "") == []
    assert len(store.telemetry.read(lambda tx: telemetry.accesses_of_object(tx, "gs://b/o"))) == 1


def _refuse(unit: object) -> None:
    raise Unavailable("no")
