"""Runs that never were: records of every shape that a run can leave, for properties of what is drawn from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from trigpoint.console.picture.records import Member, Records, Resource
from trigpoint.core.clock import SECOND
from trigpoint.domains.jobs import Replica
from trigpoint.store import steps
from trigpoint.store.events import Event
from trigpoint.store.steps import Growth, Step

HERE = "projects/1/locations/us-central1"
JOB, PIPELINE = f"{HERE}/customJobs/5", f"{HERE}/trainingPipelines/7"
IMAGE = "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest"
PACKAGE = "gs://bkt/code/trainer-0.1.tar.gz"
OUT = "gs://bkt/out"
EXPORT = {
    "directory": f"{OUT}/dataset-1",
    "counts": {"training": 8, "validation": 1, "test": 0},
    "bytes": {"training": 800, "validation": 100, "test": 0},
    "files": {"training": 2, "validation": 1, "test": 0},
    "sources": [["gs://bkt/data/a.csv", 3], ["gs://bkt/data/b.csv", 4]],
}
BELOW = [f"{OUT}/model/below.bin#0", "gs://bkt/below/a.csv#0", f"{OUT}/checkpoints/*"]
"""Files that are touched below /gcs."""
THINGS = [
    f"{EXPORT['directory']}/training-00000-of-00002.csv#5",
    f"{EXPORT['directory']}/validation-00000-of-00001.csv#6",
    f"{PACKAGE}#7",
    "gs://bkt/data/a.csv#3",
    f"{OUT}/model/model.joblib#8",
    f"{OUT}/model/model.joblib#9",
    f"{OUT}/checkpoints/1/c.bin#10",
    f"{OUT}/else.txt#11",
    "gs://bkt/many/*",
    "gs://other/x#y#12",
]
OUTCOMES = [
    {"reason": "SUCCEEDED", "exit_code": 0},
    {"reason": "FAILED", "exit_code": 1, "message": "KeyError: 1", "tail": "KeyError: 1\n"},
]
STARTED: dict[str, Any] = {"argv": ["python3"], "environ": {"HOME": "/root"}}
CLIENT = {"method": "CustomJob.run", "library": "model-builder/2.7.0", "transport": "grpc", "rpc": "S.Create"}


class Clock:
    """Time that goes on by what was drawn."""

    def __init__(self, draw: Any, start: int) -> None:
        self._draw, self.time = draw, start

    def on(self, least: int = 1, most: int = 3 * SECOND) -> int:
        self.time += self._draw(st.integers(least, most))
        return self.time


class Narrator:
    """Tells events in their order."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.events = clock, list[Event]()

    def tell(self, kind: str, actor: str = "", **data: Any) -> int:
        time = self.clock.on()
        subject = PIPELINE if kind.startswith("trainingPipeline.") else JOB
        self.events.append(Event(len(self.events) + 1, time, "1", subject, kind, "", actor, data))
        return time


@st.composite
def runs(draw: Any) -> Records:
    """Return the records of a run, as they are when nothing more happens for now."""
    told = Narrator(Clock(draw, 1_000 * SECOND))
    piped = draw(st.booleans())
    data = piped and draw(st.booleans())
    if piped:
        told.tell("trainingPipeline.created", "me@x", client=CLIENT)
        if data:
            sources = [["gs://bkt/data/a.csv", 3, 4], ["gs://bkt/data/b.csv", 4, 5]]
            told.tell("trainingPipeline.exporting", objects=2, bytes=9, sources=sources)
            told.tell("trainingPipeline.exported", rows=EXPORT["counts"], to=EXPORT["directory"])
        told.tell("customJob.created", log="Waiting for job to be provisioned.")
        told.tell("trainingPipeline.launched", customJob=JOB)
    else:
        told.tell("customJob.created", "me@x", client=CLIENT, log="Waiting for job to be provisioned.")
    for ahead in range(draw(st.integers(0, 2)), 0, -1):
        told.tell("customJob.queued", reason=f"{ahead} ahead", ahead=ahead, log=f"Job is queued: {ahead}")
    if draw(st.booleans()):
        told.tell("customJob.preparing", reason=f"Building the environment of {IMAGE}: x", image=IMAGE)
    members, series = list[Member](), dict[str, dict[tuple[str, str], list[Step]]]()
    for attempt in range(1, 1 + draw(st.integers(0, 2))):
        _attempt(draw, told, attempt, members, series)
        if draw(st.booleans()):
            break
        told.tell("customJob.restarted", attempt=f"5-{attempt}", reason="it crashed", log="again")
    if draw(st.booleans()):
        told.tell("customJob.cancelling", "you@x", client={"rpc": "JobService.CancelCustomJob", "transport": "rest"})
    _end(told, draw(st.sampled_from(["", "succeeded", "failed", "cancelled"])), piped=piped)
    return _records(told.events, members, series, data=data)


def _end(told: Narrator, final: str, *, piped: bool) -> None:
    if final:
        told.tell(f"customJob.{final}", log="over", **({"error": "it failed"} if final == "failed" else {}))
        if piped:
            if final == "succeeded":
                told.tell("trainingPipeline.uploaded", model=f"{HERE}/models/9@2")
            told.tell("trainingPipeline.recorded", context=f"{HERE}/metadataStores/default/contexts/c", links=3)
            told.tell(f"trainingPipeline.{final}")


def _attempt(draw: Any, told: Narrator, number: int, members: list[Member], series: Any) -> None:
    counts = draw(st.lists(st.integers(1, 2), min_size=1, max_size=2))
    created = told.tell("customJob.launched", attempt=f"5-{number}", log="Waiting for training program to start.") - 1
    rank = 0
    for pool, count in enumerate(counts):
        for index in range(count):
            made = _replica(draw, number, (pool, index, rank), created)
            members.append(made)
            series[made.record.name] = _series(draw, made, created)
            rank += 1
    if draw(st.booleans()):
        told.tell("customJob.running", log="Job is running.")
    if draw(st.booleans()):
        told.tell("customJob.stopping", verdict="JOB_STATE_SUCCEEDED")


def _replica(draw: Any, number: int, seat: tuple[int, int, int], created: int) -> Member:
    pool, index, rank = seat
    names = ["CLAIMED", "PREPARED", "RUNNING", "ENDED"][: draw(st.integers(0, 4))]
    clock = Clock(draw, created - draw(st.integers(0, 10)))  # the agent's clock may be a little behind
    times = {name: clock.on(0) for name in names}
    state = names[-1] if names else "PENDING"
    facts = {"python": "3.10", "packages": [{"uri": PACKAGE, "sha256": "ab"}]} if "PREPARED" in times else {}
    record = Replica(
        JOB, f"5-{number}", f"workerpool{pool}-{index}", pool, index, rank, f"h{rank}", "n1", IMAGE, "sa@x", "t-tp"
    )
    outcome = draw(st.sampled_from(OUTCOMES)) if state == "ENDED" else None
    started = STARTED if "RUNNING" in times else {}
    return Member(replace(record, times=times, state=state, facts=facts, outcome=outcome, **started), created)


def _series(draw: Any, member: Member, created: int) -> dict[tuple[str, str], list[Step]]:
    found: dict[tuple[str, str], list[Step]] = {}
    wanted = draw(
        st.lists(
            st.sampled_from(
                [("print", "stdout"), ("print", "runner"), ("ask", "token"), ("ask", "other")]
                + [(what, thing) for what in ("read", "write") for thing in THINGS]
                + [("copy", f"{source}\n{made}") for source in THINGS[::3] for made in THINGS[4:8]]
                + [(what, thing) for what in ("open", "save") for thing in BELOW]
            ),
            max_size=6,
            unique=True,
        )
    )
    for what, thing in wanted:
        clock, chain = Clock(draw, created + 1), list[Step]()
        for size in draw(st.lists(st.integers(0, 50), min_size=1, max_size=5)):
            growth = Growth(clock.on(0, 4 * SECOND), size, lines=1, count=1)
            step = steps.grown(chain[-1] if chain else None, member.record.name, what, thing, growth)
            chain = [*chain[: step.number], step]
        found[what, thing] = chain
    return found


def _records(events: list[Event], members: list[Member], series: Any, *, data: bool) -> Records:
    return Records(
        project="demo",
        tenant="t-tp",
        pipeline=_resource(PIPELINE, events, data=data),
        job=_resource(JOB, events, data=data),
        events=events,
        members=members,
        series=series,
        dataset=Resource(f"{HERE}/datasets/1", "", 1, 1, {"displayName": "d"}) if data else None,
        model=Resource(f"{HERE}/models/9@2", "", 1, 1, {"displayName": "m", "artifactUri": f"{OUT}/model"}),
        sizes={f"{PACKAGE}#7": 70},
    )


def _resource(name: str, events: list[Event], *, data: bool) -> Resource | None:
    """Return the row of a pipeline or job as its events left it; None before its first."""
    own = [event for event in events if event.subject == name]
    if not own:
        return None
    word, prefix = ("trainingPipeline.", "PIPELINE_STATE_") if name == PIPELINE else ("customJob.", "JOB_STATE_")
    final = [event for event in own if event.kind.removeprefix(word) in ("succeeded", "failed", "cancelled")]
    state = final[-1].kind.removeprefix(word).upper() if final else "PENDING"
    message: dict[str, Any] = {"displayName": "run"}
    notes: dict[str, Any] = {}
    if name == PIPELINE:
        message |= {"inputDataConfig": {"datasetId": "1"}} if data else {}
        notes |= {"export": EXPORT} if any(event.kind.endswith(".exported") for event in own) else {}
    else:
        pool = {"replicaCount": "1", "pythonPackageSpec": {"packageUris": [PACKAGE]}}
        message["jobSpec"] = {"workerPoolSpecs": [pool], "baseOutputDirectory": {"outputUriPrefix": OUT}}
    return Resource(name, prefix + state, own[0].time - 1, own[-1].time, message, notes)


def until(records: Records, time: int) -> Records | None:
    """Return the records as they were at an instant; None before there was anything."""
    events = [event for event in records.events if event.time <= time]
    if not events:
        return None
    data = records.dataset is not None
    members = [_member_until(member, time) for member in records.members if member.created < time]
    series = {
        member.record.name: {
            key: kept
            for key, chain in records.series.get(member.record.name, {}).items()
            if (kept := [step for step in chain if step.time <= time])
        }
        for member in members
    }
    return replace(_records(events, members, series, data=data), dataset=records.dataset, model=records.model)


def _member_until(member: Member, time: int) -> Member:
    record = member.record
    times = {name: at for name, at in record.times.items() if at <= time}
    outcome = record.outcome if "ENDED" in times else None
    facts = record.facts if "PREPARED" in times else {}
    state = max(times, key=lambda name: times[name], default="PENDING")
    started = STARTED if "RUNNING" in times else {"argv": (), "environ": {}}
    return Member(replace(record, times=times, outcome=outcome, facts=facts, state=state, **started), member.created)
