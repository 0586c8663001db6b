"""A served home with something in it, and browsers that look at it. All of this is slow: a real Chromium."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.live.home import Home, wait_until
from tests.live.jobs import FINAL, PIPELINE_FINAL, Plan
from tests.live.rest import STORAGE, Rest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
CONSOLE = "console.cloud.google.com"
TABLE = "species,island,mass\n" + "".join(f"{'Gentoo' if i % 3 else 'Adelie'},Dream,{3000 + i}\n" for i in range(90))
HOSTILE = '<img src=x onerror="window.hacked=1">'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say that a test that takes a page is slow, and skip it where there is no browser."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "served" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            if not Path(CHROMIUM).exists():
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


@dataclass
class Served:
    """A home that is served, with what the tests look at."""

    home: Home
    runs: dict[str, str]
    """Short word -> full name of a run: pipeline, failed, cancelled, hostile."""
    dataset: str
    model: str

    def rest(self) -> Rest:
        """Return a client of the API."""
        return self.home.client()

    @property
    def base(self) -> str:
        """Scheme, host and port of the console."""
        assert self.home.info is not None
        return self.home.info.console.removesuffix("/console/")

    def link(self, to: str = "/console/") -> str:
        """Return a fresh one-time link."""
        rest = self.rest()
        try:
            headers = {"x-trigpoint": "console", "authorization": f"Bearer {rest.token(rest.vertex)}"}
            answer = rest.call("POST", "/console/api/codes", {"to": to}, host=CONSOLE, headers=headers)
            assert answer.ok, answer.text
            return f"{self.base}{answer.body['url']}"
        finally:
            rest.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Iterator[Served]:
    """One home for all tests that only look."""
    home = Home(tmp_path_factory.mktemp("console") / "home", environments)
    home.start()
    try:
        yield furnish(home)
    finally:
        home.clear()


def furnish(home: Home) -> Served:
    """Make a bucket, a dataset, and runs that end in different ways."""
    rest = home.client()
    made: dict[str, Any] = rest.ask(
        "POST", "/storage/v1/b", {"name": "console-data"}, host=STORAGE, query={"project": "demo-project"}
    )
    assert made["name"] == "console-data"
    put(rest, "tables/penguins.csv", TABLE.encode(), "text/csv")
    put(rest, "notes/readme.txt", b"plain \x1b[31mred\x1b[0m text\n" + HOSTILE.encode(), "text/plain")
    put(rest, "notes/page.html", b"<script>window.hacked=1</script>", "text/html")
    put(rest, "notes/facts.json", json.dumps({"a": [1, 2, {"b": HOSTILE}]}).encode(), "application/json")
    dataset = rest.ask("POST", f"/v1/{rest.parent}/datasets", {
        "displayName": "penguins",
        "metadataSchemaUri": "gs://google-cloud-aiplatform/schema/dataset/metadata/tabular_1.0.0.yaml",
        "metadata": {"inputConfig": {"gcsSource": {"uri": ["gs://console-data/tables/penguins.csv"]}}},
    })["response"]["name"]  # fmt: skip
    runs = {
        "pipeline": submit(rest, pipeline(dataset.rsplit("/", 1)[-1])),
        "failed": submit(rest, Plan("fails", then="raise").job()),
        "cancelled": submit(rest, Plan("waits", then="trap", replicas=2).job()),
        "hostile": submit(rest, {**Plan("hostile").job(), "displayName": HOSTILE}),
        "many": submit(rest, Plan("many", replicas=7).job()),
    }
    wait_until(lambda: rest.ask("GET", f"/v1/{runs['cancelled']}")["state"] == "JOB_STATE_RUNNING", 60)
    rest.ask("POST", f"/v1/{runs['cancelled']}:cancel", {})
    for name in runs.values():
        wait_until(lambda name=name: rest.ask("GET", f"/v1/{name}")["state"] in FINAL | PIPELINE_FINAL, 90)  # type: ignore[misc]
    model = rest.ask("GET", f"/v1/{runs['pipeline']}")["modelToUpload"]["name"]
    rest.close()
    return Served(home, runs, dataset, model)


def submit(rest: Rest, body: dict[str, Any]) -> str:
    """Create a job or a pipeline; return its name."""
    kind = "trainingPipelines" if "trainingTaskInputs" in body else "customJobs"
    name: str = rest.ask("POST", f"/v1/{rest.parent}/{kind}", body)["name"]
    return name


def pipeline(dataset: str) -> dict[str, Any]:
    """Return a pipeline with a dataset and a model, whose program reads the splits and writes a model."""
    program = (
        "import os, glob, shutil\n"
        "path = lambda uri: uri.replace('gs://', '/gcs/', 1)\n"
        "rows = 0\n"
        "for file in glob.glob(path(os.environ['AIP_TRAINING_DATA_URI'])):\n"
        "    rows += len(open(file).readlines()) - 1\n"
        "os.makedirs(path(os.environ['AIP_MODEL_DIR']), exist_ok=True)\n"
        "open(path(os.environ['AIP_MODEL_DIR']) + '/model.joblib', 'w').write('x' * 5000)\n"
        "print('rows', rows)\n"
    )
    plan = Plan("console-pipeline").pipeline()
    for pool in plan["trainingTaskInputs"]["workerPoolSpecs"]:
        pool["containerSpec"] |= {"command": ["python3", "-c", program], "args": []}
    output = "gs://console-data/out"
    plan["trainingTaskInputs"]["baseOutputDirectory"] = {"outputUriPrefix": output}
    return {
        **plan,
        "inputDataConfig": {
            "datasetId": dataset,
            "fractionSplit": {"trainingFraction": 0.8, "validationFraction": 0.1, "testFraction": 0.1},
            "gcsDestination": {"outputUriPrefix": output},
        },
        "modelToUpload": {
            "displayName": "console-model",
            "containerSpec": {"imageUri": "us-docker.pkg.dev/vertex-ai/prediction/sklearn-cpu.1-6:latest"},
        },
    }


def put(rest: Rest, name: str, data: bytes, kind: str) -> None:
    """Write an object."""
    answer = rest.call(
        "POST",
        "/upload/storage/v1/b/console-data/o",
        data,
        host=STORAGE,
        query={"uploadType": "media", "name": name},
        headers={"content-type": kind},
    )
    assert answer.ok, answer.text


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


class Watched:
    """A page, and everything that it complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.problems.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:")):
            self.foreign.append(request.url)


Open = Callable[..., Watched]


@pytest.fixture
def look(browser: Browser, served: Served) -> Iterator[Open]:
    """Open a signed-in page: `look(path, language="zh", dark=True, width=390)`; it must end without a complaint.

    `probe=True` lets the test run code of its own in the page, which the page's content security policy forbids.
    """
    opened: list[tuple[BrowserContext, Watched]] = []

    def make(
        path: str = "/console/", *, language: str = "en", dark: bool = False, width: int = 1280, probe: bool = False
    ) -> Watched:
        context = browser.new_context(
            bypass_csp=probe,
            viewport={"width": width, "height": 860},
            locale="zh-CN" if language == "zh" else "en-GB",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        watched = Watched(context.new_page())
        opened.append((context, watched))
        watched.page.goto(served.link(path))
        settle(watched.page)
        return watched

    yield make
    for context, watched in opened:
        context.close()
        assert not watched.problems, watched.problems
        assert not watched.foreign, "third parties were asked"


def settle(page: Page) -> None:
    """Wait until a page shows what it is about."""
    page.locator("main h1").first.wait_for()
    expect(page.locator("main [aria-busy=true]")).to_have_count(0, timeout=15_000)


def marked(page: Page) -> tuple[list[str], list[str]]:
    """Return the texts of a page and of its titles, but for code, and those that are marked as English."""
    found = page.evaluate(
        """() => {
          const own = [], foreign = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const at = walk.currentNode.parentElement;
            if (!at || at.closest('code, pre, kbd, script, style, noscript')) continue;
            if (at.closest('[lang=en]')) foreign.push(walk.currentNode.data);
            else if (!at.closest('[data-data]')) own.push(walk.currentNode.data);
          }
          for (const one of document.querySelectorAll('[title]:not([data-data], code)')) own.push(one.title);
          return [own, foreign];
        }"""
    )
    return found[0], found[1]
