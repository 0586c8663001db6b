"""What a filter of the Logging query language means for one entry in its JSON form; `core.filters` parses. Pure.

Semantics: vertex-services.md section 8.2.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from trigpoint.core import filters, patterns
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.expressions import ExpressionError
from trigpoint.core.filters import Comparison, Node

SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_FIELDS = frozenset(
    [
        "logName",
        "resource",
        "textPayload",
        "jsonPayload",
        "protoPayload",
        "timestamp",
        "receiveTimestamp",
        "severity",
        "insertId",
        "httpRequest",
        "labels",
        "operation",
        "trace",
        "spanId",
        "traceSampled",
        "sourceLocation",
        "split",
    ]
)
_TIMES = frozenset({"timestamp", "receiveTimestamp"})
_DEPTH = 50
_LEVEL = re.compile(r"\d{1,9}", re.ASCII)

Entry = Mapping[str, Any]
Test = Callable[[Entry], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter: `test` decides on one entry; `equal` and the bounds only narrow where to look for entries."""

    test: Test
    equal: Mapping[str, str]
    """Field path -> the one value that every matching entry has there."""
    not_before: int = 0
    """Microseconds: no matching entry is older."""


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """Return the query of a filter; InvalidArgument on `filter` when it can't be understood."""
    node = filters.parse(text, search=True, deepest=_DEPTH)
    if node is None:
        return Query(lambda entry: True, {})
    must = list(_must(node))
    equal = {".".join(one.path): one.value.text for one in must if one.operator == "="}
    floors = [
        _micros(one.value.text) for one in must if one.path == ("timestamp",) and one.operator in (">", ">=", "=")
    ]
    return Query(_test(node), equal, max([floor for floor in floors if floor is not None], default=0))


def _must(node: Node) -> Iterator[Comparison]:
    """Yield comparisons that hold for every matching entry."""
    if isinstance(node, Comparison):
        yield node
    elif isinstance(node, filters.And):
        for term in node.terms:
            yield from _must(term)


def _test(node: Node) -> Test:
    match node:
        case filters.And(terms=terms):
            tests = [_test(term) for term in terms]
            return lambda entry: all(test(entry) for test in tests)
        case filters.Or(terms=terms):
            choices = [_test(term) for term in terms]
            return lambda entry: any(test(entry) for test in choices)
        case filters.Not(term=term):
            opposite = _test(term)
            return lambda entry: not opposite(entry)
        case filters.Bare(value=value):
            return _anywhere(value.text)
        case filters.Call():
            return _function(node)
        case Comparison(path=path, operator=operator, value=value):
            return _comparison(path, operator, value.text)


def _anywhere(text: str) -> Test:
    word = text.casefold()
    return lambda entry: any(word in found.casefold() for found in _texts(entry))


def _function(call: filters.Call) -> Test:
    arguments = [argument.text for argument in call.arguments]
    if call.name == "log_id" and len(arguments) == 1:
        return lambda entry: str(entry.get("logName", "")).rsplit("/logs/", 1)[-1].replace("%2F", "/") == arguments[0]
    if call.name == "SEARCH" and arguments:
        return _anywhere(arguments[-1])
    raise _wrong(f"The function {call.name[:60]!r} is not available; use comparisons, log_id() or SEARCH().")


def _comparison(path: tuple[str, ...], op: str, value: str) -> Test:
    """Return the test of one comparison. A missing payload or label field makes it false."""
    if path[0] not in _FIELDS:
        raise _wrong(f"{path[0]!r} is not a field of a log entry; fields are {', '.join(sorted(_FIELDS))}.")
    if op == ":" and value == "*":
        return lambda entry: bool(list(_values(entry, path)))
    if op in ("=~", "!~"):
        return _expression(path, value, wanted=op == "=~")
    if op == "!=":
        equal = _holds(path, "=", value)
        return lambda entry: any(not equal(found) for found in _values(entry, path))
    holds = _holds(path, op, value)
    return lambda entry: any(holds(found) for found in _values(entry, path))


def _expression(path: tuple[str, ...], text: str, *, wanted: bool) -> Test:
    """Return the test whether an expression is found, or is nowhere; what it has learnt of texts is not kept here."""
    try:
        patterns.expression(text)
    except ExpressionError as error:
        raise _wrong(f"{text[:100]!r} is not a regular expression as RE2 takes them: {error}.") from error

    def test(entry: Entry) -> bool:
        pattern = patterns.expression(text)
        return any(pattern.found_in(str(found)) for found in _values(entry, path)) is wanted

    return test


def _holds(path: tuple[str, ...], op: str, value: str) -> Callable[[Any], bool]:
    """Return the test of one found value against the given one, compared as the field's type."""
    if path[0] in _TIMES:
        wanted_time = _micros(value)
        return lambda found: _ordered(op, _micros(str(found)), wanted_time)
    if path == ("severity",):
        wanted_rank = _rank(value)
        return lambda found: _ordered(op, _rank(str(found)), wanted_rank)
    if op == ":":
        return lambda found: value.casefold() in str(found).casefold()
    return lambda found: _scalar(op, found, value)


def _scalar(op: str, found: Any, value: str) -> bool:
    if isinstance(found, bool):
        return op == "=" and str(found).lower() == value.lower()
    if isinstance(found, int | float):
        try:
            return _ordered(op, float(found), float(value))
        except ValueError:
            return False
    return _ordered(op, str(found).casefold(), value.casefold())


def _ordered(op: str, found: Any, wanted: Any) -> bool:
    if found is None or wanted is None:
        return False
    outcomes = {"=": found == wanted, "<": found < wanted, "<=": found <= wanted, ">": found > wanted}
    return bool(outcomes.get(op, found >= wanted))


def _values(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield what stands at a path: nothing when it is missing, every element of lists on the way."""
    if isinstance(value, list | tuple):
        for element in value:
            yield from _values(element, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for element in value.values():
            yield from _texts(element)
    elif isinstance(value, list | tuple):
        for element in value:
            yield from _texts(element)
    else:
        yield str(value)


def _rank(text: str) -> int | None:
    if _LEVEL.fullmatch(text):
        return int(text)
    return SEVERITIES.index(text.upper()) * 100 if text.upper() in SEVERITIES else None


def _micros(text: str) -> int | None:
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        moment = datetime.fromisoformat(trimmed)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _wrong(text: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation("filter", text)])
