"""The announcement of a server and the lock of a home."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from trigpoint.core import ready


def an_announcement() -> ready.Ready:
    return ready.Ready(1, "0.1.0", "127.0.0.1", 8443, 8444, "demo-project", "1" * 12, "us-central1", "/ca", "/key", 5)


def test_what_is_written_is_read_and_private(tmp_path: Path) -> None:
    an_announcement().write(tmp_path)
    assert ready.read(tmp_path) == an_announcement()
    assert stat.S_IMODE((tmp_path / "server.json").stat().st_mode) == 0o600
    ready.withdraw(tmp_path)
    ready.withdraw(tmp_path)
    assert ready.read(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": 1}', '"text"'])
def test_a_broken_announcement_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.json").write_text(content)
    assert ready.read(tmp_path) is None


def test_a_newer_server_may_say_more(tmp_path: Path) -> None:
    an_announcement().write(tmp_path)
    path = tmp_path / "server.json"
    path.write_text(path.read_text().replace("{", '{"news": 1,', 1))
    assert ready.read(tmp_path) == an_announcement()


def test_one_holder_of_the_lock(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert not ready.locked(run)
    held = ready.take_lock(run)
    assert held is not None
    assert ready.locked(run)
    assert ready.take_lock(run, patience=0) is None
    os.close(held)
    assert not ready.locked(run)
    again = ready.take_lock(run)
    assert again is not None
    os.close(again)


def test_users_of_a_temporary_server_keep_it(tmp_path: Path) -> None:
    run = tmp_path / "run"
    first, second = ready.hold(run), ready.hold(run)
    os.close(first)
    assert ready.alone(run) is None
    os.close(second)
    alone = ready.alone(run)
    assert alone is not None
    assert ready.alone(run) is None
    os.close(alone)


def test_what_is_temporary_and_shared_is_told_anew_by_every_server(tmp_path: Path) -> None:
    ready.make_temporary(tmp_path, wanted=True)
    ready.share(tmp_path)
    assert ready.temporary(tmp_path)
    assert ready.shared(tmp_path)
    ready.make_temporary(tmp_path, wanted=True)
    assert not ready.shared(tmp_path)
    ready.make_temporary(tmp_path, wanted=False)
    ready.make_temporary(tmp_path, wanted=False)
    assert not ready.temporary(tmp_path)
