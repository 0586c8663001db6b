"""The only loop: takes due work, calls its reconciler, finishes it or gives it back.

What a step does is left to the reconcilers that are handed in. One process works on a home (the server holds its
lock); a few threads share the schedule, and an item is never in two hands.
"""

import threading

import structlog

from trigpoint.core.clock import SECOND, Clock, Micros
from trigpoint.core.errors import Aborted, ResourceExhausted, TrigpointError, Unavailable
from trigpoint.kernel.reconcile import Again, Done, Outcome, Reconcilers, Wait
from trigpoint.kernel.schedule import Schedule, Taken
from trigpoint.store import Store, work

log = structlog.get_logger(__name__)

_STEPS_IN_A_ROW = 50
"""Steps that one item may take before it queues again behind the others."""
_IDLE_SECONDS = 30.0
_FIRST_BACKOFF: Micros = SECOND // 4
_LONGEST_BACKOFF: Micros = 60 * SECOND
_SOON: Micros = 5 * SECOND
"""The longest backoff of what is no fault of the step's: a full disk is freed, a database comes back."""


class Workers:
    """Runs reconcilers on a few threads. `start` once, `stop` once."""

    def __init__(
        self, store: Store, schedule: Schedule, clock: Clock, reconcilers: Reconcilers, threads: int = 4
    ) -> None:
        self._store = store
        self._schedule = schedule
        self._clock = clock
        self._reconcilers = reconcilers
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, name=f"worker-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Take over what an earlier process left unfinished, and begin."""
        self._schedule.load(self._store.read(work.everything))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more work, let the steps in progress end (each is short), return when all is quiet."""
        self._stopping.set()
        self._schedule.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            item = self._schedule.take(self._clock.now, _IDLE_SECONDS)
            if item is not None:
                self._work(item)

    def _work(self, item: Taken) -> None:
        outcome, failures = self._advance(item)
        if isinstance(outcome, Done):
            self._finish(item)
        else:
            due = self._clock.now() if isinstance(outcome, Again) else outcome.until
            self._schedule.give_back(item, due, failures)

    def _advance(self, item: Taken) -> tuple[Outcome, int]:
        """Make steps until the item has to wait; return the outcome and the count of failures in a row."""
        reconcile = self._reconcilers[item.kind]
        for _ in range(_STEPS_IN_A_ROW):
            try:
                outcome = reconcile(item.name)
            except Aborted:
                continue
            except Exception as error:  # noqa: BLE001 - a fault in one resource's step must not stop all others
                return self._failed(item, error), item.failures + 1
            if not isinstance(outcome, Again) or self._stopping.is_set():
                return outcome, 0
        return Again(), 0

    def _failed(self, item: Taken, error: Exception) -> Wait:
        outside = isinstance(error, Unavailable | ResourceExhausted | OSError)
        backoff = min(_SOON if outside else _LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** min(item.failures, 10))
        trace = None if outside else error
        log.warning("step failed", item=item.name, failures=item.failures + 1, reason=str(error), exc_info=trace)
        return Wait(self._clock.now() + backoff, "A step failed and is tried again.")

    def _finish(self, item: Taken) -> None:
        try:
            self._store.write(lambda tx: work.finish(tx, item.kind, item.name, item.stamp))
        except TrigpointError as error:
            log.warning("work item not finished", item=item.name, reason=error.message)
            self._schedule.give_back(item, self._clock.now() + SECOND)
            return
        self._schedule.drop(item)
