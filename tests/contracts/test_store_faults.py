"""What the SQLite store promises when killed, out of disk or damaged (reliability.md R1, R4, R5)."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trigpoint.core.errors import DataLoss, FailedPrecondition, InvalidArgument, Unavailable
from trigpoint.store import Store, Tx, backup, check, events, graph, history, operations, refs, resources, work
from trigpoint.store.graph import Edge
from trigpoint.store.operations import Operation
from trigpoint.store.queries import label_is
from trigpoint.store.resources import Row
from trigpoint.store.rows import RESOURCES

PROGRAM = Path(__file__).with_name("store_crash.py")
NAMES = [f"projects/1/locations/l/customJobs/{i}" for i in range(40)]


def open_store(folder: Path, *, read_only: bool = False) -> Store:
    return Store.open(f"sqlite:///{folder}/trigpoint.db", f"sqlite:///{folder}/telemetry.db", read_only=read_only)


def job(name: str) -> Row:
    return Row(
        name, "customJobs", "projects/1/locations/l", name.encode() * 20, b'{"a":1}', "PENDING", labels={"k": "v"}
    )


def insert(store: Store, *names: str) -> None:
    store.write(lambda tx: [resources.insert(tx, job(name)) for name in names])


# --- groups ---


def test_a_group_is_committed_once_and_a_failed_unit_fails_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    commits: list[frozenset[str]] = []
    store.notifier.subscribe(commits.append)
    begun, go = threading.Event(), threading.Event()

    def first(tx: Tx) -> None:
        begun.set()
        assert go.wait(30)

    def bad() -> None:
        with pytest.raises(ZeroDivisionError):
            store.write(lambda tx: (resources.insert(tx, job("bad")), 1 // 0))

    threads = [threading.Thread(target=store.write, args=(first,))]
    threads[0].start()
    assert begun.wait(30)
    threads += [threading.Thread(target=insert, args=(store, name)) for name in NAMES]
    threads.append(threading.Thread(target=bad))
    for thread in threads[1:]:
        thread.start()
    while store.main._queue.qsize() < len(NAMES) + 1:  # type: ignore[union-attr]
        threading.Event().wait(0.001)
    go.set()
    for thread in threads:
        thread.join()
    assert commits == [frozenset(NAMES)]
    assert store.read(lambda tx: resources.count(tx, "customJobs")) == len(NAMES)
    store.close()


def test_a_closed_store_says_so_after_finishing_what_was_queued(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    reading, end = threading.Event(), threading.Event()

    def reader() -> None:
        store.read(lambda tx: resources.get(tx, "none"))
        reading.set()
        end.wait(30)

    lasting = threading.Thread(target=reader)
    lasting.start()
    threads = [threading.Thread(target=insert, args=(store, name)) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reading.wait(30)
    store.close()
    for refused in (store.write, store.read):
        with pytest.raises(Unavailable):
            refused(lambda tx: None)
    assert not (tmp_path / "trigpoint.db-wal").exists()
    end.set()
    lasting.join()


# --- kills ---


def killed_writer(folder: Path, acknowledged: int) -> list[str]:
    """Kill a process that writes after it acknowledged so many; return all that it acknowledged."""
    with subprocess.Popen([sys.executable, str(PROGRAM), "write", str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        names = [process.stdout.readline() for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        names += process.stdout.readlines()
    assert all(name.endswith(b"\n") for name in names)
    return [name.decode().strip() for name in names]


@pytest.mark.parametrize("kills", [4, pytest.param(25, marks=pytest.mark.slow)])
def test_no_acknowledged_write_is_lost_by_a_kill(tmp_path: Path, kills: int) -> None:
    chance = random.Random(7)
    written: list[str] = []
    for _ in range(kills):
        written += killed_writer(tmp_path, chance.randrange(1, 120))
        store = open_store(tmp_path)
        assert set(store.read(lambda tx: resources.get_all(tx, written))) == set(written)  # noqa: B023 - read at once
        assert check.check(store).damage == ()
        store.close()


@pytest.mark.parametrize("harm", ["removed", "cut", "flipped"])
def test_a_lost_write_ahead_log_is_noticed(tmp_path: Path, harm: str) -> None:
    killed_writer(tmp_path, 60)
    log = tmp_path / "trigpoint.db-wal"
    if harm == "removed":
        log.unlink()
    elif harm == "cut":
        os.truncate(log, log.stat().st_size // 3)
    else:
        with log.open("r+b") as file:
            file.seek(log.stat().st_size // 3)
            file.write(b"\xff\x00\xaa\x55")
    with pytest.raises(DataLoss, match="newest changes of the database are missing"):
        open_store(tmp_path)
    backup.accept_loss(tmp_path / "trigpoint.db")
    open_store(tmp_path).close()


def test_a_killed_servers_database_can_be_read_only(tmp_path: Path) -> None:
    written = killed_writer(tmp_path, 30)
    store = open_store(tmp_path, read_only=True)
    assert len(store.read(lambda tx: resources.get_all(tx, written))) == len(written)
    with pytest.raises(FailedPrecondition, match="read-only"):
        insert(store, "new")
    store.close()


# --- a full disk ---


def filled(command: list[str], *options: str) -> dict[str, Any]:
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_full_disk_loses_nothing_and_heals(tmp_path: Path) -> None:
    inside = f"mount -t tmpfs -o size=3m tmpfs {tmp_path} && exec {sys.executable} {PROGRAM} fill {tmp_path}"
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*private, f"mount -t tmpfs tmpfs {tmp_path}"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    found = filled(private, inside)
    assert found.pop("kept") > 10
    assert found.pop("readable") > 10
    assert found == {
        "failed": 4,
        "errors": ["RESOURCE_EXHAUSTED"],
        "red": True,
        "green": True,
        "lost": [],
        "ghosts": [],
        "after": True,
    }


def test_a_failing_write_loses_nothing_and_heals(tmp_path: Path) -> None:
    found = filled([sys.executable, str(PROGRAM), "fill", str(tmp_path), "--limit"])
    assert found["kept"] == found["readable"] > 10
    assert (found["errors"], found["red"], found["green"]) == (["UNAVAILABLE"], True, True)
    assert (found["lost"], found["ghosts"], found["after"]) == ([], [], True)


# --- damage ---


def populate(store: Store) -> None:
    def unit(tx: Tx) -> None:
        for i, name in enumerate(NAMES):
            row = resources.insert(tx, job(name))
            if i % 3 == 0:
                resources.update(tx, replace(row, state="DONE", update_time=i, notes={"i": i}))
            events.append(tx, time=i, project="1", subject=name, kind="job.state", data={"i": i})
            refs.add(tx, name, "model", "uses")
            graph.link(tx, Edge(f"run{i}", f"artifact{i}", True, i))
            operations.add(tx, Operation(f"op{i}", "p", name, "Create", b"m" * 30, b"{}"))
            work.put(tx, "customJobs", name, i, 1)

    store.write(unit)


def questions() -> list[Callable[[Tx], Any]]:
    def one(name: str) -> list[Callable[[Tx], Any]]:
        return [
            lambda tx: resources.get(tx, name),
            lambda tx: history.before(tx, name),
            lambda tx: events.after(tx, 0, 10, name),
            lambda tx: refs.used_by(tx, name),
            lambda tx: operations.of_target(tx, name),
        ]

    whole: list[Callable[[Tx], Any]] = [
        lambda tx: resources.select(tx, "customJobs", "projects/1/", label_is("k", "v")),
        lambda tx: resources.select(tx, "customJobs", "", RESOURCES.c.state == "DONE", order=()),
        lambda tx: refs.users(tx, "model"),
        lambda tx: graph.of_artifacts(tx, [f"artifact{i}" for i in range(40)]),
        lambda tx: graph.of_executions(tx, [f"run{i}" for i in range(40)]),
        lambda tx: [item[:2] for item in work.everything(tx)],
    ]
    return [question for name in NAMES for question in one(name)] + whole


def wrong_answers(folder: Path, expected: list[Any]) -> tuple[bool, list[str]]:
    """Return whether the damage was noticed, and every answer that is not what was stored."""
    try:
        store = open_store(folder)
    except DataLoss:
        return True, []
    noticed, wrong = False, []
    for i, question in enumerate(questions()):
        try:
            found = store.read(question)
        except DataLoss:
            noticed = True
        else:
            if found != expected[i]:
                wrong.append(f"question {i}: {found}")
    noticed = noticed or bool(check.check(store).damage)
    assert noticed == (not store.health.ok)
    store.close()
    return noticed, wrong


@pytest.mark.parametrize("samples", [60, pytest.param(600, marks=pytest.mark.slow)])
def test_flipped_bytes_never_make_a_wrong_answer(tmp_path: Path, samples: int) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    store = open_store(whole)
    populate(store)
    expected = [store.read(question) for question in questions()]
    store.close()
    chance = random.Random(11)
    data = (whole / "trigpoint.db").read_bytes()
    noticed = 0
    for sample in range(samples):
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        changed = bytearray(data)
        at = chance.randrange(len(data))
        for i in range(at, min(len(data), at + chance.choice([1, 1, 4, 200]))):
            changed[i] ^= chance.randrange(1, 256)
        (folder / "trigpoint.db").write_bytes(changed)
        seen, wrong = wrong_answers(folder, expected)
        assert wrong == [], f"sample {sample}, offset {at}"
        noticed += seen
    # Much of a small database is unused space, where damage harms nothing.
    assert noticed > samples // 5


def test_a_damaged_row_is_named_and_turns_health_red(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    insert(store, *NAMES[:3])
    store.write(
        lambda tx: tx.connection.execute(
            RESOURCES.update().where(RESOURCES.c.name == NAMES[1]).values(message=b"damaged")
        )
    )
    assert store.read(lambda tx: resources.get(tx, NAMES[0])) is not None
    with pytest.raises(DataLoss, match="customJobs/1 is damaged"):
        store.read(lambda tx: resources.get(tx, NAMES[1]))
    assert not store.health.ok
    report = check.check(store)
    assert [line for line in report.damage if NAMES[1] in line] == list(report.damage)
    store.write(lambda tx: tx.connection.execute(RESOURCES.delete().where(RESOURCES.c.name == NAMES[1])))
    assert check.check(store).damage == ()
    assert store.health.ok
    store.close()


def test_what_is_no_database_is_refused_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "trigpoint.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(DataLoss, match="trig restore") as caught:
        open_store(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_a_damaged_database_can_be_read_only(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    populate(store)
    store.close()
    with (tmp_path / "trigpoint.db").open("r+b") as file:
        file.seek(-3000, os.SEEK_END)
        file.write(os.urandom(64))
    store = open_store(tmp_path, read_only=True)
    answers = 0
    for name in NAMES:
        try:
            answers += store.read(lambda tx, name=name: resources.get(tx, name)) is not None  # type: ignore[misc]
        except DataLoss:
            continue
    assert answers > 0
    with pytest.raises(Exception, match=r"read-only|damaged"):
        insert(store, "new")
    store.close()


# --- backups ---


def test_a_backup_is_whole_and_comes_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    store = open_store(home)
    insert(store, *NAMES[:20])
    stop = threading.Event()

    def keep_writing() -> None:
        count = 0
        while not stop.is_set():
            insert(store, f"busy{count}")
            count += 1

    writer = threading.Thread(target=keep_writing)
    writer.start()
    copy = backup.backup(store, tmp_path / "copy")
    stop.set()
    writer.join()
    with pytest.raises(InvalidArgument):
        backup.backup(store, tmp_path / "copy")
    insert(store, *NAMES[20:])
    store.close()

    backup.restore(copy, home / "trigpoint.db", home / "telemetry.db", tmp_path / "aside")
    store = open_store(home)
    assert set(store.read(lambda tx: resources.get_all(tx, NAMES))) == set(NAMES[:20])
    assert check.check(store).damage == ()
    insert(store, NAMES[30])
    store.close()
    open_store(home).close()
    assert (tmp_path / "aside" / "trigpoint.db").exists()


def test_a_damaged_backup_changes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    insert(store, *NAMES)
    copy = backup.backup(store, tmp_path / "copy")
    store.close()
    with (copy / "trigpoint.db").open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    with pytest.raises(DataLoss, match=r"trigpoint\.db of the backup copy is damaged"):
        backup.restore(copy, tmp_path / "trigpoint.db", tmp_path / "telemetry.db", tmp_path / "aside")
    with pytest.raises(InvalidArgument, match="is no backup"):
        backup.verify(tmp_path)
    store = open_store(tmp_path)
    assert store.read(lambda tx: resources.count(tx, "customJobs")) == len(NAMES)
    store.close()
