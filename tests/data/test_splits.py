"""Splits: exact counts, same data same split, and the rules of each kind."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import InvalidArgument
from trigpoint.data.splits import DEFAULT_FRACTIONS, Split, complete, instant, quotas, survey

HEADER = ["id", "key"]


def assigned(split: Split, rows: Sequence[Sequence[str]]) -> list[int | None]:
    assign = survey(split, HEADER, rows)
    return [assign(row) for row in rows]


def numbered(count: int) -> list[list[str]]:
    return [[str(i), ""] for i in range(count)]


@given(st.tuples(*[st.floats(0, 1 / 3)] * 3))
def test_fractions_always_sum_to_one(parts: tuple[float, float, float]) -> None:
    whole = complete(*parts)
    assert abs(sum(whole) - 1) < 1e-5
    assert all(after >= before for before, after in zip(parts, whole, strict=True))


@pytest.mark.parametrize(
    ("given_parts", "expected"),
    [
        ((0, 0, 0), DEFAULT_FRACTIONS),
        ((0.8, 0.2, 0), (0.8, 0.2, 0)),
        ((0.8, 0, 0), (0.8, 0.1, 0.1)),
        ((0.5, 0.2, 0.2), (0.6, 0.2, 0.2)),
        ((1, 0, 0), (1, 0, 0)),
    ],
)
def test_remainder_goes_to_the_sets_without_a_fraction(
    given_parts: tuple[float, float, float], expected: tuple[float, float, float]
) -> None:
    assert complete(*given_parts) == pytest.approx(expected)


@pytest.mark.parametrize("parts", [(0.9, 0.2, 0), (-0.1, 0.5, 0.5), (1.5, 0, 0)])
def test_fractions_that_cannot_be_are_refused(parts: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidArgument, match="sum to at most 1"):
        complete(*parts)


@given(st.integers(0, 5000), st.tuples(*[st.floats(0, 1 / 3)] * 3))
def test_quotas_are_whole_and_within_one_of_their_share(total: int, parts: tuple[float, float, float]) -> None:
    fractions = complete(*parts)
    counts = quotas(total, fractions)
    assert sum(counts) == total
    assert all(abs(n - total * f / sum(fractions)) < 1 + 1e-6 for n, f in zip(counts, fractions, strict=True))


def test_penguins_split_as_the_fractions_say() -> None:
    assert Counter(assigned(Split(), numbered(344))) == {0: 275, 1: 35, 2: 34}


def test_ten_rows_still_give_every_set_a_row() -> None:
    assert Counter(assigned(Split(), numbered(10))) == {0: 8, 1: 1, 2: 1}


def test_the_same_data_is_split_the_same_way_and_in_random_order() -> None:
    first = assigned(Split(), numbered(300))
    assert first == assigned(Split(), numbered(300))
    assert first != sorted(first, key=lambda index: index or 0)


@given(st.integers(0, 200), st.tuples(*[st.floats(0, 1 / 3)] * 3))
def test_every_row_of_a_fraction_split_is_in_one_set(total: int, parts: tuple[float, float, float]) -> None:
    fractions = complete(*parts)
    counts = Counter(assigned(Split(fractions=fractions), numbered(total)))
    assert [counts[i] for i in range(3)] == quotas(total, fractions)


def test_predefined_takes_both_spellings_and_ignores_the_rest() -> None:
    words = ["training", "TRAIN", "validation", "VALIDATE", "test", "TEST", "UNASSIGNED", "train", ""]
    rows = [[str(i), word] for i, word in enumerate(words)]
    assert assigned(Split("predefined", key="key"), rows) == [0, 0, 1, 1, 2, 2, None, None, None]


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidArgument, match=r"no column 'mluse'; its columns are: id, key"):
        survey(Split("predefined", key="mluse"), HEADER, [])


def test_earliest_rows_train_and_latest_test() -> None:
    rows = [[str(i), f"2026-01-{31 - i:02d}T00:00:00Z"] for i in range(10)]
    assert assigned(Split("timestamp", key="key"), rows) == [2, 1, *[0] * 8]


@given(st.lists(st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00.5Z", "2026-01-03T00:00:00Z", "no"])))
def test_time_order_is_kept_and_counts_are_exact_with_equal_times(times: list[str]) -> None:
    rows = [[str(i), time] for i, time in enumerate(times)]
    found = assigned(Split("timestamp", key="key"), rows)
    valid = [(instant(time), i) for i, time in enumerate(times) if instant(time) is not None]
    assert [found[i] for i, time in enumerate(times) if time == "no"] == [None] * times.count("no")
    in_order = [found[i] for _, i in sorted(valid)]
    assert in_order == sorted(index for index in in_order if index is not None)
    counts = Counter(in_order)
    assert [counts[i] for i in range(3)] == quotas(len(valid), DEFAULT_FRACTIONS)


@pytest.mark.parametrize("text", ["", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+01:00", "x" * 30 + "Z"])
def test_times_without_a_zone_are_no_instants(text: str) -> None:
    assert instant(text) is None


def test_stratified_keeps_each_value_in_proportion() -> None:
    rows = [[str(i), "rare" if i < 2 else "ab"[i % 2]] for i in range(202)]
    found = assigned(Split("stratified", key="key"), rows)
    for value in "ab":
        counts = Counter(index for index, row in zip(found, rows, strict=True) if row[1] == value)
        assert counts == {0: 80, 1: 10, 2: 10}
    assert None not in found


def test_plain_form_comes_back() -> None:
    split = Split("timestamp", (0.5, 0.25, 0.25), "when")
    assert Split.from_plain(split.plain()) == split
