"""What is said of a table's columns is what its values are."""

import json
import math
import statistics
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import FailedPrecondition
from trigpoint.data import profile as subject
from trigpoint.data.formats import Source
from trigpoint.data.profile import BINS, profile, written


def table(path: Path, text: str) -> list[Source]:
    path.write_text(text)
    return [Source("gs://b/t.csv", str(path))]


def test_each_kind_of_column_is_told(tmp_path: Path) -> None:
    text = "n,flag,word,nothing\n" + "".join(f"{i},{'true' if i % 2 else 'FALSE'},w{i % 3},NA\n" for i in range(10))
    found = profile(table(tmp_path / "t.csv", text))
    assert (found.rows, found.cut) == (10, False)
    assert [column.kind for column in found.columns] == ["number", "boolean", "text", "empty"]
    number, _, word, nothing = found.columns
    assert (number.low, number.high, number.mean, number.missing) == (0, 9, 4.5, 0)
    assert sum(number.bins) == 10
    assert dict(word.top) == {"w0": 4, "w1": 3, "w2": 3}
    assert nothing.missing == 10


@given(st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=1, max_size=60))
def test_numbers_agree_with_the_standard_library(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    (column,) = profile(table(path, "x\n" + "\n".join(map(repr, values)) + "\n")).columns
    assert column.mean is not None
    assert column.deviation is not None
    scale = max(1.0, *map(abs, values))
    assert math.isclose(column.mean, statistics.fmean(values), abs_tol=1e-9 * scale)
    assert math.isclose(column.deviation, statistics.pstdev(values), rel_tol=1e-6, abs_tol=1e-6 * scale)
    assert (column.low, column.high) == (min(values), max(values))
    assert len(column.bins) == BINS
    assert sum(column.bins) == len(values)


def test_a_long_table_is_sampled_and_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "SAMPLE", 500)
    monkeypatch.setattr(subject, "MOST_ROWS", 5000)
    monkeypatch.setattr(subject, "MOST_DISTINCT", 100)
    found = profile(table(tmp_path / "t.csv", "x\n" + "".join(f"{i}\n" for i in range(9000))))
    (column,) = found.columns
    assert (found.rows, found.cut) == (5000, True)
    assert (column.distinct, column.top) == (100, ())
    assert abs(sum(column.bins) - 5000) < BINS
    assert max(column.bins) < 3 * min(column.bins), "the sample is not even"


def test_a_column_that_stops_being_numbers_is_text(tmp_path: Path) -> None:
    (column,) = profile(table(tmp_path / "t.csv", "x\n1\n2\ninf\nthree\n")).columns
    assert (column.kind, column.distinct) == ("text", 4)


def test_what_is_no_utf_8_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("näme,b\nü,1\n".encode("latin-1"))
    found = written(asdict(profile([Source("gs://b/t.csv", str(tmp_path / "t.csv"))])))
    first = json.loads(found)["columns"][0]
    assert (first["name"], first["top"]) == ("n\ufffdme", [["\ufffd", 1]])


def test_a_row_that_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match=r"Row 2 of gs://b/t.csv has 1 fields"):
        profile(table(tmp_path / "t.csv", "a,b\n1\n"))
