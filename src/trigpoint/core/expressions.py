"""Reads regular expressions as RE2 writes them into a small tree; what they match is found out by `patterns`.

Look-around and references back are refused, as RE2 does: no machine that reads a text once can follow them.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

MOST_REPEATS = 1000
"""How often a part may be asked for by number."""
_DEEPEST = 100
_LAST = 0x10FFFF
_COUNT = re.compile(r"\{(\d{1,40})(,(\d{0,40}))?\}", re.ASCII)
_NAMED = re.compile(r"P?<[A-Za-z_]\w*>", re.ASCII)
_FLAGS = re.compile(r"([imsU]*)(-[imsU]+)?([:)])", re.ASCII)
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_ASSERTIONS = {"A": "start", "z": "end", "b": "edge", "B": "no edge"}

Ranges = tuple[tuple[int, int], ...]
"""First and last code points, in order."""

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_CLASSES: dict[str, Ranges] = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "lower": ((97, 122),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


class ExpressionError(ValueError):
    """The text is no expression, or one that cannot be followed here; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    ranges: Ranges
    negated: bool = False
    any_case: bool = False

    def holds(self, char: str) -> bool:
        """Return whether a character is in the set."""
        forms = {char, char.lower(), char.upper()} if self.any_case else {char}
        codes = [ord(form) for form in forms if len(form) == 1]
        return any(first <= code <= last for code in codes for first, last in self.ranges) != self.negated


class Assertion(NamedTuple):
    """A place between characters: start, end, line start, line end, edge (of a word), no edge."""

    kind: str


class Sequence(NamedTuple):
    """Parts one after the other."""

    parts: "tuple[Node, ...]"


class Choice(NamedTuple):
    """One of several."""

    options: "tuple[Node, ...]"


class Repeat(NamedTuple):
    """A part again and again; `most` is None without a bound."""

    part: "Node"
    least: int
    most: int | None


Node = Chars | Assertion | Sequence | Choice | Repeat


def parse(text: str, *, dotall: bool = False) -> Node:
    """Return the tree of an expression; with `dotall` a dot means line breaks too. ExpressionError for any other."""
    reader = _Reader(text, dotall)
    found = reader.choice()
    if reader.at < len(text):
        raise ExpressionError("a parenthesis is closed that was not opened")
    return found


class _Reader:
    def __init__(self, text: str, dotall: bool) -> None:
        self._text = text
        self.at = 0
        self._flags = frozenset("s" if dotall else "")
        self._depth = 0

    def choice(self) -> Node:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self._text) and self._text[self.at] not in "|)":
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
        return Sequence(tuple(parts))

    def _repeated(self, part: Node) -> Node:
        bounds = self._bounds()
        if bounds is None:
            return part
        self._take("?")  # which of several matches is preferred makes no difference here
        if self._bounds() is not None:
            raise ExpressionError("a repetition is repeated")
        least, most = bounds
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise ExpressionError(f"a repetition must be of at most {MOST_REPEATS}, the smaller number first")
        return Repeat(part, least, most)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return bounds
        found = _COUNT.match(self._text, self.at)
        if found is None:
            return None
        self.at = found.end()
        least = int(found[1])
        return least, least if found[2] is None else int(found[3]) if found[3] else None

    def _atom(self) -> Node | None:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._set()
        if char == "\\":
            return self._escape()
        if char == ".":
            return Chars(() if "s" in self._flags else ((10, 10),), negated=True)
        if char in "^$":
            place = "start" if char == "^" else "end"
            return Assertion(f"line {place}" if "m" in self._flags else place)
        if char in "*+?":
            raise ExpressionError("there is nothing to repeat")
        return self._one(char)

    def _group(self) -> Node | None:
        before = self._flags
        if self._take("?") and not self._named():
            found = _FLAGS.match(self._text, self.at)
            if found is None:
                raise ExpressionError("look-around and other extensions are not available")
            self.at = found.end()
            self._flags = (before | set(found[1])) - set(found[2] or "")
            if found[3] == ")":
                return None  # the flags hold for the rest of the group around
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"groups nest deeper than {_DEEPEST} levels")
        inner = self.choice()
        if not self._take(")"):
            raise ExpressionError("a parenthesis is not closed")
        self._depth -= 1
        self._flags = before
        return inner

    def _named(self) -> bool:
        found = _NAMED.match(self._text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _set(self) -> Chars:
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self._take("]"):
            first = False
            ranges += self._member()
        return Chars(tuple(sorted(ranges)), negated, "i" in self._flags)

    def _member(self) -> Ranges:
        """Return what the next item of a set stands for."""
        if self._take("[:"):
            name, closed, _ = self._text[self.at : self.at + 12].partition(":]")
            found = _POSIX.get(name.removeprefix("^"))
            if not closed or found is None:
                raise ExpressionError("a class of characters is unknown")
            self.at += len(name) + 2
            return _others(found) if name.startswith("^") else found
        low = self._bound()
        if not isinstance(low, int):
            return low
        if not self._text.startswith("-", self.at) or self._text[self.at + 1 : self.at + 2] in ("", "]"):
            return ((low, low),)
        self.at += 1
        high = self._bound()
        if not isinstance(high, int) or high < low:
            raise ExpressionError("a range of characters is the wrong way round")
        return ((low, high),)

    def _bound(self) -> int | Ranges:
        """Return the code point of the next character of a set, or the ranges of a class."""
        char = self._next()
        if char != "\\":
            return ord(char)
        found = self._escape()
        if isinstance(found, Assertion):
            raise ExpressionError("a set holds characters only")
        if found.negated:
            return _others(found.ranges)
        first, last = found.ranges[0]
        return first if len(found.ranges) == 1 and first == last else found.ranges

    def _escape(self) -> Chars | Assertion:
        char = self._next()
        if char.lower() in _CLASSES:
            return Chars(_CLASSES[char.lower()], negated=char.isupper())
        if char in _ASSERTIONS:
            return Assertion(_ASSERTIONS[char])
        if char in _CONTROLS:
            return self._one(_CONTROLS[char])
        if char == "x":
            return self._one(self._code())
        if char.isascii() and char.isalnum():
            raise ExpressionError(f"\\{char} is not available")
        return self._one(char)

    def _code(self) -> str:
        """Return the character of `\\xHH` or `\\x{HHHH}`."""
        found = re.compile(r"\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2})").match(self._text, self.at)
        code = int(found[1] or found[2], 16) if found else _LAST + 1
        if found is None or code > _LAST:
            raise ExpressionError("\\x stands before no code of a character")
        self.at = found.end()
        return chr(code)

    def _one(self, char: str) -> Chars:
        return Chars(((ord(char), ord(char)),), any_case="i" in self._flags)

    def _next(self) -> str:
        if self.at >= len(self._text):
            raise ExpressionError("it ends too early")
        self.at += 1
        return self._text[self.at - 1]

    def _take(self, text: str) -> bool:
        found = self._text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found


def _others(ranges: Ranges) -> Ranges:
    """Return every code point that is not in these ranges."""
    found, low = [], 0
    for first, last in ranges:
        if low < first:
            found.append((low, first - 1))
        low = last + 1
    return (*found, (low, _LAST))
