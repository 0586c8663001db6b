"""Turns counters into rates and long series into short ones. Pure."""

from collections.abc import Sequence
from itertools import pairwise

Points = list[tuple[int, float]]
"""Microseconds and value, oldest first."""

MOST = 600
"""Points of a series that a plot gets: more than a screen is wide serves nobody."""


def rates(points: Sequence[tuple[int, float]]) -> Points:
    """Return the growth per second of a counter; where it falls, something began anew and nothing is said."""
    found: Points = []
    for (before, low), (time, high) in pairwise(points):
        if time > before and high >= low:
            found.append((time, (high - low) * 1e6 / (time - before)))
    return found


def thinned(points: Points, most: int = MOST) -> Points:
    """Return at most `most` points: of each stretch the lowest and the highest, so that no peak is lost."""
    if len(points) <= most:
        return points
    stretches = most // 2
    kept: Points = []
    for i in range(stretches):
        part = points[len(points) * i // stretches : len(points) * (i + 1) // stretches]
        low, high = min(part, key=_value), max(part, key=_value)
        kept += sorted({low, high})
    return kept


def _value(point: tuple[int, float]) -> float:
    return point[1]
