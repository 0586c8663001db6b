"""Every page in both languages and both looks: it opens, complains of nothing, and axe finds nothing serious."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.web.conftest import HOSTILE, Open, Served, marked, settle

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
SHOTS = os.environ.get("CONSOLE_SHOTS", "")
"""A folder that gets a picture of each page, for whoever wants to look."""

PAGES = {
    "home": "/console/projects/demo-project",
    "training": "/console/projects/demo-project/training",
    "training-none": "/console/projects/demo-project/training?q=nothing-is-called-so",
    "new-job": "/console/projects/demo-project/training/new",
    "run-picture": "/console/{pipeline}",
    "run-text": "/console/{pipeline}?as=text",
    "run-many": "/console/{many}",
    "run-overview": "/console/{pipeline}?tab=overview",
    "run-failed": "/console/{failed}?tab=overview",
    "run-cancelled": "/console/{cancelled}?tab=overview",
    "run-hostile": "/console/{hostile}?tab=overview",
    "run-broken": "/console/{failed}",
    "run-replica": "/console/{failed}?open=attempt/1/replica/workerpool0-0&explain=1",
    "run-resource": "/console/{pipeline}?open=pipeline&as=text&explain=1",
    "run-logs": "/console/{pipeline}?tab=logs",
    "run-usage": "/console/{pipeline}?tab=usage",
    "run-spec": "/console/{pipeline}?tab=spec",
    "datasets": "/console/projects/demo-project/datasets",
    "dataset": "/console/{dataset}",
    "models": "/console/projects/demo-project/models",
    "model": "/console/{model}",
    "lineage": "/console/projects/demo-project/lineage",
    "storage": "/console/projects/demo-project/data",
    "folder": "/console/data/console-data/",
    "object-csv": "/console/data/console-data/tables/penguins.csv",
    "object-text": "/console/data/console-data/notes/readme.txt",
    "object-html": "/console/data/console-data/notes/page.html",
    "object-json": "/console/data/console-data/notes/facts.json",
    "object-none": "/console/data/console-data/no/such/thing.txt",
    "access": "/console/access",
    "nowhere": "/console/no/such/page",
    "google-link": "/console/go?to=/vertex-ai/locations/us-central1/pipelines/runs/1",
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("language", "dark", "width"), [("en", False, 1280), ("zh", True, 1280), ("en", True, 390)])
def test_a_page_opens_and_is_accessible(
    look: Open, served: Served, name: str, language: str, dark: bool, width: int
) -> None:
    path = PAGES[name].format(**served.runs, dataset=served.dataset, model=served.model)
    watched = look(path, language=language, dark=dark, width=width, probe=True)
    page = watched.page
    page.wait_for_timeout(600)
    settle(page)
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}-{language}-{width}.png")
    assert not page.evaluate("window.hacked"), "something that a user wrote was run"
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
    bad = [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary'][:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert not bad, "\n".join(bad)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 1, f"the page is {wide} px wider than the screen"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nothing_that_its_policy_forbids(look: Open, served: Served, name: str) -> None:
    page = look(PAGES[name].format(**served.runs, dataset=served.dataset, model=served.model)).page
    page.wait_for_timeout(300)
    settle(page)


LATIN = re.compile(r"[A-Za-z]{3,}")
NAMES = re.compile(
    r"https?://\S+|gs://\S*|projects/\S+|[\w.-]+@[\w.-]+|/[\w./*:-]+|`[^`]*`"
    r"|\b(?:[A-Z][A-Z0-9_]{2,}|[a-z]+(?:[A-Z][a-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+|[\w]+[_.=:-][\w.=:*-]+)\b"
)
SAME_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        Trigpoint Ctrl demo Python gcloud REST JSON CSV Parquet URI Google Vertex Cloud Logging Model Registry
        Metadata kernel penguins console fails waits many hostile slowly strange readme facts page text plain
        vCPU CPU GiB MiB KiB SVG English SDK SSH script from_local_script trig make pip uv
        tables notes out Adelie Gentoo Dream species island mass python bash
        main trainer task test training validation workerpool model checkpoints
        """,
    )
)
"""Names of things, and words of data, that are the same in every language."""
NAMED = ("same", "two-versions", "quoted", "writes-alone", "alone", "the first", "the second", "candidate", "img")
"""What other tests of the same server call their things."""
DATA = (HOSTILE, "ValueError: no rows for fails", "such", "default", "python3 -c", *NAMED)
"""What users and programs wrote, or the beginning of it."""


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("run-logs", "run-spec", "object-text")])
def test_nothing_is_left_in_english(look: Open, served: Served, name: str) -> None:
    path = PAGES[name].format(**served.runs, dataset=served.dataset, model=served.model)
    page = look(path, language="zh", probe=True).page
    page.wait_for_timeout(400)
    texts = page.evaluate(
        """() => {
          const found = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const at = walk.currentNode.parentElement;
            if (at && !at.closest('code, pre, kbd, script, style, noscript, dd, td, svg')
                && !at.closest('[lang=en], [data-data], [aria-hidden=true]'))
              found.push(walk.currentNode.data);
          }
          for (const one of document.querySelectorAll('[aria-label], [placeholder]'))
            if (!one.closest('[data-data], [aria-hidden=true]'))
              found.push(one.getAttribute('aria-label') ?? '', one.getAttribute('placeholder') ?? '');
          return found;
        }"""
    )
    left = [
        text
        for text in texts
        if not text.strip().startswith(DATA)
        and any(word not in SAME_WORDS for word in LATIN.findall(NAMES.sub(" ", text)))
        and not re.search(r"[\u4e00-\u9fff]", text)
    ]
    assert not left, left[:20]
    foreign = [text for text in marked(page)[1] if not text.strip().startswith((*DATA, "uv ", "3."))]
    assert not foreign, f"sentences without Chinese: {foreign[:20]}"
