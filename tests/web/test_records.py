"""What is kept beside runs, in the page: models and their versions, lineage, links, names instead of ids."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from tests.live.home import wait_until
from tests.live.jobs import FINAL, Plan
from tests.web.conftest import Open, Served, put, settle, submit

PROJECT = "/console/projects/demo-project"


def second_version(served: Served) -> str:
    """Give a model of its own a second version; return the model's name."""
    rest = served.rest()
    model = {"displayName": "two-versions", "containerSpec": {"imageUri": "img"}, "versionDescription": "the first one"}
    made = rest.ask("POST", f"/v1/{rest.parent}/models:upload", {"model": model})["response"]["model"]
    model["versionDescription"] = "the second one"
    model["versionAliases"] = ["candidate"]
    rest.ask("POST", f"/v1/{rest.parent}/models:upload", {"model": model, "parentModel": made})
    rest.close()
    return str(made)


def test_versions_are_counted_described_and_lose_aliases_in_words(look: Open, served: Served) -> None:
    model = second_version(served)
    page = look(f"{PROJECT}/models").page
    row = page.get_by_role("row", name="two-versions")
    expect(row).to_contain_text("2 newest 2")
    page.goto(f"{served.base}/console/{model}?version=1")
    settle(page)
    expect(page.get_by_text("the first one")).to_be_visible()
    page.get_by_label("Add an alias").fill("candidate")
    expect(page.get_by_text("candidate is an alias of version 2: it is taken from there", exact=False)).to_be_visible()
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_role("button", name="Remove the alias candidate")).to_be_visible()


def test_lineage_begins_at_runs_has_directions_and_offers_only_what_there_is(look: Open, served: Served) -> None:
    page = look(f"{PROJECT}/lineage").page
    page.get_by_role("listitem").filter(has_text="console-pipeline").get_by_role("link").first.click()
    expect(page.locator(".react-flow__node").first).to_be_visible()
    expect(page.get_by_text("read by", exact=True)).to_be_visible()
    page.locator(".react-flow__node").filter(has_text="workerpool0-0").first.click()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_text("Read", exact=True)).to_be_visible()
    expect(page.locator("svg text").first).to_be_attached()
    page.wait_for_timeout(1500)
    before = page.locator(".react-flow__node").count()
    more = page.get_by_role("button", name="Show what is next to it")
    if more.count():
        more.first.click(force=True)
        expect(page.locator(".react-flow__node")).not_to_have_count(before)


def test_the_section_of_what_is_shown_is_marked(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['cancelled']}?tab=overview").page
    sections = page.get_by_role("navigation", name="Sections")
    expect(sections.locator("[aria-current]")).to_have_text("Training")
    page.goto(f"{served.base}/console/data/console-data/")
    expect(sections.locator("[aria-current]")).to_have_text("Storage")
    page.get_by_role("main").get_by_role("link", name="Storage").click()
    expect(page).to_have_url(re.compile(r"/projects/demo-project/data$"))
    expect(sections.locator("[aria-current=page]")).to_have_text("Storage")


def test_lineage_begins_at_custom_jobs_too(look: Open, served: Served) -> None:
    rest = served.rest()
    job = Plan("writes-alone").job()
    program = "open('/gcs/console-data/alone.txt', 'w').write('x')"
    job["jobSpec"]["workerPoolSpecs"][0]["containerSpec"] |= {"command": ["python3", "-c", program], "args": []}
    name = submit(rest, job)
    wait_until(lambda: rest.ask("GET", f"/v1/{name}")["state"] in FINAL, 60)
    rest.close()
    page = look(f"{PROJECT}/lineage").page
    entry = page.get_by_role("listitem").filter(has_text="writes-alone")
    expect(entry).to_contain_text("custom job")
    entry.get_by_role("link").click()
    expect(page.locator(".react-flow__node").filter(has_text="alone.txt")).to_be_visible()
    expect(page.locator(".react-flow__node").filter(has_text="workerpool0-0")).to_be_visible()
    page.locator(".react-flow__node").filter(has_text="writes-alone").click()
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_text("Ran as", exact=True)).to_be_visible()
    expect(details.get_by_role("button", name="workerpool0-0")).to_be_visible()


def test_a_shared_run_lists_its_links_and_takes_them_back(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['failed']}?tab=overview").page
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("whether or not the run is over by then", exact=False)).to_be_visible()
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.get_by_text("It works until", exact=False)).to_be_visible()
    expect(dialog.get_by_role("heading", name="Open links to this run")).to_be_visible()
    dialog.get_by_role("button", name="Take back").click()
    expect(dialog.get_by_role("heading", name="Open links to this run")).to_have_count(0)


def test_dialogs_break_no_rule_of_the_page(look: Open, served: Served) -> None:
    """What a page complains of is looked at when the test is over."""
    page = look(f"/console/{served.runs['cancelled']}?tab=overview").page
    for name in ("Share", "Delete"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()


def palette(page: Page, text: str) -> None:
    """Put a text into the command palette."""
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Find or paste a link").fill(text)


def test_names_stand_where_ids_did(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['pipeline']}?tab=overview").page
    facts = page.locator("main dl").first
    expect(facts.get_by_role("link", name="penguins", exact=True)).to_be_visible()
    expect(facts.get_by_role("link", name="console-model@1")).to_be_visible()
    expect(facts.get_by_text("console-pipeline-custom-job")).to_be_visible()
    palette(page, served.dataset)
    expect(page.get_by_role("option", name=re.compile("^penguins"))).to_be_visible()


def test_arguments_are_shown_as_a_shell_takes_them(look: Open, served: Served) -> None:
    rest = served.rest()
    pools = rest.ask("GET", f"/v1/{served.runs['hostile']}")["jobSpec"]["workerPoolSpecs"]
    pools[0]["containerSpec"] |= {"command": ["python3", "-c", "print(1)"], "args": ["--name", "two words", ""]}
    job = rest.ask(
        "POST", f"/v1/{rest.parent}/customJobs", {"displayName": "quoted", "jobSpec": {"workerPoolSpecs": pools}}
    )
    rest.close()
    page = look(f"/console/{job['name']}?tab=overview").page
    expect(page.get_by_text("--name 'two words' ''", exact=True)).to_be_visible()
    expect(page.get_by_text("python3 -c 'print(1)'", exact=True)).to_be_visible()


def test_a_table_says_how_many_of_its_rows_are_shown(look: Open, served: Served) -> None:
    rest = served.rest()
    put(rest, "tables/rows.csv", b"a,b\n" + b"1,2\n" * 333, "text/csv")
    put(rest, "tables/many.csv", b"a,b\n" + b"1,2\n" * 200_000, "text/csv")
    rest.close()
    page = look("/console/data/console-data/tables/rows.csv").page
    expect(page.get_by_text("The first 200 of 333 rows, 2 columns")).to_be_visible()
    page.goto(f"{served.base}/console/data/console-data/tables/many.csv")
    expect(page.get_by_text("The first 200 of about 200,000 rows, 2 columns")).to_be_visible()
