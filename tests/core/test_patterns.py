"""Patterns of strangers: the same answers as Python's engine gives, in bounded time for every pattern."""

import contextlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core import patterns
from trigpoint.core.expressions import ExpressionError

_ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "_",
        "\\n",
        ".",
        "[ab]",
        "[^a]",
        "[a-c_]",
        "\\w",
        "\\W",
        "\\d",
        "\\s",
        "\\b",
        "\\B",
        "^",
        "[\\w-]",
        "[]a]",
    ]
)
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{0,2}", "{1,}"])).map("(?:{0[0]}){0[1]}".format),
        inner.map("(?i:{})".format),
        inner.map("({})".format),
    ),
    max_leaves=12,
)
# Before 3.14 Python finds no \B in the empty text.
_TEXTS = st.text(alphabet="abcB_ -\n1é", min_size=1, max_size=12)


@given(_EXPRESSIONS, _TEXTS)
def test_it_finds_what_python_finds(text: str, given: str) -> None:
    expected = re.compile(text, re.ASCII)
    assert patterns.expression(text).found_in(given) is (expected.search(given) is not None)
    assert patterns.expression(text, whole=True).found_in(given) is (expected.fullmatch(given) is not None)
    dotted = re.compile(text, re.ASCII | re.DOTALL)
    assert patterns.expression(text, dotall=True).found_in(given) is (dotted.search(given) is not None)


@given(st.text(alphabet="ab*", max_size=8), st.text(alphabet="ab", max_size=8))
def test_wildcards_fit_as_the_expression_that_they_stand_for(wildcards: str, text: str) -> None:
    expected = re.fullmatch(".*".join(re.escape(piece) for piece in wildcards.split("*")), text, re.DOTALL)
    assert patterns.fits(text, wildcards) is (expected is not None)


@given(st.text(max_size=30))
def test_every_text_is_an_expression_or_is_refused(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        patterns.expression(text).found_in(text)


@pytest.mark.parametrize(
    ("text", "given", "found"),
    [
        ("(?m)^b$", "a\nb\nc", True),
        ("^b$", "a\nb\nc", False),
        ("a$", "a\n", False),  # RE2's end is the end
        ("\\x41\\x{1F600}", "A😀", True),
        ("[[:alpha:]]+[[:^digit:]]", "ab-", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        ("(?i)É", "é", True),
        ("a{,2}", "a{,2}", True),
        ("[^\\D5]", "5", False),
        ("[^\\D5]", "6", True),
        ("(?s-s:.)", "\n", False),
    ],
)
def test_what_it_takes_is_re2(text: str, given: str, found: bool) -> None:
    assert patterns.expression(text).found_in(given) is found


@pytest.mark.parametrize(
    "text",
    [
        "(", ")", "a**", "*a", "a{2}{3}", "[", "[z-a]", "[a", "(?=a)", "(?<!a)", "(a)\\1", "\\", "\\q", "\\x{110000}",
        "a{1001}", "a{2,1}", "(" * 200 + "a" + ")" * 200, "(a{1000}){1000}", "(((){1000}){1000}){1000}", "(?P=x)",
        "[\\b]", "[[:nope:]]", "a" * 3000,
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        patterns.expression(text)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("^(a+)+$", "a" * 5000 + "!"),
        ("(a|aa)+$", "a" * 5000 + "!"),
        ("(?:a?){300}a{300}", "a" * 299),
        (".*" * 50 + "x", "a" * 2000),
        ("(a|b)*a(a|b){200}c", "abaab" * 400),
    ],
)
def test_expressions_made_to_take_for_ever_do_not(text: str, given: str) -> None:
    begun = time.process_time()
    assert not patterns.expression(text).found_in(given)
    assert time.process_time() - begun < 10


def test_wildcards_made_to_take_for_ever_do_not() -> None:
    assert not patterns.fits("a" * 1000, "*a" * 400 + "b")


def test_what_is_remembered_is_bounded() -> None:
    found = patterns.expression("(a|b)*a(a|b){30}c")
    for number in range(3000):
        found.found_in(f"{number:032b}".replace("0", "a").replace("1", "b"))
    assert found._weight < 2 * patterns._HEAVIEST
