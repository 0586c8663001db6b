"""The stream of a real server: nothing missed and nothing twice, also when the server is killed under it."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from functools import partial

from tests.console.conftest import World
from tests.live.browser import Browser
from tests.live.rest import Gone

ACCOUNTS = 60
IAM = "iam.googleapis.com"


def follow(browser: Browser, number: str, last: str, seqs: list[int], enough: Callable[[], bool]) -> str:
    """Read a stream until it breaks or it is enough; return the id to go on from."""
    try:
        for event in browser.stream(f"live?topic=project/{number}", last):
            last = event.id or last
            if event.name.endswith("|begun"):
                assert event.data == {"missed": False}
            if event.name.endswith("|event"):
                seqs.append(event.data["seq"])
            if enough():
                break
    except (OSError, http.client.HTTPException):
        time.sleep(0.1)
    return last


def test_a_stream_goes_on_across_kills_and_restarts(new_world: Callable[..., World]) -> None:
    world = new_world()
    owner, number = world.owner(), world.number
    made: list[str] = []

    def write() -> None:
        rest = world.home.client()
        while len(made) < ACCOUNTS:
            body = {"accountId": f"robot-{len(made):03d}"}
            try:
                rest.call("POST", "/v1/projects/demo-project/serviceAccounts", body, host=IAM)
                made.append(body["accountId"])
            except Gone:
                time.sleep(0.05)
            time.sleep(0.02)
        rest.close()

    def reached(count: int) -> bool:
        return len(made) >= count

    start = next(event.id for event in owner.stream(f"live?topic=project/{number}") if event.id)
    seqs: list[int] = []
    last = start
    writer = threading.Thread(target=write)
    writer.start()
    for stop_at in (15, 35, ACCOUNTS):
        while len(made) < stop_at:
            last = follow(owner, number, last, seqs, partial(reached, stop_at))
        if stop_at < ACCOUNTS:
            (world.home.kill if stop_at == 15 else world.home.stop)()
            world.home.start()
    writer.join()
    whole: list[int] = []
    world.rest.close()
    world.rest = world.home.client()
    world.rest.ask("POST", "/v1/projects/demo-project/serviceAccounts", {"accountId": "the-last"}, host=IAM)
    follow(owner, number, last, seqs, lambda: len(seqs) > ACCOUNTS)
    follow(owner, number, start, whole, lambda: len(whole) > ACCOUNTS)
    assert seqs == whole
    assert len(seqs) == len(set(seqs)) == ACCOUNTS + 1


def test_a_commit_reaches_the_page_soon(world: World) -> None:
    owner = world.owner()
    stream = owner.stream(f"live?topic=project/{world.number}")
    assert next(event for event in stream if event.name.endswith("|begun"))
    waited = []
    for index in range(10):
        world.rest.ask("POST", "/v1/projects/demo-project/serviceAccounts", {"accountId": f"quick-{index}0"}, host=IAM)
        told = time.monotonic()
        event = next(event for event in stream if event.name.endswith("|event"))
        waited.append(time.monotonic() - told)
        assert event.data["kind"] == "serviceAccount.created"
    assert sorted(waited)[5] < 0.1


def test_a_stop_does_not_wait_for_streams(new_world: Callable[..., World]) -> None:
    world = new_world()
    streams = [world.owner().stream(f"live?topic=project/{world.number}") for _ in range(3)]
    for stream in streams:
        assert next(stream)
    begun = time.monotonic()
    assert world.home.stop() == 0
    assert time.monotonic() - begun < 4
    for stream in streams:
        assert [event for event in stream if event.name.endswith("|event")] == []
