"""Gathering: what was not touched is not read again and nothing is missed; old rows tell what they can."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.console.picture.drawn import JOB, PIPELINE
from tests.console.picture.rows import Rows

from trigpoint.console.picture import rules
from trigpoint.console.picture.gather import Gatherer, run_of
from trigpoint.console.picture.wire import Edge, Node, Picture
from trigpoint.core.errors import PermissionDenied
from trigpoint.domains.jobs import Replica
from trigpoint.store.telemetry import Access

SPEC = {"displayName": "run", "jobSpec": {"workerPoolSpecs": [{"replicaCount": "1", "containerSpec": {}}]}}


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    made = Rows(tmp_path)
    yield made
    made.store.close()


def drawn(rows: Rows, run: str = JOB) -> Picture:
    return rules.draw(Gatherer(rows.sources, run).look())


def node(picture: Picture, ident: str) -> Node:
    return next(one for one in picture.nodes if one.id == ident)


def edge(picture: Picture, kind: str) -> Edge:
    return next(one for one in picture.edges if one.kind == kind)


def test_a_run_of_an_older_version_is_shown_as_far_as_it_is_known(rows: Rows) -> None:
    rows.resource(JOB, "JOB_STATE_RUNNING", SPEC)
    rows.tell("customJob.created", "me@x", caller="CustomJob.run", library="model-builder/2.7.0", environment="COLAB")
    rows.tell("customJob.launched", attempt="5-1", replicas=1)
    replica = rows.replica(1, "workerpool0-0", old=True, state="RUNNING", times={"RUNNING": rows.clock.now()})
    now = rows.clock.now()
    access = Access(replica.name, "sa@x", "gs://b/d/x", 3, False, "1", 70, 4, now, now + 5)
    rows.older(access, Access(replica.name, "sa@x", "gs://b/d/y", 4, True, "1", 9, 1, now + 2, now + 2))
    rows.beat(replica, {"logs": {"stdout": 12}})
    picture = drawn(rows)
    assert [(one.bytes, one.count, one.time) for one in edge(picture, "reads").amounts] == [
        (0, 1, now),
        (70, 4, now + 5),
    ]
    assert [(one.bytes, one.count) for one in edge(picture, "writes").amounts] == [(9, 1)]
    logs = [one for one in picture.edges if one.kind == "logs"]
    assert [one.amounts[-1].bytes for one in logs] == [12]
    caller = next(one for one in picture.nodes if one.kind == "caller")
    assert (caller.facts["library"], caller.facts["environment"]) == ("model-builder/2.7.0", "COLAB")
    assert edge(picture, "calls").label == "CustomJob.run"


def test_a_run_whose_narrative_is_gone_still_has_its_ends(rows: Rows) -> None:
    rows.resource(JOB, "JOB_STATE_PENDING", SPEC)
    rows.replica(1, "workerpool0-0")
    rows.replica(2, "workerpool0-0")
    rows.resource(JOB, "JOB_STATE_FAILED", {**SPEC, "error": {"message": "it broke"}})
    picture = drawn(rows)
    assert [(one.state, one.reason) for one in node(picture, "job").states] == [("PENDING", ""), ("FAILED", "it broke")]
    assert [one.state for one in node(picture, "attempt/1").states] == ["PENDING", "RESTARTED"]
    assert [one.state for one in node(picture, "attempt/2").states] == ["PENDING", "FAILED"]


def test_deleted_and_absent_runs(rows: Rows) -> None:
    rows.resource(PIPELINE, "PIPELINE_STATE_RUNNING", {"displayName": "p"}, job=JOB)
    rows.resource(JOB, "JOB_STATE_RUNNING", SPEC, parent=["trainingPipelines", PIPELINE])
    assert run_of(rows.store, JOB) == run_of(rows.store, PIPELINE) == PIPELINE
    rows.delete(JOB)
    rows.delete(PIPELINE)
    assert run_of(rows.store, JOB) == PIPELINE
    assert {one.id for one in drawn(rows, PIPELINE).nodes} == {"pipeline", "job"}
    for absent in (JOB + "0", PIPELINE + "0", "projects/1"):
        with pytest.raises(PermissionDenied):
            run_of(rows.store, absent)


def test_what_a_replica_printed_at_its_end_is_known_without_telemetry(rows: Rows) -> None:
    rows.resource(JOB, "JOB_STATE_RUNNING", SPEC)
    rows.tell("customJob.launched", attempt="5-1")
    replica = rows.replica(1, "workerpool0-0")
    rows.passed(replica, "print", "stdout", bytes=5, lines=1)
    ended = rows.clock.now()
    printed = {"logs": {"stdout": 9, "runner": 4}, "lines": {"stdout": 2, "runner": 1}}
    times = {"ENDED": ended}
    rows.replica(1, "workerpool0-0", state="ENDED", times=times, printed=printed, outcome={"reason": "SUCCEEDED"})
    amounts = next(one for one in drawn(rows).edges if one.kind == "logs").amounts
    assert [(one.bytes, one.lines) for one in amounts] == [(5, 1), (13, 3)]
    assert amounts[-1].time == ended


def test_a_commit_concerns_a_run_when_it_touches_it_or_what_is_below(rows: Rows) -> None:
    rows.resource(PIPELINE, "PIPELINE_STATE_RUNNING", {"displayName": "p"}, job=JOB)
    rows.resource(JOB, "JOB_STATE_RUNNING", SPEC)
    gatherer = Gatherer(rows.sources, PIPELINE)
    assert not gatherer.concerns(frozenset({JOB}))
    gatherer.look()
    assert gatherer.concerns(frozenset({JOB, "x"}))
    assert gatherer.concerns(frozenset({PIPELINE}))
    assert gatherer.concerns(frozenset({f"{JOB}/attempts/1/replicas/workerpool0-0"}))
    assert not gatherer.concerns(frozenset({f"{JOB}0", f"{JOB}0/attempts/1/replicas/w", f"{PIPELINE}1"}))


@pytest.mark.parametrize("seed", range(6))
def test_looking_again_at_what_was_touched_shows_all(rows: Rows, seed: int) -> None:
    """A random run: after each thing that happens, only what was touched is read again."""
    chance = random.Random(seed)
    touched: dict[str, bool] = {"rows": False, "measured": False}
    rows.resource(JOB, "JOB_STATE_PENDING", SPEC)
    gatherer, memory = Gatherer(rows.sources, JOB), rules.Memory()
    gatherer.look()
    rows.store.notifier.subscribe(lambda names: touched.update(rows=touched["rows"] or gatherer.concerns(names)))
    rows.store.measured.subscribe(
        lambda names: touched.update(measured=touched["measured"] or gatherer.concerns(names))
    )
    replicas: list[Replica] = []
    for number in range(60):
        happen(rows, chance, replicas, number)
        if chance.random() < 0.5:
            looked = rules.draw(gatherer.look(**touched), memory)
            touched.update(rows=False, measured=False)
            assert looked == drawn(rows)


def happen(rows: Rows, chance: random.Random, replicas: list[Replica], number: int) -> None:
    what: Any = chance.choice(["launch", "state", "passed", "passed", "passed", "passed", "event", "beat", "early"])
    if what == "launch" and len(replicas) < 4:
        rows.tell("customJob.launched", attempt=f"5-{len(replicas) + 1}")
        replicas.append(rows.replica(len(replicas) + 1, "workerpool0-0"))
    elif what == "early" and len(replicas) < 4:  # its telemetry comes before its row is looked at
        replicas.append(rows.replica(len(replicas) + 1, "workerpool0-0"))
        rows.passed(replicas[-1], "print", "runner", bytes=number, lines=1)
    elif what == "state" and replicas:
        one = chance.choice(replicas)
        rows.replica(one.attempt, one.task, state="RUNNING", times={"RUNNING": rows.clock.now()})
    elif what == "passed" and replicas:
        kind, thing = chance.choice([("print", "stdout"), ("ask", "token"), ("read", f"gs://b/d/{number % 3}#1")])
        rows.passed(chance.choice(replicas), kind, thing, bytes=number, lines=1, count=1)
    elif what == "event":
        rows.tell("customJob.preparing", reason=f"step {number}", image="i")
    elif what == "beat" and replicas:
        rows.beat(chance.choice(replicas), {"cpu_s": number})
