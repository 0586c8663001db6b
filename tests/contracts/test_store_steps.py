"""What is promised of steps in time: totals never fall, a follower sees each change once, on both databases."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.clock import SECOND
from trigpoint.store import Store, steps
from trigpoint.store.steps import Growth, Step

REPLICA = "projects/1/locations/l/customJobs/5/attempts/1/replicas/workerpool0-0"


def chain(growths: list[Growth]) -> list[Step]:
    """Return the steps that a series keeps of what passed."""
    kept: list[Step] = []
    for growth in growths:
        step = steps.grown(kept[-1] if kept else None, REPLICA, "read", "gs://b/o#1", growth)
        if kept and kept[-1].number == step.number:
            kept[-1] = step
        else:
            kept.append(step)
    return kept


@given(
    st.lists(st.tuples(st.integers(0, 20 * SECOND), st.integers(0, 99), st.integers(0, 9), st.booleans()), min_size=1)
)
def test_totals_and_times_never_fall(passed: list[tuple[int, int, int, bool]]) -> None:
    kept = chain([Growth(time, size, count=count, total=total) for time, size, count, total in passed])
    assert [step.number for step in kept] == list(range(len(kept)))
    for before, after in pairwise(kept):
        assert before.time <= after.begun <= after.time
        assert before.bytes <= after.bytes
        assert before.count <= after.count
    first = passed[0]
    assert (kept[0].time, kept[0].bytes, kept[0].count) == first[:3]


@given(st.lists(st.integers(1, 5 * SECOND), min_size=1, max_size=400))
def test_increments_add_up_and_the_total_holds_at_each_step(gaps: list[int]) -> None:
    times = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    kept = chain([Growth(time, 1, count=1) for time in times])
    assert (kept[-1].bytes, kept[-1].time) == (len(times), times[-1])
    for step in kept:
        assert step.bytes == sum(time <= step.time for time in times)


def test_a_week_of_growth_needs_some_hundred_steps() -> None:
    hour = [time * SECOND // 4 for time in range(4 * 3600)]
    rest = [hour[-1] + time * 20 * SECOND for time in range(1, 3 * 7 * 24 * 60)]
    kept = chain([Growth(time, 1) for time in [*hour, *rest]])
    assert len(kept) < 400
    assert kept[60].time <= 61 * SECOND


def test_steps_are_kept_and_followed(store: Store) -> None:
    told: list[frozenset[str]] = []
    store.measured.subscribe(told.append)
    first = Step(REPLICA, "read", "gs://b/o#1", 0, 10, 10, 5, 0, 1, 100)
    other = Step(REPLICA.replace("/5/", "/55/"), "read", "gs://b/o#1", 0, 10, 10, 5, 0, 1, 100)
    store.telemetry.write(lambda tx: steps.put(tx, [first, other]))
    second = Step(REPLICA, "read", "gs://b/o#1", 1, 20, 30, 9, 0, 2, 200)
    store.telemetry.write(lambda tx: steps.put(tx, [second]))
    longer = Step(REPLICA, "read", "gs://b/o#1", 1, 20, 40, 12, 0, 3, 300)
    store.telemetry.write(lambda tx: steps.put(tx, [longer]))
    assert store.telemetry.read(lambda tx: steps.of_replica(tx, REPLICA)) == [first, longer]
    prefix = REPLICA.partition("attempts")[0]
    assert store.telemetry.read(lambda tx: steps.after(tx, 0, prefix)) == [first, longer]
    assert store.telemetry.read(lambda tx: steps.after(tx, 200, prefix)) == [longer]
    assert store.telemetry.read(lambda tx: steps.after(tx, 300, prefix)) == []
    assert told == [frozenset({REPLICA, other.replica}), frozenset({REPLICA}), frozenset({REPLICA})]
    assert store.telemetry.write(lambda tx: steps.prune(tx, 150)) == 2
    assert store.telemetry.write(lambda tx: steps.prune(tx, 150)) == 0
    assert store.telemetry.read(lambda tx: steps.of_replica(tx, REPLICA)) == [longer]
