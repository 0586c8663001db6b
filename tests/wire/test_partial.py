"""The `fields` parameter."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import InvalidArgument
from trigpoint.surfaces.vertex import partial

DATA = {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "items": [{"x": 1, "y": 2}, {"x": 3}]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("a", {"a": 1}),
        ("a,nothing", {"a": 1}),
        ("b/c", {"b": {"c": 2}}),
        ("b(c,d/e),a", {"a": 1, "b": {"c": 2, "d": {"e": 3}}}),
        ("items/x", {"items": [{"x": 1}, {"x": 3}]}),
        ("items(y)", {"items": [{"y": 2}, {}]}),
        ("*/c", {"a": 1, "b": {"c": 2}, "items": [{}, {}]}),
        ("*", DATA),
    ],
)
def test_selectors(fields: str, expected: Any) -> None:
    assert partial.cut(DATA, fields) == expected


@pytest.mark.parametrize(
    "fields", ["", ",", "a,", "a(", "a)", "a(b", "()", "/a", "a//b", "(" * 5000, "a(" * 2000, "a/" * 4000]
)
def test_no_selectors(fields: str) -> None:
    with pytest.raises(InvalidArgument):
        partial.cut(DATA, fields)


@given(st.text(alphabet="ab,/()*", max_size=30))
def test_any_text_is_cut_or_refused(fields: str) -> None:
    with contextlib.suppress(InvalidArgument):
        partial.cut(DATA, fields)
