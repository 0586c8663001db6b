"""Looking after a home: what is lost is said, what is collected is gone, what is damaged is named."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from trigpoint import settings, upkeep
from trigpoint.console.access import Sessions
from trigpoint.console.links import Links
from trigpoint.core.call import Caller
from trigpoint.core.clock import SystemClock, SystemIds
from trigpoint.core.errors import FailedPrecondition, Unauthenticated
from trigpoint.data import copies
from trigpoint.store import Store, events


def trig(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(sys.path), "TRIGPOINT_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "trigpoint.cli", *arguments],
        capture_output=True,
        text=True,
        env=environ,
        stdin=subprocess.DEVNULL,
    )


def opened(home: Path) -> Store:
    return Store.open(f"sqlite:///{home}/trigpoint.db", f"sqlite:///{home}/telemetry.db")


def test_gc_forgets_old_events_and_directories_nobody_remembers(tmp_path: Path) -> None:
    store = opened(tmp_path)
    now = SystemClock().now()
    for time in (1, now):
        store.write(lambda tx, time=time: events.append(tx, time=time, project="1", subject="s", kind="k"))  # type: ignore[misc]
    store.close()
    stale = tmp_path / "attempts" / "1234567890123456789-1" / "workerpool0-0" / "work"
    stale.mkdir(parents=True)
    os.utime(tmp_path / "attempts" / "1234567890123456789-1", (1, 1))
    done = trig(tmp_path, "gc", "--json")
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    assert (counted["events"], counted["attempts"]) == (1, 1)
    assert not stale.exists()
    store = opened(tmp_path)
    assert [event.time for event in store.read(lambda tx: events.after(tx, 0))] == [now]
    store.close()


def test_lost_changes_are_said_and_can_be_accepted(tmp_path: Path) -> None:
    store = opened(tmp_path)
    copy = (tmp_path / "trigpoint.db").read_bytes()
    store.write(lambda tx: events.append(tx, time=5, project="1", subject="s", kind="k"))
    store.close()
    (tmp_path / "trigpoint.db").write_bytes(copy)
    refused = trig(tmp_path, "gc")
    assert refused.returncode == 1
    assert "--accept-loss" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert trig(tmp_path, "restore", "--accept-loss").returncode == 0
    assert trig(tmp_path, "gc").returncode == 0


def test_a_backup_is_made_whatever_jobs_left_in_buckets(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    opened(home).close()
    bucket = home / "buckets" / "things"
    bucket.mkdir(parents=True)
    os.mkfifo(bucket / "pipe")
    (bucket / "shell").write_bytes(b"#!")
    (bucket / "shell").chmod(0o6777)
    copy = tmp_path / "copy"
    made = trig(home, "backup", str(copy))
    assert made.returncode == 0, made.stderr
    assert os.listdir(copy / "buckets" / "things") == ["shell"]
    restored = trig(home, "restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    assert stat.S_IMODE((bucket / "shell").stat().st_mode) == 0o777


def test_a_restored_home_knows_no_session_and_no_link(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    home.mkdir()
    run, clock = "projects/1/locations/l/customJobs/5", SystemClock()
    caller = Caller("me", "1")
    store = opened(home)
    links = Links(store, clock, SystemIds(), lambda name: ("run", frozenset({name})))
    _, secret = links.make(run, 1, "me")
    cookie = Sessions(store, clock, b"s", lambda email: caller).begin("me")
    store.close()
    assert trig(home, "backup", str(copy)).returncode == 0
    store = opened(home)
    Sessions(store, clock, b"s", lambda email: caller).end_all()
    store.close()
    restored = trig(home, "restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    store = opened(home)
    assert Links(store, clock, SystemIds(), lambda name: None).open(secret) is None
    with pytest.raises(Unauthenticated):
        Sessions(store, clock, b"s", lambda email: caller).read(cookie)
    store.close()


def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    home = tmp_path / "home"
    home.mkdir()
    opened(home).close()
    (home / "buckets").mkdir()
    monkeypatch.setattr(copies, "copy_folder", full)
    with pytest.raises(OSError, match="No space left"):
        upkeep.main(settings.load({"home": str(home)}), ["backup", str(tmp_path / "copy")])
    assert os.listdir(tmp_path) == ["home"]


@pytest.mark.parametrize(
    ("place", "status", "said"),
    [
        ("file", 2, "file is already there.\nName a path that does not exist."),
        ("folder", 2, "folder is already there.\nName a new one, such as {}/folder/trigpoint-backup."),
        ("dangling", 2, "dangling is already there."),
        ("file/below", 2, "file is no folder.\nName a path elsewhere."),
        ("home/buckets/copy", 1, "the home's folder buckets: name a path elsewhere."),
        ("link/copy", 1, "the home's folder buckets: name a path elsewhere."),
    ],
)
def test_a_backup_that_cannot_be_where_it_is_wanted_says_so_and_writes_nothing(
    tmp_path: Path, place: str, status: int, said: str
) -> None:
    home = tmp_path / "home"
    (home / "buckets").mkdir(parents=True)
    opened(home).close()
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(home / "buckets")
    done = trig(home, "backup", str(tmp_path / place))
    assert done.returncode == status
    assert said.format(tmp_path) in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert not os.listdir(home / "buckets")
    assert set(os.listdir(tmp_path)) == {"home", "file", "folder", "dangling", "link"}


def test_a_backup_makes_the_folders_above_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    opened(home).close()
    assert trig(home, "backup", str(tmp_path / "some" / "where" / "copy")).returncode == 0
    assert (tmp_path / "some" / "where" / "copy" / "manifest.json").exists()


def test_what_a_home_holds_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    opened(home).close()
    assert trig(home, "data", "rescan").returncode == 0
    for name in ("trigpoint.db", "telemetry.db", "buckets", "blobs"):
        assert stat.S_IMODE((home / name).stat().st_mode) & 0o077 == 0, name


def test_a_rescan_names_what_belongs_to_no_bucket_and_leaves_it_alone(tmp_path: Path) -> None:
    opened(tmp_path).close()
    byhand = tmp_path / "buckets" / "by-hand" / "file"
    byhand.parent.mkdir(parents=True)
    byhand.write_text("precious")
    done = trig(tmp_path, "data", "rescan", "--json")
    assert json.loads(done.stdout) == {"buckets": 0, "taken up": 0, "no buckets": ["by-hand"]}
    assert "left alone: by-hand." in done.stderr
    assert byhand.read_text() == "precious"


def test_a_secret_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(count: int) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(secrets, "token_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            upkeep.secret(tmp_path / "secret")
    kept = upkeep.secret(tmp_path / "secret")
    assert len(kept) == 32
    assert upkeep.secret(tmp_path / "secret") == kept
    (tmp_path / "secret").write_bytes(b"")
    with pytest.raises(FailedPrecondition, match="secret is damaged: remove it"):
        upkeep.secret(tmp_path / "secret")


def test_restore_wants_one_thing_or_the_other(tmp_path: Path) -> None:
    assert trig(tmp_path, "restore").returncode == 2
    assert trig(tmp_path, "restore", "nowhere").returncode == 2


def test_a_fault_is_logged_without_the_values_around_it(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(token: str) -> None:
        raise ValueError("broken")

    upkeep.plain_logs()
    try:
        fail("ya29." + "secret")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr().out
    assert "ValueError: broken" in said
    assert "ya29.secret" not in said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 99999999}', '{"port": -5}', '{"port": "x"}', "\0"])
def test_ports_that_are_none_are_forgotten(tmp_path: Path, text: str) -> None:
    (tmp_path / "ports.json").write_text(text)
    assert upkeep.last_ports(tmp_path) == {}
    upkeep.keep_ports(tmp_path, {"port": 8080})
    assert upkeep.last_ports(tmp_path) == {"port": 8080}
