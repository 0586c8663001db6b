"""Looks at the columns of a table, in a process of its own: `python -m trigpoint.data.profile JOB_FILE`.

For each column: what kind of values, how many are missing or different, their range and their distribution. One pass,
memory bound; distributions of long tables come from an even sample. Where the result is kept is the slice's affair.
"""

import json
import math
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trigpoint.core.errors import TrigpointError
from trigpoint.data import sentences
from trigpoint.data.children import RESULT, die_with_parent, progress, replace
from trigpoint.data.formats import CsvTable, Source

MEMORY_BYTES = 1024 * 1024 * 1024
MOST_ROWS = 5_000_000
"""Rows after which a table is known well enough."""
BINS = 24
SAMPLE = 20_000
"""Values per column from which a distribution is drawn."""
MOST_DISTINCT = 10_000
"""Different values that are counted exactly."""
TOP = 12
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
_BOOLEAN = frozenset({"true", "false"})
_LONGEST = 80
"""Characters of a value that are kept."""


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of one column."""

    name: str
    kind: str
    """number, boolean, text, or empty when every value is missing."""
    missing: int
    distinct: int
    """At most MOST_DISTINCT: more are not told apart."""
    top: Sequence[tuple[str, int]]
    """The most frequent values; empty when there are too many different ones."""
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    deviation: float | None = None
    bins: Sequence[int] = ()
    """Rows by BINS equal parts of the range from low to high, as the sample has them, scaled to all rows."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a table."""

    rows: int
    cut: bool
    """Whether the table goes on after the rows that were read."""
    columns: Sequence[Column]


@dataclass
class _Tally:
    """One column while its values pass by."""

    name: str
    dice: random.Random
    missing: int = 0
    present: int = 0
    numbers: bool = True
    booleans: bool = True
    low: float = math.inf
    high: float = -math.inf
    mean: float = 0.0
    spread: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    full: bool = False
    sample: list[float] = field(default_factory=list)

    def see(self, value: str) -> None:
        """Take one value."""
        text = value.strip()
        if text.lower() in MISSING:
            self.missing += 1
            return
        self.present += 1
        if not self.full:
            self.counts[text[:_LONGEST]] += 1
            self.full = len(self.counts) > MOST_DISTINCT
        self.booleans = self.booleans and text.lower() in _BOOLEAN
        if self.numbers:
            self._see_number(text)

    def _see_number(self, text: str) -> None:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.numbers = False
            self.sample.clear()
            return
        self.low, self.high = min(self.low, number), max(self.high, number)
        step = number - self.mean
        self.mean += step / self.present
        self.spread += step * (number - self.mean)
        if len(self.sample) < SAMPLE:
            self.sample.append(number)
        elif (place := self.dice.randrange(self.present)) < SAMPLE:
            self.sample[place] = number

    def over(self) -> Column:
        """Return what was seen."""
        distinct = min(len(self.counts), MOST_DISTINCT)
        top = () if self.full else tuple(self.counts.most_common(TOP))
        if not self.present:
            return Column(self.name, "empty", self.missing, 0, ())
        if not self.numbers:
            kind = "boolean" if self.booleans else "text"
            return Column(self.name, kind, self.missing, distinct, top)
        return Column(
            self.name,
            "number",
            self.missing,
            distinct,
            top,
            low=self.low,
            high=self.high,
            mean=self.mean,
            deviation=math.sqrt(self.spread / self.present),
            bins=self._bins(),
        )

    def _bins(self) -> list[int]:
        width = (self.high - self.low) / BINS
        found = [0] * BINS
        for number in self.sample:
            place = int((number - self.low) / width) if width > 0 and math.isfinite(width) else 0
            found[min(place, BINS - 1)] += 1
        scale = self.present / len(self.sample)
        return [round(count * scale) for count in found]


def profile(sources: Sequence[Source], output: Path | None = None) -> Profile:
    """Return what a table's columns are like; the errors of `CsvTable` for one that cannot be read."""
    table = CsvTable(sources)
    tallies = [_Tally(name, random.Random(index)) for index, name in enumerate(table.header)]  # noqa: S311 - repeatable
    count = 0
    for row in _first(table.rows(lambda rows: progress(output, "read", rows) if output else None)):
        count += 1
        for tally, value in zip(tallies, row, strict=True):
            tally.see(value)
    return Profile(count, count >= MOST_ROWS, [tally.over() for tally in tallies])


def _first(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            return
        yield row


def written(result: Any) -> str:
    """Return a result as JSON; bytes of the table that are no UTF-8 are told as the replacement character."""
    return json.dumps(result, ensure_ascii=False).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def main(arguments: Sequence[str]) -> int:
    """Run one job file; the exit status is 0 whenever a result was written."""
    die_with_parent()
    job = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    output = Path(job["output"])
    try:
        result: dict[str, Any] = {"profile": asdict(profile([Source(*one) for one in job["sources"]], output))}
    except TrigpointError as error:
        result = {"error": {"status": error.status, "message": error.message}}
    except MemoryError:
        text = sentences.LONG_ROWS
        result = {"error": {"status": "RESOURCE_EXHAUSTED", "message": text}}
    replace(output / RESULT, written(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
