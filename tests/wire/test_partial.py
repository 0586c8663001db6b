"""The `fields` parameter."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core import partial
from trigpoint.core.errors import InvalidArgument

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
        ("items.x,a", {"a": 1, "items": [{"x": 1}, {"x": 3}]}),
        ("b.d(e)", {"b": {"d": {"e": 3}}}),
        ("b.d/e,b.c", {"b": {"c": 2, "d": {"e": 3}}}),
        ("b..c,.,a.", {"a": 1, "b": {}}),
    ],
)
def test_selectors(fields: str, expected: Any) -> None:
    assert partial.cut(DATA, fields) == expected


def test_a_name_with_a_dot_is_found_as_it_is() -> None:
    assert partial.cut({"metadata": {"a.b": 1, "c": 2}}, "metadata/a.b") == {"metadata": {"a.b": 1}}


@pytest.mark.parametrize(
    "fields", ["", ",", "a,", "a(", "a)", "a(b", "()", "/a", "a//b", "(" * 5000, "a(" * 2000, "a/" * 4000]
)
def test_no_selectors(fields: str) -> None:
    with pytest.raises(InvalidArgument):
        partial.cut(DATA, fields)


@given(st.text(alphabet="ab.,/()*", max_size=30))
def test_any_text_is_cut_or_refused(fields: str) -> None:
    with contextlib.suppress(InvalidArgument):
        partial.cut(DATA, fields)
