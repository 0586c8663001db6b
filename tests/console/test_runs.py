"""Lists of runs, from rows alone: pipelines with their jobs as one run, in any order, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from tests.domains.parts import Parts

from trigpoint.console.runs import failures, listing
from trigpoint.console.runs.listing import Runs
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.paging import Tokens
from trigpoint.domains.jobs.failures import Ending, of_ending
from trigpoint.store import resources
from trigpoint.store.resources import Row

PARENT = "projects/1/locations/l"
POOLS = [
    {"replicaCount": "2", "machineSpec": {"machineType": "n1"}, "pythonPackageSpec": {"pythonModule": "trainer.task"}}
]

FAILED = """The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error.
Traceback (most recent call last):
ValueError: no rows
To find out more about why your job exited please check the logs: https://x"""


class Written:
    """Runs as rows."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.runs = Runs(parts.store, Tokens(b"k" * 32))

    def job(
        self, ident: int, state: str = "JOB_STATE_SUCCEEDED", parent: str = "", title: str = "", **more: object
    ) -> str:
        spec = {"jobSpec": {"workerPoolSpecs": POOLS}, "state": state, **more}
        notes: dict[str, object] = (
            {"parent": ["trainingPipelines", parent], "reason": "no room"} if parent else {"reason": "no room"}
        )
        return self._keep("customJobs", ident, state, spec, title, notes)

    def pipeline(self, ident: int, job: str = "", state: str = "PIPELINE_STATE_SUCCEEDED", title: str = "") -> str:
        metadata = {"trainingTaskMetadata": {"backingCustomJob": job}} if job else {}
        return self._keep("trainingPipelines", ident, state, {"state": state, **metadata}, title, {})

    def _keep(self, kind: str, ident: int, state: str, message: object, title: str, notes: dict[str, object]) -> str:
        name = f"{PARENT}/{kind}/{ident}"
        row = Row(
            name, kind, PARENT, b"", orjson.dumps(message), state, title or f"run {ident}",
            {"n": str(ident % 2)}, ident, ident, notes=notes,
        )  # fmt: skip
        self.parts.store.write(lambda tx: resources.insert(tx, row))
        return name

    def titles(self, **asked: str) -> list[str]:
        found: list[str] = []
        while True:
            page = self.runs.page("1", asked)
            found += [run.title for run in page.runs]
            if not page.next:
                return found
            asked = {**asked, "after": page.next}


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    parts = Parts(tmp_path)
    yield Written(parts)
    parts.close()


@pytest.mark.parametrize("size", ["1", "3", "7", "500"])
def test_both_kinds_are_one_list_without_the_jobs_of_pipelines(written: Written, size: str) -> None:
    wanted = []
    for ident in range(30):
        if ident % 3 == 0:
            pipeline = f"{PARENT}/trainingPipelines/{ident}"
            written.pipeline(ident, written.job(1000 + ident, parent=pipeline))
        else:
            written.job(ident)
        wanted.append(f"run {ident}")
    assert written.titles(size=size) == wanted[::-1]
    assert written.titles(size=size, order="created") == wanted
    assert written.titles(size=size, order="title") == sorted(wanted)
    assert written.titles(size=size, kind="customJobs") == [t for i, t in reversed(list(enumerate(wanted))) if i % 3]
    page = written.runs.page("1", {"size": size})
    assert page.total == 30
    assert written.runs.page("2", {}).runs == []


def test_filters_choose(written: Written) -> None:
    written.job(1, "JOB_STATE_FAILED", title="100% forest_1")
    written.job(2, "JOB_STATE_RUNNING", title="forest")
    written.pipeline(3, state="PIPELINE_STATE_FAILED", title="Forest-x")
    written.pipeline(4, title="other")
    assert written.titles(state="FAILED") == ["Forest-x", "100% forest_1"]
    assert written.titles(state="RUNNING,SUCCEEDED") == ["other", "forest"]
    assert written.titles(q="forest") == ["Forest-x", "forest", "100% forest_1"]
    assert written.titles(q="%") == ["100% forest_1"]
    assert written.titles(q="_") == ["100% forest_1"]
    assert written.titles(q="4") == ["other"]
    assert written.titles(label="n=1") == ["Forest-x", "100% forest_1"]
    with pytest.raises(InvalidArgument):
        written.runs.page("1", {"after": written.runs.page("1", {"size": "1"}).next, "state": "FAILED"})


@pytest.mark.parametrize("size", ["0", "501", "0" * 9 + "1" * 9, "9" * 5000, "٣"])
def test_a_page_has_a_bounded_size(written: Written, size: str) -> None:
    with pytest.raises(InvalidArgument):
        written.runs.page("1", {"size": size})


def test_a_run_says_why_it_waits_what_it_runs_and_why_it_failed(written: Written) -> None:
    waits = written.job(1, "JOB_STATE_QUEUED")
    failed = written.job(2, "JOB_STATE_FAILED", endTime="2026-01-01T00:00:00Z", error={"message": FAILED})
    found = {run.name: run for run in written.runs.page("1", {}).runs}
    assert (found[waits].reason, found[waits].replicas, found[waits].code) == ("no room", 2, "trainer.task")
    assert (found[failed].reason, found[failed].cause, found[failed].printed) == ("", "ValueError: no rows", True)
    parts = failures.read(FAILED)
    assert parts.what == "The replica workerpool0-0 exited with a non-zero status of 1."
    assert (parts.task, parts.line) == ("workerpool0-0", "ValueError: no rows")


def test_a_package_that_could_not_be_installed_is_told_by_the_first_line_of_what_was_said() -> None:
    said = "gs://b/t.tar.gz could not be installed (exit code 1).\nerror: No solution found:\n" + "  and so on\n" * 9
    message = "The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error. \n" + said
    assert failures.hints(message)[0] == "badPackage"


@pytest.mark.parametrize(
    ("ending", "printed", "looks"),
    [
        (Ending("workerpool0-0", exit_code=3, tail="The replica ran out of memory.\n"), True, []),
        (Ending("workerpool0-0", exit_code=128, tail="The agent of x disappeared.\n"), True, []),
        (Ending("workerpool0-0", exit_code=1, tail="MemoryError\n"), True, ["outOfMemory"]),
        (Ending("workerpool0-0", signal=9, out_of_memory=True), False, ["outOfMemory"]),
        (Ending("workerpool0-0", reason="The image i could not be provided: x."), False, ["image"]),
        (Ending("workerpool0-0", reason="It could not be installed.", tail="said: no\n"), True, ["badPackage"]),
    ],
)
def test_what_a_program_printed_is_told_from_what_the_service_says(
    ending: Ending, printed: bool, looks: list[str]
) -> None:
    message = of_ending(ending, "p", "1").message
    assert failures.read(message).printed == printed
    assert failures.cause(message)[1] == printed
    assert failures.hints(message) == looks


def test_a_job_stands_for_its_pipelines_run(written: Written) -> None:
    pipeline = f"{PARENT}/trainingPipelines/1"
    job = written.job(5, parent=pipeline)
    written.pipeline(1, job)
    alone = written.job(6)
    young = written.pipeline(2)

    def found(name: str) -> list[str] | None:
        rows = written.parts.store.read(lambda tx: listing.find(tx, name))
        return None if rows is None else [row.name if row else "" for row in rows]

    assert found(pipeline) == [pipeline, job]
    assert found(job) == [pipeline, job]
    assert found(alone) == [alone, alone]
    assert found(young) == [young, ""]
    assert found("projects/1") is None


def test_a_pipeline_is_queued_while_its_job_is(written: Written) -> None:
    names = [f"{PARENT}/trainingPipelines/{ident}" for ident in (1, 2)]
    waits = written.job(11, "JOB_STATE_QUEUED", names[0])
    starts = written.job(12, "JOB_STATE_PENDING", names[1])
    written.job(13, "JOB_STATE_QUEUED")
    for ident, job in ((1, waits), (2, starts)):
        written.pipeline(ident, job, "PIPELINE_STATE_PENDING")
    states = {run.title: run.state for run in written.runs.page("1", {}).runs}
    assert states["run 1"] == "PIPELINE_STATE_QUEUED"
    assert states["run 2"] == "PIPELINE_STATE_PENDING"
    assert sorted(written.titles(state="QUEUED")) == ["run 1", "run 13"]
    assert written.titles(state="PENDING") == ["run 2"]
    assert sorted(written.titles(state="QUEUED,PENDING")) == ["run 1", "run 13", "run 2"]
    assert written.runs.page("1", {"state": "QUEUED"}).total == 2
