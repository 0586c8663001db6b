"""The picture in the page is the server's, node by node and edge by edge, now and at past instants.

That the server's is the truth is what tests/console/picture proves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.live.console import Console
from tests.web.conftest import Open, Served, settle

RUNS = ["pipeline", "failed", "cancelled", "hostile", "many"]


@pytest.fixture(scope="module")
def console(served: Served) -> Console:
    assert served.home.info is not None
    return Console(served.home.info)


def step(steps: Sequence[Mapping[str, Any]], at: int) -> Mapping[str, Any]:
    """Return the last of some steps at or before an instant; nothing when there is none."""
    return next((one for one in reversed(steps) if one["time"] <= at), {})


def nodes_at(picture: Any, at: int) -> dict[str, str]:
    """Return the nodes at an instant, with their states."""
    return {node["id"]: state_of(step(node["states"], at)) for node in picture["nodes"] if node["since"] <= at}


def state_of(step: Any) -> str:
    """Return the state that is shown: of a replica that has ended, how."""
    state = str(step.get("state", ""))
    outcome = step.get("facts", {}).get("outcome") if state == "ENDED" else None
    return {None: state, "SUCCEEDED": "SUCCEEDED", "STOPPED": "ENDED"}.get(outcome, "FAILED")


def edges_at(picture: Any, at: int) -> dict[str, str]:
    """Return the edges at an instant, with their rows, lines and bytes in words."""
    nodes = nodes_at(picture, at)
    return {
        edge["id"]: told(edge["kind"], edge["label"], step(edge["amounts"], at))
        for edge in picture["edges"]
        if edge["since"] <= at and {edge["source"], edge["target"]} <= nodes.keys()
    }


def told(kind: str, label: str, amount: Mapping[str, Any]) -> str:
    """Return an amount as the page says it in English."""
    parts = [
        f"{amount[unit]:,} {unit if amount[unit] != 1 else unit[:-1]}"
        for unit in ("rows", "lines")
        if amount.get(unit, 0)
    ]
    if amount.get("bytes") and kind != "exports":
        parts.append(("≤ " if (kind, label) == ("reads", "gcs") else "") + size(amount["bytes"]))
    if (kind, label) == ("reads", "gcs"):
        parts.append(opened(amount["count"]))
    if amount.get("count", 0) > 1 and (kind in ("asks", "calls") or not parts):
        parts.append(f"{amount['count']:,} times")
    return " · ".join(parts)


def opened(count: int) -> str:
    """Return how often files below /gcs were opened, as the page says it."""
    return "opened at least once" if count == 1 else f"opened at least {count:,} times"


def size(count: float) -> str:
    """Return bytes as the page says them."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            text = f"{count:.0f}" if unit == "B" or count >= 100 else f"{count:.1f}".removesuffix(".0")
            return f"{text} {unit}"
        count /= 1024
    raise AssertionError(count)


def instants(picture: Any) -> list[int]:
    """Return instants that matter: the start, some lines of the narrative, the end."""
    times = sorted({moment["time"] for moment in picture["moments"]})
    end = max(
        picture["until"], *(node["since"] for node in picture["nodes"]), *(edge["until"] for edge in picture["edges"])
    )
    return [picture["since"], *times[1 :: max(1, len(times) // 3)], end]


def shown_nodes(page: Page) -> dict[str, str]:
    """Return the nodes that the text holds, with the states' own names."""
    return {
        str(row.get_attribute("data-node")): re.sub(
            r"^(JOB|PIPELINE)_STATE_", "", row.locator("[data-tone]").first.get_attribute("title") or ""
        )
        if row.locator("[data-tone]").count()
        else ""
        for row in page.locator("[data-node]").all()
    }


def shown_edges(page: Page) -> dict[str, str]:
    """Return the edges that the text holds, with their amounts."""
    return {
        str(row.get_attribute("data-edge")): row.locator("td").nth(3).inner_text()
        for row in page.locator("[data-edge]").all()
    }


@pytest.mark.parametrize("name", RUNS)
def test_the_text_is_the_servers_picture_at_every_instant(
    look: Open, served: Served, console: Console, name: str
) -> None:
    run = served.runs[name]
    picture = console.get("picture", run=run)
    page = look(f"/console/{run}?as=text").page
    for at in instants(picture):
        page.goto(f"{served.base}/console/{run}?as=text&at={at}")
        settle(page)
        page.locator("[data-node]").first.wait_for()
        assert shown_nodes(page) == nodes_at(picture, at), at
        assert shown_edges(page) == edges_at(picture, at), at


@pytest.mark.parametrize("name", RUNS)
def test_the_drawing_holds_every_node_and_edge(look: Open, served: Served, console: Console, name: str) -> None:
    run = served.runs[name]
    picture = console.get("picture", run=run)
    page = look(f"/console/{run}").page
    page.locator(".react-flow__node").nth(3).wait_for()
    page.wait_for_timeout(500)
    drawn = {str(node.get_attribute("data-id")) for node in page.locator(".react-flow__node").all()}
    assert {one for one in drawn if not one.startswith("region:")} == {node["id"] for node in picture["nodes"]}
    members = [str(path.get_attribute("data-members")) for path in page.locator("path[data-members]").all()]
    assert sorted(one for each in members for one in each.split(" ")) == sorted(e["id"] for e in picture["edges"])


def test_many_replicas_are_drawn_as_one_flow_until_one_is_looked_at(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['many']}").page
    logs = page.locator("path[data-kind=logs][data-members*=replica]")
    expect(logs).to_have_count(2)  # of the primary, and of all six in the other pool
    page.locator(".react-flow__node[data-id$='workerpool1-3']").first.click()
    expect(logs).to_have_count(3)
    expect(page.get_by_role("complementary", name="Details").get_by_text("CLUSTER_SPEC").first).to_be_visible()


def test_a_replica_opens_to_its_variables_command_and_files(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['pipeline']}?open=attempt/1/replica/workerpool0-0").page
    details = page.get_by_role("complementary", name="Details")
    expect(details.get_by_text("AIP_TRAINING_DATA_URI", exact=True)).to_be_visible()
    expect(details.get_by_text("CLOUD_ML_PROJECT_ID", exact=True)).to_be_visible()
    expect(details.get_by_text("CLUSTER_SPEC").first).to_be_visible()
    expect(details.get_by_text("python3 -c", exact=False).first).to_be_visible()


def test_a_run_is_played_and_a_moment_of_it_is_shared(look: Open, served: Served, console: Console) -> None:
    run = served.runs["pipeline"]
    picture = console.get("picture", run=run)
    page = look(f"/console/{run}?at={picture['since']}").page
    nodes = page.locator(".react-flow__node:not([data-id^='region:'])")
    nodes.first.wait_for()
    few = nodes.count()
    assert few < len(picture["nodes"])
    page.get_by_role("button", name="Play").click()
    expect(nodes).to_have_count(len(picture["nodes"]), timeout=30_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # at the end it stops
    page.get_by_role("slider", name="Time").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert page.get_by_role("slider", name="Time").get_attribute("aria-valuenow") != str(picture["until"])


def test_the_picture_is_saved_as_a_drawing_with_nothing_alive_in_it(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['hostile']}").page
    page.locator(".react-flow__node").nth(3).wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as SVG").click()
    text = saved.value.path().read_text()
    assert text.startswith("<svg ")
    assert "<img" not in text
    assert "&lt;img src=x" in text
    assert "<script" not in text
    assert "foreignObject" not in text


def test_each_part_says_what_it_is(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['pipeline']}").page
    page.get_by_role("button", name="What is this?").click()
    page.locator(".react-flow__node[data-id='queue']").hover()
    expect(page.get_by_text("Jobs wait here until there is room.", exact=False)).to_be_visible()


def test_what_is_opened_stays_in_sight_and_escape_closes_it(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['pipeline']}").page
    node = page.locator('.react-flow__node[data-id="attempt/1/replica/workerpool0-0"]')
    node.click()
    panel = page.get_by_role("complementary")
    expect(panel).to_be_visible()
    expect(node).to_be_in_viewport()
    page.wait_for_timeout(500)
    inner, outer = node.bounding_box(), panel.bounding_box()
    assert inner is not None
    assert outer is not None
    assert inner["x"] + inner["width"] <= outer["x"]
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


REPLICA = "attempt/1/replica/workerpool0-0"


def known(details: Any, at: int) -> dict[str, Any]:
    """Return what was known of an opened node at an instant."""
    return {
        name: value for one in details["known"] if one["time"] <= at for name, value in one.items() if value is not None
    }


def listed(page: Page, heading: str, items: str) -> list[str]:
    """Return what a part of the panel lists."""
    part = page.get_by_role("complementary").locator("section").filter(has=page.get_by_role("heading", name=heading))
    return [one.inner_text() for one in part.locator(items).all()]


def files_at(details: Any, at: int) -> list[str]:
    """Return the files of a node at an instant, with their amounts."""
    found = []
    for thing in (one for one in details["objects"] if one["time"] <= at):
        told = [
            f"{word} {size(amount)}"
            for word, steps in (("read", thing["reads"]), ("written", thing["writes"]))
            if (amount := step(steps, at).get("bytes", 0))
        ]
        opens = sum(step(thing[way], at).get("count", 0) for way in ("reads", "writes", "openings"))
        if not told and opens:
            told = [opened(opens)]
        found.append("\n".join(filter(None, [thing["uri"].split("/", 3)[3], " · ".join(told)])))
    return found


def test_an_open_panel_shows_what_was_known_at_the_instant(look: Open, served: Served, console: Console) -> None:
    run = served.runs["pipeline"]
    picture = console.get("picture", run=run)
    node = next(one for one in picture["nodes"] if one["id"] == REPLICA)
    details = console.get("picture/node", run=run, id=REPLICA)
    page = look(f"/console/{run}?open={REPLICA}").page
    for at in sorted({*(state["time"] for state in node["states"]), *instants(picture), details["objects"][0]["last"]}):
        page.goto(f"{served.base}/console/{run}?open={REPLICA}&at={at}")
        settle(page)
        panel = page.get_by_role("complementary")
        if at < node["since"]:
            expect(panel.get_by_text("Not there yet at this moment")).to_be_visible()
            expect(panel.locator("section")).to_have_count(0)
            continue
        expect(panel.get_by_role("heading", name="Environment variables")).to_be_visible()
        states = [state for state in node["states"] if state["time"] <= at]
        expect(panel.get_by_role("list", name="States").get_by_role("listitem")).to_have_count(len(states))
        expect(panel.get_by_text("Exit code")).to_have_count(1 if states[-1]["state"] == "ENDED" else 0)
        then = known(details, at)
        assert listed(page, "Environment variables", "dt") == [one["name"] for one in then["variables"]], at
        assert listed(page, "Files", "li") == files_at(details, at), at


def test_the_apis_resource_is_shown_as_it_was(look: Open, served: Served, console: Console) -> None:
    run = served.runs["pipeline"]
    details = console.get("picture/node", run=run, id="pipeline")
    versions = details["known"]
    assert len({one["resource"]["state"] for one in versions}) > 1
    page = look(f"/console/{run}?open=pipeline").page
    for one in (versions[0], versions[-1]):
        page.goto(f"{served.base}/console/{run}?open=pipeline&at={max(one['time'], details['node']['since'])}")
        settle(page)
        expect(page.get_by_role("complementary").get_by_text(f'"state": "{one["resource"]["state"]}"')).to_be_visible()


def test_playing_with_an_open_panel_asks_for_it_once(look: Open, served: Served) -> None:
    page = look(f"/console/{served.runs['pipeline']}?open={REPLICA}").page
    panel = page.get_by_role("complementary")
    expect(panel.get_by_text("Exit code")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "picture/node" in request.url else None)
    slider = page.get_by_role("slider", name="Time")
    slider.focus()
    page.keyboard.press("Home")
    expect(panel.get_by_text("Not there yet at this moment")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(panel.get_by_text("Exit code")).to_be_visible(timeout=30_000)
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    assert asked == []


def test_a_failed_run_says_on_its_picture_where_it_broke(look: Open, served: Served, console: Console) -> None:
    run = served.runs["failed"]
    page = look(f"/console/{run}").page
    banner = page.get_by_role("button", name="Failed at workerpool0-0")
    expect(banner).to_contain_text("ValueError: no rows for")
    banner.click()
    why = page.get_by_role("complementary").get_by_role("region", name="Why it failed")
    expect(why).to_contain_text("ValueError: no rows for")
    expect(why).to_be_in_viewport()
    expect(banner).to_be_hidden()
    page.goto(f"{served.base}/console/{run}?at={console.get('picture', run=run)['since']}")
    settle(page)
    expect(banner).to_be_hidden()
