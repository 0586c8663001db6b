"""The life of a job, decided step by step: every path ends in exactly one final state, whatever the replicas do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.domains.jobs import rules
from trigpoint.domains.jobs.failures import Ending
from trigpoint.domains.jobs.rules import Progress, Seen, Terms, next_step

TASKS = ("workerpool0-0", "workerpool1-0", "workerpool1-1")
TERMS = Terms("123", "77", timeout_seconds=100, retries=True)
LAUNCHED = Progress(phase="launched", launched=1_000_000)
GOOD = Ending(TASKS[0], exit_code=0)


def step(progress: Progress, seen: Seen, state: JobState = JobState.PENDING, now: int = 2_000_000) -> rules.Step:
    return next_step(state, progress, seen, TERMS, now)


def bad(task: str = TASKS[0], **how: object) -> Ending:
    return Ending(task, **({"exit_code": 1, "tail": "Traceback\nValueError: no rows"} | how))  # type: ignore[arg-type]


def test_a_fresh_job_asks_to_be_admitted_and_a_cancelled_one_ends() -> None:
    assert step(Progress(), Seen(())) == rules.Admit()
    ended = step(Progress(cancel=True), Seen(()))
    assert isinstance(ended, rules.End)
    assert (ended.verdict, ended.error and ended.error.code) == (JobState.CANCELLED, 1)


def test_it_runs_when_every_replica_has_started() -> None:
    assert step(LAUNCHED, Seen(TASKS, started=frozenset(TASKS[:2]))) == rules.Watch(101_000_000)
    assert step(LAUNCHED, Seen(TASKS, started=frozenset(TASKS))) == rules.MarkRunning()


def test_the_primary_decides_success_whatever_the_others_do() -> None:
    endings = {TASKS[0]: GOOD, TASKS[1]: bad(TASKS[1])}
    assert step(LAUNCHED, Seen(TASKS, endings=endings)) == rules.Stop(JobState.SUCCEEDED, None)


def test_any_other_failure_fails_the_job_and_names_the_replica_and_the_last_line() -> None:
    stop = step(LAUNCHED, Seen(TASKS, endings={TASKS[2]: bad(TASKS[2])}))
    assert isinstance(stop, rules.Stop)
    assert stop.verdict == JobState.FAILED
    assert stop.error is not None
    assert stop.error.code == 3
    assert (
        "The replica workerpool1-1 exited with a non-zero status of 1. Termination reason: Error." in stop.error.message
    )
    assert "ValueError: no rows" in stop.error.message
    assert "job_id%2F77" in stop.error.message


def test_a_worker_that_ends_well_does_not_end_the_job() -> None:
    seen = Seen(TASKS, started=frozenset(TASKS), endings={TASKS[1]: Ending(TASKS[1], exit_code=0)})
    assert step(LAUNCHED, seen, JobState.RUNNING) == rules.Watch(101_000_000)


@pytest.mark.parametrize("ending", [bad(exit_code=134), bad(signal=6, exit_code=134), bad(signal=11, exit_code=139)])
def test_crashes_are_tried_three_times(ending: Ending) -> None:
    seen = Seen(TASKS[:1], endings={TASKS[0]: ending})
    assert isinstance(step(LAUNCHED, seen), rules.Restart)
    assert isinstance(step(replace(LAUNCHED, crash_restarts=3), seen), rules.Stop)
    once = next_step(JobState.PENDING, LAUNCHED, seen, replace(TERMS, retries=False), 0)
    assert isinstance(once, rules.Stop)


def test_out_of_memory_is_said_and_not_tried_again() -> None:
    stop = step(LAUNCHED, Seen(TASKS[:1], endings={TASKS[0]: bad(signal=9, exit_code=137, out_of_memory=True)}))
    assert isinstance(stop, rules.Stop)
    assert stop.error is not None
    assert "ran out of memory and exited with a non-zero status of 137" in stop.error.message


def test_a_lost_agent_is_replaced_twice_then_the_job_fails() -> None:
    seen = Seen(TASKS, gone=frozenset({TASKS[1]}))
    assert isinstance(step(LAUNCHED, seen), rules.Restart)
    stop = step(replace(LAUNCHED, loss_restarts=2), seen)
    assert isinstance(stop, rules.Stop)
    assert stop.error is not None
    assert stop.error.code == 13
    assert isinstance(step(LAUNCHED, Seen(TASKS, endings={TASKS[1]: bad(TASKS[1], lost=True)})), rules.Restart)


def test_the_timeout_counts_from_the_start_and_has_its_own_code() -> None:
    running = replace(LAUNCHED, started=5_000_000)
    seen = Seen(TASKS, started=frozenset(TASKS))
    assert step(running, seen, JobState.RUNNING, now=104_999_999) == rules.Watch(105_000_000)
    stop = step(running, seen, JobState.RUNNING, now=105_000_000)
    assert isinstance(stop, rules.Stop)
    assert stop.error is not None
    assert stop.error.code == 4


def test_stopping_ends_in_the_verdict_that_was_written_down() -> None:
    stopping = replace(LAUNCHED, phase="stopping", verdict=int(JobState.FAILED), error_code=3, error="why")
    assert step(stopping, Seen(TASKS, endings={TASKS[0]: GOOD})) == rules.Watch()
    ended = step(stopping, Seen(TASKS, endings={TASKS[0]: GOOD}, gone=frozenset(TASKS[1:])))
    assert isinstance(ended, rules.End)
    assert (ended.verdict, ended.error and ended.error.message) == (JobState.FAILED, "why")


ENDINGS = st.builds(
    lambda task, code, oom, lost: Ending(task, exit_code=code, out_of_memory=oom, lost=lost),
    st.sampled_from(TASKS),
    st.sampled_from([0, 1, 134, 137]),
    st.booleans(),
    st.booleans(),
)


@given(
    st.lists(ENDINGS, max_size=3),
    st.sets(st.sampled_from(TASKS)),
    st.booleans(),
    st.integers(0, 3),
    st.integers(0, 2),
)
def test_a_gang_that_is_over_is_never_only_watched(
    endings: list[Ending], gone: set[str], cancel: bool, crashes: int, losses: int
) -> None:
    known = {ending.task: ending for ending in endings}
    seen = Seen(TASKS, endings=known, gone=frozenset(set(TASKS) - set(known)) | (gone - set(known)))
    progress = replace(LAUNCHED, cancel=cancel, crash_restarts=crashes, loss_restarts=losses)
    decided = step(progress, seen)
    assert isinstance(decided, rules.Stop | rules.Restart)
    if cancel:
        assert isinstance(decided, rules.Stop)
        assert decided.verdict == JobState.CANCELLED
