"""The life of jobs with a real store and an engine that misbehaves on request; the test plays the agents."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.domains.jobs.world import SECRET, Hands, World, uid_of

from trigpoint.agent.protocol import Outcome
from trigpoint.core import messages
from trigpoint.core.call import Client
from trigpoint.core.clock import SECOND
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, ResourceExhausted
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import (
    Scheduling,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.io_pb import GcsDestination
from trigpoint.domains.jobs import reports
from trigpoint.kernel.reconcile import Done, Wait
from trigpoint.runtime.fake import Fault
from trigpoint.store import events, steps, telemetry


def test_a_job_from_create_to_succeeded(world: World) -> None:
    name = world.create()
    assert world.job(name).state.name == "PENDING"
    world.step(name)
    assert world.engine.ensured == [uid_of(name)]
    world.say(uid_of(name), "workerpool0-0", "hello", "prepared", "started")
    world.step(name)
    assert world.job(name).state.name == "RUNNING"
    assert world.job(name).start_time is not None
    done = Outcome("SUCCEEDED", 0)
    world.engine.finish(uid_of(name), "workerpool0-0", done)
    world.say(uid_of(name), "workerpool0-0", "outcome", outcome=done, seq=4)
    assert world.step(name) == Done()
    assert world.job(name).state.name == "SUCCEEDED"
    assert world.job(name).end_time is not None
    assert world.told(name)[-1] == "customJob.succeeded"


def test_a_field_that_changes_nothing_is_told_in_the_job_s_narrative(world: World) -> None:
    name = world.create(enable_web_access=True)
    told = {event.kind: event.data for event in world.kernel.store.read(lambda tx: events.after(tx, 0, 1000, name))}
    assert told["customJob.unheeded"]["field"] == "job_spec.enable_web_access"
    said = "job_spec.enable_web_access has no effect here: nobody can enter a replica"
    assert str(told["customJob.unheeded"]["log"]).startswith(said)


def test_a_job_whose_results_have_no_place_is_refused_at_once(world: World) -> None:
    mine, absent = (GcsDestination(output_uri_prefix=f"gs://{bucket}/out") for bucket in ("mine", "absent"))
    world.storage.buckets.create(world.call.caller, world.call.project, "mine", {})
    accepted = world.job(world.create(base_output_directory=mine)).job_spec
    assert accepted is not None
    with pytest.raises(InvalidArgument) as refused:
        world.create(base_output_directory=absent)
    (violation,) = refused.value.violations
    assert violation.field == "custom_job.job_spec.base_output_directory.output_uri_prefix"
    assert violation.description.startswith("The bucket absent does not exist in this project. Create it (gcloud")
    world.jobs.check(accepted, "inputs", world.call.project)
    accepted.base_output_directory = absent
    with pytest.raises(InvalidArgument, match=r"inputs\.base_output_directory"):
        world.jobs.check(accepted, "inputs", world.call.project)


def test_a_crash_between_writing_down_and_starting_starts_the_same_attempt(world: World) -> None:
    name = world.create(scheduling=None)
    world.engine.faults.add(Fault.REFUSE)
    with pytest.raises(Exception, match="cannot start"):
        world.step(name)
    world.engine.faults.clear()
    world.step(name)
    assert set(world.engine.ensured) == {uid_of(name)}
    assert "customJob.restarted" not in world.told(name)


def test_a_crash_between_the_directories_and_the_agents_starts_the_agents(world: World) -> None:
    name = world.create()
    world.engine.faults.add(Fault.NO_ROOM)  # what is seen of a gang whose agents nobody started
    world.step(name)
    world.engine.faults.clear()
    world.step(name)
    assert world.engine.ensured == [uid_of(name), uid_of(name)]
    assert world.engine.statuses(uid_of(name))
    world.say(uid_of(name), "workerpool0-0", "hello", "prepared", "started")
    world.step(name)
    assert world.job(name).state.name == "RUNNING"
    assert world.engine.ensured == [uid_of(name), uid_of(name)]


def test_a_reboot_makes_a_new_attempt_of_what_was_running(world: World) -> None:
    name = world.create()
    world.step(name)
    world.say(uid_of(name), "workerpool0-0", "hello", "prepared", "started")
    world.step(name)
    world.engine.reboot("boot-2")
    world.step(name)
    assert world.engine.ensured == [uid_of(name), uid_of(name, 2)]
    with pytest.raises(FailedPrecondition):
        world.say(uid_of(name), "workerpool0-0", "outcome", outcome=Outcome("SUCCEEDED", 0), seq=9)


def test_a_lost_agent_is_replaced_twice_and_then_named(world: World) -> None:
    name = world.create()
    world.engine.faults.add(Fault.LOSE)
    for _ in range(6):
        world.step(name)
    assert world.engine.ensured == [uid_of(name, attempt) for attempt in (1, 2, 3)]
    assert world.job(name).state.name == "FAILED"
    assert "workerpool0-0 disappeared" in (world.job(name).error or pytest.fail("no error")).message


def test_an_outcome_that_was_never_reported_is_read_from_the_directory(world: World) -> None:
    name = world.create()
    world.step(name)
    world.engine.run(uid_of(name), "workerpool0-0")
    world.engine.finish(uid_of(name), "workerpool0-0", Outcome("FAILED", 1, tail="ValueError: no rows"))
    assert world.step(name) == Done()
    error = world.job(name).error
    assert error is not None
    assert "ValueError: no rows" in error.message
    assert world.jobs.replicas(name)[0].state == "ENDED"


@pytest.mark.parametrize("reported", [True, False])
@pytest.mark.parametrize(
    ("after", "shown"),
    [(10, 10), (0, 0), (-60, 0), (5000, 3600)],
    ids=["while the server was away", "at once", "before it ran", "by a clock that is ahead"],
)
def test_a_job_ended_when_its_program_did(world: World, reported: bool, after: int, shown: int) -> None:
    clock = world.kernel.clock
    assert isinstance(clock, Hands)
    name = world.create()
    world.step(name)
    world.say(uid_of(name), "workerpool0-0", "hello", "prepared", "started", time=clock.now())
    world.engine.run(uid_of(name), "workerpool0-0")
    world.step(name)
    started = world.job(name).start_time
    assert started is not None
    done, at = Outcome("SUCCEEDED", 0), messages.micros(started) + after * SECOND
    clock.ahead = 3600 * SECOND
    world.engine.finish(uid_of(name), "workerpool0-0", done, at)
    if reported:
        world.say(uid_of(name), "workerpool0-0", "outcome", outcome=done, seq=4, time=at)
    world.step(name)
    ended = world.job(name).end_time
    assert ended is not None
    assert round((messages.micros(ended) - messages.micros(started)) / SECOND) == shown


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_set_ends_no_job(world: World, days: int) -> None:
    clock = world.kernel.clock
    assert isinstance(clock, Hands)
    name = world.create(scheduling=Scheduling(timeout=messages.duration(3600)))
    world.step(name)
    clock.ahead = days * 86_400 * SECOND
    world.say(uid_of(name), "workerpool0-0", "hello", "prepared", "started")
    world.step(name)
    clock.ahead = 0
    world.step(name)
    clock.ahead = days * 86_400 * SECOND
    world.step(name)
    assert world.job(name).state.name == "RUNNING"
    clock.passed = 3601
    world.step(name)
    assert world.told(name)[-1] == "customJob.stopping"


def test_many_files_of_a_job_are_taken_up_little_by_little(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trigpoint.domains.jobs.work._SLICE_SECONDS", 0)
    world.storage.buckets.create(world.call.caller, world.call.project, "mine", {})
    name = world.create()
    world.step(name)
    world.say(uid_of(name), "workerpool0-0", "hello", "prepared", "started")
    world.step(name)
    for number in range(10):
        (tmp_path / "buckets" / "mine" / str(number)).write_bytes(b"x")
    done = Outcome("SUCCEEDED", 0)
    world.engine.finish(uid_of(name), "workerpool0-0", done)
    world.say(uid_of(name), "workerpool0-0", "outcome", outcome=done, seq=4)
    assert isinstance(world.step(name), Wait)
    assert world.job(name).state.name == "RUNNING"
    world.cancel(name)
    steps = 0
    while world.step(name) != Done():
        steps += 1
    assert steps >= 10
    assert world.job(name).state.name == "SUCCEEDED", "the verdict was written down first"
    assert world.storage.files.rescan("mine").adopted == ()
    assert world.jobs.reconcilers()["customJobs"](name) == Done()


def _left(world: World, tmp_path: Path, files: list[Any] | None) -> dict[str, list[tuple[str, str, int]]]:
    """Run a gang of two that leaves two files below /gcs; return the series of files of each replica."""
    world.storage.buckets.create(world.call.caller, world.call.project, "mine", {})
    (tmp_path / "buckets" / "mine" / "in").write_bytes(b"123")
    world.storage.files.rescan("mine")
    name = world.create(replicas=2)
    world.step(name)
    uid, done = uid_of(name), Outcome("SUCCEEDED", 0)
    tasks = [replica.task for replica in world.jobs.replicas(name)]
    now = world.kernel.clock.now()
    for task in tasks:
        world.say(uid, task, "hello", "prepared", "started", files=files, time=now)
    world.step(name)
    for ending, file in zip(tasks, ("a", "b"), strict=True):
        (tmp_path / "buckets" / "mine" / file).write_bytes(b"xx")
        touched: list[Any] = [["save", f"gs://mine/{file}", 2, 1, now, now], ["open", "gs://mine/in", 3, 2, now, now]]
        touched += [["save", "gs://mine/old-name", 0, 0, now, now], ["nonsense"], 7]
        touched += [["open", "gs://mine/*", 1, 1, now, now], ["open", "gs://mine/many/", 9, 9, now, now]]
        world.engine.finish(uid, ending, done)
        told, end = touched if files is not None else None, world.kernel.clock.now()
        world.say(uid, ending, "outcome", outcome=done, seq=4, files=told, time=end)
    while world.step(name) != Done():
        pass
    world.storage.tick()
    world.recorder.flush()
    return {replica.task: _touched(world, replica.name) for replica in world.jobs.replicas(name)}


def _touched(world: World, replica: str) -> list[tuple[str, str, int]]:
    """Return the last step of each series of a replica, and its facts of access."""
    read = world.kernel.store.telemetry.read
    found = {(s.what, s.thing): s.count for s in read(lambda tx: steps.of_replica(tx, replica))}
    facts = read(lambda tx: telemetry.accesses_of_attempt(tx, replica))
    return sorted(
        [*((*key, count) for key, count in found.items()), *(("fact", one.uri, int(one.write)) for one in facts)]
    )


def test_what_a_watched_replica_left_is_its_own(world: World, tmp_path: Path) -> None:
    found = _left(world, tmp_path, [])
    for (task, series), file in zip(sorted(found.items()), ("a", "b"), strict=True):
        assert series == [
            ("fact", f"gs://mine/{file}", 1),
            ("fact", "gs://mine/in", 0),
            ("open", "gs://mine/*#0", 1),
            ("open", "gs://mine/in#0", 2),
            ("open", "gs://mine/many/*", 9),
            ("save", f"gs://mine/{file}#0", 1),
            ("save", "gs://mine/old-name#0", 0),
        ], task


def test_what_was_heard_of_files_is_there_before_the_end_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who takes up what a job left looks as soon as the end is committed."""
    name = world.create()
    world.step(name)
    world.say(uid_of(name), "workerpool0-0", "hello", "prepared", "started", files=[])
    order: list[str] = []
    write, passed = world.kernel.store.write, world.recorder.passed

    def committing(unit: Any) -> Any:
        found = write(unit)
        order.append("known")
        return found

    def hearing(*given: Any) -> None:
        order.append(given[1])
        passed(*given)

    monkeypatch.setattr(world.kernel.store, "write", committing)
    monkeypatch.setattr(world.recorder, "passed", hearing)
    saved = ["save", "gs://mine/a", 2, 1, 5, 5]
    world.say(uid_of(name), "workerpool0-0", "outcome", outcome=Outcome("SUCCEEDED", 0), seq=4, files=[saved])
    assert order == ["save", "known"]


def test_what_replicas_left_unwatched_is_found_in_the_first_ones_name(world: World, tmp_path: Path) -> None:
    found = _left(world, tmp_path, None)
    first, second = sorted(found)
    assert [(what, thing.partition("#")[0]) for what, thing, _ in found[first]] == [
        ("fact", "gs://mine/a"),
        ("fact", "gs://mine/b"),
        ("find", "gs://mine/a"),
        ("find", "gs://mine/b"),
    ]
    assert found[second] == []


def test_replicas_meet_before_they_start(world: World) -> None:
    name = world.create(replicas=3)
    world.step(name)
    uid = uid_of(name)
    assert world.say(uid, "workerpool0-0", "hello", "prepared").commands == ()
    assert world.say(uid, "workerpool1-0", "hello", "prepared").commands == ()
    last = world.say(uid, "workerpool1-1", "hello", "prepared").commands
    assert [command["kind"] for command in last] == ["go"]
    again = world.say(uid, "workerpool0-0").commands
    assert again[0]["env"]["RANK"] == "0"
    assert again[0]["hosts"]["h-workerpool1-1"] == "127.0.0.9"


def test_a_cancel_while_queued_preparing_and_running(world: World) -> None:
    fresh = world.create()
    world.cancel(fresh)
    assert world.step(fresh) == Done()
    assert world.job(fresh).state.name == "CANCELLED"
    world.shelf.building = "Building"
    preparing = world.create()
    world.step(preparing)
    world.cancel(preparing)
    assert world.step(preparing) == Done()
    world.shelf.building = ""
    running = world.create()
    world.step(running)
    world.cancel(running)
    assert world.job(running).state.name == "CANCELLING"
    world.step(running)
    assert world.step(running) == Done()
    assert (world.job(running).state.name, world.job(running).error.code) == ("CANCELLED", 1)  # type: ignore[union-attr]
    with pytest.raises(FailedPrecondition, match="is in state JOB_STATE_CANCELLED and cannot be canceled"):
        world.cancel(running)


def test_a_full_machine_queues_and_moves_on(world: World) -> None:
    first, second = world.create(replicas=4), world.create(replicas=2)
    world.step(first)
    world.step(second)
    assert world.job(second).state.name == "QUEUED"
    assert "customJob.queued" in world.told(second)
    world.cancel(first)
    world.step(first)
    world.step(first)
    world.step(second)
    assert uid_of(second) in world.engine.ensured


def test_a_long_queue_moves_on_in_order_and_tells_each_job_seldom(world: World) -> None:
    names = [world.create(replicas=4) for _ in range(40)]
    for name in [names[0], *reversed(names)]:
        world.step(name)
    for done, name in enumerate(names):
        world.step(name)
        assert uid_of(name) in world.engine.ensured
        assert len(world.engine.ensured) == done + 1
        world.cancel(name)
        world.step(name)
        world.step(name)
        for other in names[done + 1 :]:
            world.step(other)
    told = [world.told(name).count("customJob.queued") for name in names]
    assert told[20] >= 10
    assert max(told) <= 15


def test_what_can_never_run_is_refused_at_once(world: World) -> None:
    with pytest.raises(ResourceExhausted, match="custom_model_training_cpus"):
        world.create(replicas=30)


def test_a_repeated_report_changes_nothing_and_a_forged_one_is_refused(world: World) -> None:
    name = world.create()
    world.step(name)
    uid = uid_of(name)
    assert world.say(uid, "workerpool0-0", "hello", "prepared", "started").ack == 3
    before = world.told(name)
    assert world.say(uid, "workerpool0-0", "prepared", "started", seq=2).ack == 3
    assert world.told(name) == before
    with pytest.raises(Exception, match="token does not belong"):
        world.jobs.reports.take(uid, "workerpool0-0", "wrong", {"fence": 1, "reports": []})


def test_what_a_replica_printed_and_got_is_kept(world: World) -> None:
    name = world.create()
    world.step(name)
    uid, take = uid_of(name), world.jobs.reports.take
    bearer = reports.token(SECRET, uid, "workerpool0-0")

    def post(*said: dict[str, Any]) -> None:
        take(uid, "workerpool0-0", bearer, {"fence": 1, "reports": said})

    post({"seq": 1, "kind": "hello", "time": 1})
    post({"seq": 2, "kind": "started", "time": 3, "body": {"argv": ["a"], "env": {"X": "1"}}})
    counts = {"logs": {"stdout": 9, "made up": 1}, "lines": {"stdout": 2, "stderr": "many"}}
    post({"seq": 0, "kind": "heartbeat", "time": 4, "body": {"memory_bytes": 7, **counts}})
    post({"seq": 0, "kind": "logs", "time": 5, "body": {"stdout": 12}})
    post({"seq": 3, "kind": "outcome", "time": 6, "body": {"reason": "SUCCEEDED", "logs": {"stdout": 12}}})
    world.recorder.flush()
    (replica,) = world.jobs.replicas(name)
    assert (replica.argv, replica.environ) == (["a"], {"X": "1"})
    assert (replica.outcome, replica.printed) == ({"reason": "SUCCEEDED"}, {"logs": {"stdout": 12}})
    found = world.kernel.store.telemetry.read(lambda tx: steps.of_replica(tx, replica.name))
    assert [(step.what, step.thing, step.time, step.bytes, step.lines) for step in found] == [
        ("print", "stdout", 4, 9, 2),
        ("print", "stdout", 6, 12, 2),
    ]
    told = world.kernel.store.telemetry.read(lambda tx: telemetry.heartbeats(tx, [f"{uid}/workerpool0-0"]))
    assert told[f"{uid}/workerpool0-0"].body["memory_bytes"] == 7


def test_reports_that_are_not_for_the_rows_leave_the_writer_alone(world: World, monkeypatch: Any) -> None:
    name = world.create()
    world.step(name)
    uid = uid_of(name)
    world.say(uid, "workerpool0-0", "hello")
    monkeypatch.setattr(world.kernel.store, "write", lambda unit: pytest.fail("written"))
    said = {"seq": 0, "kind": "heartbeat", "time": 5, "body": {}}
    body = {"fence": 1, "reports": [said]}
    assert world.jobs.reports.take(uid, "workerpool0-0", reports.token(SECRET, uid, "workerpool0-0"), body).ack == 1


def test_the_narrative_says_how_somebody_called(world: World) -> None:
    world.call = replace(
        world.call,
        method="google.cloud.aiplatform.v1.JobService.CreateCustomJob",
        transport="grpc",
        client=Client("model-builder/2.7.0", "CustomJob.run", "COLAB_ENTERPRISE", "agent/1"),
    )
    name = world.create()
    world.cancel(name)
    told = [event for event in world.kernel.store.read(lambda tx: events.after(tx, 0, 9, name)) if event.actor]
    assert [event.kind for event in told] == ["customJob.created", "customJob.cancelling"]
    for event in told:
        assert event.data["client"] == {
            "rpc": "JobService.CreateCustomJob",
            "transport": "grpc",
            "version": "v1",
            "method": "CustomJob.run",
            "library": "model-builder/2.7.0",
            "environment": "COLAB_ENTERPRISE",
            "agent": "agent/1",
        }
