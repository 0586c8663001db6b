"""Parses list filters (AIP-160) into a small tree; what fields there are and how they compare is the kernel's.

    display_name = "a" AND (state="JOB_STATE_FAILED" OR labels.team:*) -uri="b" in_context("projects/1/...")

OR binds tighter than AND, terms side by side mean AND, `-` means NOT. The right-hand side may be bare
(`display_name = temp-x-1`), a list (`parent_contexts:"a","b"` asks for all of them) or a group (`state = (a OR b)`).
The forms that clients send are in sdk-contract.md section 2.2 and vertex-services.md section 1.3.
"""

import importlib
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from trigpoint.core import sentences
from trigpoint.core.clock import Micros
from trigpoint.core.errors import InvalidArgument, Violation

Operator = Literal["=", "!=", "<", "<=", ">", ">=", ":", "=~", "!~"]

LONGEST = 20_000
"""Characters of a filter."""
DEEPEST = 20
"""Levels of parentheses, where a service states no other limit."""
_MOST = 500
"""Comparisons of a filter: far above what clients send, far below what a database refuses."""
_PARTS = 50
"""Parts of a field's path: as deep as a message of ours can be."""
_WHOLE = re.compile(r"[-+]?\d{1,30}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STRINGS = re.compile(r"""\"(?:[^"\\]++|\\.)*+\"?|'(?:[^'\\]++|\\.)*+'?|[^()"']++""", re.DOTALL)
"""What holds no parenthesis of the grammar."""
_ESCAPE = re.compile(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_WILDCARD = re.compile(r"(?<!\\)\*")


@dataclass(frozen=True, slots=True)
class Operand:
    """A value as written: `"a b"` or `temp-x-1`."""

    text: str
    """Without quotes, escapes resolved."""
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value; `:` means that the field has it, and `field:*` that the field is there."""

    path: tuple[str, ...]
    """`metadata."field:1".number_value` gives `("metadata", "field:1", "number_value")`."""
    operator: Operator
    value: Operand
    position: int = 0
    """Where the comparison begins in the filter, from 1, for messages."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function: `in_context("...")`."""

    name: str
    arguments: tuple[Operand, ...]
    position: int = 0


@dataclass(frozen=True, slots=True)
class Bare:
    """A value alone, to be searched everywhere; only where `search` is allowed."""

    value: Operand
    position: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of its term."""

    term: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """True when all of its terms, two or more, are."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when any of its terms, two or more, is."""

    terms: tuple["Node", ...]


Node = Comparison | Call | Bare | Not | And | Or

_GRAMMAR = r"""
start: expression
?expression: sequence (_AND sequence)* -> conjunction
?sequence: factor+ -> conjunction
?factor: term (_OR term)* -> disjunction
?term: (_NOT | _MINUS) simple -> negation
     | simple
?simple: "(" expression ")"
       | restriction
?restriction: path OPERATOR argument -> comparison
            | path -> bare
            | FUNCTION "(" [operand ("," operand)*] ")" -> call
path: (TEXT | STRING) ("." (TEXT | STRING))*
?argument: operand ("," operand)* -> listed
         | "(" group ")"
?group: run (_AND run)* -> conjunction
?run: choice+ -> conjunction
?choice: item (_OR item)* -> disjunction
?item: (_NOT | _MINUS) element -> negation
     | element
?element: member
        | "(" group ")"
operand: VALUE | STRING
member: VALUE | STRING

_AND.3: /AND(?=[\s(]|$)/
_OR.3: /OR(?=[\s(]|$)/
_NOT.3: /NOT(?=[\s(]|$)/
_MINUS.2: "-"
OPERATOR: "<=" | ">=" | "!=" | "=~" | "!~" | "<" | ">" | "=" | ":"
FUNCTION.1: /[A-Za-z_]\w*(?:\.\w+)*(?=\()/
STRING.1: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
TEXT: /[^\s"'().,<>=!:~-][^\s"'().,<>=!:~]*/
VALUE: /[^\s"'(),<>=!:~][^\s"(),]*/
%ignore /\s+/
"""


def parse(text: str, field: str = "filter", *, deepest: int = DEEPEST, search: bool = False) -> Node | None:
    """Return the tree of a filter, None for an empty one; InvalidArgument on `field` saying where and what to do.

    `deepest` is how many levels of parentheses the service allows. `search` allows what only Cloud Logging has: bare
    values, and the operators `=~` and `!~`.
    """
    if not text.strip():
        return None
    if len(text) > LONGEST:
        raise refused(sentences.LONG_FILTER.format(count=len(text), most=LONGEST), field)
    if "\0" in text:
        raise refused(sentences.NUL_FILTER, field)
    if _depth(text) > deepest:
        raise refused(sentences.DEEP_FILTER.format(deepest=deepest), field)
    node = _node(_parsed(text, field).children[0])
    leaves = list(walk(node))
    if any(len(leaf.path) > _PARTS for leaf in leaves if isinstance(leaf, Comparison)):
        raise refused(sentences.LONG_PATH.format(most=_PARTS), field)
    if len(leaves) > _MOST:
        raise refused(sentences.MANY_COMPARISONS.format(count=len(leaves), most=_MOST), field)
    if not search:
        for leaf in leaves:
            _check(leaf, field)
    return node


def walk(node: Node) -> Iterator[Comparison | Call | Bare]:
    """Yield the leaves of a tree from left to right."""
    match node:
        case And(terms) | Or(terms):
            for term in terms:
                yield from walk(term)
        case Not(term):
            yield from walk(term)
        case _:
            yield node


def changed(node: Node, change: Callable[[Comparison | Call | Bare], Node]) -> Node:
    """Return the tree with every leaf replaced by what `change` makes of it."""
    match node:
        case And(terms):
            return And(tuple(changed(term, change) for term in terms))
        case Or(terms):
            return Or(tuple(changed(term, change) for term in terms))
        case Not(term):
            return Not(changed(term, change))
        case _:
            return change(node)


def refused(why: str, field: str = "filter") -> InvalidArgument:
    """Return the error for a filter that cannot be used."""
    return InvalidArgument(violations=[Violation(field, why)])


def number(operand: Operand, field: str = "filter") -> float:
    """Return the value as a number; InvalidArgument when it is none."""
    if _NUMBER.fullmatch(operand.text) is None or not math.isfinite(told := float(operand.text)):
        raise refused(sentences.NO_NUMBER.format(value=_shown(operand.text)), field)
    return int(operand.text) if _WHOLE.fullmatch(operand.text) else told


def truth(operand: Operand, field: str = "filter") -> bool:
    """Return the value as a boolean; InvalidArgument unless it is true or false."""
    if operand.text.lower() not in ("true", "false"):
        raise refused(sentences.NO_TRUTH.format(value=_shown(operand.text)), field)
    return operand.text.lower() == "true"


def instant(operand: Operand, field: str = "filter") -> Micros:
    """Return the value as an instant; InvalidArgument unless it is RFC 3339, or a date alone (midnight UTC)."""
    text = operand.text
    try:
        if _TIME.fullmatch(text) is None:
            raise ValueError(text)
        told = datetime.fromisoformat(text.upper())
    except ValueError as wrong:
        raise refused(sentences.NO_TIME.format(value=_shown(text)), field) from wrong
    since = (told if told.tzinfo else told.replace(tzinfo=UTC)) - _EPOCH
    return Micros((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def pieces(operand: Operand) -> tuple[str, ...]:
    """Return the text split at its wildcards: `my_*` gives `("my_", "")`; one piece has none; `\\*` is a star."""
    return tuple(piece.replace("\\*", "*") for piece in _WILDCARD.split(operand.text))


def _parsed(text: str, field: str) -> Any:
    try:
        tree = _parser().parse(text)
    except importlib.import_module("lark.exceptions").UnexpectedInput as wrong:
        if getattr(getattr(wrong, "token", None), "type", "") == "$END":
            raise refused(sentences.ENDS_EARLY, field) from wrong
        at: int = wrong.pos_in_stream
        why = sentences.NOT_EXPECTED.format(text=_shown(text[at:], 20), position=at + 1)
        raise refused(why, field) from wrong
    for path, operator, argument in (found.children for found in tree.find_data("comparison")):
        if argument.data == "listed" and len(argument.children) > 1 and operator != ":":
            raise refused(sentences.LISTED.format(position=_start(path)), field)
    return tree


@cache
def _parser() -> Any:
    """Return the parser; the library is loaded with the first filter."""
    return importlib.import_module("lark").Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


def _depth(text: str) -> int:
    """Return how deep the parentheses outside of strings nest."""
    deepest = depth = 0
    for bracket in _STRINGS.sub("", text):
        depth += (bracket == "(") - (bracket == ")")
        deepest = max(deepest, depth)
    return deepest


def _node(tree: Any) -> Node:
    """Return the tree's own form of what the parser found; recursion is bound by the depth of parentheses."""
    match tree.data:
        case "conjunction":
            return _joined(And, [_node(child) for child in tree.children])
        case "disjunction":
            return _joined(Or, [_node(child) for child in tree.children])
        case "negation":
            return Not(_node(tree.children[0]))
        case "comparison":
            path, operator, argument = tree.children
            parts = tuple(_operand(token).text for token in path.children)
            return _argument(argument, lambda value: Comparison(parts, operator.value, value, _start(path)))
        case "call":
            name, *arguments = tree.children
            return Call(str(name), tuple(_operand(one.children[0]) for one in arguments), name.start_pos + 1)
        case _:
            tokens = tree.children[0].children
            text = ".".join(_operand(token).text for token in tokens)
            return Bare(Operand(text, quoted=tokens[0].type == "STRING"), _start(tree.children[0]))


def _argument(tree: Any, compare: Callable[[Operand], Comparison]) -> Node:
    """Return the comparison with each value of a list or group, joined as they are."""
    match tree.data:
        case "operand" | "member":
            return compare(_operand(tree.children[0]))
        case "negation":
            return Not(_argument(tree.children[0], compare))
        case "disjunction":
            return _joined(Or, [_argument(child, compare) for child in tree.children])
        case _:
            return _joined(And, [_argument(child, compare) for child in tree.children])


def _joined(kind: type[And] | type[Or], terms: list[Node]) -> Node:
    """Return the terms as one node, with those of its own kind taken in."""
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, kind) else (term,))]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _start(path: Any) -> int:
    start: int = path.children[0].start_pos
    return start + 1


def _operand(token: Any) -> Operand:
    if token.type != "STRING":
        return Operand(str(token), quoted=False)
    # Escapes as in JSON, which is how the SDK quotes; any other keeps its backslash, as regular expressions need it.
    return Operand(_ESCAPE.sub(_unescaped, token[1:-1]))


def _unescaped(found: re.Match[str]) -> str:
    escape = found[0]
    if escape[1] == "'":
        return "'"
    try:
        told: str = json.loads(f'"{escape}"')
        told.encode()
    except ValueError:
        return escape
    return escape if told == "\0" else told


def _check(leaf: Comparison | Call | Bare, field: str) -> None:
    """Refuse what only searching services have."""
    if isinstance(leaf, Bare):
        word = leaf.value.text
        told = {"word": _shown(word), "position": leaf.position}
        if word in ("and", "or", "not"):
            raise refused(sentences.LOWER_CASE.format(**told, capitals=word.upper()), field)
        raise refused(sentences.NO_COMPARISON.format(**told), field)
    if isinstance(leaf, Comparison) and leaf.operator in ("=~", "!~"):
        raise refused(sentences.SEARCHES_ONLY.format(operator=leaf.operator), field)


def _shown(text: str, most: int = 60) -> str:
    return repr(text if len(text) <= most else text[:most] + "...")
