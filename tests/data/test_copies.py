"""Copies of folders that jobs write to: what no job may bring out of its walls stays inside of them."""

import os
import socket
import stat
from pathlib import Path

import pytest

from trigpoint.data import copies


def test_a_copy_holds_files_folders_and_links_as_they_are(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b").chmod(0o777)
    (source / "a" / "file").write_bytes(b"bytes")
    (source / "a" / "file").chmod(0o640)
    os.utime(source / "a" / "file", ns=(5, 7))
    (source / "a" / "link").symlink_to("/etc/passwd")
    (source / "a" / "loop").symlink_to("..")
    copies.copy_folder(source, tmp_path / "copy")
    made = tmp_path / "copy" / "a"
    assert (made / "file").read_bytes() == b"bytes"
    assert stat.S_IMODE((made / "file").stat().st_mode) == 0o640
    assert (made / "file").stat().st_mtime_ns == 7
    assert stat.S_IMODE((made / "b").stat().st_mode) == 0o777
    assert (made / "link").readlink() == Path("/etc/passwd")
    assert sorted(os.listdir(made)) == ["b", "file", "link", "loop"]


def test_what_is_no_file_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    os.mkfifo(source / "pipe")
    monkeypatch.chdir(source)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    (source / "file").write_bytes(b"kept")
    copies.copy_folder(source, tmp_path / "copy")
    assert os.listdir(tmp_path / "copy") == ["file"]


def test_a_copy_has_no_set_id_bits(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "shell").write_bytes(b"")
    (source / "shell").chmod(0o6755)
    copies.copy_folder(source, tmp_path / "copy")
    assert stat.S_IMODE((tmp_path / "copy" / "shell").stat().st_mode) == 0o755


def test_holes_stay_holes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with (source / "sparse").open("wb") as file:
        file.seek(1 << 40)
        file.write(b"end")
        file.truncate(2 << 40)
    copies.copy_folder(source, tmp_path / "copy")
    with (tmp_path / "copy" / "sparse").open("rb") as file:
        file.seek(1 << 40)
        assert file.read(3) == b"end"
        assert os.fstat(file.fileno()).st_size == 2 << 40


def test_folders_deeper_than_any_object_do_not_stop_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(b"kept")
    monkeypatch.chdir(source)
    for _ in range(30):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    copies.copy_folder(source, tmp_path / "copy")
    assert (tmp_path / "copy" / "file").read_bytes() == b"kept"
