"""What every implementation of the object store promises, on every database."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trigpoint.core.clock import SystemClock, SystemIds
from trigpoint.core.errors import (
    AlreadyExists,
    DataLoss,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from trigpoint.data.objects import Objects
from trigpoint.data.objects_blobs import Blobs
from trigpoint.data.objects_sweep import Sweeper, is_name
from trigpoint.data.objects_tree import ESCAPED, holdable
from trigpoint.data.objects_uploads import Uploads
from trigpoint.store import Store
from trigpoint.store import objects as rows
from trigpoint.store.objects import BucketRow, ObjectRow

BUCKET = "birds"


def drop(owner: BucketRow, live: ObjectRow | None) -> bool:
    return False


def keep(owner: BucketRow, live: ObjectRow | None) -> bool:
    return True


@pytest.fixture
def objects(store: Store, tmp_path: Path) -> Iterator[Objects]:
    made = Objects(store, tmp_path, SystemClock(), SystemIds())
    made.recover()
    made.create_bucket(BucketRow(BUCKET, "1", 1, 1, 1, b"{}"))
    yield made
    made.close()


@pytest.fixture
def sweeper(objects: Objects) -> Sweeper:
    return Sweeper(objects, lambda name: b'{"by":"hand"}', lambda owner: False)


def put(objects: Objects, name: bytes, data: bytes, *, kept: bool = False) -> ObjectRow:
    with objects.writer() as writer:
        writer.write(data)
        content = writer.finish()
    return objects.put(BUCKET, name, content, b"{}", keep if kept else drop)


def bytes_of(objects: Objects, row: ObjectRow) -> bytes:
    with objects.open(row) as reading:
        return reading.read(0, row.size + 1)


def live(objects: Objects, name: bytes) -> ObjectRow | None:
    return objects.store.read(lambda tx: rows.live(tx, BUCKET, name))


def blobs(objects: Objects) -> list[Path]:
    return [path for path in objects.blobs.root.rglob("*") if path.is_file()]


def test_bytes_come_back_and_lie_where_the_tree_says(objects: Objects) -> None:
    row = put(objects, b"deep/er/file.csv", b"a,b\n1,2\n")
    assert bytes_of(objects, row) == b"a,b\n1,2\n"
    assert (objects.root / BUCKET / "deep/er/file.csv").read_bytes() == b"a,b\n1,2\n"
    assert row.crc32c == google_crc32c.value(b"a,b\n1,2\n")
    assert (row.size, row.metageneration, row.live) == (8, 1, True)


def test_an_overwrite_grows_the_generation_and_frees_the_old_bytes(objects: Objects) -> None:
    first, second = put(objects, b"x", b"1"), put(objects, b"x", b"2")
    assert second.generation > first.generation
    assert live(objects, b"x") == second
    assert len(blobs(objects)) == 1
    with pytest.raises(NotFound, match="birds/x"):
        objects.open(first)


def test_a_kept_generation_is_readable_beside_the_live_one(objects: Objects) -> None:
    first = put(objects, b"x", b"1")
    put(objects, b"x", b"2", kept=True)
    old = objects.store.read(lambda tx: rows.get(tx, BUCKET, b"x", first.generation))
    assert old is not None
    assert not old.live
    assert bytes_of(objects, old) == b"1"
    assert (objects.root / BUCKET / "x").read_bytes() == b"2"


def test_a_pinned_generation_outlives_overwrite_and_delete(objects: Objects) -> None:
    first = put(objects, b"x", b"1")
    objects.update(BUCKET, b"x", 0, lambda owner, row: replace(row, pinned=True) if row else first)
    put(objects, b"x", b"2")
    objects.remove(BUCKET, b"x", 0, drop)
    old = objects.store.read(lambda tx: rows.get(tx, BUCKET, b"x", first.generation))
    assert old is not None
    assert bytes_of(objects, old) == b"1"


def test_the_rule_decides_in_the_transaction(objects: Objects) -> None:
    put(objects, b"x", b"1")

    def absent(owner: BucketRow, row: ObjectRow | None) -> bool:
        if row is not None:
            raise FailedPrecondition("there already")
        return False

    with objects.writer() as writer:
        writer.write(b"2")
        content = writer.finish()
    with pytest.raises(FailedPrecondition):
        objects.put(BUCKET, b"x", content, b"{}", absent)
    assert len(blobs(objects)) == 1
    assert (objects.root / BUCKET / "x").read_bytes() == b"1"


def test_delete_removes_file_bytes_and_empty_folders(objects: Objects) -> None:
    put(objects, b"a/b/c", b"1")
    put(objects, b"a/d", b"2")
    objects.remove(BUCKET, b"a/b/c", 0, drop)
    assert os.listdir(objects.root / BUCKET / "a") == ["d"]
    assert len(blobs(objects)) == 1
    with pytest.raises(NotFound):
        objects.remove(BUCKET, b"a/b/c", 0, drop)


def test_a_file_beside_a_folder_of_the_same_name(objects: Objects) -> None:
    for order in ([b"a", b"a/b", b"a/b/c"], [b"z/b/c", b"z/b", b"z"]):
        made = {name: put(objects, name, name) for name in order}
        assert {name: bytes_of(objects, row) for name, row in made.items()} == {name: name for name in order}
        for name in order:
            shown = objects.tree(BUCKET).open(name)
            assert shown is not None
            assert os.pread(shown, 100, 0) == name
            os.close(shown)
            objects.remove(BUCKET, name, 0, drop)
    assert [path for path in (objects.root / BUCKET).rglob("*") if path.is_file()] == []


def test_a_placeholder_is_its_folder(objects: Objects) -> None:
    put(objects, b"dir/", b"")
    assert (objects.root / BUCKET / "dir").is_dir()
    put(objects, b"dir/x", b"1")
    objects.remove(BUCKET, b"dir/x", 0, drop)
    assert (objects.root / BUCKET / "dir").is_dir()
    objects.remove(BUCKET, b"dir/", 0, drop)
    assert not (objects.root / BUCKET / "dir").exists()


ODD = [
    b"../canary", b"..", b"a/../../canary", b"/etc/passwd", b"//x", b"a//b", b"./x", b"a/./b", b"a/", b"nul\0byte",
    b"x" * 300, b"x" * 255, b"d/" * 300 + b"x", "\u202egpj.exe".encode(), b"C:\\windows\\x", b"\\\\host\\share", b"a:b",
    b"%2e%2e/x", b"a b+c?d#e", ESCAPED + b"/x", b"~root", b"-rf", b"*", b"\x7f\x01", "ü/é".encode(), b"." * 3, b"a/b/",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_names_stay_inside_and_come_back_exactly(objects: Objects, tmp_path: Path, name: bytes) -> None:
    (tmp_path / "canary").write_bytes(b"untouched")
    (objects.root / "canary").write_bytes(b"untouched")
    row = put(objects, name, b"data")
    assert bytes_of(objects, row) == b"data"
    assert [r.name for r in objects.store.read(lambda tx: rows.select(tx, BUCKET, b"", None, 9))] == [name]
    shown = objects.tree(BUCKET).open(name)
    assert shown is not None
    os.close(shown)
    objects.remove(BUCKET, name, 0, drop)
    assert objects.tree(BUCKET).open(name) is None
    assert (tmp_path / "canary").read_bytes() == (objects.root / "canary").read_bytes() == b"untouched"


NAMES = st.lists(st.sampled_from([b"a", b"b", b"", b"..", b".", b"a" * 260, b"\0"]), min_size=1, max_size=4).map(
    b"/".join
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES.filter(is_name), min_size=1, max_size=6, unique=True), removed=st.integers(0, 5))
def test_any_set_of_names_lives_together(objects: Objects, names: list[bytes], removed: int) -> None:
    for name in names:
        put(objects, name, b"=" + name)
    for name in names[:removed]:
        objects.remove(BUCKET, name, 0, drop)
    found = objects.store.read(lambda tx: rows.select(tx, BUCKET, b"", None, 100))
    assert [row.name for row in found] == sorted(names[removed:])
    for row in found:
        assert bytes_of(objects, row) == b"=" + row.name
        shown = objects.tree(BUCKET).open(row.name)
        assert shown is not None
        assert os.pread(shown, 1 << 16, 0) == b"=" + row.name
        os.close(shown)
        objects.remove(BUCKET, row.name, 0, drop)
    assert blobs(objects) == []


def test_links_in_the_tree_are_never_followed(objects: Objects, sweeper: Sweeper, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (objects.root / BUCKET / "door").symlink_to(outside)
    (objects.root / BUCKET / "file").symlink_to(outside / "secret")
    os.mkfifo(objects.root / BUCKET / "pipe")
    assert sweeper.rescan(BUCKET).adopted == ()
    assert sweeper.get(BUCKET, b"door/secret") is None
    assert sweeper.get(BUCKET, b"file") is None
    assert sweeper.get(BUCKET, b"pipe") is None
    row = put(objects, b"door/new", b"1")
    put(objects, b"file", b"2")
    assert bytes_of(objects, row) == b"1"
    assert os.listdir(outside) == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"


def test_a_folder_that_becomes_a_link_while_a_file_is_adopted_leads_nowhere(
    objects: Objects, sweeper: Sweeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"secret")
    folder = objects.root / BUCKET / "folder"
    folder.mkdir()
    (folder / "file").write_bytes(b"mine")
    link = os.link

    def late(*given: Any, **named: Any) -> None:
        folder.rename(folder.with_name("moved"))
        folder.symlink_to(outside)
        link(*given, **named)

    monkeypatch.setattr(os, "link", late)
    try:
        row = sweeper.get(BUCKET, b"folder/file")
    finally:
        monkeypatch.undo()
    assert row is None or bytes_of(objects, row) == b"mine"
    assert all(path.read_bytes() != b"secret" for path in blobs(objects))


def test_what_lies_too_deep_for_any_object_harms_nobody(objects: Objects, sweeper: Sweeper) -> None:
    here = os.open(objects.root / BUCKET, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (objects.root / BUCKET / "x").write_bytes(b"1")
    assert [row.name for row in sweeper.rescan(BUCKET).adopted] == [b"x"]
    objects.tree(BUCKET).clear()
    assert sweeper.get(BUCKET, b"x") is not None
    subprocess.run(["rm", "-rf", objects.root / BUCKET / "d"], check=True)


def test_move_is_one_step_and_keeps_the_bytes(objects: Objects) -> None:
    put(objects, b"from", b"1")
    put(objects, b"to/here", b"old")
    row = objects.move(BUCKET, b"from", b"to/here", drop, drop)
    assert bytes_of(objects, row) == b"1"
    assert live(objects, b"from") is None
    assert (objects.root / BUCKET / "to/here").read_bytes() == b"1"
    assert len(blobs(objects)) == 1


def test_copies_are_separate_files(objects: Objects) -> None:
    first, second = put(objects, b"one", b"1" * 70_000), put(objects, b"two", b"2")
    joined = objects.put(BUCKET, b"both", objects.copy([first, second]), b"{}", drop)
    alone = objects.put(BUCKET, b"alone", objects.copy([first]), b"{}", drop)
    assert bytes_of(objects, joined) == b"1" * 70_000 + b"2"
    assert joined.crc32c == google_crc32c.value(b"1" * 70_000 + b"2")
    (objects.root / BUCKET / "one").write_bytes(b"edited")
    assert bytes_of(objects, alone) == b"1" * 70_000


def test_a_bucket_goes_only_when_empty(objects: Objects) -> None:
    put(objects, b"x/y", b"1")
    with pytest.raises(FailedPrecondition, match="not empty"):
        objects.delete_bucket(BUCKET, lambda owner: None)
    objects.remove(BUCKET, b"x/y", 0, drop)
    objects.delete_bucket(BUCKET, lambda owner: None)
    assert not (objects.root / BUCKET).exists()
    with pytest.raises(NotFound):
        put(objects, b"x", b"1")
    objects.create_bucket(BucketRow(BUCKET, "2", 1, 1, 1, b"{}"))
    with pytest.raises(AlreadyExists):
        objects.create_bucket(BucketRow(BUCKET, "2", 1, 1, 1, b"{}"))


def test_files_written_by_hand_become_generations(objects: Objects, sweeper: Sweeper) -> None:
    folder = objects.root / BUCKET / "out"
    folder.mkdir()
    (folder / "model.txt").write_bytes(b"weights")
    assert live(objects, b"out/model.txt") is None
    swept = sweeper.rescan(BUCKET, b"out/")
    assert [(row.name, row.size, row.attributes) for row in swept.adopted] == [(b"out/model.txt", 7, b'{"by":"hand"}')]
    assert sweeper.rescan(BUCKET).adopted == ()
    assert bytes_of(objects, swept.adopted[0]) == b"weights"


@pytest.mark.parametrize("seconds", [9_300_000_000, -9_300_000_000])
def test_a_file_of_another_century_is_like_any_other(objects: Objects, sweeper: Sweeper, seconds: int) -> None:
    path = objects.root / BUCKET / "odd"
    path.write_bytes(b"1")
    os.utime(path, (seconds, seconds))
    (row,) = sweeper.rescan(BUCKET).adopted
    assert bytes_of(objects, row) == b"1"
    assert sweeper.rescan(BUCKET).adopted == ()


def test_a_reader_sees_a_file_before_any_sweep(objects: Objects, sweeper: Sweeper) -> None:
    (objects.root / BUCKET / "fresh").write_bytes(b"1")
    row = sweeper.get(BUCKET, b"fresh")
    assert row is not None
    (objects.root / BUCKET / "fresh").write_bytes(b"22")
    again = sweeper.get(BUCKET, b"fresh")
    assert again is not None
    assert again.generation > row.generation
    assert bytes_of(objects, again) == b"22"


def test_a_touched_file_is_no_new_generation(objects: Objects, sweeper: Sweeper) -> None:
    row = put(objects, b"x", b"1")
    os.utime(objects.root / BUCKET / "x", ns=(1, 1))
    again = sweeper.get(BUCKET, b"x")
    assert again is not None
    assert again.generation == row.generation
    (objects.root / BUCKET / "copy").write_bytes(b"1")
    (objects.root / BUCKET / "copy").rename(objects.root / BUCKET / "x")
    assert sweeper.rescan(BUCKET).adopted == ()
    assert bytes_of(objects, objects.store.read(lambda tx: rows.live(tx, BUCKET, b"x")) or row) == b"1"


def test_files_removed_by_hand_are_deletions_only_for_a_sweep(objects: Objects, sweeper: Sweeper) -> None:
    put(objects, b"a/x", b"1")
    put(objects, b"b/y", b"2")
    put(objects, b"b/", b"")
    put(objects, b"b/../z", b"3")
    (objects.root / BUCKET / "a/x").unlink()
    row = sweeper.get(BUCKET, b"a/x")
    assert row is not None
    assert bytes_of(objects, row) == b"1"
    assert [row.name for row in sweeper.rescan(BUCKET).deleted] == [b"a/x"]
    assert live(objects, b"b/y") is not None
    assert live(objects, b"b/") is not None
    assert live(objects, b"b/../z") is not None


def test_a_kept_generation_edited_in_place_is_refused(objects: Objects, sweeper: Sweeper) -> None:
    first = put(objects, b"x", b"1")
    put(objects, b"x", b"2", kept=True)
    with objects.blobs.path(first.blob).open("wb") as file:
        file.write(b"9")
    with pytest.raises(DataLoss):
        sweeper.open(BUCKET, b"x", first.generation)


def test_a_session_keeps_what_it_acknowledged(objects: Objects) -> None:
    uploads = Uploads(objects)
    ident = uploads.begin(BUCKET, b"big", b"{}").id
    with uploads.appending(ident) as session:
        assert session.write(0, b"abc") == 3
        assert session.write(1, b"bcde") == 5
    row = uploads.get(ident)
    assert (row.received, row.crc32c) == (5, google_crc32c.value(b"abcde"))
    with (objects.blobs.incoming / row.blob).open("ab") as torn:
        torn.write(b"never acknowledged")
    with uploads.appending(ident) as session, pytest.raises(InvalidArgument, match="holds 5 bytes"):
        session.write(6, b"gap")

    def cut() -> None:
        with uploads.appending(ident) as session:
            session.write(5, b"fg")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        cut()
    made = uploads.finish(uploads.get(ident), b"{}", drop)
    assert bytes_of(objects, made) == b"abcdefg"
    assert uploads.get(ident).generation == made.generation
    uploads.cancel(ident)
    assert bytes_of(objects, made) == b"abcdefg"


def test_sessions_go_with_their_bytes(objects: Objects) -> None:
    uploads = Uploads(objects)
    row = uploads.begin(BUCKET, b"big", b"{}")
    with uploads.appending(row.id) as session:
        session.write(0, b"abc")
    with objects.writer() as writer:
        uploads.put_part(row.id, 1, writer.finish())
    assert uploads.purge(row.create_time) == 0
    assert uploads.purge(row.create_time + 1) == 1
    with pytest.raises(NotFound, match="start the upload again"):
        uploads.get(row.id)
    assert blobs(objects) == []


def test_a_restart_in_the_middle_of_an_upload(objects: Objects, tmp_path: Path) -> None:
    uploads = Uploads(objects)
    row = uploads.begin(BUCKET, b"big", b"{}")
    with uploads.appending(row.id) as session:
        session.write(0, b"abc")
    again = Objects(objects.store, tmp_path, SystemClock(), SystemIds())
    again.recover()
    assert bytes_of(again, Uploads(again).finish(Uploads(again).get(row.id), b"{}", drop)) == b"abc"


def test_many_writers_of_one_name_leave_one_whole_object(objects: Objects) -> None:
    def write(number: int) -> None:
        put(objects, b"same" if number % 2 else b"same/below", str(number).encode() * 1000)
        if number % 3 == 0:
            with suppress(NotFound):
                objects.remove(BUCKET, b"same", 0, drop)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(60)))
    found = objects.store.read(lambda tx: rows.select(tx, BUCKET, b"", None, 9, versions=True))
    for row in found:
        assert google_crc32c.value(bytes_of(objects, row)) == row.crc32c
        shown = objects.tree(BUCKET).look(row.name)
        assert shown is not None
        assert shown.inode == row.inode
    assert len(blobs(objects)) == len(found)


def test_a_full_disk_is_said_and_leaves_nothing(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    put(objects, b"before", b"1")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ResourceExhausted, match="disk is full"):
        put(objects, b"x", b"2")
    monkeypatch.setattr(os, "write", real)
    assert len(blobs(objects)) == 1
    assert live(objects, b"x") is None
    put(objects, b"x", b"2")


def failing(*given: Any, **more: Any) -> Any:
    raise OSError(errno.EIO, "Input/output error")


def test_a_bucket_without_a_folder_is_not_made(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", failing)
        with pytest.raises(Unavailable, match="check the disk"):
            objects.create_bucket(BucketRow("new", "1", 1, 1, 1, b"{}"))
    objects.create_bucket(BucketRow("new", "1", 1, 1, 1, b"{}"))
    assert (objects.root / "new").is_dir()


def test_what_is_durable_does_not_fail_for_what_is_left_to_do(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(objects, b"x", b"1")
    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "unlink", failing)
        second = put(objects, b"x", b"2")
        objects.remove(BUCKET, b"x", second.generation, drop)
    assert live(objects, b"x") is None
    again = Objects(objects.store, tmp_path, SystemClock(), SystemIds())
    again.recover()
    assert blobs(again) == []


def test_what_could_not_be_settled_is_settled_later(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    row = put(objects, b"x", b"1")
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", failing)
        with pytest.raises(Unavailable, match="check the disk"):
            objects.settle()
    assert (objects.blobs.incoming / row.blob).exists()
    objects.settle()
    assert not (objects.blobs.incoming / row.blob).exists()
    assert objects.store.read(rows.all_chores) == []


def test_names_that_a_tree_holds() -> None:
    assert holdable(b"a/b:c/d.e")
    assert not any(holdable(name) for name in (b"a/", b"/a", b"a//b", b"..", b"a/.", b"x" * 256, b"\0", ESCAPED))


def test_a_kill_at_every_step_loses_and_tears_nothing(tmp_path: Path) -> None:
    program = Path(__file__).with_name("objects_crash.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)], env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(steps) > 80
    assert not steps[-1]["killed"]
    assert [step for step in steps if step["wrong"]] == []


def test_names_that_strangers_make_up_are_not_remembered(objects: Objects) -> None:
    for number in range(100):
        with pytest.raises(NotFound):
            objects.delete_bucket(f"made-up-{number}", lambda row: None)
    assert len(objects._locks) < 10
