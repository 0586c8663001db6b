"""What the error of a job carries of what its program said."""

from typing import Any

import pytest

from trigpoint.domains.jobs import failures
from trigpoint.domains.jobs.failures import Ending
from trigpoint.domains.jobs.records import Replica

NOISE = "/opt/python/3.10/lib/x.py:3: FutureWarning: it will change\n  it()\n" * 40
FIRST = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nKeyError: 1\n'
LAST = 'Traceback (most recent call last):\n  File "b.py", line 2, in <module>\nValueError: no rows\n'
CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"
IGNORED = "Exception ignored in: <function Pool.__del__ at 0x7f>\n" + FIRST


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (NOISE + LAST, LAST),
        (NOISE + LAST + "shutting down\n", LAST + "shutting down\n"),
        (FIRST + NOISE + LAST, LAST),
        (NOISE + FIRST + CAUSED + LAST, FIRST + CAUSED + LAST),
        (NOISE + FIRST + MEANWHILE + FIRST + CAUSED + LAST, FIRST + MEANWHILE + FIRST + CAUSED + LAST),
        (NOISE + LAST + IGNORED, LAST + IGNORED),
        (IGNORED, IGNORED),
        ("oops\n[rank0]: " + LAST, "[rank0]: " + LAST),
        ("usage: task [-h]\n", "usage: task [-h]\n"),
        ("", ""),
    ],
)
def test_an_excerpt_starts_where_the_trouble_does(said: str, shown: str) -> None:
    assert failures.tail(said) == shown


def test_what_is_long_is_cut_at_a_line() -> None:
    long = failures.tail(FIRST + "  more\n" * 1000 + "ValueError: end\n")
    assert long.startswith("[...]\n  more\n")
    assert long.endswith("ValueError: end\n")
    assert len(long) <= 3506


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_of_a_last_line_that_is_long_the_head_is_kept(end: str) -> None:
    told = failures.tail(FIRST + MEANWHILE + LAST + "ValueError: " + "q" * 6000 + end)
    assert told.startswith("[...]\nValueError: qqq")
    assert told.endswith("q [...]")
    assert len(told) <= 3506


def test_blank_lines_at_the_end_push_nothing_out() -> None:
    assert failures.tail("oops" + "\n" * 4000) == "[...]\noops"


def replica(**outcome: Any) -> Replica:
    where = {"job": "projects/1/locations/l/customJobs/7", "uid": "7-1", "task": "workerpool0-0", "host": "h"}
    how = {"pool": 0, "index": 0, "rank": 0, "machine_type": "m", "image": "i", "identity": "a", "tenant": "t"}
    return Replica(**where, **how, outcome=outcome)  # type: ignore[arg-type]


def test_a_package_that_could_not_be_installed_is_named_with_what_the_installer_said() -> None:
    said = "error: No solution found:\n  Because nothing was found and trainer depends on nothing\n"
    outcome = {
        "reason": "PREPARE_ERROR",
        "exit_code": 1,
        "message": "gs://b/t.tar.gz could not be installed (exit code 1).",
    }
    ending = replica(**outcome, tail=said).ending()
    assert ending is not None
    assert not ending.succeeded
    message = failures.of_ending(ending, "1", "7").message
    assert message.startswith(
        "The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error. \n"
        "gs://b/t.tar.gz could not be installed (exit code 1).\n" + said
    )


def test_a_program_that_could_not_be_started_has_the_status_of_a_container_that_could_not() -> None:
    ending = replica(reason="START_ERROR", exit_code=128, message="The replica could not be set up: no space.").ending()
    assert ending == Ending("workerpool0-0", exit_code=128, reason="The replica could not be set up: no space.")
    assert (
        "status of 128. Termination reason: StartError. \nThe replica" in failures.of_ending(ending, "1", "7").message
    )
    assert replica(reason="LOST").ending() == Ending("workerpool0-0", reason="LOST", lost=True)


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("gs://b/x.tar.gz does not exist, or the job's service account may not see it; check packageUris", True),
        ("gs://b/x.tar.gz is not a usable package: the archive is damaged: truncated header", True),
        ("The replica ran out of memory.", False),
        ("ValueError: no rows", False),
        ("", False),
    ],
)
def test_what_the_agent_says_of_packages_is_no_program_s(line: str, ours: bool) -> None:
    assert failures.told_by_agent(line) is ours
