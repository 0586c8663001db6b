"""What the page of a dataset is told: its columns, and the runs that used it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trigpoint.core.clock import Micros


@dataclass(frozen=True, slots=True)
class TopValue:
    """One of the most frequent values of a column."""

    value: str
    rows: int


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """What the values of a column are like."""

    name: str
    kind: Literal["number", "boolean", "text", "empty"]
    missing: int
    distinct: int
    """Different values; 10,000 stands for that many or more."""
    top: Sequence[TopValue]
    low: float | None
    high: float | None
    mean: float | None
    deviation: float | None
    bins: Sequence[int]
    """Rows by equal parts of the range from low to high; empty for columns that are no numbers."""


@dataclass(frozen=True, slots=True)
class ProfileInfo:
    """What is known of a dataset's table."""

    state: Literal["working", "ready", "failed"]
    rows: int
    """Rows read so far, or in all."""
    cut: bool
    """Whether the table goes on after the rows that were looked at."""
    bytes: int
    sources: Sequence[str]
    """`gs://` URIs of the objects that were read."""
    columns: Sequence[ColumnInfo]
    problem: str
    """What is wrong with the data, when it failed."""


@dataclass(frozen=True, slots=True)
class UseInfo:
    """A training run on a dataset."""

    run: str
    title: str
    state: str
    created: Micros
    rows: Mapping[str, int]
    """Rows by split, once they were written: training, validation, test."""


@dataclass(frozen=True, slots=True)
class Uses:
    """The training runs on a dataset, newest first."""

    runs: Sequence[UseInfo]
