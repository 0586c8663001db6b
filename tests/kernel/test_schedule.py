"""The schedule loses no wake and never hands one item out twice, whatever the order of calls."""

import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from trigpoint.kernel.schedule import Schedule, Taken

NAMES = st.sampled_from(["a", "b", "c"])


class Wakes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule()
        self.now = 0
        self.stamp = 0
        self.wanted: dict[str, int] = {}
        self.held: dict[str, Taken] = {}
        self.woken: dict[str, int] = {}

    @rule(name=NAMES, delay=st.integers(0, 5))
    def wake(self, name: str, delay: int) -> None:
        self.stamp += 1
        due = self.now + delay
        self.schedule.wake("k", name, due, self.stamp)
        pending = self.woken if name in self.held else self.wanted
        pending[name] = min(due, pending.get(name, due))

    @rule()
    def take(self) -> None:
        taken = self.schedule.take(lambda: self.now, 0)
        due = [instant for instant in self.wanted.values() if instant <= self.now]
        if taken is None:
            assert not due
            return
        assert taken.name not in self.held
        assert self.wanted.pop(taken.name) == min(due)
        self.held[taken.name] = taken

    @precondition(lambda self: self.held)
    @rule(delay=st.none() | st.integers(0, 5), finish=st.booleans())
    def end(self, delay: int | None, finish: bool) -> None:
        name, taken = self.held.popitem()
        wake = self.woken.pop(name, None)
        if finish:
            assert self.schedule.drop(taken) == (wake is None)
            dues = [wake]
        else:
            due = None if delay is None else self.now + delay
            self.schedule.give_back(taken, due)
            dues = [wake, due]
        known = [instant for instant in dues if instant is not None]
        if known:
            self.wanted[name] = min(known)

    @rule(seconds=st.integers(1, 3))
    def tick(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def everything_wanted_is_known(self) -> None:
        assert len(self.schedule) >= len(self.wanted) + len(self.held)


Wakes.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestWakes = Wakes.TestCase


def test_a_waiting_taker_is_woken_at_once() -> None:
    schedule = Schedule()
    found: list[Taken | None] = []
    waiter = threading.Thread(target=lambda: found.extend(schedule.take(lambda: 5, 30.0) for _ in range(2)))
    waiter.start()
    schedule.wake("k", "a", 5, 1)
    schedule.close()
    waiter.join(10)
    assert not waiter.is_alive()
    assert "a" in [taken.name for taken in found if taken is not None]


def test_closing_releases_every_waiter() -> None:
    schedule = Schedule()
    waiters = [threading.Thread(target=lambda: schedule.take(lambda: 0, 30.0)) for _ in range(3)]
    for waiter in waiters:
        waiter.start()
    schedule.close()
    for waiter in waiters:
        waiter.join(10)
        assert not waiter.is_alive()
