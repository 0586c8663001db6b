"""What every suite shares: the account of time per suite; fixtures of one suite stay in its folder."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line per suite (a folder under tests/): how many tests ran and their seconds, set-up included."""
    seconds: dict[str, float] = defaultdict(float)
    ran: dict[str, set[str]] = defaultdict(set)
    for report in (one for kind in terminalreporter.stats.values() for one in kind):
        if hasattr(report, "duration") and hasattr(report, "when"):
            suite = "/".join(report.nodeid.split("::")[0].split("/")[:2])
            seconds[suite] += report.duration
            ran[suite].add(report.nodeid)
    for suite, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{suite:<24}{len(ran[suite]):>6} tests{spent:>9.1f} s")
