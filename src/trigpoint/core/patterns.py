"""Patterns of strangers, matched in time that grows with the text and no faster: regular expressions and wildcards.

Python's own engine tries one way after the other, for ages where an expression was made for it, and holds up every
thread meanwhile. This one walks all ways at once and remembers where that led, as RE2 does, whose syntax it takes. It
says whether there is a match, not where.
"""

from collections.abc import Iterable
from functools import lru_cache

from trigpoint.core import expressions
from trigpoint.core.expressions import Assertion, Chars, Choice, ExpressionError, Node, Repeat, Sequence

LARGEST = 1000
"""Steps of a compiled expression."""
_HEAVIEST = 5000
"""What one expression remembers: the steps of its states and their transitions, together."""
_CHAR, _SPLIT, _MATCH = "char", "split", "match"
_START, _NEWLINE, _WORD, _OTHER, _END = range(5)
"""What is before or after a place in the text."""


class _State:
    """Where all ways stand after some text; `next` grows as characters are met."""

    __slots__ = ("before", "next", "steps")

    def __init__(self, steps: frozenset[int], before: int) -> None:
        self.steps, self.before = steps, before
        self.next: dict[str, _State] = {}


_MATCHED = _State(frozenset(), _END)


class Pattern:
    """A compiled expression. Thread-safe: what threads remember at the same time they may find out twice."""

    def __init__(self, node: Node) -> None:
        self._kinds: list[str] = []
        self._nexts: list[tuple[int, ...]] = []
        self._chars: list[Chars | None] = []
        self._entry = self._build(node, self._add(_MATCH, ()))
        self._forget()

    def found_in(self, text: str) -> bool:
        """Return whether the expression matches anywhere in a text."""
        state = self._first
        for char in text:
            state = state.next.get(char) or self._follow(state, char)
            if state is _MATCHED:
                return True
        return self._reach(state, _END) is None

    def _follow(self, state: _State, char: str) -> _State:
        """Return the state after one more character, and remember it."""
        after = _kind(char)
        reached = self._reach(state, after)
        found = _MATCHED if reached is None else self._state(reached, char, after)
        if self._weight > _HEAVIEST:
            self._forget()
        self._weight += 1
        state.next[char] = found
        return found

    def _state(self, reached: Iterable[int], char: str, after: int) -> _State:
        steps = frozenset(then for step in reached if self._holds(step, char) for then in self._nexts[step])
        found = self._states.get((steps, after))
        if found is None:
            found = self._states[(steps, after)] = _State(steps, after)
            self._weight += 1 + len(steps)
        return found

    def _holds(self, step: int, char: str) -> bool:
        chars = self._chars[step]
        return chars is not None and chars.holds(char)

    def _reach(self, state: _State, after: int) -> list[int] | None:
        """Return the steps that wait for a character, those of a way begun here too; None when a way is at its end."""
        stack = [*state.steps, self._entry]
        seen, waiting = set(stack), []
        while stack:
            step = stack.pop()
            kind = self._kinds[step]
            if kind == _MATCH:
                return None
            if kind == _CHAR:
                waiting.append(step)
            elif kind == _SPLIT or _is_there(kind, state.before, after):
                fresh = [then for then in self._nexts[step] if then not in seen]
                seen.update(fresh)
                stack += fresh
        return waiting

    def _forget(self) -> None:
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._first = _State(frozenset(), _START)
        self._weight = 0

    def _add(self, kind: str, nexts: tuple[int, ...], chars: Chars | None = None) -> int:
        if len(self._kinds) >= LARGEST:
            raise ExpressionError("it is too large")
        self._kinds.append(kind)
        self._nexts.append(nexts)
        self._chars.append(chars)
        return len(self._kinds) - 1

    def _build(self, node: Node, then: int) -> int:
        """Add the steps of a part, which lead to `then`; return the first of them."""
        match node:
            case Chars():
                return self._add(_CHAR, (then,), node)
            case Assertion(kind=kind):
                return self._add(kind, (then,))
            case Sequence(parts=parts):
                for part in reversed(parts):
                    then = self._build(part, then)
                return then if parts else self._add(_SPLIT, (then,))
            case Choice(options=options):
                return self._add(_SPLIT, tuple(self._build(option, then) for option in options))
            case Repeat():
                return self._repeat(node, then)

    def _repeat(self, node: Repeat, then: int) -> int:
        beyond = then
        if node.most is None:
            then = self._add(_SPLIT, ())
            self._nexts[then] = (self._build(node.part, then), beyond)
        for _ in range((node.most or node.least) - node.least):
            then = self._add(_SPLIT, (self._build(node.part, then), beyond))
        for _ in range(node.least):
            then = self._build(node.part, then)
        return then


@lru_cache(maxsize=128)
def expression(text: str, *, whole: bool = False, dotall: bool = False) -> Pattern:
    """Return a regular expression, ready: kept for the next time, within bounds. ExpressionError when it is none.

    `whole`: it must match a text from its start to its end. `dotall`: a dot means line breaks too.
    """
    node = expressions.parse(text, dotall=dotall)
    return Pattern(Sequence((Assertion("start"), node, Assertion("end"))) if whole else node)


def fits(text: str, wildcards: str) -> bool:
    """Return whether a whole text is as a pattern in which each `*` stands for any run of characters."""
    first, *rest = wildcards.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return at <= end


def _kind(char: str) -> int:
    if char == "\n":
        return _NEWLINE
    return _WORD if char.isascii() and (char.isalnum() or char == "_") else _OTHER


def _is_there(kind: str, before: int, after: int) -> bool:
    """Return whether an assertion holds between what is before and after it."""
    match kind:
        case "start":
            return before == _START
        case "end":
            return after == _END
        case "line start":
            return before in (_START, _NEWLINE)
        case "line end":
            return after in (_END, _NEWLINE)
        case "edge":
            return (before == _WORD) != (after == _WORD)
        case _:
            return (before == _WORD) == (after == _WORD)
