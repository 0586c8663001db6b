"""The public API through the console: streamed, under the session's account, and users' bytes made harmless."""

from __future__ import annotations

import http.client
import threading
import time
from base64 import b64encode
from collections.abc import Iterator

import google_crc32c
import psutil
import pytest
from tests.console.conftest import World
from tests.live.browser import PAGE, Browser
from tests.live.jobs import Plan

BIG = 200 << 20
PART = 1 << 20
HOSTILE = b"<!doctype html><script>fetch('/console/api/codes', {method: 'POST'})</script>"
STORAGE = "storage.googleapis.com"


@pytest.fixture(scope="module")
def owner(world: World) -> Browser:
    world.rest.ask("POST", "/storage/v1/b?project=demo-project", {"name": "passing"}, host=STORAGE)
    return world.owner()


class Watching:
    """The most memory that a process took while this was entered, beyond what it had."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._before = self._process.memory_info().rss
        self.grown = 0

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *arguments: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.02):
            self.grown = max(self.grown, self._process.memory_info().rss - self._before)


def test_a_large_upload_and_download_pass_through_without_being_held(world: World, owner: Browser) -> None:
    sent = got = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for number in range(BIG // PART):
            part = number.to_bytes(4) * (PART // 4)
            sent = google_crc32c.extend(sent, part)
            yield part

    connection = http.client.HTTPConnection("127.0.0.1", owner.info.port, timeout=60)
    cookie = "; ".join(f"{name}={value}" for name, value in owner.cookies.items())
    headers = {**PAGE, "cookie": cookie, "content-length": str(BIG), "content-type": "text/html"}
    path = "/console/api/storage/upload/storage/v1/b/passing/o?uploadType=media&name=big.bin"
    with Watching(owner.info.pid) as up:
        connection.request("POST", path, parts(), headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    told = owner.ask("GET", "storage/storage/v1/b/passing/o/big.bin")
    assert told["size"] == str(BIG)
    assert told["crc32c"] == b64encode(sent.to_bytes(4)).decode()
    with Watching(owner.info.pid) as down:
        connection.request(
            "GET", "/console/api/storage/storage/v1/b/passing/o/big.bin?alt=media", headers={**PAGE, "cookie": cookie}
        )
        answer = connection.getresponse()
        while part := answer.read(PART):
            got = google_crc32c.extend(got, part)
            time.sleep(0.001)
    connection.close()
    assert got == sent
    assert max(up.grown, down.grown) < 64 << 20


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/json", "text/javascript", "application/json; x"]
)
@pytest.mark.parametrize("query", ["alt=media", "%61lt=m%65dia", "x=1&alt=media"])
def test_objects_leave_as_attachments_that_no_browser_runs(owner: Browser, kind: str, query: str) -> None:
    name = "a%2F%22%3B%20x%C3%BC%09.html"
    path = f"/console/api/storage/upload/storage/v1/b/passing/o?uploadType=media&name={name}"
    assert owner.call("POST", path, HOSTILE, {"content-type": kind}).status == 200
    told = owner.call("GET", f"/console/api/storage/storage/v1/b/passing/o/{name}?{query}")
    assert told.body == HOSTILE
    _inert(told.headers)
    assert told.headers["content-disposition"] == "attachment; filename*=UTF-8''%22%3B%20x%C3%BC%09.html"


def test_objects_that_name_their_own_disposition_are_as_harmless(owner: Browser) -> None:
    body = (
        b'--b\r\ncontent-type: application/json\r\n\r\n{"name": "own.html", "contentType": "text/html", '
        b'"contentDisposition": "inline", "cacheControl": "public, max-age=9999"}\r\n'
        b"--b\r\ncontent-type: text/html\r\n\r\n" + HOSTILE + b"\r\n--b--\r\n"
    )
    path = "/console/api/storage/upload/storage/v1/b/passing/o?uploadType=multipart"
    assert owner.call("POST", path, body, {"content-type": "multipart/related; boundary=b"}).status == 200
    for form in ("storage/v1/b/passing/o/own.html?alt=media", "download/storage/v1/b/passing/o/own.html?alt=media"):
        told = owner.call("GET", f"/console/api/storage/{form}")
        assert told.body == HOSTILE
        _inert(told.headers)
        assert told.headers["content-disposition"].startswith("attachment")
        part = owner.call("GET", f"/console/api/storage/{form}", headers={"range": "bytes=0-3"})
        assert (part.status, part.body) == (206, HOSTILE[:4])
        _inert(part.headers)


def _inert(headers: object) -> None:
    assert isinstance(headers, dict)
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-store"


def test_errors_stay_json(owner: Browser) -> None:
    told = owner.api("GET", "storage/storage/v1/b/passing/o/absent?alt=media")
    assert told.status == 404
    assert told.headers["content-type"].startswith("application/json")
    assert told.json["error"]["code"] == 404


def test_no_other_part_of_storage_is_reached(owner: Browser) -> None:
    for path in (
        "passing/own.html",
        "batch/storage/v1",
        "resumable/upload/storage/v1/b/passing/o",
        "%73torage/v1/b/passing/o",
    ):
        assert owner.api("GET", f"storage/{path}").status in (400, 404)
    assert owner.call("GET", "/console/api/storage//storage/v1/b/passing/o").status == 404


def test_what_a_page_says_of_itself_is_not_believed(owner: Browser) -> None:
    given = {
        "authorization": "Bearer nonsense",
        "x-goog-api-client": "gl-python/9 model-builder/9",
        "x-http-method-override": "DELETE",
    }
    path = "/console/api/storage/storage/v1/b/passing/o/kept"
    upload = "/console/api/storage/upload/storage/v1/b/passing/o?uploadType=media&name=kept"
    assert owner.call("POST", upload, b"x").status == 200
    assert owner.call("GET", path, headers=given).json["name"] == "kept"
    assert owner.call("GET", path).status == 200, "a reading request stays one"


def test_a_resumable_upload_goes_on_by_its_own_address(owner: Browser) -> None:
    begun = owner.call(
        "POST", "/console/api/storage/upload/storage/v1/b/passing/o?uploadType=resumable&name=parts", {"name": "parts"}
    )
    location = begun.headers["location"]
    path = "/console/api/storage/" + location.split("://", 1)[1].split("/", 1)[1]
    first = owner.call("PUT", path, b"x" * (256 << 10), {"content-range": f"bytes 0-{(256 << 10) - 1}/262145"})
    assert first.status == 308
    assert owner.call("PUT", path, b"y", {"content-range": "bytes 262144-262144/262145"}).status == 200
    assert owner.ask("GET", "storage/storage/v1/b/passing/o/parts")["size"] == "262145"


def test_the_narrative_names_the_console_and_its_reads_are_answered_at_once(world: World, owner: Browser) -> None:
    stream = owner.stream(f"live?topic=project/{world.number}")
    assert next(event for event in stream if event.name.endswith("|begun"))
    body = Plan("by-hand", then="wait").job()
    made = owner.ask("POST", "vertex/v1/projects/demo-project/locations/us-central1/customJobs", body)
    begun = time.monotonic()
    assert owner.ask("GET", f"vertex/v1/{made['name']}")["name"] == made["name"]
    assert time.monotonic() - begun < 1
    created = next(event for event in stream if event.data and event.data.get("kind") == "customJob.created")
    assert created.data["data"]["client"]["library"].startswith("trigpoint-console/")
    assert created.data["actor"] == "operator@demo-project.iam.gserviceaccount.com"
    assert owner.api("POST", f"vertex/v1/{made['name']}:cancel", {}).status == 200


def test_logging_and_fields_pass_too(world: World, owner: Browser) -> None:
    name = world.job(Plan("logged"))
    wanted = f'resource.labels.job_id="{name.rsplit("/", 1)[-1]}"'
    page = owner.ask("POST", "vertex/v2/entries:list", {"resourceNames": ["projects/demo-project"], "filter": wanted})
    assert any("START" in entry.get("textPayload", "") for entry in page["entries"])
    assert owner.ask("GET", f"vertex/v1/{name}?fields=state") == {"state": "JOB_STATE_SUCCEEDED"}
    assert owner.api("GET", "vertex/v1/projects/demo-project/locations/nowhere/customJobs").status in (400, 403, 404)
