"""Page tokens hold their position and serve only the query they were issued for; so do orders and sizes read right."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core import ordering, paging
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.ordering import Term

TOKENS = paging.Tokens(b"k" * 32)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.lists(PLAIN), st.lists(st.text(), max_size=3))
def test_a_token_gives_back_its_position(after: list[paging.Plain], query: list[str]) -> None:
    assert TOKENS.read(TOKENS.issue(after, *query), *query) == tuple(after)


def test_the_first_page_needs_no_token() -> None:
    assert TOKENS.read("", "method", "parent") is None


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_a_token_of_another_query_is_refused(one: list[str], other: list[str]) -> None:
    if one != other:
        with pytest.raises(InvalidArgument) as refused:
            TOKENS.read(TOKENS.issue([1], *one), *other)
        assert refused.value.violations[0].field == "page_token"


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    token = TOKENS.issue(["projects/1/x", 5], "q")
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidArgument):
        TOKENS.read(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), "q")


@given(st.text(min_size=1))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        TOKENS.read(text, "q")


def test_another_servers_token_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        TOKENS.read(paging.Tokens(b"l" * 32).issue([1], "q"), "q")
    with pytest.raises(InvalidArgument):
        TOKENS.read("A" * 100_000, "q")
    with pytest.raises(ValueError, match="16 bytes"):
        paging.Tokens(b"short")


def test_page_sizes() -> None:
    assert [paging.page_size(asked) for asked in (0, 1, 1000, 5000)] == [100, 1, 1000, 1000]
    with pytest.raises(InvalidArgument, match="page_size"):
        paging.page_size(-1)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  ", ()),
        ("create_time desc", (Term("create_time", True),)),
        ("displayName,createTime  DESC", (Term("displayName", False), Term("createTime", True))),
        (" a.b asc , c", (Term("a.b", False), Term("c", False))),
    ],
)
def test_orders(text: str, terms: tuple[Term, ...]) -> None:
    assert ordering.parse(text) == terms


@pytest.mark.parametrize(
    "text", [",", "a,", "a b", "a desc desc", "a,a", "1a", "a;b", "a'--", ",".join("abcdefghi"), "a" * 2000]
)
def test_bad_orders_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        ordering.parse(text)
    assert refused.value.violations[0].field == "order_by"
