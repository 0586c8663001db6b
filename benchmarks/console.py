"""The console in a real browser: what one waits for and what it costs (P19, and the picture's own targets).

    python -m benchmarks.console [--rounds 7] [--replicas 50] [--seconds 15]

Paint: from the request to the first contentful paint of a list of 100 runs, with an empty cache, beside a page of the
same list without any script served by the standard library. Screen: from what a replica does (the agents' protocol,
simulated programs) to the drawn picture that shows it. Long lists: the longest task of the main thread while one
scrolls 10,000 runs and pans a graph of 1,000 nodes; a task over 50 ms is one that one feels.
"""

import argparse
import contextlib
import functools
import http.server
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright
from tests.live.browser import Browser as Client
from tests.live.environments import build
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, Plan
from tests.live.rest import STORAGE
from tests.live.simulated import QUIET, Gang, Simulated, Stopped, pace
from tests.web.test_trouble import lineage, many

from benchmarks import show

BUCKET = "benchmark-console"
BEFORE = "window.__long = []; new PerformanceObserver(l => l.getEntries().forEach(e => __long.push(e.duration)))"
BEFORE += """.observe({type: 'longtask', buffered: true});
const look = () => document.querySelector('[role=row] a') ? window.__list = performance.now() : again(look);
const again = (then) => { if (location.pathname.endsWith('training')) requestAnimationFrame(then); };
again(look);"""
LABELS = """() => {
  window.__seen = [];
  let most = 0;
  const look = () => {
    const found = [...document.querySelectorAll('span[data-kind=logs]')]
      .map((one) => Number((one.textContent.match(/([\\d,]+) line/) ?? ['', '0'])[1].replaceAll(',', '')));
    const now = Math.max(0, ...found);
    if (now > most) { most = now; window.__seen.push([performance.timeOrigin + performance.now(), most]); }
  };
  new MutationObserver(() => requestAnimationFrame(look)).observe(document.body, {subtree: true, childList: true,
    characterData: true});
}"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--replicas", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="console-") as folder, sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        home = Home(Path(folder) / "home", build(Path(folder) / "environments"), runtime="process")
        home.start(*QUIET)
        try:
            paint(browser, home, options.rounds, Path(folder))
            screen(browser, home, options.replicas, options.seconds)
            long_lists(browser, home)
        finally:
            browser.close()
            home.clear()


def paint(browser: Browser, home: Home, rounds: int, folder: Path) -> None:
    """Measure the first paint of a list of runs, and of a page that has it written in."""
    rows = "".join(f"<tr><td>run {number}</td><td>Succeeded</td></tr>" for number in range(100))
    (folder / "plain.html").write_text(f"<!doctype html><title>plain</title><table>{rows}</table>")
    times: dict[str, list[float]] = {"plain": [], "console": [], "list": []}
    weight = 0.0
    with serving(folder) as address:
        for _ in range(rounds):
            with opened(browser, home) as page:
                page.goto("about:blank")
                page.goto(f"{address}/plain.html")
                times["plain"].append(first_paint(page))
            with opened(browser, home) as page:
                page.route("**/console/api/runs?*", many)
                session = page.context.new_cdp_session(page)
                session.send("Network.enable")
                session.send("Network.clearBrowserCache")
                weights: list[float] = []
                session.on("Network.loadingFinished", lambda event, to=weights: to.append(event["encodedDataLength"]))
                page.goto(f"{base(home)}/console/projects/demo-project/training")
                page.get_by_role("link", name="run 5", exact=True).wait_for()
                times["console"].append(first_paint(page))
                times["list"].append(float(page.evaluate("window.__list")))
                weight = sum(weights) / 1000
    show.heading("First contentful paint of a list of 100 runs, empty cache (P19)")
    show.row("page without script (floor)", times["plain"], times["plain"], "")
    show.row("console", times["console"], times["plain"], "<= 300 ms; never above 1 s")
    show.row("console, the list itself", times["list"], times["plain"], "")
    show.row("sent to the browser", [weight], [], "<= 300 kB", unit="kB")


def screen(browser: Browser, home: Home, replicas: int, seconds: float) -> None:
    """Measure from a line that a replica prints to the picture that counts it."""
    said: list[float] = []

    def program(replica: Simulated) -> None:
        replica.token()
        for number, _ in enumerate(pace(seconds, 0.5)):
            if not replica.task.startswith("workerpool0"):  # the label of the other pool is the one that is looked at
                said.append(time.time() * 1000)
            replica.say(f"line {number}")
            if number % 4 == 0:
                replica.beat()
            if replica.stopping.is_set():
                raise Stopped

    rest = home.client()
    rest.call("POST", "/storage/v1/b", {"name": BUCKET}, host=STORAGE, query={"project": "demo-project"})
    gang = Gang(home.path, program)
    try:
        job = Plan("fifty", replicas=replicas).job()
        name = rest.ask("POST", f"/v1/{rest.parent}/customJobs", job)["name"]
        with opened(browser, home) as page:
            page.goto(f"{base(home)}/console/{name}")
            page.locator(".react-flow__node").first.wait_for()
            page.evaluate(LABELS)
            wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] in FINAL, 60 + seconds, 0.2)
            page.wait_for_timeout(1000)
            seen = page.evaluate("window.__seen")
            longest = longest_task(page)
    finally:
        gang.close()
        rest.close()
    delays = delays_of(sorted(said), seen)
    show.heading(f"From a printed line to the drawn picture, {replicas} replicas, {2 * replicas} lines a second")
    show.row("median", delays, [], "")
    show.row("95th percentile", [show.quantile(delays, 0.95)], [300.0], "<= 300 ms")
    show.row("longest task of the page meanwhile", [longest], [50.0], "<= 50 ms")


def delays_of(said: Sequence[float], seen: Sequence[Sequence[float]]) -> list[float]:
    """Return for each line how long it took until as many were shown; lines before the first look are left out."""
    found: list[float] = []
    first = int(seen[0][1]) if seen else 0
    marks = iter(seen)
    mark = next(marks, None)
    for number, at in enumerate(said, 1):
        while mark is not None and mark[1] < number:
            mark = next(marks, None)
        if mark is None:
            break
        if number > first:
            found.append(mark[0] - at)
    if not found:
        raise SystemExit("the page showed no line")
    return found


def long_lists(browser: Browser, home: Home) -> None:
    """Measure the main thread while one scrolls and pans what is large."""
    with opened(browser, home) as page:
        page.route("**/console/api/runs?*", many)
        page.goto(f"{base(home)}/console/projects/demo-project/training")
        page.get_by_role("link", name="run 5", exact=True).wait_for()
        page.mouse.move(640, 500)
        while not re.search(r"run 9[89]\d\d", page.get_by_role("table").inner_text()):
            page.mouse.wheel(0, 100_000)
            page.wait_for_timeout(50)
        page.evaluate("window.__long.length = 0")
        for _ in range(60):
            page.mouse.wheel(0, -1500)
            page.wait_for_timeout(30)
        rows = longest_task(page)
    with opened(browser, home) as page:
        page.route(re.compile(":queryArtifactLineageSubgraph"), graph)
        focus = "projects/1/locations/us-central1/metadataStores/default/artifacts/a0"
        page.goto(f"{base(home)}/console/projects/demo-project/lineage?focus={focus}")
        page.get_by_text("1,001 nodes").wait_for()
        page.locator(".react-flow__node").first.wait_for(timeout=60_000)
        page.wait_for_timeout(1000)
        page.evaluate("window.__long.length = 0")
        move_about(page)
        for _ in range(14):  # further and further away, to where nodes are shapes
            page.mouse.wheel(0, 120)
            page.wait_for_timeout(60)
        move_about(page)
        page.get_by_role("button", name="Show all").click()
        for _ in range(14):  # and back
            page.mouse.wheel(0, -120)
            page.wait_for_timeout(60)
        page.wait_for_timeout(1000)
        nodes = longest_task(page)
    show.heading("Longest task of the main thread (50 ms is what one feels)")
    show.row("scrolling 10,000 runs", [rows], [50.0], "<= 50 ms")
    show.row("zooming and panning 1,000 nodes", [nodes], [50.0], "<= 50 ms")


def move_about(page: Page) -> None:
    """Zoom and drag to and fro."""
    page.mouse.move(500, 500)
    for step in range(40):
        page.mouse.wheel(0, 120 if step % 2 else -120)
        page.mouse.down()
        way = 1 if step % 4 < 2 else -1
        page.mouse.move(500 + 20 * way * (step % 10), 500 - 15 * way * (step % 7), steps=4)
        page.mouse.up()
        page.mouse.move(500, 500)


def graph(route: Route) -> None:
    """Answer with a large subgraph."""
    route.fulfill(json=lineage(1000))


def longest_task(page: Page) -> float:
    """Return milliseconds; below 50 none is told of, and 0 is returned."""
    return float(page.evaluate("Math.max(0, ...window.__long)"))


def first_paint(page: Page) -> float:
    """Return milliseconds from the request to the first contentful paint."""
    entry = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    page.wait_for_function(entry)
    return float(page.evaluate(entry))


def base(home: Home) -> str:
    """Return scheme, host and port of the console."""
    assert home.info is not None
    return home.info.console.removesuffix("/console/")


@contextlib.contextmanager
def opened(browser: Browser, home: Home) -> Iterator[Page]:
    """Open a browser window that is signed in."""
    assert home.info is not None
    rest = home.client()
    client = Client(home.info)
    made: Any = client.api("POST", "codes", {}, authorization=f"Bearer {rest.token(rest.vertex)}").json
    rest.close()
    context = browser.new_context(viewport={"width": 1360, "height": 860}, bypass_csp=True, locale="en-GB")
    context.add_init_script(BEFORE)
    page = context.new_page()
    page.goto(f"{base(home)}{made['url']}")
    page.locator("main h1").wait_for()
    try:
        yield page
    finally:
        context.close()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder from a thread."""
    handler = functools.partial(Quiet, directory=os.fspath(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of requests."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    main()
