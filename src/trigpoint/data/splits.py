"""Decides which rows of a table train, validate and test; reading and writing the rows is left to `formats`.

Rules: vertex-training.md section 2.4. Counts are exact (the largest-remainder method), and a random split is the same
whenever the data is: it is drawn without replacement from a generator seeded by the header and the number of rows.
"""

import hashlib
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.data import sentences

SPLITS = ("training", "validation", "test")
DEFAULT_FRACTIONS = (0.8, 0.1, 0.1)
KINDS = ("fraction", "predefined", "timestamp", "stratified")

STRATA = 500
"""How many of a column's values a stratified split keeps apart; the rest is split together."""

SMALLEST_STRATUM = 3

_PREDEFINED = {"training": 0, "validation": 1, "test": 2, "TRAIN": 0, "VALIDATE": 1, "TEST": 2}

Assign = Callable[[Sequence[str]], int | None]
"""Says of each row, in the order of the survey, its index in SPLITS, or None when it belongs nowhere."""


@dataclass(frozen=True, slots=True)
class Split:
    """How rows are divided: one of KINDS, with the column it looks at where it looks at one."""

    kind: str = "fraction"
    fractions: tuple[float, float, float] = DEFAULT_FRACTIONS
    key: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @staticmethod
    def from_plain(value: dict[str, Any]) -> "Split":
        """Return what `plain` gave."""
        first, second, third = value["fractions"]
        return Split(value["kind"], (first, second, third), value["key"])


def complete(
    training: float, validation: float, test: float, field: str = "fraction_split"
) -> tuple[float, float, float]:
    """Return fractions that sum to 1 for the given ones, where 0 means not given.

    None given: about 80/10/10. A remainder goes to the sets without a fraction, in equal parts, or to training when
    every set has one. InvalidArgument naming `field` when one is outside 0..1 or the sum is above 1.
    """
    given = (training, validation, test)
    if any(not 0 <= part <= 1 for part in given) or sum(given) > 1 + 1e-6:
        raise InvalidArgument(violations=[Violation(field, sentences.BAD_FRACTIONS.format(fractions=given))])
    if not any(given):
        return DEFAULT_FRACTIONS
    rest = max(0.0, 1 - sum(given))
    if rest < 1e-6:
        return given
    absent = [i for i, part in enumerate(given) if part == 0] or [0]
    first, second, third = (part + (rest / len(absent) if i in absent else 0) for i, part in enumerate(given))
    return first, second, third


def quotas(total: int, fractions: Sequence[float]) -> list[int]:
    """Return whole numbers that sum to `total`, each within 1 of its share; the earlier set wins a tie."""
    shares = [total * part / sum(fractions) for part in fractions]
    counts = [int(share + 1e-9) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: (round(counts[i] - shares[i], 9), i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def survey(split: Split, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Assign:
    """Return what assigns rows to sets, after reading them once where the split has to know them all.

    InvalidArgument when the split's column is not in the header.
    """
    column = _column(split, header)
    if split.kind == "predefined":
        return lambda row: _PREDEFINED.get(row[column])
    if split.kind == "timestamp":
        return _by_time(split, column, rows)
    if split.kind == "stratified":
        return _by_stratum(split, header, column, rows)
    total = sum(1 for _ in rows)
    draw = _Draw(quotas(total, split.fractions), header, str(total))
    return lambda row: draw()


def instant(text: str) -> int | None:
    """Return microseconds since the epoch of an RFC 3339 time in UTC with its `Z`, or None for anything else."""
    if len(text) < 20 or text[-1] != "Z" or text[10] not in "Tt":
        return None
    try:
        parsed = datetime.fromisoformat(text[:-1] + "+00:00")
    except ValueError:
        return None
    return round(parsed.timestamp() * 1_000_000)


def _column(split: Split, header: Sequence[str]) -> int:
    if split.kind == "fraction":
        return -1
    if split.key not in header:
        raise InvalidArgument(
            violations=[
                Violation(
                    f"input_data_config.{split.kind}_split.key",
                    sentences.NO_COLUMN.format(column=repr(split.key), columns=", ".join(header)[:500]),
                )
            ]
        )
    return header.index(split.key)


class _Draw:
    """Sets drawn at random without replacement until each quota is used up."""

    def __init__(self, counts: Sequence[int], *seed: str | Sequence[str]) -> None:
        self._left = list(counts)
        self._total = sum(counts)
        digest = hashlib.sha256(repr(seed).encode("utf-8", "surrogatepass")).digest()
        # Reproducibility is wanted here, not unpredictability.
        self._random = random.Random(digest)  # noqa: S311

    def __call__(self) -> int | None:
        if not self._total:
            return None
        spot = int(self._random.random() * self._total)
        self._total -= 1
        for index, left in enumerate(self._left):
            if spot < left:
                self._left[index] -= 1
                return index
            spot -= left
        return None


def _by_time(split: Split, column: int, rows: Iterable[Sequence[str]]) -> Assign:
    """Earliest rows train, latest test; of equal times the earlier row in the data counts as earlier."""
    times = sorted(time for row in rows if (time := instant(row[column])) is not None)
    first, second, _ = quotas(len(times), split.fractions)
    cuts = []
    for place in (first, first + second):
        bound = times[place] if place < len(times) else None
        # Rows at the bound that still belong before the cut.
        before = place - bisect_left(times, bound) if bound is not None else 0
        cuts.append((bound, before))
    bounds = {bound for bound, _ in cuts}
    seen: Counter[int] = Counter()

    def assign(row: Sequence[str]) -> int | None:
        time = instant(row[column])
        if time is None:
            return None
        rank = seen[time]
        if time in bounds:
            seen[time] += 1
        for index, (bound, before) in enumerate(cuts):
            if bound is None or time < bound or (time == bound and rank < before):
                return index
        return 2

    return assign


def _by_stratum(split: Split, header: Sequence[str], column: int, rows: Iterable[Sequence[str]]) -> Assign:
    counts = Counter(row[column] for row in rows)
    kept = {value: n for value, n in counts.most_common(STRATA) if n >= SMALLEST_STRATUM}
    draws = {value: _Draw(quotas(n, split.fractions), header, value, str(n)) for value, n in kept.items()}
    rest = counts.total() - sum(kept.values())
    other = _Draw(quotas(rest, split.fractions), header, "", str(rest))
    return lambda row: draws.get(row[column], other)()
