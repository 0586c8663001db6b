"""Runs plans on a real server and remembers what was live while they ran."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.console.picture.programs import BAD, BUCKET, GOOD, TABULAR, Plan, sdist, table
from tests.console.picture.truth import Truth
from tests.live.console import Console, Stream
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, PIPELINE_FINAL
from tests.live.rest import STORAGE, Gone, Rest

SDK = {
    "x-goog-api-client": "model-builder/2.7.0+environment+COLAB_ENTERPRISE"
    "+top_google_constructor_method+google.cloud.aiplatform.jobs.CustomJob.__init__ gl-python/3.11.7 rest/unknown",
    "user-agent": "model-builder/2.7.0",
}
METHOD = "CustomJob.__init__"


@dataclass
class Ran:
    """One run that is over, and everything that was seen of it."""

    plan: Plan
    name: str
    truth: Truth
    picture: Any = None
    stream: Stream | None = None
    polls: list[tuple[float, str, float]] = field(default_factory=list)
    """When a read of its state was sent, what it said, when the answer was there: seconds since 1970."""
    details: dict[str, Any] = field(default_factory=dict)
    """Answers about single nodes, by id."""
    of_job: Any = None
    """The picture that was asked for by the name of the job."""


class Stage:
    """One home with data, code and datasets in it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        home.start()
        self.rest = home.client()
        self.console = Console(self.info)
        self.rest.ask("POST", "/storage/v1/b", {"name": BUCKET}, host=STORAGE, query={"project": "demo-project"})
        for name, content in {"data/table.csv": table(200), "data/gone.csv": table(3)}.items():
            self.put(name, content)
        self.put(GOOD.removeprefix(f"gs://{BUCKET}/"), sdist())
        self.put(BAD.removeprefix(f"gs://{BUCKET}/"), b"this is no archive")
        self.dataset = self._dataset("data/table.csv")

    def close(self) -> None:
        """End everything of it."""
        self.rest.close()
        self.home.clear()

    @property
    def info(self) -> Any:
        assert self.home.info is not None
        return self.home.info

    def put(self, name: str, content: bytes) -> None:
        """Upload an object."""
        query = {"uploadType": "media", "name": name}
        answer = self.rest.call("POST", f"/upload/storage/v1/b/{BUCKET}/o", content, host=STORAGE, query=query)
        assert answer.ok, answer.text

    def gone(self) -> str:
        """Return a dataset whose data was taken away after it was made."""
        ident = self._dataset("data/gone.csv")
        self.rest.ask("DELETE", f"/storage/v1/b/{BUCKET}/o/data%2Fgone.csv", host=STORAGE)
        return ident

    def create(self, plan: Plan, *, follow: bool = True, headers: Mapping[str, str] = SDK) -> Ran:
        """Create a run and follow it."""
        kind = "trainingPipelines" if plan.pipeline else "customJobs"
        made = self.rest.call("POST", f"/v1/{self.rest.parent}/{kind}", plan.body(), headers=headers)
        assert made.ok, made.text
        name = str(made.body["name"])
        ran = Ran(plan, name, Truth(self.home.path, self.rest, plan, name))
        rpc = "PipelineService.CreateTrainingPipeline" if plan.pipeline else "JobService.CreateCustomJob"
        ran.truth.calls["pipeline" if plan.pipeline else "job", METHOD if headers is SDK else rpc] += 1
        if follow:
            ran.stream = self.console.follow(f"run/{name}")
        return ran

    def cancel(self, ran: Ran) -> None:
        """Cancel a run."""
        self.rest.ask("POST", f"/v1/{ran.name}:cancel", {})
        pipeline = ran.plan.pipeline
        rpc = "PipelineService.CancelTrainingPipeline" if pipeline else "JobService.CancelCustomJob"
        ran.truth.calls["pipeline" if pipeline else "job", rpc] += 1

    def run(self, plans: Iterable[Plan], meanwhile: Callable[[list[Ran]], None] = lambda runs: None) -> dict[str, Ran]:
        """Run plans side by side to their ends; return what was seen, by name."""
        runs = [self.create(plan) for plan in plans]
        meanwhile(runs)
        self.finish(runs)
        return {ran.plan.name: ran for ran in runs}

    def finish(self, runs: list[Ran], seconds: float = 100) -> None:
        """Wait until runs are over, and look at each."""
        poller = Poller(self.home, runs)
        poller.join(seconds)
        assert not poller.is_alive(), [(ran.plan.name, ran.polls[-1:]) for ran in runs]
        time.sleep(0.5)
        for ran in runs:
            self.look(ran)

    def look(self, ran: Ran) -> None:
        """Ask for a run's picture and for each of its nodes."""
        ran.picture = self.console.get("picture", run=ran.name)
        for node in ran.picture["nodes"]:
            ran.details[node["id"]] = ended(self.console.get("picture/node", run=ran.name, id=node["id"]))
        if ran.truth.job:
            ran.of_job = self.console.get("picture", run=ran.truth.job)
        if ran.stream is not None:
            ran.stream.close()

    def until(self, ran: Ran, *states: str, seconds: float = 60) -> None:
        """Wait until a run is in one of some states."""
        prefix = "PIPELINE_STATE_" if ran.plan.pipeline else "JOB_STATE_"
        wanted = {f"{prefix}{state}" for state in states}
        wait_until(lambda: self.rest.ask("GET", f"/v1/{ran.name}")["state"] in wanted, seconds, 0.05)

    def _dataset(self, name: str) -> str:
        source = {"inputConfig": {"gcsSource": {"uri": [f"gs://{BUCKET}/{name}"]}}}
        body = {"displayName": name, "metadataSchemaUri": TABULAR, "metadata": source}
        made = self.rest.ask("POST", f"/v1/{self.rest.parent}/datasets", body)
        return str(made["response"]["name"]).rpartition("/")[2]


def ended(details: Any) -> Any:
    """Return a node that was opened with all that was known of it at the end beside its other members."""
    assert [one["time"] for one in details["known"]] == sorted(one["time"] for one in details["known"])
    last = {name: value for one in details["known"] for name, value in one.items() if value is not None}
    return {**last, **details}


class Poller(threading.Thread):
    """Reads the states of runs again and again until all are over, through every restart of the server."""

    def __init__(self, home: Home, runs: list[Ran]) -> None:
        super().__init__(daemon=True)
        self._home, self._runs = home, runs
        self.start()

    def run(self) -> None:
        """Poll."""
        left = list(self._runs)
        rest: Rest | None = None
        while left:
            for ran in list(left):
                with suppress(Gone, OSError, AssertionError):
                    rest = rest or self._home.client()
                    begun = time.time()
                    state = str(rest.ask("GET", f"/v1/{ran.name}")["state"])
                    ran.polls.append((begun, state.rpartition("_STATE_")[2], time.time()))
                    if state in FINAL or state in PIPELINE_FINAL:
                        left.remove(ran)
                    continue
                if rest is not None:
                    rest.close()
                rest = None
            time.sleep(0.15)
        if rest is not None:
            rest.close()
