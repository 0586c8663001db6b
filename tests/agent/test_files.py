"""Totals of files: renamed ones, too many of them, and those that cannot all be known again."""

import pytest

from trigpoint.agent import files
from trigpoint.agent.files import Files
from trigpoint.agent.protocol import OPENED, SAVED


def totals(found: list[files.Entry]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(what, uri): (size, count) for what, uri, size, count, _, _ in found}


def test_a_file_counts_once_with_what_it_has_grown_to() -> None:
    known = Files()
    for size, opens in ((5, 1), (9, 0), (3, 1), (9, 0)):
        known.touch(SAVED, "gs://b/x", "one", size, size, opens)
    known.touch(SAVED, "gs://b/x", "another", 2, 20, 1)
    assert known.news() == [(SAVED, "gs://b/x", 11, 3, 5, 20)]
    assert known.news() == []


def test_what_is_renamed_counts_under_its_new_name_only() -> None:
    known = Files()
    known.touch(SAVED, "gs://b/tmp/x", 1, 5, 1, 1)
    known.touch(SAVED, "gs://b/tmp/d/y", 2, 6, 2, 1)
    known.touch(OPENED, "gs://b/tmp/x", 1, 5, 3, 4)
    assert len(known.news()) == 3
    known.move_all([("gs://b/tmp/", "gs://b/final/")])
    known.touch(SAVED, "gs://b/final/x", 1, 7, 4, 0)
    wanted = {
        (SAVED, "gs://b/tmp/x"): (0, 0),
        (SAVED, "gs://b/tmp/d/y"): (0, 0),
        (SAVED, "gs://b/final/x"): (7, 1),
        (SAVED, "gs://b/final/d/y"): (6, 1),
    }
    assert totals(known.news()) == wanted
    assert totals(known.all()) == {**wanted, (OPENED, "gs://b/tmp/x"): (5, 4)}


def test_folders_may_take_each_others_names() -> None:
    known = Files()
    for number, uri in enumerate(("gs://b/x/m", "gs://b/y/m", "gs://b/x/deep/m")):
        known.touch(SAVED, uri, number, number + 1, 1, 1)
    moves = [("gs://b/x/", "gs://b/y/"), ("gs://b/y/", "gs://b/x/"), ("gs://b/x/deep/", "gs://b/z/")]
    known.move_all(moves)
    assert {uri: size for (_, uri), (size, count) in totals(known.all()).items() if count} == {
        "gs://b/y/m": 1,
        "gs://b/x/m": 2,
        "gs://b/z/m": 3,
    }


def test_names_that_are_gone_take_no_room() -> None:
    known = Files()
    for number in range(3 * files.MOST):
        known.touch(SAVED, f"gs://b/{number}.tmp", number, 1, 1, 1)
        known.move(f"gs://b/{number}.tmp", "gs://b/latest")
    found = totals(known.all())
    assert found[SAVED, "gs://b/latest"] == (3 * files.MOST, 3 * files.MOST)
    assert len(found) == files.MOST + 1


def test_files_that_are_too_many_are_told_by_folder_and_then_by_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST", 2)
    known = Files()
    for number in range(10):
        known.touch(OPENED, f"gs://b/d{number}/x", number, 1, 1, 1)
    assert totals(known.all()) == {
        (OPENED, "gs://b/d0/x"): (1, 1),
        (OPENED, "gs://b/d1/x"): (1, 1),
        (OPENED, "gs://b/d2/"): (1, 1),
        (OPENED, "gs://b/d3/"): (1, 1),
        (OPENED, "gs://b/"): (6, 6),
    }


def test_sizes_of_files_that_cannot_be_known_again_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MOST_SIZES", 2)
    known = Files()
    for _ in range(2):
        for number in range(3):
            known.touch(OPENED, f"gs://b/{number}", number, 10, 1, 1)
    known.move("gs://b/none", "gs://b/other")
    assert sorted(size for size, _ in totals(known.all()).values()) == [10, 10, 20]
