"""Turns stretches of series (store.telemetry) into what plots show: counters become rates. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from trigpoint.store.telemetry import Stretch

Points = list[tuple[int, float]]
"""Microseconds and value, oldest first."""

MOST = 600
"""Points of a series that a plot gets: more than a screen is wide serves nobody."""


def rates(stretches: Sequence[Stretch]) -> Points:
    """Return the growth per second of a counter; where it falls, something began anew and nothing is said."""
    if not stretches:
        return []
    ends = [(stretches[0].first, stretches[0].low), *((one.last, one.high) for one in stretches)]
    return [
        (time, (high - low) * 1e6 / (time - before))
        for (before, low), (time, high) in pairwise(ends)
        if time > before and high >= low
    ]


def levels(stretches: Sequence[Stretch]) -> Points:
    """Return the values of a gauge, of each stretch the lowest and the highest, so that no peak is lost."""
    found: Points = []
    for one in stretches:
        found += [(one.first, one.low)] if one.count == 1 else [(one.first, one.low), (one.last, one.high)]
    return found
