"""Pages while things go wrong around them, and with far more in them than fits on a screen."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect
from tests.live.home import wait_until
from tests.live.jobs import FINAL, Plan
from tests.web.conftest import CHROMIUM, FLAGS, Open, Served, settle

TRAINING = "/console/projects/demo-project/training"
ROWS = 10_000


def test_a_lost_server_is_said_and_the_page_goes_on_by_itself(look: Open, served: Served) -> None:
    watched = look(TRAINING)
    page = watched.page
    page.context.set_offline(True)
    page.get_by_placeholder("Search by name or id").fill("fails")
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    expect(page.get_by_role("link", name="console-pipeline")).to_be_visible()  # what was known stays in sight
    page.context.set_offline(False)
    expect(page.get_by_text("The server does not answer.")).to_have_count(0, timeout=15_000)
    expect(page.get_by_role("link", name="fails", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="console-pipeline")).to_have_count(0)
    watched.problems = [one for one in watched.problems if "ERR_INTERNET_DISCONNECTED" not in one]


def test_an_expired_session_says_how_to_get_in_again_and_returns_to_the_page(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['failed']}?tab=overview").page
    address = page.url
    page.context.clear_cookies()
    page.get_by_role("tab", name="Usage").click()
    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_text("trig console", exact=True)).to_be_visible()
    expect(page.get_by_text("ValueError")).to_have_count(0)
    page.goto(served.link(address.removeprefix(served.base)))
    settle(page)
    expect(page.get_by_role("heading", name="fails")).to_be_visible()


def test_a_used_link_lets_nobody_in(look: Open, served: Served) -> None:
    page = look().page
    link = served.link(TRAINING)
    page.goto(link)
    settle(page)
    page.context.clear_cookies()
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_text("This link has been used, or is too old.")).to_be_visible()


def test_a_server_error_is_said_in_its_words_and_can_be_tried_again(look: Open, served: Served) -> None:
    watched = look()
    page = watched.page
    broken = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "The disk is full.\u202e<b>"}}
    page.route("**/console/api/runs?*", lambda route: route.fulfill(status=503, json=broken), times=20)
    page.goto(f"{served.base}{TRAINING}")
    expect(page.get_by_text("The disk is full.", exact=False)).to_be_visible(timeout=15_000)
    page.unroute("**/console/api/runs?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="console-pipeline")).to_be_visible()
    watched.problems = [one for one in watched.problems if "status of 503" not in one]


def test_ten_thousand_runs_are_a_few_rows(look: Open, served: Served) -> None:
    page = look().page
    page.route("**/console/api/runs?*", many)
    page.goto(f"{served.base}{TRAINING}")
    table = page.get_by_role("table", name="Training")
    expect(table.get_by_role("row").nth(5)).to_be_visible()
    for _ in range(6):
        page.mouse.wheel(0, 60_000)
        page.wait_for_timeout(150)
    assert table.get_by_role("row").count() < 100
    assert "10,000" in table.inner_text()
    page.get_by_placeholder("Search by name or id").fill("9999")  # the page still answers
    expect(page).to_have_url(re.compile("q=9999"))


def many(route: Route) -> None:
    """Answer with the page of 10,000 runs that is asked for."""
    asked = route.request.url.partition("after=")[2].partition("&")[0]
    start = int(asked or 0)
    size = 100
    runs = [run(number) for number in range(start, min(start + size, ROWS))]
    more = str(start + size) if start + size < ROWS else ""
    route.fulfill(json={"runs": runs, "next": more, "total": ROWS if not start else -1})


def run(number: int) -> dict[str, Any]:
    """Return a run of a list."""
    return {
        "name": f"projects/1/locations/us-central1/customJobs/{number}",
        "title": f"run {number}",
        "state": "JOB_STATE_SUCCEEDED",
        "created": 1_790_000_000_000_000 + number,
        "started": 1_790_000_000_000_000 + number,
        "ended": 1_790_000_001_000_000 + number,
        "job": f"projects/1/locations/us-central1/customJobs/{number}",
        "reason": "",
        "cause": "",
        "replicas": 1,
        "machine": "n1-standard-4",
        "code": "trainer.task",
        "labels": {"team": "vision"},
    }


def test_pages_that_were_left_hold_no_connection(browser: Browser, served: Served) -> None:
    """Browsers keep pages for the way back, and allow a server six connections; Playwright turns the former off."""
    kind = browser.browser_type
    own = kind.launch(executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--disable-back-forward-cache"])
    try:
        page = own.new_page()
        page.goto(served.link("/console/"))
        for part in ("training", "models", "datasets", "lineage", "data") * 3:
            page.goto(f"{served.base}/console/projects/demo-project/{part}", timeout=10_000)
            expect(page.locator("main h1")).to_be_visible(timeout=5_000)
            settle(page)
        page.go_back(wait_until="commit")
        expect(page.get_by_role("heading", name="Lineage", exact=True)).to_be_visible()
        expect(page.get_by_text("The server does not answer.")).to_have_count(0)
    finally:
        own.close()


def test_a_lineage_of_a_thousand_nodes_is_drawn(look: Open, served: Served) -> None:
    page = look().page
    page.route("**:queryArtifactLineageSubgraph*", lambda route: route.fulfill(json=lineage(1000)))
    focus = "projects/1/locations/us-central1/metadataStores/default/artifacts/a0"
    page.goto(f"{served.base}/console/projects/demo-project/lineage?focus={focus}")
    expect(page.get_by_text("1,001 nodes", exact=False)).to_be_visible(timeout=30_000)
    shown(page)
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_role("heading", name="table")).to_be_visible()
    details.get_by_role("button", name="run 7", exact=True).click()
    expect(page.locator(".react-flow__node").filter(has_text="run 7")).to_be_in_viewport(ratio=1, timeout=10_000)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(".react-flow__node")).to_have_count(0)
    page.wait_for_timeout(500)
    page.mouse.click(*page.evaluate(SHAPE))
    expect(details.get_by_role("heading")).not_to_have_text("run 7")
    expect(details.get_by_role("heading")).to_contain_text("run ")


def test_a_large_lineage_begins_at_its_job_and_follows_what_is_opened(look: Open, served: Served) -> None:
    page = lineage_of_a_job(look, served, written(300))
    node = page.locator(".react-flow__node")
    expect(node.filter(has_text="writer")).to_be_in_viewport(ratio=1, timeout=30_000)
    node.filter(has_text="writer").click()
    details = page.get_by_role("complementary", name="Details")
    details.get_by_role("button", name="workerpool0-0").click()
    expect(node.filter(has_text="workerpool0-0")).to_be_in_viewport(ratio=1, timeout=10_000)
    page.get_by_role("button", name="Show all").click()
    expect(node).to_have_count(0)
    details.get_by_role("button", name="file 3", exact=True).click()
    expect(node.filter(has_text="file 3").first).to_be_in_viewport(ratio=1, timeout=10_000)
    details.get_by_role("button", name="Details").click()
    page.wait_for_timeout(600)
    expect(node.filter(has_text="file 3").first).to_be_in_viewport(ratio=1)


def test_a_lineage_too_tall_to_be_read_begins_at_its_job_too(look: Open, served: Served) -> None:
    page = lineage_of_a_job(look, served, written(120))
    node = page.locator(".react-flow__node")
    expect(node.filter(has_text="writer")).to_be_in_viewport(ratio=1, timeout=30_000)
    box = node.filter(has_text="writer").bounding_box()
    assert box is not None
    assert box["width"] > 150, "too small to read"
    page.get_by_role("button", name="Show all").click()
    expect(node.filter(has_text="file 119")).to_be_in_viewport(ratio=0.99)


def test_many_files_of_one_folder_are_one_node_until_each_is_asked_for(look: Open, served: Served) -> None:
    found = written(120)
    for number, artifact in enumerate(found["artifacts"]):
        artifact["uri"] = f"gs://console-data/many/part-{number}.txt"
    page = lineage_of_a_job(look, served, found)
    expect(page.get_by_text("3 nodes", exact=False)).to_be_visible(timeout=15_000)
    folder = page.locator(".react-flow__node").filter(has_text="120 objects")
    expect(folder).to_contain_text("many/")
    folder.click()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_text("… 108")).to_be_visible()
    expect(details.get_by_role("link", name="Open its page")).to_have_attribute("href", re.compile("console-data"))
    details.get_by_role("button", name="Show each of them").click()
    expect(page.get_by_text("122 nodes", exact=False)).to_be_visible()
    expect(details.get_by_role("heading", name="file 0", exact=True)).to_be_visible()
    expect(page.locator(".react-flow__node").filter(has_text="file 0")).to_be_in_viewport()


def test_what_shows_more_of_a_lineage_leaves_the_keyboard_where_it_is(look: Open, served: Served) -> None:
    page = look().page
    page.route("**:queryContextLineageSubgraph*", lambda route: route.fulfill(json=written(3)))
    page.route("**:queryArtifactLineageSubgraph*", lambda route: route.fulfill(json=lineage(2)))
    focus = "projects/1/locations/us-central1/metadataStores/default/contexts/job-7"
    page.goto(f"{served.base}/console/projects/demo-project/lineage?focus={focus}")
    node = page.locator(".react-flow__node")
    more = node.filter(has_text="file 1").get_by_role("button", name="Show what is next to it")
    more.focus()
    page.keyboard.press("Enter")
    expect(node.filter(has_text="run 1")).to_be_visible()
    expect(more).to_have_count(0)
    assert page.evaluate("document.activeElement.innerText").endswith("file 1")


def lineage_of_a_job(look: Open, served: Served, found: dict[str, Any]) -> Page:
    """Open the lineage of a job that the server answers with `found`."""
    page = look().page
    page.route("**:queryContextLineageSubgraph*", lambda route: route.fulfill(json=found))
    focus = "projects/1/locations/us-central1/metadataStores/default/contexts/job-7"
    page.goto(f"{served.base}/console/projects/demo-project/lineage?focus={focus}")
    return page


def written(files: int) -> dict[str, Any]:
    """Return the subgraph of a job without a pipeline whose replica wrote many files."""
    store, job = "projects/1/locations/us-central1/metadataStores/default", "projects/1/locations/l/customJobs/7"
    made = {"createTime": "2026-01-01T00:00:00Z", "state": "COMPLETE", "metadata": {"customJob": job}}
    kinds = {"job-7": ("writer", "system.CustomJobExecution"), "r": ("workerpool0-0", "system.ContainerExecution")}
    return {
        "executions": [
            {"name": f"{store}/executions/{ident}", "displayName": title, "schemaTitle": schema, **made}
            for ident, (title, schema) in kinds.items()
        ],
        "artifacts": [
            {"name": f"{store}/artifacts/a{number}", "displayName": f"file {number}", "metadata": {"role": "object"}}
            for number in range(files)
        ],
        "events": [
            {"artifact": f"{store}/artifacts/a{number}", "execution": f"{store}/executions/r", "type": "OUTPUT"}
            for number in range(files)
        ],
    }


SHAPE = """() => {
  const path = document.querySelector('path[data-kind=execution]');
  const places = [...path.getAttribute('d').matchAll(/M([-\\d.]+),([-\\d.]+)/g)]
    .map(([, x, y]) => new DOMPoint(Number(x) + 50, Number(y) + 26).matrixTransform(path.getScreenCTM()));
  const {x, y} = places.find((one) => one.y > 300 && one.y < 600);
  return [x, y];
}"""
"""Where one of the shapes that nodes have from afar lies in the window."""


def shown(page: Page) -> None:
    """Expect nodes in sight, and few of those that are not."""
    nodes = page.locator(".react-flow__node")
    expect(nodes.first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1500)
    assert nodes.count() <= 100


def lineage(executions: int) -> dict[str, Any]:
    """Return a subgraph of one artifact that many executions read."""
    store = "projects/1/locations/us-central1/metadataStores/default"
    artifact = {
        "name": f"{store}/artifacts/a0",
        "displayName": "table",
        "schemaTitle": "google.VertexDataset",
        "createTime": "2026-01-01T00:00:00Z",
        "metadata": {},
    }
    runs = [
        {
            "name": f"{store}/executions/e{number}",
            "displayName": f"run {number}",
            "schemaTitle": "system.CustomJobExecution",
            "createTime": "2026-01-01T00:00:00Z",
            "state": "COMPLETE",
            "metadata": {},
        }
        for number in range(executions)
    ]
    events = [{"artifact": artifact["name"], "execution": one["name"], "type": "INPUT"} for one in runs]
    found: dict[str, Any] = json.loads(json.dumps({"artifacts": [artifact], "executions": runs, "events": events}))
    return found


def test_a_project_that_is_not_there_is_nobody_elses(look: Open) -> None:
    page = look("/console/projects/no-such-project/training").page
    expect(page.get_by_role("heading", name="There is no such page").first).to_be_visible()


def test_a_form_leads_to_what_it_lacks(look: Open) -> None:
    page = look("/console/projects/demo-project/training/new").page
    page.get_by_role("button", name="Run the job").click()
    expect(page.get_by_label("Name")).to_be_focused()


def test_the_page_of_a_run_that_is_deleted_says_so(look: Open, served: Served) -> None:
    rest = served.rest()
    job = rest.ask("POST", f"/v1/{rest.parent}/customJobs", Plan("short-lived").job())["name"]
    wait_until(lambda: rest.ask("GET", f"/v1/{job}")["state"] in FINAL, 60)
    watched = look(f"/console/{job}?tab=overview")
    page = watched.page
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    rest.ask("DELETE", f"/v1/{job}")
    rest.close()
    expect(page.get_by_text("that you may see", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Delete")).to_be_hidden()
    watched.problems = [one for one in watched.problems if "status of 403" not in one]
