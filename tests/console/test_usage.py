"""Series for plots: counters as rates, peaks that stay, and as many points as a screen can show."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domains.parts import Parts

from trigpoint.console.usage import reading
from trigpoint.console.usage.series import MOST, levels, rates
from trigpoint.console.usage.wire import Usage
from trigpoint.domains.jobs import Replica
from trigpoint.store import telemetry
from trigpoint.store.telemetry import Point, Stretch

JOB = "projects/1/locations/l/customJobs/7"
REPLICA = Replica(
    job=JOB, uid="7-1", task="workerpool0-0", pool=0, index=0, rank=0, host="h", machine_type="n1", image="i",
    identity="me", tenant="t",
)  # fmt: skip


def single(points: list[tuple[int, float]]) -> list[Stretch]:
    return [Stretch(1, time, time, value, value) for time, value in points]


def test_rates_are_per_second_and_a_new_beginning_says_nothing() -> None:
    assert rates(single([(0, 0.0), (1_000_000, 2.0), (3_000_000, 3.0)])) == [(1_000_000, 2.0), (3_000_000, 0.5)]
    assert rates(single([(0, 5.0), (1_000_000, 1.0), (2_000_000, 2.0)])) == [(2_000_000, 1.0)]
    assert rates([]) == []
    assert rates([Stretch(10, 0, 2_000_000, 1.0, 5.0)]) == [(2_000_000, 2.0)]


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50))
def test_no_peak_is_lost(values: list[float]) -> None:
    shown = levels([Stretch(len(values), 0, 10, min(values), max(values))])
    assert {value for _, value in shown} == {min(values), max(values)}


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    made = Parts(tmp_path)
    yield made
    made.close()


def fill(parts: Parts, metric: str, points: list[tuple[int, float]]) -> None:
    made = [Point("7-1/workerpool0-0", metric, time, value) for time, value in points]
    parts.store.telemetry.write(lambda tx: telemetry.add_points(tx, made))


def told(parts: Parts, since: int = 0) -> Usage:
    return reading.usage(parts.store, [REPLICA], since, lambda machine: {"n1": 15}.get(machine, 0))


def test_a_short_series_is_told_point_by_point(parts: Parts) -> None:
    fill(parts, "memory_bytes", [(5 * n, float(n % 3)) for n in range(100)])
    fill(parts, "cpu_seconds", [(1_000_000 * n, n * 2.0) for n in range(10)])
    fill(parts, "memory_peak_bytes", [(0, 1.0)])
    found = told(parts)
    assert found.memory_limit == 15
    series = {one.metric: one for one in found.replicas[0].series}
    assert set(series) == {"memory", "cpu"}
    assert list(series["memory"].values) == [float(n % 3) for n in range(100)]
    assert set(series["cpu"].values) == {2.0}


def test_a_long_series_is_told_in_few_points_with_its_peaks(parts: Parts) -> None:
    fill(parts, "memory_bytes", [(1_000_000 * n, 1.0 if n != 77_777 else 9.0) for n in range(150_000)])
    fill(parts, "cpu_seconds", [(1_000_000 * n, n * 0.5) for n in range(150_000)])
    series = {one.metric: one for one in told(parts).replicas[0].series}
    for one in series.values():
        assert 250 <= len(one.times) <= MOST
        assert all(a < b for a, b in pairwise(one.times))
        assert one.times[-1] == 149_999_000_000, "the end is not cut off"
    assert max(series["memory"].values) == 9.0
    assert series["cpu"].values == pytest.approx([0.5] * len(series["cpu"].values))


def test_what_is_new_is_asked_for_from_the_last_point_on(parts: Parts) -> None:
    fill(parts, "cpu_seconds", [(1_000_000 * n, n * 2.0) for n in range(10)])
    last = told(parts).replicas[0].series[0].times[-1]
    fill(parts, "cpu_seconds", [(10_000_000, 21.0)])
    series = told(parts, last).replicas[0].series[0]
    assert list(series.times) == [10_000_000]
    assert list(series.values) == [3.0]
