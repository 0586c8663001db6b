"""The server's clock under a machine's clock that is set."""

import threading

import pytest

from trigpoint.core.clock import SECOND, SystemClock

HOUR = 3600 * SECOND


class Set(SystemClock):
    """A clock on a machine whose time passes and is set by hand."""

    passed = 5.0
    shown = 1_000_000 * SECOND

    def wall(self) -> int:
        return self.shown

    def monotonic(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        self.shown += int(seconds * SECOND)


@pytest.fixture
def clock() -> Set:
    return Set()


def test_it_is_the_machines_clock(clock: Set) -> None:
    for seconds in (0.0, 1.0, 0.000_001, 1000.0):
        clock.wait(seconds)
        assert 0 <= clock.now() - clock.shown <= 1


def test_every_answer_is_greater(clock: Set) -> None:
    first = clock.now()
    assert [clock.now() - first for _ in range(3)] == [1, 2, 3]
    clock.shown -= HOUR
    assert clock.now() > first


@pytest.mark.parametrize("hours", [1, 24])
def test_time_goes_on_when_the_clock_was_set_back(clock: Set, hours: int) -> None:
    before = clock.now()
    clock.shown -= hours * HOUR
    clock.wait(10)
    assert 4 * SECOND <= clock.now() - before <= 10 * SECOND


def test_it_meets_the_machine_again(clock: Set) -> None:
    clock.shown += HOUR
    clock.now()
    clock.shown -= HOUR
    for _ in range(3000):
        clock.now()
        clock.wait(3)
    assert abs(clock.now() - clock.shown) <= SECOND


def test_a_clock_set_forward_is_believed(clock: Set) -> None:
    before = clock.now()
    clock.shown += HOUR
    assert clock.now() - before >= HOUR


def test_threads_never_get_the_same_instant() -> None:
    clock = SystemClock()
    found: list[int] = []

    def ask() -> None:
        found.extend([clock.now() for _ in range(20_000)])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == len(found)
