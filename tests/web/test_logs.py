"""The log of a job in the page: what it prints as it prints it, found, filtered, and inert whatever it is."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.live.home import wait_until
from tests.live.jobs import FINAL, Plan
from tests.web.conftest import Open, Served, submit

STRANGE = r"""
# In halves, for the command is in the log too.
import sys, time, json
print("plain" " \x1b[31mred\x1b[0m and \x1b]0;title\x07back")
print("<" "script>window.hacked=1</script> <img src=x onerror='window.hacked=1'>")
print(json.dumps({"severity": "WARNING", "message": "structured" " words", "step": 7}))
print("right to left \u202e over")
print("10%\r5" "0%\r100%" " done")
print("x" * 200000)
print("to" " stderr", file=sys.stderr)
"""
SLOWLY = """
import time
for number in range(4000):
    print("early line", number)
print("needle" " in the early part")
for number in range(1500):
    print("late line", number)
import sys; sys.stdout.flush()
for number in range(100):
    print("live line", number, flush=True)
    time.sleep(0.1)
"""


def program(name: str, source: str) -> dict[str, Any]:
    """Return a job that runs a program."""
    job = Plan(name).job()
    for pool in job["jobSpec"]["workerPoolSpecs"]:
        pool["containerSpec"] |= {"command": ["python3", "-c", source], "args": []}
    return job


@pytest.fixture(scope="module")
def strange(served: Served) -> str:
    rest = served.rest()
    name = submit(rest, program("strange", STRANGE))
    wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] in FINAL, 60)
    rest.close()
    return name


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def test_whatever_a_program_prints_is_inert(look: Open, served: Served, strange: str) -> None:
    page = look(f"/console/{strange}?tab=logs", probe=True).page
    lines = log(page)
    expect(lines.get_by_text("<script>window.hacked=1</script>", exact=False)).to_be_visible()
    expect(lines.locator("span", has_text=re.compile("^red$"))).to_have_class(re.compile("red"))
    expect(lines.get_by_text("and back")).to_be_visible()
    expect(lines.get_by_text("structured words")).to_be_visible()
    expect(lines.get_by_text("100% done")).to_be_visible()
    expect(lines.get_by_text("50%")).to_have_count(0)
    assert "\u202e" not in lines.inner_text()
    assert len(lines.inner_text()) < 20_000
    assert not page.evaluate("window.hacked")
    warning = lines.locator("[data-severity=WARNING]")
    warning.get_by_role("button", name="1 field").click()
    expect(warning.get_by_text('"step": 7')).to_be_visible()


def test_filters_are_kept_in_the_address(look: Open, served: Served, strange: str) -> None:
    page = look(f"/console/{strange}?tab=logs").page
    page.get_by_label("Severity").first.click()
    page.get_by_role("option", name="WARNING and above").click()
    expect(log(page).get_by_text("structured words")).to_be_visible()
    expect(log(page).get_by_text("to stderr")).to_be_visible()
    expect(log(page).get_by_text("and back")).to_have_count(0)
    page.reload()
    expect(log(page).get_by_text("structured words")).to_be_visible()
    expect(log(page).get_by_text("and back")).to_have_count(0)
    page.get_by_label("Replica").first.click()
    page.get_by_role("option", name="platform").click()
    expect(page.get_by_text("No line of this log fits these filters.")).to_be_visible()


def test_a_log_is_followed_searched_far_back_and_left_where_one_reads(look: Open, served: Served) -> None:
    rest = served.rest()
    name = submit(rest, program("slowly", SLOWLY))
    wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] == "JOB_STATE_RUNNING", 60)
    page = look(f"/console/{name}?tab=logs").page
    lines = log(page)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(lines.get_by_text("live line 20")).to_be_visible(timeout=30_000)
    lines.hover()
    page.mouse.wheel(0, -2000)
    expect(page.get_by_role("button", name="Follow")).to_be_visible()
    before = lines.inner_text()
    time.sleep(1)
    assert lines.inner_text() == before, "what one reads moves away"
    page.get_by_role("button", name="Follow").click()
    expect(page.get_by_role("button", name="Follow")).to_have_count(0)
    page.get_by_placeholder("Search the log").fill("needle in")
    expect(lines.get_by_text("needle in")).to_be_visible(timeout=15_000)
    expect(lines.get_by_text("live line", exact=False)).to_have_count(0)
    page.get_by_placeholder("Search the log").fill("")
    expect(lines.get_by_text("live line", exact=False).first).to_be_visible()
    lines.hover()
    for _ in range(300):
        page.mouse.wheel(0, -100_000)
        page.wait_for_timeout(60)
        if lines.get_by_text("Start of the log").count() and lines.get_by_text("early line 0", exact=True).count():
            break
    page.mouse.wheel(0, -100_000)  # what came last may have kept the place that was in sight
    expect(lines.get_by_text("early line 0", exact=True)).to_be_visible()
    assert lines.locator("[data-index]").count() < 200
    wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] in FINAL, 60)
    rest.close()
    page.get_by_role("button", name=re.compile("Follow|To the end")).click()
    expect(lines.get_by_text("live line 99")).to_be_visible()
    expect(page.get_by_text("Complete", exact=True)).to_be_visible()


def test_why_it_failed_is_read_line_by_line(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['failed']}?tab=logs").page
    failure = log(page).locator("[data-service][data-severity=ERROR]").last
    expect(failure).to_contain_text("ValueError")
    expect(log(page)).not_to_contain_text("\u240a")
    assert failure.locator("bdi").inner_text().count("\n") > 2
