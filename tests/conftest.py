"""What every suite shares: fresh generated classes, the account of time and of what tests have to say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Machines are shared and slow at times, which says nothing of the code. Unwatched runs repeat their examples.
settings.register_profile(
    "steady",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
    print_blob=True,
)
settings.load_profile("steady")

KILLING = [Path(__file__).parent / name for name in ("faults", "console")]
"""Suites that kill servers under their clients."""
LEAKS = r"ignore:Exception ignored in. <ssl\.SSLSocket:pytest.PytestUnraisableExceptionWarning"
"""What ssl itself leaks of a connection whose peer was killed between accept and handshake (SSLSocket._create)."""


def pytest_configure(config: pytest.Config) -> None:
    """Bring the generated classes up to date with the descriptions, once, before any worker starts."""
    if not hasattr(config, "workerinput"):
        subprocess.run([sys.executable, Path(__file__).parents[1] / "tools/generate.py"], check=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no killed server be taken for a test's own leak."""
    for item in items:
        if any(item.path.is_relative_to(suite) for suite in KILLING):
            item.add_marker(pytest.mark.filterwarnings(LEAKS))


@pytest.fixture(scope="session")
def environments(request: pytest.FixtureRequest) -> Path:
    """The environment of the tests' image; pytest's own cache keeps it for the next run."""
    from tests.live.environments import build  # the generated classes were not there when this file was read

    cache = request.config.cache
    assert cache is not None
    return build(Path(cache.mkdir("environments")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line per suite (a folder under tests/): how many tests ran and their seconds, set-up included.

    Before them stands what tests recorded as `said`: figures that a person wants to see though nothing failed.
    """
    seconds: dict[str, float] = defaultdict(float)
    ran: dict[str, set[str]] = defaultdict(set)
    for report in (one for kind in terminalreporter.stats.values() for one in kind):
        if hasattr(report, "duration") and hasattr(report, "when"):
            suite = "/".join(report.nodeid.split("::")[0].split("/")[:2])
            seconds[suite] += report.duration
            ran[suite].add(report.nodeid)
            for name, text in report.user_properties if report.when == "call" else ():
                if name == "said":
                    terminalreporter.write_line(str(text))
    for suite, spent in sorted(seconds.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{suite:<24}{len(ran[suite]):>6} tests{spent:>9.1f} s")
