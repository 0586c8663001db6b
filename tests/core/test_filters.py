"""Filters: the forms clients send, the tree they give, what is refused and how; all text is parsed or refused."""

import contextlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core import filters
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.filters import And, Bare, Call, Comparison, Node, Not, Operand, Operator, Or


def has(path: str, operator: Operator, text: str, *, quoted: bool = True) -> Comparison:
    return Comparison(tuple(path.split("|")), operator, Operand(text, quoted))


def bare(path: str, operator: Operator, text: str) -> Comparison:
    return has(path, operator, text, quoted=False)


def placeless(node: Node | None) -> Node | None:
    """Return the tree with the positions left out."""
    match node:
        case And(terms):
            return And(tuple(placeless(term) for term in terms))  # type: ignore[misc]
        case Or(terms):
            return Or(tuple(placeless(term) for term in terms))  # type: ignore[misc]
        case Not(term):
            return Not(placeless(term))  # type: ignore[arg-type]
        case Comparison(path, operator, value):
            return Comparison(path, operator, value)
        case Call(name, arguments):
            return Call(name, arguments)
        case Bare(value):
            return Bare(value)
        case _:
            return None


A, B, C, D = (bare(name, "=", "1") for name in "abcd")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", None),
        (" \n", None),
        ('display_name="m"', has("display_name", "=", "m")),
        ("display_name = temp-x-1", bare("display_name", "=", "temp-x-1")),
        ("displayName='it\\'s'", has("displayName", "=", "it's")),
        ('display_name="\\u00e9 \\"a\\" \\d"', has("display_name", "=", 'é "a" \\d')),
        ("schedule_name=projects/1/schedules/2", bare("schedule_name", "=", "projects/1/schedules/2")),
        ("is_default=true", bare("is_default", "=", "true")),
        ('state != "X"', has("state", "!=", "X")),
        ("create_time>=2021-05-18T00:00:00+02:00", bare("create_time", ">=", "2021-05-18T00:00:00+02:00")),
        ("a < -1.5e3", bare("a", "<", "-1.5e3")),
        ('labels.k="v"', has("labels|k", "=", "v")),
        ("labels.k:*", bare("labels|k", ":", "*")),
        ("labels:k", bare("labels", ":", "k")),
        ('labels."my key"=x', bare("labels|my key", "=", "x")),
        ("labels.a.com/b=c", bare("labels|a|com/b", "=", "c")),
        ("feature_id:age", bare("feature_id", ":", "age")),
        ("metadata.component_type.string_value=x", bare("metadata|component_type|string_value", "=", "x")),
        ('metadata."field:1".number_value = 10.0', bare("metadata|field:1|number_value", "=", "10.0")),
        ('in_context("projects/1/c")', Call("in_context", (Operand("projects/1/c"),))),
        ("with_artifact(\"*\",\"uri='x'\")", Call("with_artifact", (Operand("*"), Operand("uri='x'")))),
        ("f()", Call("f", ())),
        ('parent_contexts:"a","b"', And((has("parent_contexts", ":", "a"), has("parent_contexts", ":", "b")))),
        ("a=1 AND b=1", And((A, B))),
        ("a=1 b=1", And((A, B))),
        ("a=1 OR b=1 AND c=1", And((Or((A, B)), C))),
        ("a=1 AND b=1 OR c=1", And((A, Or((B, C))))),
        ("a=1 b=1 OR c=1 d=1", And((A, Or((B, C)), D))),
        ("(a=1 AND b=1) OR c=1", Or((And((A, B)), C))),
        ("((a=1 AND (b=1))) AND c=1", And((A, B, C))),
        ("NOT a=1", Not(A)),
        ("-a=1", Not(A)),
        ("NOT (a=1 OR b=1)", Not(Or((A, B)))),
        ("a=1 AND NOT b=1 OR -c=1", And((A, Or((Not(B), Not(C)))))),
        ("ANDROID=1 NOTE=1", And((bare("ANDROID", "=", "1"), bare("NOTE", "=", "1")))),
        ("state = (A OR B)", Or((bare("state", "=", "A"), bare("state", "=", "B")))),
        ('state:("A" AND NOT "B")', And((has("state", ":", "A"), Not(has("state", ":", "B"))))),
        ("state:(A B)", And((bare("state", ":", "A"), bare("state", ":", "B")))),
    ],
)  # fmt: skip
def test_what_clients_send(text: str, tree: Node | None) -> None:
    assert placeless(filters.parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a=1 AND", "ends too early"),
        ("a=", "ends too early"),
        ("(a=1", "ends too early"),
        ("a=1)", "')' at position 4"),
        ("=1", "'=1' at position 1"),
        ('a=!"x"', "at position 3"),
        ('a="x', "at position 3"),
        ("a=1 and b=1", "'and' at position 5 is not a comparison; write AND in capitals"),
        ("anything", "'anything' at position 1 is not a comparison; write FIELD = "),
        ("a.b", "not a comparison"),
        ("a=1,2", "a list at position 1"),
        ('a=~"b"', "=~ is not supported"),
        ("a=\0", "NUL"),
        ("a=" + "x" * 30_000, "30002 characters"),
        ("(" * 21 + "a=1" + ")" * 21, "deeper than 20"),
        ("a=1 " * 501, "501 comparisons"),
        ("a" + ".b" * 50 + "=1", "more than 50 parts"),
    ],
)
def test_what_is_refused_and_why(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        filters.parse(text, "some_filter")
    assert refused.value.violations[0].field == "some_filter"
    assert why in refused.value.violations[0].description
    assert len(refused.value.message) < 300


def test_a_service_may_allow_less_or_more() -> None:
    assert filters.parse("(((((a=1)))))", deepest=5) is not None
    with pytest.raises(InvalidArgument, match="5 levels"):
        filters.parse("((((((a=1))))))", deepest=5)
    assert filters.parse('a="((((((("', deepest=0) is not None
    found = filters.parse('error severity=~"W.*"', search=True)
    assert placeless(found) == And((Bare(Operand("error", quoted=False)), has("severity", "=~", "W.*")))


def test_leaves_know_where_they_stand() -> None:
    found = filters.parse('a=1 AND (f("x") OR -b:2)')
    assert found is not None
    assert [leaf.position for leaf in filters.walk(found)] == [1, 10, 21]


def test_values() -> None:
    assert filters.number(Operand("10")) == 10
    assert filters.number(Operand("-1.5e2")) == -150
    assert filters.truth(Operand("TRUE"))
    assert not filters.truth(Operand("false"))
    assert filters.instant(Operand("1970-01-01T00:00:01.5Z")) == 1_500_000
    assert filters.instant(Operand("1970-01-01T02:00:00.000000999+02:00")) == 0
    assert filters.instant(Operand("1969-12-31")) == -86_400_000_000
    assert filters.pieces(Operand("my_*")) == ("my_", "")
    assert filters.pieces(Operand("plain")) == ("plain",)
    assert filters.pieces(Operand("2\\*3*")) == ("2*3", "")


@pytest.mark.parametrize(
    ("read", "text"),
    [(filters.number, text) for text in ("", "x", "nan", "inf", "1e999", "1_0", "٣", "0x1")]
    + [(filters.truth, text) for text in ("", "1", "yes")]
    + [
        (filters.instant, text) for text in ("", "now", "2021", "2021-02-30", "2021-01-01T25:00:00Z", "0000-01-01", "1")
    ],
)
def test_values_that_are_none(read: Callable[[Operand, str], object], text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read(Operand(text), "filter")
    assert refused.value.violations[0].field == "filter"


@given(st.text() | st.text(alphabet=" ab.=<>!:~*-\"'\\(),ANDORT1"))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for search in (False, True):
        with contextlib.suppress(InvalidArgument):
            filters.parse(text, search=search)


_NAMES = st.from_regex(r"[a-z]{1,5}", fullmatch=True)
_OPERATORS: st.SearchStrategy[Operator] = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", ":"])
_TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8).map(Operand)
_LEAVES = st.builds(
    Comparison,
    st.lists(
        _NAMES | st.text(min_size=1, max_size=5).filter(lambda t: "\0" not in t and t.isprintable()),
        min_size=1,
        max_size=3,
    ).map(tuple),
    _OPERATORS,
    _TEXTS,
) | st.builds(Call, _NAMES, st.lists(_TEXTS, max_size=2).map(tuple))
_TREES: st.SearchStrategy[Node] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=12,
)


def written(node: Node) -> str:
    match node:
        case And(terms):
            return f"({' AND '.join(map(written, terms))})"
        case Or(terms):
            return f"({' OR '.join(map(written, terms))})"
        case Not(term):
            return f"NOT ({written(term)})"
        case Call(name, arguments):
            return f"{name}({', '.join(json.dumps(one.text) for one in arguments)})"
        case Comparison(path, operator, value):
            return f"{'.'.join(map(json.dumps, path))} {operator} {json.dumps(value.text)}"
        case Bare():
            raise AssertionError


def flat(node: Node) -> Node:
    """Return the tree with nested terms of one kind taken in, as the parser gives it."""
    match node:
        case And(terms):
            return And(
                tuple(
                    inner for term in map(flat, terms) for inner in (term.terms if isinstance(term, And) else (term,))
                )
            )
        case Or(terms):
            return Or(
                tuple(inner for term in map(flat, terms) for inner in (term.terms if isinstance(term, Or) else (term,)))
            )
        case Not(term):
            return Not(flat(term))
        case _:
            return node


@given(_TREES)
def test_what_is_written_out_is_read_back(tree: Node) -> None:
    assert placeless(filters.parse(written(tree), deepest=100)) == flat(tree)
