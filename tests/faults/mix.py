"""Clients that create, cancel, get, list and delete runs while the server comes and goes, and write down answers."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.live.home import Home
from tests.live.jobs import FINAL, PIPELINE_FINAL, Plan
from tests.live.rest import Answer, Gone, Rest

JOBS, PIPELINES = "customJobs", "trainingPipelines"
MOST_OPEN = 80
"""Runs that nobody saw the end of, at which clients look instead of creating more: runs come, and go."""


@dataclass
class Journal:
    """What the clients were told. Every member is only ever added to, under the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    created: dict[str, Plan] = field(default_factory=dict)
    """Name -> plan of every acknowledged create."""
    plans: dict[str, Plan] = field(default_factory=dict)
    """Display name -> plan of every create that was tried."""
    cancelled: set[str] = field(default_factory=set)
    """Names whose cancel was acknowledged."""
    maybe_cancelled: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    maybe_deleted: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    """Name -> the first final state seen."""
    ended_at: dict[str, float] = field(default_factory=dict)
    """When that was; whoever asked before may be told an earlier state later."""
    problems: list[str] = field(default_factory=list)
    calls: int = 0
    gone: int = 0

    def saw(self, name: str, state: str, asked: float) -> None:
        """Note a state that somebody asked for at an instant: a final one must never change."""
        with self.lock:
            before = self.ended.get(name)
            final = state in FINAL or state in PIPELINE_FINAL
            if before is not None and before != state and (final or asked > self.ended_at[name]):
                self.problems.append(f"{name}: seen {before}, later {state}")
            if final and before is None:
                self.ended[name], self.ended_at[name] = state, time.monotonic()


class Client:
    """One client with a random stream of its own; it lives through every restart until `stop` is set."""

    def __init__(
        self, home: Home, journal: Journal, seed: str, stop: threading.Event, folder: str, busy: float
    ) -> None:
        self._home = home
        self._journal = journal
        self._random = random.Random(seed)
        self._seed = seed.replace(":", "-")
        self._done = stop
        self._folder = folder
        self._busy = busy
        self._mine: list[str] = []
        self._count = 0
        self._rest: Rest | None = None

    def run(self) -> None:
        """Call until told to stop."""
        doings: list[tuple[Callable[[Rest], None], float]] = [
            (self._create, 50),
            (self._get, 20),
            (self._cancel, 12),
            (self._list, 10),
            (self._delete, 4),
            (self._read_log, 4),
        ]
        while not self._done.is_set():
            doing = self._random.choices([d for d, _ in doings], [w for _, w in doings])[0]
            try:
                if self._rest is None:
                    self._rest = self._home.client()
                doing(self._rest)
            except (Gone, OSError):
                self._leave()
                with self._journal.lock:
                    self._journal.gone += 1
                time.sleep(0.02)
            except Exception as error:  # noqa: BLE001 - a thread must not die quietly
                with self._journal.lock:
                    self._journal.problems.append(f"client {self._seed}: {error!r}")
                time.sleep(0.05)
            time.sleep(self._random.random() * self._busy)
        self._leave()

    def _leave(self) -> None:
        if self._rest is not None:
            self._rest.close()
            self._rest = None

    def _create(self, rest: Rest) -> None:
        if len(self._journal.created) - len(self._journal.ended) >= MOST_OPEN:
            self._list(rest)
            return
        plan = self._plan()
        pipeline = self._random.random() < 0.2
        kind = PIPELINES if pipeline else JOBS
        with self._journal.lock:
            self._journal.plans[plan.token] = plan
        answer = self._call(rest, "POST", f"{rest.parent}/{kind}", plan.pipeline() if pipeline else plan.job())
        if answer.ok:
            name = answer.body["name"]
            self._mine.append(name)
            with self._journal.lock:
                self._journal.created[name] = plan
        else:
            self._wrong(answer, f"create {kind}")

    def _plan(self) -> Plan:
        self._count += 1
        token = f"run-{self._seed}-{self._count}"
        then = self._random.choices(["end", "exit3", "raise", "trap", "wait", "signal9"], [58, 8, 6, 12, 8, 4])[0]
        slow = self._random.random() < 0.3
        return Plan(
            token,
            lines=self._random.randrange(1, 40),
            pause=self._random.choice([0.0, 0.005]) if not slow else 0.05,
            then=then,
            replicas=2 if self._random.random() < 0.06 else 1,
            folder=self._folder,
        )

    def _get(self, rest: Rest) -> None:
        name = self._one()
        if name is None:
            return
        asked = time.monotonic()
        answer = self._call(rest, "GET", name)
        if answer.ok:
            self._journal.saw(name, answer.body["state"], asked)
        elif not (answer.status == 404 and self._may_be_gone(name)):
            self._wrong(answer, f"get {name}")

    def _cancel(self, rest: Rest) -> None:
        tried = self._journal.maybe_cancelled
        name = self._one(prefer=lambda name: self._journal.created[name].endless and name not in tried)
        if name is None:
            return
        with self._journal.lock:
            self._journal.maybe_cancelled.add(name)
        answer = self._call(rest, "POST", f"{name}:cancel", {})
        if answer.ok:
            with self._journal.lock:
                self._journal.cancelled.add(name)
        elif answer.status not in (400, 404):
            self._wrong(answer, f"cancel {name}")

    def _delete(self, rest: Rest) -> None:
        ended = [name for name in self._mine if name in self._journal.ended and name not in self._journal.maybe_deleted]
        if not ended:
            return
        name = self._random.choice(ended)
        with self._journal.lock:
            self._journal.maybe_deleted.add(name)
        answer = self._call(rest, "DELETE", name)
        if answer.ok:
            with self._journal.lock:
                self._journal.deleted.add(name)
        else:
            self._wrong(answer, f"delete {name}")

    def _list(self, rest: Rest) -> None:
        kind = JOBS if self._random.random() < 0.8 else PIPELINES
        size = self._random.choice([7, 20, 100])
        with self._journal.lock:
            before = {name for name in self._journal.created if f"/{kind}/" in name} - self._journal.maybe_deleted
        seen: list[str] = []
        token = ""
        while True:
            asked = time.monotonic()
            answer = self._call(rest, "GET", f"{rest.parent}/{kind}", query={"pageSize": size, "pageToken": token})
            if not answer.ok:
                self._wrong(answer, f"list {kind}")
                return
            for item in answer.body.get(kind, ()):
                seen.append(item["name"])
                self._journal.saw(item["name"], item["state"], asked)
            token = answer.body.get("nextPageToken", "")
            if not token:
                break
        with self._journal.lock:
            missing = before - set(seen) - self._journal.maybe_deleted
            if missing:
                self._journal.problems.append(f"a traversal of {kind} missed {sorted(missing)[:3]}")
            if len(seen) != len(set(seen)):
                self._journal.problems.append(f"a traversal of {kind} gave one resource twice")

    def _read_log(self, rest: Rest) -> None:
        name = self._one()
        if name is not None and f"/{JOBS}/" in name:
            rest.log(name)

    def _one(self, prefer: Callable[[str], bool] | None = None) -> str | None:
        known = [name for name in self._mine if name not in self._journal.maybe_deleted]
        if prefer is not None and self._random.random() < 0.8:
            known = [name for name in known if prefer(name)] or known
        return self._random.choice(known[-12:]) if known else None

    def _may_be_gone(self, name: str) -> bool:
        with self._journal.lock:
            return name in self._journal.maybe_deleted

    def _call(self, rest: Rest, verb: str, path: str, body: Any = None, query: Any = None) -> Answer:
        answer = rest.call(verb, f"/v1/{path}", body, query=query)
        with self._journal.lock:
            self._journal.calls += 1
        return answer

    def _wrong(self, answer: Answer, doing: str) -> None:
        """A refusal that nothing explains. 503 is what a server that is going down may say."""
        if answer.status != 503:
            with self._journal.lock:
                self._journal.problems.append(f"{doing}: {answer.status} {answer.text[:300]}")
