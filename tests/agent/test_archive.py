import contextlib
import gzip
import io
import os
import random
import stat
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigpoint.agent.archive import BadArchive, Bounds, extract


def tar_of(*members: tuple[str, bytes | None, dict[str, object]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content, more in members:
            info = tarfile.TarInfo(name)
            info.size = len(content or b"")
            for key, value in more.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content or b""))
    return out.getvalue()


def zip_of(*members: tuple[str, bytes, int]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return out.getvalue()


USUAL = Bounds()


def unpack(tmp_path: Path, data: bytes, bounds: Bounds = USUAL) -> list[str]:
    (tmp_path / "archive").write_bytes(data)
    return extract(str(tmp_path / "archive"), str(tmp_path / "out"), bounds)


def test_a_plain_tar_and_a_plain_zip(tmp_path: Path) -> None:
    names = unpack(tmp_path, tar_of(("./a/", None, {"type": tarfile.DIRTYPE}), ("./a/b.py", b"1", {"mode": 0o4777})))
    assert names == ["a/b.py"]
    assert stat.S_IMODE((tmp_path / "out/a/b.py").stat().st_mode) == 0o755
    other = tmp_path / "zip"
    other.mkdir()
    assert unpack(other, zip_of(("a/", b"", 0o040755), ("a/c.py", b"2", 0o100644))) == ["a/c.py"]
    assert (other / "out/a/c.py").read_bytes() == b"2"


LINK, SYM = tarfile.LNKTYPE, tarfile.SYMTYPE
EVIL: dict[str, bytes] = {
    "dots": tar_of(("../x", b"1", {})),
    "inner dots": tar_of(("a/../../x", b"1", {})),
    "absolute": tar_of(("/etc/x", b"1", {})),
    "double slash": tar_of(("a//b", b"1", {})),
    "backslash": tar_of(("..\\x", b"1", {})),
    "symlink": tar_of(("a", None, {"type": SYM, "linkname": "/etc"}), ("a/x", b"1", {})),
    "symlink inside": tar_of(("a", None, {"type": SYM, "linkname": "b"})),
    "symlink chain": tar_of(
        ("a", None, {"type": SYM, "linkname": "."}), ("b", None, {"type": SYM, "linkname": "a/.."})
    ),
    "hard link": tar_of(("a", None, {"type": LINK, "linkname": "/etc/passwd"})),
    "hard link inside": tar_of(("a", b"1", {}), ("b", None, {"type": LINK, "linkname": "a"})),
    "device": tar_of(("a", None, {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3})),
    "block device": tar_of(("a", None, {"type": tarfile.BLKTYPE})),
    "pipe": tar_of(("a", None, {"type": tarfile.FIFOTYPE})),
    "twice": tar_of(("a", b"1", {}), ("a", b"2", {})),
    "file as folder": tar_of(("a", b"1", {}), ("a/b", b"2", {})),
    "long part": tar_of(("a" * 300, b"1", {})),
    "deep": tar_of(("/".join("a" * 60), b"1", {})),
    "damaged": b"\x1f\x8b" + b"x" * 100,
    "cut off": tar_of(("a", os.urandom(100_000), {}))[:50_000],
    "empty": b"",
    "text": b"hello",
    "zip dots": zip_of(("../x", b"1", 0o100644)),
    "zip absolute": zip_of(("/x", b"1", 0o100644)),
    "zip symlink": zip_of(("a", b"/etc", 0o120777)),
    "zip device": zip_of(("a", b"", 0o020666)),
    "zip damaged": zip_of(("a", os.urandom(500), 0o100644)).replace(b"a", b"b", 1),
}


@pytest.mark.parametrize("name", EVIL)
def test_what_no_package_needs_is_refused_and_nothing_leaves_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "canary").write_text("untouched")
    with pytest.raises(BadArchive):
        unpack(tmp_path / "in", EVIL[name])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["canary", "in"]
    assert not Path("/etc/x").exists()
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def bomb() -> bytes:
    return gzip.compress(tar_of_size(200 << 20), 9)


def tar_of_size(size: int) -> bytes:
    info = tarfile.TarInfo("zeros")
    info.size = size
    return info.tobuf() + b"\0" * (size + 1024)


def crowd() -> bytes:
    return tar_of(*((f"f{n}", b"", {}) for n in range(3000)))


def zip_bomb() -> bytes:
    return zip_of(("zeros", b"\0" * (60 << 20), 0o100644))


def long_header(kind: bytes, size: int = 40 << 20) -> bytes:
    """Return a tar whose header before a file is as long as given, of one byte repeated."""
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, size
    return gzip.compress(info.tobuf() + b"9" * size + tar_raw(("a", b"1")), 1)


def tar_raw(*files: tuple[str, bytes]) -> bytes:
    return gzip.decompress(tar_of(*((name, data, {}) for name, data in files)))


def sparse(block: bytes, kind: bytes = tarfile.GNUTYPE_SPARSE) -> bytes:
    info = tarfile.TarInfo("sparse")
    info.type = kind
    header = bytearray(info.tobuf())
    header[482] = 1  # more headers follow
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:512]))
    return gzip.compress(bytes(header) + block * 100_000, 1)


def pax_sparse() -> bytes:
    records = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
    info = tarfile.TarInfo("header")
    info.type, info.size = tarfile.XHDTYPE, len(records)
    member = tarfile.TarInfo("sparse")
    member.size = 100 << 20
    body = b"9999999\n" + b"0\n" * (50 << 20)
    return gzip.compress(info.tobuf() + records.ljust(512, b"\0") + member.tobuf() + body, 1)


LONG: dict[str, Callable[[], bytes]] = {
    "pax": lambda: long_header(tarfile.XHDTYPE),
    "global pax": lambda: long_header(tarfile.XGLTYPE),
    "name": lambda: long_header(tarfile.GNUTYPE_LONGNAME),
    "link": lambda: long_header(tarfile.GNUTYPE_LONGLINK),
    "sparse": lambda: sparse((b"0" * 504 + b"\1").ljust(512, b"\0")),
    "pax sparse": pax_sparse,
}


@pytest.mark.parametrize("name", LONG)
def test_headers_without_end_are_not_taken_into_memory(tmp_path: Path, name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadArchive):
            unpack(tmp_path, LONG[name]())
        assert tracemalloc.get_traced_memory()[1] < 260 << 20
    finally:
        tracemalloc.stop()


def test_a_zip_whose_list_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigpoint.agent.archive._LONGEST_LIST", 100)
    with pytest.raises(BadArchive, match="list of the archive"):
        unpack(tmp_path, zip_of(*((f"f{n}", b"", 0o100644) for n in range(10))))


@pytest.mark.parametrize("make", [bomb, crowd, zip_bomb])
def test_bombs_stop_at_their_limits(tmp_path: Path, make: Callable[[], bytes]) -> None:
    with pytest.raises(BadArchive, match="more than"):
        unpack(tmp_path, make(), Bounds(entries=1000))
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) <= 40 << 20


def test_a_limit_on_bytes(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="more than is allowed"):
        unpack(tmp_path, tar_of(("a", os.urandom(5000), {})), Bounds(bytes=4999))


def test_a_link_that_appears_meanwhile_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    archive = tmp_path / "archive"
    archive.write_bytes(tar_of(("a/x", b"1", {}), ("a/y", b"2", {})))
    original = os.mkdir

    def mkdir(path: str, *args: object, **fields: object) -> None:
        original(path, *args, **fields)  # type: ignore[arg-type]
        if path == "a":
            (tmp_path / "out" / "a").rmdir()
            (tmp_path / "out" / "a").symlink_to(tmp_path / "outside")

    os.mkdir = mkdir  # type: ignore[assignment]
    try:
        with pytest.raises(BadArchive):
            extract(str(archive), str(tmp_path / "out"))
    finally:
        os.mkdir = original
    assert list((tmp_path / "outside").iterdir()) == []


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_damage_is_never_worse_than_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, seed: int, zipped: bool
) -> None:
    chance = random.Random(seed)
    good = (
        zip_of(("a/b", b"hello" * 50, 0o100644), ("c", b"x", 0o100755))
        if zipped
        else gzip.decompress(tar_of(("a/b", b"hello" * 50, {}), ("c", b"x", {})))
    )
    data = bytearray(good)
    for _ in range(chance.randint(1, 20)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    folder = tmp_path_factory.mktemp("damage")
    begin = time.monotonic()
    with contextlib.suppress(BadArchive):
        unpack(folder, bytes(data))
    assert time.monotonic() - begin < 10
    assert not any(path.is_symlink() for path in folder.rglob("*"))
