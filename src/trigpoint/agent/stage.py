"""One long-lived thread that owns a replica's namespaces: what it starts lives in them, and dies with it."""

from __future__ import annotations

import queue
import threading
from typing import Any, Callable, TypeVar

_T = TypeVar("_T")


class Stage:
    """Runs calls one after another on its own thread.

    Namespaces, niceness and the parent-death signal belong to threads on Linux: everything of a replica that depends
    on them is done here, and the thread lives as long as the agent.
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="stage", daemon=True).start()

    def call(self, function: Callable[..., _T], *args: Any) -> _T:
        """Run a function on the stage's thread and return its result, or raise what it raised."""
        done = threading.Event()
        result: list[Any] = []
        problem: list[BaseException] = []

        def perform() -> None:
            try:
                result.append(function(*args))
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread as it is
                problem.append(error)
            done.set()

        self._calls.put(perform)
        done.wait()
        if problem:
            raise problem[0]
        return result[0]  # type: ignore[no-any-return]

    def _run(self) -> None:
        while True:
            self._calls.get()()
