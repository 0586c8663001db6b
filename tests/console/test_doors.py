"""Who gets what of every endpoint: owners, viewers of this run and of another, strangers, and other pages' requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from tests.console.conftest import YEAR, World
from tests.live.browser import Browser
from tests.live.home import wait_until
from tests.live.jobs import FINAL, PIPELINE_FINAL, Plan


@dataclass(frozen=True)
class Scene:
    """Two runs, and everybody who looks."""

    world: World
    names: Mapping[str, str]
    people: Mapping[str, Browser]

    def fill(self, text: str) -> str:
        """Return a path or body with the names of this home in it."""
        return re.sub(r"\{(\w+)\}", lambda found: self.names[found[1]], text)


@pytest.fixture(scope="module")
def scene(world: World) -> Scene:
    pipeline, backing = world.pipeline(Plan("seen"))
    other = world.job(Plan("other"))
    dataset = f"{world.rest.parent.replace('demo-project', world.number)}/datasets/1"
    owner = world.owner()
    link = owner.ask("POST", "links", {"run": other})["id"]
    world.rest.ask(
        "POST", "/storage/v1/b?project=demo-project", {"name": "of-the-scene"}, host="storage.googleapis.com"
    )
    names = {"run": pipeline, "job": backing, "dataset": dataset, "number": world.number, "link": link}
    people = {
        "owner": owner,
        "viewer": world.viewer(pipeline),
        "elsewhere": world.viewer(other),
        "nobody": world.browser(),
        "expired": world.forged(until=1),
        "ended": world.forged(epoch=7),
        "unsigned": world.browser(),
    }
    people["unsigned"].cookies = {
        name: value[:-4] + ("AAAA" if not value.endswith("AAAA") else "BBBB") for name, value in owner.cookies.items()
    }
    return Scene(world, names, people)


Entry = tuple[str, str, Any]

OPEN: list[Entry] = [("POST", "session", {}), ("DELETE", "session", None)]
OWNERS: list[Entry] = [
    ("POST", "codes", {}),
    ("GET", "links?project=demo-project", None),
    ("POST", "links", {"run": "{run}", "days": 1}),
    ("DELETE", "links?id={link}", None),
    ("GET", "home?project=demo-project", None),
    ("GET", "runs?project=demo-project", None),
    ("GET", "offers", None),
    ("GET", "datasets/uses?dataset={dataset}", None),
    ("GET", "live?topic=project/{number}", None),
    ("GET", "vertex/v1/{run}", None),
    ("GET", "vertex/v1/projects/demo-project/locations/us-central1/trainingPipelines", None),
    ("POST", "vertex/v2/entries:list", {"resourceNames": ["projects/demo-project"]}),
    ("GET", "storage/storage/v1/b?project=demo-project", None),
    ("POST", "storage/upload/storage/v1/b/of-the-scene/o?uploadType=media&name=x", {"a": 1}),
]
VIEWERS: list[Entry] = [
    ("GET", "run?run={run}", None),
    ("GET", "run?run={job}", None),
    ("GET", "logs?job={run}", None),
    ("GET", "logs?job={job}&task=workerpool0-0&severity=INFO&search=a&limit=10", None),
    ("GET", "logs/stream?job={job}", None),
    ("GET", "usage?job={job}", None),
]
ALL = [*OPEN, ("GET", "session", None), *OWNERS, *VIEWERS, ("POST", "sessions:end", {})]


def ids(entry: Entry) -> str:
    return f"{entry[0]} {entry[1].partition('?')[0]}"


def status(scene: Scene, who: str, entry: Entry, headers: Mapping[str, str] | None = None) -> int:
    method, name, body = entry
    given = {k: scene.fill(v) if isinstance(v, str) else v for k, v in body.items()} if body is not None else None
    browser = scene.people[who]
    if name.startswith(("live", "logs/stream")) and headers is None:
        return browser.opens(scene.fill(name))
    told = browser.call(method, f"/console/api/{scene.fill(name)}", given, headers, page=headers is None)
    assert told.status < 500, told.body
    assert told.headers["content-type"].startswith("application/json"), told.headers
    assert "no-store" in told.headers["cache-control"]
    return told.status


@pytest.mark.parametrize("entry", OWNERS, ids=ids)
def test_owners_get_it_and_viewers_do_not(scene: Scene, entry: Entry) -> None:
    assert status(scene, "owner", entry) == 200
    assert status(scene, "viewer", entry) == 403
    assert status(scene, "elsewhere", entry) == 403


@pytest.mark.parametrize("entry", VIEWERS, ids=ids)
def test_viewers_get_what_concerns_their_run(scene: Scene, entry: Entry) -> None:
    assert status(scene, "owner", entry) == 200
    assert status(scene, "viewer", entry) == 200
    assert status(scene, "elsewhere", entry) == 403


@pytest.mark.parametrize("who", ["nobody", "expired", "ended", "unsigned"])
@pytest.mark.parametrize("entry", [("GET", "session", None), *OWNERS, *VIEWERS, ("POST", "sessions:end", {})], ids=ids)
def test_without_a_session_there_is_nothing(scene: Scene, entry: Entry, who: str) -> None:
    assert status(scene, who, entry) == 401


@pytest.mark.parametrize("entry", ALL, ids=ids)
def test_other_pages_get_nothing(scene: Scene, entry: Entry) -> None:
    port = scene.people["owner"].info.port
    host = f"127.0.0.1:{port}"
    ours = {"host": host, "x-trigpoint": "console"}
    for origin in (
        "https://evil.example",
        "null",
        f"http://127.0.0.1:{port + 1}",
        f"https://{host}",
        "http://localhost",
    ):
        assert status(scene, "owner", entry, {**ours, "origin": origin}) == 403, origin
    for site in ("cross-site", "same-site"):
        assert status(scene, "owner", entry, {**ours, "sec-fetch-site": site}) == 403, site
    if entry[0] != "GET":
        assert status(scene, "owner", entry, {"host": host}) == 403
        assert status(scene, "owner", entry, {"host": host, "x-trigpoint": "other"}) == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "console.cloud.google.com", "10.0.0.1"])
@pytest.mark.parametrize("entry", ALL, ids=ids)
def test_a_name_that_is_not_ours_gets_nothing(scene: Scene, entry: Entry, host: str) -> None:
    method, name, body = entry
    headers = {"host": host, "x-trigpoint": "console", "origin": f"http://{host}"}
    told = scene.people["owner"].call(method, f"/console/api/{scene.fill(name)}", body, headers, page=False)
    assert told.status == 421
    assert "set-cookie" not in told.headers


@pytest.mark.parametrize("host", ["127.0.0.1:x", "127.0.0.1:123456", "127.0.0.1:1:2", "localhost:"])
def test_a_port_that_is_none_is_the_callers_mistake(scene: Scene, host: str) -> None:
    told = scene.world.browser().call("GET", "/console/api/session", headers={"host": host})
    assert told.status in (400, 421)


def test_nobody_sees_what_is_not_there_and_it_looks_like_what_is_not_theirs(scene: Scene) -> None:
    absent = f"{scene.world.rest.parent.replace('demo-project', scene.world.number)}/customJobs/1"
    for name in ("run?run=", "logs?job=", "usage?job="):
        owner = scene.people["owner"].api("GET", name + absent)
        foreign = scene.people["elsewhere"].api("GET", name + absent)
        assert (owner.status, foreign.status) == (403, 403)
        assert owner.body == foreign.body


def test_viewers_are_told_no_values_of_secrets(scene: Scene) -> None:
    rest = scene.world.rest

    def ended(name: str) -> bool:
        return rest.ask("GET", f"/v1/{name}").get("state") in FINAL | PIPELINE_FINAL

    for kind, spec in (("customJobs", "jobSpec"), ("trainingPipelines", "trainingTaskInputs")):
        plan = Plan("hushed")
        body = plan.job() if kind == "customJobs" else plan.pipeline()
        given = [{"name": "MY_TOKEN", "value": "hush-hush"}, {"name": "MINE", "value": "plainly"}]
        given.append({"name": "DATABASE_URL", "value": "postgres://u:hush-hush@h/db"})
        body[spec]["workerPoolSpecs"][0]["containerSpec"]["env"] = given
        body[spec]["workerPoolSpecs"][0]["containerSpec"]["args"] += ["--api_key=hush-hush", "--token", "hush-hush"]
        name = str(rest.ask("POST", f"/v1/{rest.parent}/{kind}", body)["name"])
        wait_until(partial(ended, name), 60)
        for who, told in ((scene.people["owner"], True), (scene.world.viewer(name), False)):
            answer = who.api("GET", f"run?run={name}")
            assert answer.status == 200
            assert (b"hush-hush" in answer.body, b"plainly" in answer.body) == (told, True)


def test_viewers_do_not_learn_which_projects_there_are(scene: Scene) -> None:
    viewer = scene.people["viewer"]
    for ask in ("home?project=", "runs?project=", "links?project=", "live?topic=project/"):
        there, absent = (viewer.api("GET", f"{ask}{name}") for name in ("demo-project", "other-project"))
        assert (there.status, there.body) == (403, absent.body.replace(b"other-", b"demo-"))
    for ask in ("run?run=", "picture?run=", "datasets/uses?dataset="):
        rest = "/locations/us-central1/customJobs/1"
        there, absent = (viewer.api("GET", f"{ask}projects/{name}{rest}") for name in ("demo-project", "other-project"))
        assert (there.status, there.body) == (403, absent.body.replace(b"other-", b"demo-"))


@pytest.mark.parametrize(
    "name", ["x", "projects", "projects//x", "../..", "projects/%00", "datasets/1", "%F0%9F%90%A7" * 300]
)
def test_names_that_are_none_are_refused(scene: Scene, name: str) -> None:
    for path in ("run?run=", "logs?job=", "usage?job=", "datasets/uses?dataset=", "datasets/profile?dataset="):
        for who in ("owner", "viewer"):
            assert scene.people[who].api("GET", path + name).status in (400, 403, 404), (path, who)


@pytest.mark.parametrize(
    "name",
    [
        "home",
        "home?project=",
        "home?project=nobodys",
        "runs?project=demo-project&size=x",
        "runs?project=demo-project&size=99999",
        "runs?project=demo-project&order=name",
        "runs?project=demo-project&after=x",
        "runs?project=demo-project&q=%00",
        "run?run={run}%00",
        "logs?job={job}&severity=LOUD",
        "logs?job={job}&limit=x",
        "logs?job={job}&before=1~a&after=1~a",
        "logs?job={job}&after=nowhere",
        "logs?job={job}&at=-1",
        "logs/stream?job={job}&after=nowhere",
        "usage?job={job}&since=x",
        "live",
        "live?topic=",
        "live?topic=nothing/1",
        "live?topic=project/",
        "live?topic=project/nobodys",
        "live?" + "&".join(f"topic=project/{n}" for n in range(20)),
        "nothing",
        "storage/of-the-scene/x",
        "storage/batch/storage/v1",
        "storage/../vertex",
    ],
)
def test_mistakes_are_told_as_the_callers(scene: Scene, name: str) -> None:
    told = scene.people["owner"].api("GET", scene.fill(name))
    assert 400 <= told.status < 500, told.body
    assert told.json["error"]["message"]


def test_bodies_that_are_none_are_refused(scene: Scene) -> None:
    owner = scene.people["owner"]
    for body in (b"{", b"[]", b'"x"', b"\xff", b'{"run": "\\u0000"}'):
        assert owner.call("POST", "/console/api/links", body).status == 400
    assert owner.call("POST", "/console/api/links", b" " * (2 << 20)).status == 429
    for days in (0, -1, 1e9, "7", True, None):
        told = owner.api("POST", "links", {"run": scene.names["run"], "days": days})
        assert told.status == 400, days


def test_a_disabled_account_is_out_at_once(scene: Scene) -> None:
    world = scene.world
    made = world.rest.ask(
        "POST",
        "/v1/projects/demo-project/serviceAccounts",
        {"accountId": "robot-one"},
        host="iam.googleapis.com",
    )
    robot = world.forged(made["email"])
    assert robot.ask("GET", "session")["email"] == made["email"]
    assert robot.api("GET", "home?project=demo-project").status == 200
    assert robot.api("POST", "codes", {}).status == 200
    path = f"/v1/projects/demo-project/serviceAccounts/{made['email']}"
    world.rest.ask("POST", f"{path}:disable", {}, host="iam.googleapis.com")
    for name in ("session", "home?project=demo-project", f"run?run={scene.names['run']}"):
        assert robot.api("GET", name).status == 401
    assert robot.api("GET", "vertex/v1/projects/demo-project/locations/us-central1/customJobs").status == 401
    world.rest.ask("POST", f"{path}:enable", {}, host="iam.googleapis.com")
    assert robot.api("GET", "session").status == 200


def test_an_account_of_another_project_sees_only_its_own(scene: Scene) -> None:
    world = scene.world
    host = "cloudresourcemanager.googleapis.com"
    world.rest.ask("POST", "/v3/projects", {"projectId": "second-project"}, host=host)
    made = world.rest.ask(
        "POST", "/v1/projects/second-project/serviceAccounts", {"accountId": "robot-two"}, host="iam.googleapis.com"
    )
    robot = world.forged(made["email"])
    assert [one["id"] for one in robot.ask("GET", "session")["projects"]] == ["second-project"]
    assert robot.api("GET", "home?project=second-project").status == 200
    for name in ("home?project=demo-project", f"run?run={scene.names['run']}", f"live?topic=project/{world.number}"):
        assert robot.api("GET", name).status == 403
    assert robot.api("GET", f"logs?job={scene.names['job']}").status == 403
    assert robot.api("POST", "links", {"run": scene.names["run"]}).status == 403
    assert robot.api("GET", f"vertex/v1/{scene.names['run']}").status == 403


def test_a_code_is_good_for_one_browser(world: World) -> None:
    code = world.code()
    first, second = world.browser(), world.browser()
    assert first.api("POST", "session", {"code": code}).status == 200
    assert second.api("POST", "session", {"code": code}).status == 401
    assert second.api("GET", "session").status == 401
    assert first.ask("GET", "session")["role"] == "owner"


def test_too_many_wrong_codes_are_told_so_and_lock_nobody_out(world: World) -> None:
    stranger = world.browser()
    told = [stranger.api("POST", "session", {"code": f"wrong{n}"}).status for n in range(15)]
    assert told[0] == 401
    assert told[-1] == 429
    assert world.owner().ask("GET", "session")["role"] == "owner"


@pytest.mark.parametrize("secure", [False, True])
def test_cookies_have_every_attribute(world: World, secure: bool) -> None:
    browser = world.owner(secure=secure)
    head, *attributes = [part.strip() for part in browser.set_cookie.split(";")]
    name = f"{'__Host-' if secure else ''}trigpoint-{browser.info.port}"
    assert head.startswith(f"{name}=")
    wanted = {"httponly", "samesite=strict", "path=/", f"max-age={14 * 24 * 3600}"} | ({"secure"} if secure else set())
    assert {one.lower() for one in attributes} == wanted
    assert browser.ask("GET", "session")["role"] == "owner"
    browser.ask("DELETE", "session")
    assert browser.cookies == {}
    assert "max-age=0" in browser.set_cookie.lower()


def test_old_sessions_are_made_longer_and_young_ones_left(world: World) -> None:
    begun = 2 * 24 * 3600 * 1_000_000
    old = world.forged()
    name = next(iter(old.cookies))
    before = old.cookies[name]
    assert old.ask("GET", "session")["role"] == "owner"
    assert old.cookies[name] == before
    older = world.forged(begun=YEAR - begun)
    older.ask("GET", "session")
    assert older.cookies[name] != before
    assert "httponly" in older.set_cookie.lower()


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/other",
        "/console/../x",
        "/console/\\x",
        "/console/a\nb",
        "/console//x",
    ],
)
def test_a_link_leads_only_into_the_console(world: World, to: str) -> None:
    assert world.browser().api("POST", "codes", {"to": to}, authorization=world.bearer()).status == 400


def test_codes_are_for_the_operator(world: World) -> None:
    made = world.browser().api(
        "POST", "codes", {"to": "/console/projects/demo-project/data?a=b c#d"}, authorization=world.bearer()
    )
    path, _, code = made.json["url"].partition("#code=")
    assert path == "/console/projects/demo-project/data?a=b%20c%23d"
    assert len(code) >= 32
    assert world.browser().api("POST", "codes", {}, authorization="Bearer nonsense").status == 401
    assert world.browser().api("POST", "codes", {}).status == 401
    by_session = world.owner().ask("POST", "codes", {})
    assert by_session["url"].startswith("/console/#code=")


def test_links_end_when_they_are_taken_back_or_over(scene: Scene) -> None:
    owner, world = scene.people["owner"], scene.world
    run = scene.names["run"]
    made = owner.ask("POST", "links", {"run": run, "days": 1})
    assert made["url"].startswith(f"{owner.base}/console/{run}#link=")
    viewer = world.browser()
    secret = made["url"].split("#link=")[1]
    for wrong in (secret[:-1], secret + "x", made["id"], f"{made['id']}.", ".", "x" * 5000):
        assert viewer.api("POST", "session", {"link": wrong}).status in (401, 429)
    told = viewer.ask("POST", "session", {"link": secret})
    assert (told["role"], told["run"], told["email"]) == ("viewer", run, "")
    assert viewer.ask("GET", f"run?run={run}")["run"]["name"] == run
    listed = {one["id"]: one for one in owner.ask("GET", "links?project=demo-project")["links"]}
    assert listed[made["id"]]["url"] == ""
    owner.ask("DELETE", f"links?id={made['id']}")
    assert viewer.api("GET", f"run?run={run}").status == 401
    assert owner.api("DELETE", f"links?id={made['id']}").status == 404
    brief = owner.ask("POST", "links", {"run": run, "days": 1e-9})
    assert viewer.api("POST", "session", {"link": brief["url"].split("#link=")[1]}).status in (401, 429)


def test_the_secret_of_a_link_is_not_kept(scene: Scene) -> None:
    secret = scene.people["owner"].ask("POST", "links", {"run": scene.names["run"]})["url"].split("#link=")[1]
    for file in scene.world.home.path.glob("*.db*"):
        assert secret.partition(".")[2].encode() not in file.read_bytes()


def test_ending_all_sessions_ends_all(scene: Scene) -> None:
    world = scene.world
    owner, other = world.owner(), world.owner()
    viewer = world.viewer(scene.names["run"])
    following = other.stream(f"live?topic=project/{world.number}")
    assert next(following)
    owner.ask("POST", "sessions:end", {})
    for browser in (owner, other, viewer):
        assert browser.api("GET", "session").status == 401
    assert [event.name.partition("|")[2] for event in following if event.name] == ["begun"], "it ends with the session"
    assert world.owner().ask("GET", "session")["role"] == "owner"
