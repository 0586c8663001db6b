"""Cloud Storage on the wire: what no client library sends, or hides: cuts, ranges, hashes, errors, odd names."""

import gzip
import http.client
import json
import os
import random
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import google_crc32c
import pytest

from trigpoint.domains.storage import rules

BLOCK = 256 << 10


class Http:
    """One connection with a caller's token; answers are (status, headers, body)."""

    def __init__(self, url: str, token: str) -> None:
        self.address = urlsplit(url)
        self.token = token
        self.connection = http.client.HTTPConnection(self.address.netloc, timeout=30)

    def __call__(
        self, method: str, path: str, body: bytes | dict[str, Any] = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            given.setdefault("Authorization", f"Bearer {self.token}")
        try:
            self.connection.request(method, path, data, given)
            answer = self.connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            # The server lets idle connections go; every client of HTTP/1.1 has to expect that once.
            self.connection.close()
            self.connection.request(method, path, data, given)
            answer = self.connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


@pytest.fixture
def call(endpoint: Any) -> Iterator[Http]:
    made = Http(endpoint.url, endpoint.token)
    yield made
    made.connection.close()


@pytest.fixture
def bucket(call: Http, endpoint: Any, request: pytest.FixtureRequest) -> str:
    name = "w-" + f"{abs(hash(request.node.name)):x}"
    status, _, body = call("POST", f"/storage/v1/b?project={endpoint.project}", {"name": name})
    assert status in (200, 409), body
    return name


def upload(call: Http, bucket: str, name: str, data: bytes, **headers: str) -> dict[str, Any]:
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(name, safe='')}"
    status, _, body = call("POST", path, data, **headers)
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


def names(call: Http, bucket: str) -> list[str]:
    return [each["name"] for each in json.loads(call("GET", f"/storage/v1/b/{bucket}/o")[2]).get("items", [])]


def begin(call: Http, bucket: str, name: str, body: bytes = b"", query: str = "", **headers: str) -> str:
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name={quote(name, safe='')}{query}"
    status, answered, text = call("POST", path, body, **headers)
    assert (status, text) == (200, b""), text
    where = urlsplit(answered["location"])
    return f"{where.path}?{where.query}"


def reason(body: bytes) -> str:
    error = json.loads(body)["error"]
    assert error["message"]
    assert error["code"] >= 400
    found: str = error["errors"][0]["reason"]
    return found


def test_nothing_is_answered_without_an_identity(endpoint: Any, bucket: str, call: Http) -> None:
    upload(call, bucket, "x", b"secret")
    for token in ("", "wrong"):
        nobody = Http(endpoint.url, token)
        nobody.connection.connect()
        for method, path in [
            ("GET", f"/storage/v1/b/{bucket}"),
            ("GET", f"/storage/v1/b/{bucket}/o"),
            ("GET", f"/download/storage/v1/b/{bucket}/o/x?alt=media"),
            ("GET", f"/{bucket}/x"),
            ("HEAD", f"/{bucket}/x"),
            ("PUT", f"/{bucket}/x"),
            ("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=y"),
            ("POST", "/batch/storage/v1"),
            ("GET", "/storage/v1/projects/demo-project/serviceAccount"),
            ("GET", "/nothing"),
        ]:
            status, headers, body = nobody(method, path)
            assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="https://accounts.google.com/"')
            assert b"secret" not in body
        nobody.connection.close()


@pytest.mark.parametrize(
    ("asked", "status", "expected"),
    [
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-30", 206, b"0123456789"),
        ("bytes=5-41943040", 206, b"56789"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=99999999999999999999-", 200, b"0123456789"),
        ("bytes=3-1", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_ranges(call: Http, bucket: str, asked: str, status: int, expected: bytes | None) -> None:
    upload(call, bucket, "digits", b"0123456789")
    for path in (f"/download/storage/v1/b/{bucket}/o/digits?alt=media", f"/{bucket}/digits"):
        found, headers, body = call("GET", path, Range=asked)
        assert found == status
        if expected is not None:
            assert body == expected
            assert headers["content-length"] == str(len(expected))
        if status == 206 and expected is not None:
            start = 10 - len(expected) if asked.startswith("bytes=-") else int(asked[6])
            assert headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/10"


def test_headers_of_a_download(call: Http, bucket: str) -> None:
    made = upload(call, bucket, "x", b"data", **{"Content-Type": "text/csv"})
    call("PATCH", f"/storage/v1/b/{bucket}/o/x", {"metadata": {"key": "wért\r\nx: y"}, "cacheControl": "no-store"})
    for method in ("GET", "HEAD"):
        status, headers, _ = call(method, f"/{bucket}/x")
        assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/csv", "no-store")
        assert headers["x-goog-generation"] == made["generation"]
        assert headers["x-goog-hash"].startswith("crc32c=" + rules.crc_text(google_crc32c.value(b"data")))
        assert headers["x-goog-stored-content-length"] == "4"
        assert "\n" not in headers["x-goog-meta-key"]
    assert json.loads(call("GET", f"/storage/v1/b/{bucket}/o/x")[2])["metadata"]["key"] == "wért\r\nx: y"


def test_preconditions_answer_412_and_304(call: Http, bucket: str) -> None:
    generation = int(upload(call, bucket, "x", b"1")["generation"])
    path = f"/storage/v1/b/{bucket}/o/x"
    assert call("GET", f"{path}?ifGenerationNotMatch={generation}")[::2] == (304, b"")
    assert call("GET", f"{path}?ifMetagenerationNotMatch=1&alt=media")[::2] == (304, b"")
    assert call("GET", f"{path}?ifGenerationMatch={generation}")[0] == 200
    status, _, body = call("GET", f"{path}?ifGenerationMatch=1")
    assert (status, reason(body)) == (412, "conditionNotMet")
    assert call("DELETE", f"{path}?ifMetagenerationMatch=7")[0] == 412
    media = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name="
    assert call("POST", f"{media}new&ifGenerationNotMatch=0", b"2")[0] == 304
    assert call("POST", f"{media}x&ifGenerationMatch=0", b"2")[0] == 412
    assert call("GET", f"{path}?ifGenerationMatch=abc")[0] == 400
    assert names(call, bucket) == ["x"]


def multipart(parts: list[bytes], line: bytes, boundary: bytes) -> bytes:
    mark = b"--" + boundary
    return b"".join(mark + line + part + line for part in parts) + mark + b"--"


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize("data", [b"", b"x", b"\n", b"\r\n\r\n", b"a\n--==0==\nb", b"--==0==--", b"z" * 300_000])
@pytest.mark.parametrize("quoted", ["==0==", '"==0=="', "'==0=='"])
def test_multipart_in_every_dialect(call: Http, bucket: str, line: bytes, data: bytes, quoted: str) -> None:
    metadata = {"name": "m", "contentType": "a/b", "crc32c": rules.crc_text(google_crc32c.value(data))}
    head = b"Content-Type: application/json; charset=UTF-8" + line + line
    second = b"content-type: c/d" + line + line
    body = multipart([head + json.dumps(metadata).encode(), second + data], line, b"==0==")
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
    status, _, text = call("POST", path, body, **{"Content-Type": f"multipart/related; boundary={quoted}"})
    assert status == 200, text
    assert json.loads(text)["contentType"] == "a/b"
    assert call("GET", f"/{bucket}/m")[2] == data


def test_claimed_checksums_are_verified_and_nothing_is_kept(call: Http, bucket: str, served: Any) -> None:
    wrong = rules.crc_text(1)
    media = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x"
    for header in ({"X-Goog-Hash": f"crc32c={wrong}"}, {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}):
        status, _, body = call("POST", media, b"data", **header)
        assert (status, reason(body)) == (400, "invalid")
    where = begin(call, bucket, "x", json.dumps({"crc32c": wrong}).encode())
    assert call("PUT", where, b"data")[0] == 400
    where = begin(call, bucket, "x")
    assert call("PUT", where, b"data", **{"X-Goog-Hash": f"crc32c={wrong}", "Content-Range": "bytes 0-3/4"})[0] == 400
    assert call("PUT", where, b"", **{"Content-Range": "bytes */*"})[0] == 404
    assert names(call, bucket) == []
    good = rules.crc_text(google_crc32c.value(b"data"))
    assert call("POST", media, b"data", **{"X-Goog-Hash": f"crc32c={good},md5=jXd/OF09/siBXSD3SWAm3A=="})[0] == 200


def test_a_resumable_upload_in_all_its_forms(call: Http, bucket: str) -> None:
    data = os.urandom(3 * BLOCK + 5)
    where = begin(call, bucket, "r", b'{"contentType": "a/b"}', **{"X-Upload-Content-Length": str(len(data))})
    status, headers, _ = call("PUT", where, b"", **{"Content-Range": "bytes */*"})
    assert status == 308
    assert "range" not in headers
    status, headers, _ = call("PUT", where, data[:BLOCK], **{"Content-Range": f"bytes 0-{BLOCK - 1}/*"})
    assert (status, headers["range"]) == (308, f"bytes=0-{BLOCK - 1}")
    # Bytes that are stored already are skipped; a gap is refused.
    again = data[BLOCK // 2 : 2 * BLOCK]
    status, headers, _ = call("POST", where, again, **{"Content-Range": f"bytes {BLOCK // 2}-{2 * BLOCK - 1}/*"})
    assert (status, headers["range"]) == (308, f"bytes=0-{2 * BLOCK - 1}")
    assert call("PUT", where, b"xx", **{"Content-Range": f"bytes {3 * BLOCK}-{3 * BLOCK + 1}/*"})[0] == 400
    status, headers, _ = call(
        "PUT", where, b"", **{"Content-Range": f"bytes */{len(data)}", "X-GUploader-No-308": "yes"}
    )
    assert (status, headers["x-http-status-code-override"]) == (200, "308")
    assert names(call, bucket) == []
    rest = {"Content-Range": f"bytes {2 * BLOCK}-{len(data) - 1}/{len(data)}"}
    status, _, body = call("PUT", where, data[2 * BLOCK :], **rest)
    assert (status, json.loads(body)["contentType"]) == (200, "a/b")
    # The answer was lost: asking again gives the same object.
    status, _, repeated = call("PUT", where, b"", **{"Content-Range": f"bytes */{len(data)}"})
    assert (status, repeated) == (200, body)
    assert call("GET", f"/{bucket}/r")[2] == data
    for wrong in ("bytes 5-3/9", "bytes 0-9/5", "bytes a-b/c", "0-3/4"):
        assert call("PUT", begin(call, bucket, "w"), b"1234", **{"Content-Range": wrong})[0] == 400


def test_empty_sized_later_and_cancelled_sessions(call: Http, bucket: str) -> None:
    assert call("PUT", begin(call, bucket, "empty"), b"", **{"Content-Range": "bytes */0"})[0] == 200
    where = begin(call, bucket, "late")
    assert call("POST", where, b"abc", **{"Content-Range": "bytes 0-2/*"})[0] == 308
    assert call("POST", where, b"", **{"Content-Range": "bytes */3"})[0] == 200
    where = begin(call, bucket, "gone")
    assert call("DELETE", where)[0] == 499
    assert call("PUT", where, b"1")[0] == 404
    where = begin(call, bucket, "late", query="&ifGenerationMatch=0")
    status, _, body = call("PUT", where, b"1")
    assert (status, reason(body)) == (412, "conditionNotMet")
    assert names(call, bucket) == ["empty", "late"]


def cut_request(call: Http, path: str, headers: str, body: bytes) -> None:
    """Send part of a request's body, then break the connection."""
    with socket.create_connection((call.address.hostname or "", call.address.port or 0)) as raw:
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {call.token}\r\n{headers}\r\n\r\n"
        raw.sendall(head.encode() + body)


def held(call: Http, where: str) -> int:
    status, headers, _ = call("PUT", where, b"", **{"Content-Range": "bytes */*"})
    assert status == 308
    return int(headers["range"].rpartition("-")[2]) + 1 if "range" in headers else 0


def test_uploads_cut_anywhere_go_on_and_are_never_listed(call: Http, bucket: str) -> None:
    dice = random.Random(17)
    data = dice.randbytes(8 * BLOCK + 11)
    where, sent, furthest = begin(call, bucket, "cut"), 0, 0
    while sent < len(data):
        stop = min(len(data), sent + BLOCK)
        part = dice.randrange(1, stop - sent) if stop - sent > 1 and dice.random() < 0.7 else stop - sent
        length = f"Content-Length: {stop - sent}\r\nContent-Range: bytes {sent}-{stop - 1}/{len(data)}"
        if part < stop - sent:
            cut_request(call, where, length, data[sent : sent + part])
            now = held(call, where)
            furthest = max(furthest, sent + part)
            assert sent <= now <= furthest
            sent = now
            assert names(call, bucket) == []
            continue
        status, _, _ = call("PUT", where, data[sent:stop], **{"Content-Range": length.rpartition(": ")[2]})
        assert status == (200 if stop == len(data) else 308)
        sent = stop
    assert call("GET", f"/{bucket}/cut")[2] == data


def test_a_cut_media_upload_leaves_nothing(call: Http, bucket: str, served: Any) -> None:
    path = f"/{bucket}/media"
    for size in (0, 1, BLOCK, 3 * BLOCK):
        cut_request(call, path, f"Content-Length: {4 * BLOCK}", b"x" * size)
    assert call("PUT", path, b"whole")[0] == 200
    assert names(call, bucket) == ["media"]


def test_a_batch_answers_part_by_part(call: Http, bucket: str) -> None:
    upload(call, bucket, "x", b"1")
    parts = []
    for number, line in enumerate(
        [f"DELETE /storage/v1/b/{bucket}/o/x HTTP/1.1", f"GET http://h/storage/v1/b/{bucket}/o/x HTTP/1.1",
         "POST /upload/storage/v1/b/b/o HTTP/1.1"][:2]
    ):  # fmt: skip
        parts.append(f"Content-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n{line}\r\nHost: h\r\n".encode())
    body = multipart(parts, b"\r\n", b"bb")
    headers = {"Content-Type": "multipart/mixed; boundary=bb"}
    status, answered, text = call("POST", "/batch/storage/v1", body, **headers)
    assert status == 200
    assert answered["content-type"].startswith("multipart/mixed; boundary=")
    assert text.index(b"<response-0>") < text.index(b"204 No Content") < text.index(b"404 Not Found")
    assert call("POST", "/batch/storage/v1", b"junk", **headers)[0] == 200
    assert call("POST", "/batch/storage/v1", multipart([b"x"], b"\r\n", b"bb"), **headers)[0] == 400


def test_a_batch_brings_no_bytes_however_they_are_asked_for(call: Http, bucket: str) -> None:
    upload(call, bucket, "large", b"x" * (3 << 20))
    line = f"GET /storage/v1/b/{bucket}/o/large?alt=%6dedia HTTP/1.1".encode()
    body = multipart([b"Content-Type: application/http\r\n\r\n" + line + b"\r\n"], b"\r\n", b"bb")
    status, _, text = call("POST", "/batch/storage/v1", body, **{"Content-Type": "multipart/mixed; boundary=bb"})
    assert status == 400
    assert b"cannot be part of a batch" in text


def test_an_absent_project_is_refused_as_a_foreign_one(call: Http) -> None:
    for path in ("/storage/v1/b?project={}", "/storage/v1/projects/{}/serviceAccount"):
        foreign, absent = (call("GET", path.format(name)) for name in ("other-project", "none"))
        assert foreign[0] == absent[0] == 403
        assert foreign[2].replace(b"other-project", b"none") == absent[2]


def test_what_unpacks_to_a_thousand_times_its_size_is_sent_in_pieces(call: Http, bucket: str, served: Any) -> None:
    packed = gzip.compress(bytes(64 << 20)) + b"junk" * (1 << 20)
    metadata = {"name": "bomb", "contentEncoding": "gzip"}
    body = multipart([b"\r\n" + json.dumps(metadata).encode(), b"\r\n" + packed], b"\r\n", b"bb")
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
    assert call("POST", path, body, **{"Content-Type": "multipart/related; boundary=bb"})[0] == 200
    call.connection.request(
        "GET", f"/storage/v1/b/{bucket}/o/bomb?alt=media", headers={"Authorization": f"Bearer {call.token}"}
    )
    answer = call.connection.getresponse()
    sizes = []
    while line := answer.fp.readline():  # the chunks as they are on the wire
        sizes.append(int(line, 16))
        answer.fp.read(sizes[-1] + 2)
        if not sizes[-1]:
            break
    call.connection.close()
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 1 << 20


def test_bytes_that_are_refused_leave_nothing(call: Http, bucket: str, served: Any) -> None:
    upload(call, bucket, "source", b"x" * 1000)
    _, _, begun = call("POST", f"/{bucket}/joined?uploads")
    ident = begun.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
    before = set(os.listdir(served.home / "blobs" / "incoming"))
    refused = [
        call("PUT", f"/{bucket}/joined?uploadId={ident}&partNumber=0", b"x" * 1000),
        call("POST", f"/storage/v1/b/{bucket}/o/source/copyTo/b/{bucket}/o/%0a"),
        call("POST", f"/storage/v1/b/{bucket}/o/%0a/compose", {"sourceObjects": [{"name": "source"}]}),
        call("POST", f"/storage/v1/b/{bucket}/o/y/compose", {"sourceObjects": [{"name": "source"}],
                                                              "destination": {"metadata": 1}}),
    ]  # fmt: skip
    assert [status for status, _, _ in refused] == [400] * 4
    assert set(os.listdir(served.home / "blobs" / "incoming")) == before


ERRORS: list[tuple[str, str, bytes, int, str]] = [
    ("GET", "/storage/v1/b/no-such-bucket-at-all", b"", 404, "notFound"),
    ("GET", "/storage/v1/b/{b}/o/none", b"", 404, "notFound"),
    ("GET", "/storage/v1/b/{b}/o/none?alt=media", b"", 404, "notFound"),
    ("DELETE", "/storage/v1/b/{b}/o/none", b"", 404, "notFound"),
    ("PATCH", "/storage/v1/b/{b}/o/none", b"{}", 404, "notFound"),
    ("POST", "/storage/v1/b", b"{}", 400, "invalid"),
    ("POST", "/storage/v1/b?project=demo-project", b'{"name": "UPPER"}', 400, "invalid"),
    ("POST", "/storage/v1/b?project=demo-project", b'{"name": "googly"}', 400, "invalid"),
    ("POST", "/storage/v1/b?project=demo-project", b'{"name": "192.168.0.1"}', 400, "invalid"),
    ("POST", "/storage/v1/b?project=demo-project", b'{"name": "../x"}', 400, "invalid"),
    ("POST", "/storage/v1/b?project=demo-project", b'{"name": 5}', 400, "invalid"),
    ("POST", "/storage/v1/b?project=demo-project", b"[1]", 400, "invalid"),
    ("POST", "/storage/v1/b?project=demo-project", b'{"name":', 400, "invalid"),
    ("POST", "/storage/v1/b?project=none", b'{"name": "fine-name"}', 403, "forbidden"),
    ("POST", "/storage/v1/b?project=other-project", b'{"name": "fine-name"}', 403, "forbidden"),
    ("PATCH", "/storage/v1/b/{b}", b'{"retentionPolicy": {"retentionPeriod": "1"}}', 400, "invalid"),
    ("PATCH", "/storage/v1/b/{b}", b'{"versioning": 3}', 400, "invalid"),
    ("PATCH", "/storage/v1/b/{b}", b'{"storageClass": {}}', 400, "invalid"),
    ("PATCH", "/storage/v1/b/{b}", b'{"cors": ' + b"[" * 300 + b"]" * 300 + b"}", 400, "invalid"),
    ("PUT", "/storage/v1/b/{b}/iam", b'{"bindings": [{"role": ' + b"[" * 300 + b"]" * 300 + b"}]}", 400, "invalid"),
    ("GET", "/storage/v1/b/{b}/o?matchGlob=" + "%7B" * 20_000 + "%7D", b"", 400, "invalid"),
    ("GET", "/storage/v1/projects/other-project/serviceAccount", b"", 403, "forbidden"),
    ("GET", "/storage/v1/projects/none/serviceAccount", b"", 403, "forbidden"),
    ("POST", "/upload/storage/v1/b/{b}/o?uploadType=media", b"x", 400, "invalid"),
    ("POST", "/upload/storage/v1/b/{b}/o?uploadType=odd&name=x", b"x", 400, "invalid"),
    ("POST", "/upload/storage/v1/b/{b}/o?uploadType=multipart", b"x", 400, "invalid"),
    ("POST", "/upload/storage/v1/b/{b}/o?uploadType=media&name=a%0Ab", b"x", 400, "invalid"),
    ("PUT", "/upload/storage/v1/b/{b}/o?uploadType=resumable&upload_id=none", b"x", 404, "notFound"),
    ("GET", "/storage/v1/b/{b}/o?pageToken=junk", b"", 400, "invalid"),
    ("GET", "/storage/v1/b/{b}/o?maxResults=x", b"", 400, "invalid"),
    ("GET", "/storage/v1/b/{b}/o?softDeleted=true&versions=true", b"", 400, "invalid"),
    ("GET", "/storage/v1/b/{b}/o/x?generation=99999999999999999999", b"", 400, "invalid"),
    ("POST", "/storage/v1/b/{b}/o/x/compose", b'{"sourceObjects": []}', 400, "invalid"),
    ("POST", "/storage/v1/b/{b}/o/x/compose", b'{"sourceObjects": [{"name": 1}]}', 400, "invalid"),
    ("POST", "/storage/v1/b/{b}/o/x/moveTo/o/x", b"", 400, "invalid"),
    ("POST", "/storage/v1/b/{b}/o/x/restore", b"", 501, "notImplemented"),
    ("GET", "/storage/v1/nothing", b"", 404, "notFound"),
    ("GET", "/storage/v1/b/{b}/o/%FF", b"", 400, "invalid"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "word"), ERRORS)
def test_errors(call: Http, bucket: str, method: str, path: str, body: bytes, status: int, word: str) -> None:
    found, _, text = call(method, path.replace("{b}", bucket), body)
    assert (found, reason(text)) == (status, word), text
    assert b"Traceback" not in text


def odd_names() -> list[str]:
    """More than 2,000 names by which path handling was ever fooled, and their mixtures."""
    seeds = [
        "..", ".", "../canary", "../../canary", "/canary", "//canary", "a/../canary", "a/./b", "./a", "a/", "a//b", "/",
        "..\\canary", "\\..\\canary", "C:\\canary", "C:/canary", "\\\\host\\share", "file:///etc/passwd", "~root/x",
        "%2e%2e/canary", "%2e%2e%2fcanary",
        "%252e%252e%252fcanary", "..%2fcanary", "..%5ccanary", "%c0%ae%c0%ae/canary",
        "\u2025/canary", "\uff0e\uff0e/canary", "\u202egpj.exe", "a\u0000b", "\x7f", "\x01",
        " ", " a ", "a b", "+", "a+b",
        "?", "a?b=c", "#", "a#b", "%", "%zz", "&", ";", "a;b", ":", "a:b", "*", "|", "<script>", '"', "'", "`", "$HOME",
        "${x}", "{{x}}", "-rf", "--", "con", "nul", "aux", "LPT1", "x" * 255, "x" * 256, "x" * 1024, "d/" * 511 + "x",
        "ü", "u\u0308", "日本語/ファイル", "\U0001f426", "\ufeff", "\u2028", ".git/config", ".trigpoint-escaped/x",
        ".trigpoint-escaped", ".bashrc", "a.", "a ", "...", "o", "o/x", "b/o/o", "compose", "x/copyTo/b/c/o/d",
    ]  # fmt: skip
    joined = {f"{one}/{two}" for one in seeds for two in seeds}
    fits = sorted(name for name in {*seeds, *joined} if len(name.encode()) <= 1024)
    return [*seeds, *random.Random(11).sample(fits, 2000)]


def test_odd_names_stay_inside_and_round_trip(call: Http, bucket: str, served: Any) -> None:
    canary = served.home / "canary"
    canary.write_bytes(b"canary")
    (served.home / "buckets" / "canary").write_bytes(b"canary")
    allowed = {name for name in odd_names() if name not in (".", "..")}
    # The storage slice itself for most (names, not sockets, are at stake), the wire for a sample.
    wired = set(random.Random(5).sample(sorted(allowed), 150))
    before = set(served.home.iterdir())
    for name in sorted(allowed):
        if name in wired:
            upload(call, bucket, name, name.encode())
            status, _, body = call("GET", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media")
            assert (status, body) == (200, name.encode())
        else:
            served.storage.files.write(served.endpoint.number, f"gs://{bucket}/{name}", name.encode())
    listed: list[str] = []
    token = ""
    while True:
        page = json.loads(call("GET", f"/storage/v1/b/{bucket}/o?pageToken={token}")[2])
        listed += [item["name"] for item in page["items"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert listed == sorted(allowed, key=str.encode)
    assert set(served.home.iterdir()) == before
    assert canary.read_bytes() == (served.home / "buckets" / "canary").read_bytes() == b"canary"
    (served.home / "buckets" / "canary").unlink()
    for name in sorted(allowed):
        assert served.storage.files.read_bytes(served.endpoint.number, f"gs://{bucket}/{name}", 2000) == name.encode()


@pytest.mark.parametrize(
    "path",
    ["/../canary", "/..%2f..%2fcanary", "/%2e%2e/canary", "//canary", "/..", "/%00/x", "/storage/v1/b/..%2f..", "/"],
)
def test_odd_bucket_names_reach_nothing(call: Http, served: Any, path: str) -> None:
    (served.home / "canary").write_bytes(b"canary-bytes")
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        status, _, body = call(method, path, b"x" if method == "PUT" else b"")
        assert status in (400, 404, 501)
        assert b"canary-bytes" not in body
        assert str(served.home).encode() not in body
    assert (served.home / "canary").read_bytes() == b"canary-bytes"


def test_a_large_upload_and_download_hold_little_memory(call: Http, bucket: str) -> None:
    with open("/proc/self/status", encoding="ascii") as status:
        before = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    size = 96 << 20

    def pieces() -> Iterator[bytes]:
        for _ in range(size >> 20):
            yield bytes(1 << 20)

    headers = {"Authorization": f"Bearer {call.token}", "Content-Length": str(size)}
    call.connection.request("PUT", f"/{bucket}/large", pieces(), headers)
    answer = call.connection.getresponse()
    answer.read()
    assert answer.status == 200
    call.connection.request("GET", f"/{bucket}/large", headers={"Authorization": f"Bearer {call.token}"})
    answer = call.connection.getresponse()
    found = 0
    while chunk := answer.read(1 << 20):
        found += len(chunk)
    assert found == size
    with open("/proc/self/status", encoding="ascii") as status:
        after = int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    assert after - before < 32 << 10


@pytest.mark.parametrize(
    ("verb", "query", "headers"),
    [
        ("PUT", "?acl", {}),
        ("PUT", "?tagging=", {}),
        ("DELETE", "?tagging", {}),
        ("POST", "?compose", {}),
        ("PUT", "", {"x_goog_copy_source": "/other/object"}),
        ("PUT", "", {"x_amz_copy_source": "/other/object"}),
    ],
)
def test_what_the_xml_api_is_asked_about_an_object_never_touches_its_bytes(
    call: Http, bucket: str, verb: str, query: str, headers: dict[str, str]
) -> None:
    upload(call, bucket, "kept", b"bytes")
    status, _, body = call(verb, f"/{bucket}/kept{query}", b"<Acl/>", **headers)
    assert status == 501, body
    assert call("GET", f"/{bucket}/kept")[2] == b"bytes"


@pytest.mark.parametrize(
    "fields", ["items/name,nextPageToken", "items.name,nextPageToken", "items(name),nextPageToken"]
)
def test_fields_choose_what_is_answered(call: Http, bucket: str, fields: str) -> None:
    for name in ("a", "b"):
        upload(call, bucket, name, b"{}")
    status, _, body = call("GET", f"/storage/v1/b/{bucket}/o?maxResults=1&fields={fields}")
    page = json.loads(body)
    assert (status, page["items"]) == (200, [{"name": "a"}])
    assert set(page) == {"items", "nextPageToken"}


def test_fields_leave_bytes_and_errors_whole(call: Http, bucket: str) -> None:
    upload(call, bucket, "a", b'{"name": 1, "size": 2}')
    assert json.loads(call("GET", f"/storage/v1/b/{bucket}/o/a?fields=name")[2]) == {"name": "a"}
    assert call("GET", f"/storage/v1/b/{bucket}/o/a?alt=media&fields=name")[2] == b'{"name": 1, "size": 2}'
    status, _, body = call("GET", f"/storage/v1/b/{bucket}/o/none?fields=name")
    assert (status, json.loads(body)["error"]["code"]) == (404, 404)


def test_wrong_fields_are_refused_before_anything_is_done(call: Http, bucket: str) -> None:
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=refused&fields=name("
    assert call("POST", path, b"bytes")[0] == 400
    assert call("GET", f"/storage/v1/b/{bucket}/o/refused")[0] == 404


def test_a_bucket_whose_place_a_file_has_is_refused_with_the_way_out(call: Http, endpoint: Any, served: Any) -> None:
    stray = served.home / "buckets" / "stray-file"
    stray.write_bytes(b"precious")
    status, _, body = call("POST", f"/storage/v1/b?project={endpoint.project}", {"name": "stray-file"})
    assert (status, stray.read_bytes()) == (400, b"precious")
    assert "move it" in json.loads(body)["error"]["message"]
    stray.unlink()
    assert call("POST", f"/storage/v1/b?project={endpoint.project}", {"name": "stray-file"})[0] == 200
