"""Google's own storage client, gcsfs and pandas, unmodified, against an endpoint (vertex-services.md section 10.3)."""

import base64
import gzip
import hashlib
import io
import json
import os
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import google.oauth2.credentials
import pandas as pd
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core.exceptions import Conflict, Forbidden, NotFound, PreconditionFailed
from google.auth import crypt
from google.cloud import storage
from google.cloud.storage import transfer_manager
from google.oauth2 import service_account

BLOCK = 256 << 10


Token: Any = google.oauth2.credentials.Credentials


@pytest.fixture
def client(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[storage.Client]:
    monkeypatch.setenv("API_ENDPOINT_OVERRIDE", endpoint.url)
    made = storage.Client(project=endpoint.project, credentials=Token(endpoint.token))
    yield made
    made.close()


@pytest.fixture
def bucket(client: storage.Client, request: pytest.FixtureRequest) -> storage.Bucket:
    name = "t-" + "".join(c if c.isalnum() else "-" for c in request.node.name.lower())[:40].strip("-")
    return client.create_bucket(name, location="us-central1")


def test_buckets(client: storage.Client, endpoint: Any) -> None:
    made = client.create_bucket("buckets-test", location="europe-west4")
    assert str(made.project_number) == endpoint.number
    assert client.get_bucket("buckets-test").location == "EUROPE-WEST4"
    assert client.lookup_bucket("no-such-bucket-here") is None
    assert made.exists()
    assert "buckets-test" in [each.name for each in client.list_buckets(prefix="buckets-")]
    made.labels = {"team": "birds"}
    made.versioning_enabled = True
    made.patch()
    made.reload()
    assert made.labels == {"team": "birds"}
    assert made.metageneration == 2
    with pytest.raises(Conflict):
        client.create_bucket("buckets-test")
    made.blob("x").upload_from_string("1")
    made.blob("x").upload_from_string("2")
    with pytest.raises(Conflict):
        made.delete()
    made.delete(force=True)
    assert not made.exists()


def test_many_buckets_come_in_pages(client: storage.Client) -> None:
    names = [f"paged-bucket-{number}" for number in range(5)]
    for name in names:
        client.create_bucket(name)
    assert [each.name for each in client.list_buckets(prefix="paged-bucket-", page_size=2)] == names


def test_upload_and_download(bucket: storage.Bucket, tmp_path: Path) -> None:
    blob = bucket.blob("deep/a b+c%2F?.txt")
    blob.metadata = {"key": "wért"}
    blob.upload_from_string("héllo", content_type="text/plain; charset=utf-8")
    found = bucket.get_blob(blob.name)
    assert found is not None
    assert (found.size, found.content_type, found.metadata) == (6, "text/plain; charset=utf-8", {"key": "wért"})
    assert found.download_as_text() == "héllo"
    assert found.download_as_bytes(start=1, end=2) == "é".encode()
    assert found.md5_hash
    assert found.crc32c
    assert found.download_as_bytes(checksum="md5") == "héllo".encode()
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(100_000))
    blob.upload_from_filename(str(source))
    blob.download_to_filename(str(target))
    assert target.read_bytes() == source.read_bytes()
    assert not bucket.blob("absent").exists()
    with pytest.raises(NotFound, match="No such object"):
        bucket.blob("absent").download_as_bytes()


def test_every_way_of_uploading_answers_with_an_md5(bucket: storage.Bucket) -> None:
    data = os.urandom(3 << 20)
    expected, of_nothing = (
        base64.b64encode(hashlib.md5(each, usedforsecurity=False).digest()).decode() for each in (data, b"")
    )
    for checksum in ("auto", "md5", "crc32c", None):
        multipart, resumable, streamed = bucket.blob("m"), bucket.blob("r", chunk_size=BLOCK), bucket.blob("s")
        multipart.upload_from_string(data, checksum=checksum)
        resumable.upload_from_file(io.BytesIO(data), checksum=checksum)
        with streamed.open("wb", checksum=checksum, chunk_size=BLOCK) as file:
            file.write(data)
        copied = bucket.copy_blob(multipart, bucket, "copied")
        assert [blob.md5_hash for blob in (multipart, resumable, copied)] == [expected] * 3
        with bucket.blob("nothing").open("wb", checksum=checksum):
            pass
        listed = {blob.name: blob.md5_hash for blob in bucket.list_blobs()}
        assert listed == {**dict.fromkeys(("m", "r", "s", "copied"), expected), "nothing": of_nothing}


def test_resumable_uploads_of_every_shape(bucket: storage.Bucket) -> None:
    data = os.urandom(9 << 20)
    blob = bucket.blob("big", chunk_size=BLOCK * 5)
    blob.upload_from_file(io.BytesIO(data), size=len(data))
    assert bucket.blob("big").download_as_bytes() == data
    blob = bucket.blob("one-shot")
    blob.upload_from_file(io.BytesIO(data), size=len(data))
    assert bucket.blob("one-shot").download_as_bytes(checksum="crc32c") == data
    blob = bucket.blob("unknown", chunk_size=BLOCK)
    blob.upload_from_file(io.BytesIO(data[: BLOCK * 2]), content_type="a/b")
    assert bucket.blob("unknown").download_as_bytes() == data[: BLOCK * 2]
    for text in ("", "abcd"):
        with bucket.blob("written").open("w") as file:
            file.write(text)
        assert bucket.blob("written").download_as_text() == text
    with bucket.blob("big").open("rb") as file:
        assert file.read(10) == data[:10]
        file.seek(5 << 20)
        assert file.read() == data[5 << 20 :]
    with bucket.blob("written").open("r") as file:
        assert file.read() == "abcd"


def test_preconditions(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string("1", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string("2", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").upload_from_string("y" * (9 << 20), if_generation_match=0)
    bucket.blob("x").upload_from_string("2", if_generation_match=blob.generation)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").download_as_bytes(if_generation_match=blob.generation)
    with pytest.raises(PreconditionFailed):
        bucket.blob("x").delete(if_generation_match=blob.generation)
    with pytest.raises(NotFound):
        bucket.blob("x", generation=blob.generation).download_as_bytes()


def test_metadata(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string("1", content_type="text/csv")
    blob.metadata = {"a": "1", "b": "2"}
    blob.patch()
    blob.metadata = {"a": None, "c": "3"}
    blob.patch()
    blob.reload()
    assert blob.metadata == {"b": "2", "c": "3"}
    assert (blob.content_type, blob.metageneration) == ("text/csv", 3)
    blob.content_language = "de"
    blob.update()
    blob.update_storage_class("NEARLINE")
    blob.reload()
    assert (blob.storage_class, blob.content_language, blob.metadata) == ("NEARLINE", "de", {"b": "2", "c": "3"})
    blob.temporary_hold = True
    blob.patch()
    with pytest.raises(Forbidden):
        blob.delete()


def test_lists(bucket: storage.Bucket) -> None:
    names = ["a/1.csv", "a/2.txt", "a/b/3.csv", "a/b/c/4.csv", "z", "é", "a.b", "a/"]
    for name in names:
        bucket.blob(name).upload_from_string(name)

    def listed(**options: Any) -> list[str]:
        return [blob.name for blob in bucket.list_blobs(**options)]

    assert listed() == sorted(names, key=str.encode)
    assert listed(page_size=2) == listed()
    assert listed(prefix="a/b") == ["a/b/3.csv", "a/b/c/4.csv"]
    assert listed(start_offset="a/2", end_offset="z") == ["a/2.txt", "a/b/3.csv", "a/b/c/4.csv"]
    assert listed(match_glob="a/*.csv") == ["a/1.csv"]
    assert listed(match_glob="**/{3,4}.c?v") == ["a/b/3.csv", "a/b/c/4.csv"]
    assert listed(max_results=3) == listed()[:3]
    page = bucket.list_blobs(delimiter="/", page_size=1)
    assert [blob.name for blob in page] == ["a.b", "z", "é"]
    assert page.prefixes == {"a/"}
    page = bucket.list_blobs(prefix="a/", delimiter="/", include_trailing_delimiter=True)
    assert [blob.name for blob in page] == ["a/", "a/1.csv", "a/2.txt", "a/b/"][:3]
    assert page.prefixes == {"a/b/"}


def test_versions(bucket: storage.Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    first = bucket.blob("x")
    first.upload_from_string("1")
    bucket.blob("x").upload_from_string("2")
    bucket.blob("x").delete()
    assert [blob.name for blob in bucket.list_blobs()] == []
    found = list(bucket.list_blobs(versions=True, page_size=1))
    assert [blob.download_as_text() for blob in found] == ["1", "2"]
    assert all(blob.time_deleted for blob in found)
    bucket.copy_blob(found[0], bucket, "x", source_generation=first.generation)
    assert bucket.blob("x").download_as_text() == "1"
    bucket.blob("x", generation=first.generation).delete()
    assert len(list(bucket.list_blobs(versions=True))) == 2


def test_copies(bucket: storage.Bucket, client: storage.Client) -> None:
    blob = bucket.blob("x")
    blob.metadata = {"k": "v"}
    blob.upload_from_string("data", content_type="text/csv")
    copied = bucket.copy_blob(blob, bucket, "copied")
    assert copied.metadata == {"k": "v"}
    bucket.rename_blob(blob, "renamed")
    assert not blob.exists()
    moved = bucket.move_blob(bucket.blob("renamed"), "moved")
    assert moved.name == "moved"
    target = bucket.blob("rewritten")
    token, done, size = target.rewrite(bucket.blob("moved"))
    assert (token, done, size) == (None, 4, 4)
    target.reload()
    assert target.content_type == "text/csv"
    joined = bucket.blob("joined")
    joined.content_type = "text/plain"
    joined.compose([bucket.blob("moved"), bucket.blob("copied")])
    assert joined.download_as_bytes() == b"datadata"
    assert joined.component_count == 2
    assert joined.md5_hash is None


def test_deletes_and_batches(bucket: storage.Bucket, client: storage.Client) -> None:
    for number in range(4):
        bucket.blob(f"x{number}").upload_from_string("1")
    bucket.delete_blobs([bucket.blob("x0")])
    with client.batch():
        bucket.delete_blob("x1")
        bucket.delete_blob("x2")
    assert [blob.name for blob in bucket.list_blobs()] == ["x3"]
    with pytest.raises(NotFound), client.batch():
        bucket.delete_blob("x1")
    with pytest.raises(NotFound):
        bucket.blob("x1").delete()


def test_policies(bucket: storage.Bucket) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"user:a@b.c"}})
    bucket.set_iam_policy(policy)
    assert bucket.get_iam_policy().bindings[-1]["role"] == "roles/storage.objectViewer"
    assert bucket.test_iam_permissions(["storage.objects.get"]) == ["storage.objects.get"]


def test_transfer_manager(bucket: storage.Bucket, tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    (tmp_path / "file").write_bytes(data)
    blob = bucket.blob("chunked")
    blob.content_type = "a/b"
    threads = transfer_manager.THREAD
    transfer_manager.upload_chunks_concurrently(
        str(tmp_path / "file"), blob, chunk_size=1 << 20, worker_type=threads, max_workers=3
    )
    transfer_manager.download_chunks_concurrently(
        bucket.blob("chunked"), str(tmp_path / "back"), chunk_size=1 << 20, worker_type=threads, max_workers=3
    )
    assert (tmp_path / "back").read_bytes() == data
    blob.reload()
    assert blob.content_type == "a/b"
    results = transfer_manager.upload_many_from_filenames(
        bucket, ["file"], source_directory=str(tmp_path), worker_type=threads
    )
    assert results == [None]


def test_gzip(bucket: storage.Bucket) -> None:
    blob = bucket.blob("zipped")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(b"text" * 1000))
    assert blob.download_as_bytes() == b"text" * 1000
    assert gzip.decompress(blob.download_as_bytes(raw_download=True)) == b"text" * 1000


def test_signed_urls(bucket: storage.Bucket, served: Any) -> None:
    key = rsa.generate_private_key(65537, 2048)
    email = "alice@demo-project.iam.gserviceaccount.com"
    served.keys[email] = key
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signing: Any = crypt.RSASigner
    account: Any = service_account.Credentials
    credentials = account(signing.from_string(pem), email, "http://localhost/token")
    blob = bucket.blob("a b/c.txt")
    for version in ("v4", "v2"):
        options: dict[str, Any] = {
            "version": version, "expiration": timedelta(minutes=5), "credentials": credentials,
            "api_access_endpoint": served.endpoint.url,
        }  # fmt: skip
        put = blob.generate_signed_url(method="PUT", content_type="text/plain", **options)
        request = urllib.request.Request(put, data=b"signed", method="PUT", headers={"Content-Type": "text/plain"})
        assert urllib.request.urlopen(request).status == 200
        url = blob.generate_signed_url(method="GET", **options)
        assert urllib.request.urlopen(url).read() == b"signed"
        for wrong in (url.replace("c.txt", "d.txt"), url[:-6] + "AAAAAA"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(wrong)
            assert refused.value.code in (400, 403)
            refused.value.close()


@pytest.fixture
def gs(endpoint: Any, monkeypatch: pytest.MonkeyPatch, bucket: storage.Bucket) -> Iterator[Any]:
    monkeypatch.setenv("FSSPEC_GS_ENDPOINT_URL", endpoint.url)
    import gcsfs

    token = Token(endpoint.token)
    files = gcsfs.GCSFileSystem(
        project=endpoint.project, token=token, endpoint_url=endpoint.url, skip_instance_cache=True
    )
    yield files
    files.invalidate_cache()


# gcsfs hands whole blocks to aiohttp, which warns of it: their affair.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
def test_gcsfs(gs: Any, bucket: storage.Bucket, tmp_path: Path) -> None:
    root = bucket.name
    gs.pipe(f"{root}/d/small", b"small")
    assert gs.cat(f"{root}/d/small") == b"small"
    assert gs.cat_file(f"{root}/d/small", start=1, end=3) == b"ma"
    data = os.urandom(9 << 20)
    with gs.open(f"{root}/d/big", "wb") as file:
        file.write(data)
    with gs.open(f"{root}/d/big", "rb") as file:
        assert file.read() == data
    with gs.open(f"{root}/d/empty", "wb"):
        pass
    assert gs.info(f"{root}/d/empty")["size"] == 0
    assert sorted(gs.ls(f"{root}/d")) == [f"{root}/d/{name}" for name in ("big", "empty", "small")]
    assert gs.find(root) == sorted(gs.ls(f"{root}/d"))
    assert gs.glob(f"{root}/d/s*") == [f"{root}/d/small"]
    assert gs.isdir(f"{root}/d")
    assert not gs.exists(f"{root}/none")
    (tmp_path / "local").write_bytes(b"local")
    gs.put(str(tmp_path / "local"), f"{root}/d/put")
    gs.get(f"{root}/d/put", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == b"local"
    gs.cp(f"{root}/d/put", f"{root}/d/copied")
    gs.mv(f"{root}/d/copied", f"{root}/d/moved")
    gs.setxattrs(f"{root}/d/moved", key="value")
    assert gs.getxattr(f"{root}/d/moved", "key") == "value"
    gs.rm(f"{root}/d", recursive=True)
    assert gs.find(root) == []


def test_pandas(gs: Any, bucket: storage.Bucket, endpoint: Any) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    options = {
        "token": Token(endpoint.token),
        "endpoint_url": endpoint.url,
        "project": endpoint.project,
    }
    frame.to_csv(f"gs://{bucket.name}/frame.csv", index=False, storage_options=options)
    back = pd.read_csv(f"gs://{bucket.name}/frame.csv", storage_options=options)
    pd.testing.assert_frame_equal(frame, back)


def test_another_projects_bucket(client: storage.Client, endpoint: Any, bucket: storage.Bucket) -> None:
    bucket.blob("x").upload_from_string("1")
    other = storage.Client(project="other-project", credentials=Token("bob-token"))
    theirs = other.bucket(bucket.name)
    said = set()
    for name in ("x", "absent"):
        for attempt in (theirs.blob(name).download_as_bytes, theirs.blob(name).delete, theirs.blob(name).reload):
            with pytest.raises(Forbidden) as refused:
                attempt()
            said.add(json.dumps(refused.value.errors))
    with pytest.raises(Forbidden):
        list(theirs.list_blobs())
    with pytest.raises(Forbidden):
        list(other.list_buckets(project=endpoint.project))
    with pytest.raises(Forbidden):
        theirs.blob("y").upload_from_string("2")
    assert bucket.blob("x").download_as_bytes() == b"1"
    other.close()
