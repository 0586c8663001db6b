"""The page's own files, and the headers on every answer of the console."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from tests.console.conftest import World

from trigpoint.console.pages import Pages


def request(accept: str = "", method: str = "GET") -> Request:
    headers = [(b"accept-encoding", accept.encode())] if accept else []
    return Request({"type": "http", "method": method, "path": "/", "headers": headers, "query_string": b""})


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>page")
    (assets / "index-abc.js").write_text("script")
    (assets / "index-abc.js.br").write_text("brotli")
    (assets / "index-abc.js.gz").write_text("gzip")
    (assets / "plain-abc.css").write_text("style")
    (assets / "trigpoint.svg").write_text("<svg/>")
    return Pages(tmp_path)


@pytest.mark.parametrize(
    ("accept", "body", "encoding"),
    [
        ("gzip, deflate, br", b"brotli", "br"),
        ("gzip", b"gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", b"gzip", "gzip"),
        ("br;q=0.0,gzip;q=0", b"script", None),
        ("xbr, gzipped", b"script", None),
        ("", b"script", None),
    ],
)
def test_assets_come_as_small_as_the_browser_takes_them(pages: Pages, accept: str, body: bytes, encoding: str) -> None:
    found = pages.asset(request(accept), "index-abc.js")
    assert found is not None
    assert found.body == body
    assert found.headers.get("content-encoding") == encoding
    assert found.headers["content-type"].startswith("text/javascript")
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert found.headers["vary"] == "accept-encoding"


def test_only_what_was_built_is_there(pages: Pages) -> None:
    for name in ("absent.js", "../index.html", "index-abc.js.br", "", ".", "/etc/passwd", "plain-abc.css.gz"):
        assert pages.asset(request(), name) is None, name
    icon = pages.asset(request("br"), "trigpoint.svg")
    assert icon is not None
    assert icon.headers["content-type"] == "image/svg+xml"
    assert "immutable" not in icon.headers["cache-control"]


def test_a_page_that_was_not_built_says_what_to_do(tmp_path: Path) -> None:
    found = Pages(tmp_path / "absent").index(request())
    assert (found.status_code, b"make install" in bytes(found.body)) == (503, True)


STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console/projects/p/locations/l/customJobs/1?tab=logs",
        "/console/assets/absent.js",
        "/console/api/session",
        "/console/api/nothing",
        "/ai/platform/locations/us-central1/training/1",
        "/agent-platform/x",
        "/vertex-ai/locations",
        "/logs/viewer?resource=ml_job",
    ],
)
def test_every_answer_has_the_strict_headers(world: World, path: str, secure: bool) -> None:
    told = world.browser(secure=secure).call("GET", path, page=False)
    for name, value in STRICT.items():
        assert told.headers[name] == value, name
    policy = told.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert "camera=()" in told.headers["permissions-policy"]
    assert told.status == (404 if "absent" in path else 401 if "/api/" in path else told.status)
    if "/api/" not in path and "assets" not in path:
        assert told.status in (200, 503)
        assert told.headers["content-type"].startswith("text/html")


def test_the_bare_address_leads_to_the_console(world: World) -> None:
    browser = world.browser()
    for path in ("/", "/console"):
        told = browser.call("GET", path, page=False)
        assert (told.status, told.headers["location"]) == (302, "/console/")
    assert browser.call("POST", "/console/", {}).status == 400
    assert browser.call("HEAD", "/console/").body == b""


def test_googles_own_name_reaches_it_over_tls(world: World) -> None:
    browser = world.browser(secure=True)
    host = {"host": "console.cloud.google.com"}
    assert browser.call("GET", "/", headers=host, page=False).status == 302
    told = browser.call("GET", "/vertex-ai/training/1?project=p", headers=host, page=False)
    assert told.headers["content-type"].startswith("text/html")
    assert browser.call("GET", "/console/api/session", headers=host, page=False).status == 401


def test_the_apis_are_not_spoken_to_in_clear(world: World) -> None:
    browser = world.browser()
    for path in (f"/v1/{world.rest.parent}/customJobs", "/storage/v1/b", "/token"):
        told = browser.call("GET", path, headers={"authorization": world.bearer()}, page=False)
        assert told.headers["content-type"].startswith("text/html"), "the page, and nothing of an API"
