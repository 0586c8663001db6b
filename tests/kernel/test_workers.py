"""The loop over due work: how long it leaves what failed alone."""

import pytest

from trigpoint.core.clock import SECOND, SystemClock
from trigpoint.core.errors import ResourceExhausted, Unavailable
from trigpoint.kernel.resource import Kernel
from trigpoint.kernel.schedule import Schedule, Taken
from trigpoint.workers import Workers


@pytest.mark.parametrize(
    ("error", "longest"),
    [
        (ResourceExhausted("full"), 5),
        (Unavailable("away"), 5),
        (OSError(28, "full"), 5),
        (ZeroDivisionError("a fault of ours"), 60),
    ],
)
def test_what_is_no_fault_of_the_step_is_tried_again_soon(kernel: Kernel, error: Exception, longest: int) -> None:
    def step(name: str) -> None:
        raise error

    clock, schedule = SystemClock(), Schedule()
    workers = Workers(kernel.store, schedule, clock, {"jobs": step})  # type: ignore[dict-item]
    schedule.wake("jobs", "one", 0, 1)
    taken = schedule.take(clock.now, 0)
    assert taken is not None
    before = clock.now()
    workers._work(Taken(taken.kind, taken.name, taken.stamp, failures=20))
    assert (longest - 1) * SECOND < schedule._heap[0][0] - before < (longest + 1) * SECOND
