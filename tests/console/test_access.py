"""Codes, sessions and links by the clock, without HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.datastructures import QueryParams
from starlette.requests import Request
from tests.identity.conftest import Home

from trigpoint.console import access, asking
from trigpoint.console.access import Codes, Patience, Session, Sessions
from trigpoint.console.asking import Ask
from trigpoint.console.links import Links
from trigpoint.core import wire
from trigpoint.core.call import Caller
from trigpoint.core.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)

DAY = 24 * 3600
RUN, JOB = "projects/1/locations/l/trainingPipelines/7", "projects/1/locations/l/customJobs/8"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    made.open()
    yield made
    made.store.close()


def sessions(home: Home, secret: bytes = b"s" * 32) -> Sessions:
    return Sessions(home.store, home.clock, secret, home.identity.caller)


# -- codes


def test_a_code_is_used_up_once_and_dies_after_twelve_hours(home: Home) -> None:
    codes = Codes(home.clock)
    code, until = codes.issue("me@x")
    assert until - home.clock.now() <= 12 * 3600 * 1_000_000
    assert codes.redeem(code) == "me@x"
    assert codes.redeem(code) is None
    late, _ = codes.issue("me@x")
    home.clock.advance(12 * 3600 + 1)
    assert codes.redeem(late) is None
    assert codes.redeem("") is None


def test_only_so_many_codes_wait_and_none_lies_in_memory(home: Home) -> None:
    codes = Codes(home.clock)
    issued = [codes.issue("me@x")[0] for _ in range(access.MOST_CODES + 1)]
    assert not any(code in repr(vars(codes)) for code in issued)
    assert codes.redeem(issued[0]) is None
    assert codes.redeem(issued[1]) == "me@x"


def test_patience_comes_back_after_a_minute(home: Home) -> None:
    patience = Patience(home.clock)
    for _ in range(access.MOST_WRONG):
        patience.wrong()
    with pytest.raises(ResourceExhausted):
        patience.wrong()
    home.clock.advance(61)
    patience.wrong()


# -- sessions


def operator(home: Home) -> str:
    return f"operator@{home.project.id}.iam.gserviceaccount.com"


def test_a_session_lives_for_fourteen_days_and_is_renewed_daily(home: Home) -> None:
    of = sessions(home)
    cookie = of.begin(operator(home))
    session = of.read(cookie)
    assert session.owner
    assert of.renewed(session) is None
    home.clock.advance(DAY + 1)
    fresh = of.renewed(of.read(cookie))
    assert fresh is not None
    home.clock.advance(13 * DAY)
    with pytest.raises(Unauthenticated):
        of.read(cookie)
    assert of.read(fresh).owner


def test_a_viewers_session_is_not_renewed(home: Home) -> None:
    of = sessions(home)
    home_session = of.read(of.begin(operator(home), "link"))
    home.clock.advance(2 * DAY)
    assert of.renewed(home_session) is None


def test_sessions_end_all_together_and_stay_ended_after_a_restart(home: Home) -> None:
    of = sessions(home)
    cookie = of.begin(operator(home))
    assert sessions(home).read(cookie).owner, "a restart ends none"
    of.end_all()
    fresh = of.begin(operator(home))
    home.restart()
    again = sessions(home)
    with pytest.raises(Unauthenticated):
        again.read(cookie)
    assert again.read(fresh).owner
    again.end_all()
    with pytest.raises(Unauthenticated):
        again.read(fresh)


def test_an_account_that_may_not_act_now_has_no_session(home: Home) -> None:
    robot = home.account("robot-one")
    of = sessions(home)
    cookie = of.begin(robot.email)
    assert of.read(cookie).caller.email == robot.email
    home.identity.accounts.set_enabled(robot.email, False)
    with pytest.raises(Unauthenticated):
        of.read(cookie)
    home.identity.accounts.set_enabled(robot.email, True)
    assert of.read(cookie).owner
    other = home.projects.create("other-project", "", {})
    guest = of.begin(home.account("guest", other).email)
    home.projects.delete(other.number)
    with pytest.raises(Unauthenticated):
        of.read(guest)


@pytest.mark.parametrize("claims", [{}, {"sub": "x"}, {"aud": "other"}, {"until": "soon"}, {"epoch": None}])
def test_what_is_no_session_of_ours_is_none(home: Home, claims: dict[str, Any]) -> None:
    of = sessions(home)
    good = jwt.decode(of.begin(operator(home)), options={"verify_signature": False})
    key = of._key
    made = {**good, **claims} if claims else {}
    with pytest.raises(Unauthenticated):
        of.read(jwt.encode({**made, **({"sub": "nobody@x"} if claims == {"sub": "x"} else {})}, key, "HS256"))
    for forged in (
        "",
        "x.y.z",
        jwt.encode(good, b"other" * 8, "HS256"),
        jwt.encode(good, "", "none"),
        of.begin(operator(home))[:-2],
    ):
        with pytest.raises(Unauthenticated):
            of.read(forged)


def test_sessions_of_one_home_are_none_of_another(home: Home) -> None:
    cookie = sessions(home).begin(operator(home))
    with pytest.raises(Unauthenticated):
        sessions(home, b"t" * 32).read(cookie)


def test_a_viewer_sees_its_run_and_what_is_below_it() -> None:
    viewer = Session(Caller("me@x", "1", operator=True), "viewer", 0, 1, "l", frozenset({RUN, JOB}))
    for seen in (RUN, JOB, f"{JOB}/attempts/1/replicas/workerpool0-0"):
        assert viewer.may_see(seen)
    for unseen in ("projects/1", f"{JOB}0", f"{RUN}x/y", "projects/1/locations/l/models/7", "", JOB.upper()):
        assert not viewer.may_see(unseen)
    for refused in (viewer.act, lambda: viewer.see("projects/1/x/1")):
        with pytest.raises(PermissionDenied):
            refused()


def test_an_owner_sees_the_projects_it_may_act_in() -> None:
    owner = Session(Caller("me@x", "1"), "owner", 0, 1)
    owner.act()
    assert owner.may_see(RUN)
    assert not owner.may_see(RUN.replace("projects/1/", "projects/2/"))


# -- links


def links(home: Home, runs: dict[str, tuple[str, frozenset[str]]]) -> Links:
    return Links(home.store, home.clock, home.ids, runs.get)


def test_links_end_by_the_clock_and_with_their_run(home: Home) -> None:
    runs = {RUN: ("run", frozenset({RUN, JOB}))}
    of = links(home, runs)
    link, secret = of.make(RUN, 2, "me@x")
    found = of.open(secret)
    assert found == link
    assert of.runs(link) == {RUN, JOB}
    assert [one.id for one in of.of_project("1")] == [link.id]
    assert of.of_project("2") == []
    home.restart()
    again = links(home, runs)
    assert again.open(secret) == link
    runs.clear()
    assert again.runs(link) == frozenset()
    home.clock.advance(2 * DAY + 1)
    assert again.open(secret) is None
    assert again.find(link.id) is None
    assert again.of_project("1") == []
    with pytest.raises(PermissionDenied):
        again.make(RUN, 1, "me@x")


@pytest.mark.parametrize("days", [0, -1, 366, float("inf"), float("nan")])
def test_days_have_bounds(home: Home, days: float) -> None:
    with pytest.raises(InvalidArgument):
        links(home, {RUN: ("run", frozenset({RUN}))}).make(RUN, days, "me@x")


def test_links_are_taken_back_only_by_who_sees_their_run(home: Home) -> None:
    of = links(home, {RUN: ("run", frozenset({RUN}))})
    link, secret = of.make(RUN, 1, "me@x")
    with pytest.raises(NotFound):
        of.remove(link.id, Session(Caller("you@x", "2"), "owner", 0, 1))
    assert of.open(secret) is not None
    of.remove(link.id, Session(Caller("me@x", "1"), "owner", 0, 1))
    assert of.open(secret) is None
    assert of.open("") is None
    assert of.open(".") is None


# -- what a request proves


def request(scheme: str = "http", method: str = "GET", replica: str = "", **headers: str) -> Request:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "scheme": scheme,
        "method": method,
        "path": "/console/api/x",
        "query_string": b"",
        "headers": given,
    }
    return Request({**scope, "server": ("127.0.0.1", 4000), **({wire.REPLICA: replica} if replica else {})})


@pytest.mark.parametrize(
    ("scheme", "host", "base", "cookie"),
    [
        ("http", "127.0.0.1:4000", "http://127.0.0.1:4000", "trigpoint-4000"),
        ("http", "localhost", "http://localhost", "trigpoint-80"),
        ("http", "[::1]:4000", "http://[::1]:4000", "trigpoint-4000"),
        ("https", "console.cloud.google.com", "https://console.cloud.google.com", "__Host-trigpoint-443"),
        ("https", "trig.example:4000", "https://trig.example:4000", "__Host-trigpoint-4000"),
    ],
)
def test_where_a_request_came_to_decides_its_origin_and_its_cookie(
    scheme: str, host: str, base: str, cookie: str
) -> None:
    found = asking.arrival(request(scheme, host=host))
    assert (found.base, found.cookie, found.secure) == (base, cookie, scheme == "https")


@pytest.mark.parametrize("host", ["", "a b", "x:y", "x:", "x:123456", "u@x", "x/y", "x:1:2", "ü:1", "[::1", "x\n"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(InvalidArgument):
        asking.arrival(request(host=host))


def test_programs_do_not_come_through_a_replicas_door() -> None:
    with pytest.raises(PermissionDenied):
        asking.check_door(request(replica="projects/1/x/1", host="console.cloud.google.com"))
    asking.check_door(request(host="localhost"))


def test_numbers_of_a_query_have_bounds() -> None:
    def ask(text: str) -> Ask:
        return Ask("GET", QueryParams(text), {}, "", lambda: Session(Caller("me@x", "1"), "owner", 0, 1))

    assert ask("n=7").number("n", 3, 10) == 7
    assert ask("").number("n", 3, 10) == 3
    for wrong in ("n=11", "n=-1", "n=1.5", "n=٣", "n=" + "9" * 5000, "n=" + "0" * 20 + "9" * 20, "n=x"):
        with pytest.raises(InvalidArgument):
            ask(wrong).number("n", 3, 10)
    with pytest.raises(InvalidArgument):
        ask("n=").text("n")
