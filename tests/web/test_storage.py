"""Folders of a bucket, in the page: opened, reached by address, left again."""

from __future__ import annotations

from playwright.sync_api import expect
from tests.web.conftest import Open, Served, settle

BUCKET = "console-data"


def test_folders_open_and_lead_back(look: Open, served: Served) -> None:
    page = look(f"/console/data/{BUCKET}/").page
    page.get_by_role("table").get_by_role("link", name="notes").click()
    expect(page.get_by_role("heading", name="notes")).to_be_visible()
    expect(page.get_by_role("link", name="readme.txt")).to_be_visible()
    assert page.url.endswith(f"/data/{BUCKET}/notes/")
    page.reload()
    page.get_by_role("link", name="readme.txt").click()
    expect(page.get_by_text(f"gs://{BUCKET}/notes/readme.txt")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="notes").click()
    expect(page.get_by_role("link", name="facts.json")).to_be_visible()


def test_a_pasted_folder_is_found_with_its_slash_and_without(look: Open, served: Served) -> None:
    page = look("/console/").page
    for ending in ("/", ""):
        page.goto(f"{served.base}/console/go?to=gs://{BUCKET}/notes{ending}")
        settle(page)
        expect(page.get_by_role("link", name="readme.txt")).to_be_visible()
