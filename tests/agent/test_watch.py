"""What a replica does to files below /gcs is heard: by name, size and number, its own and nobody else's."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.agent.conftest import Agent, Ears, Make, until

from trigpoint.agent import protocol as p

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="fanotify on mounts needs root")
pytestmark = needs_root

Start = Callable[..., Agent]
Found = dict[tuple[str, str], tuple[int, int]]


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    path = tmp_path / "buckets" / "mine"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def start(make: Make, bucket: Path) -> Start:
    """Start a Python program that sees the bucket."""

    def new(code: str, **fields: Any) -> Agent:
        program = p.Program(argv=("python3", "-c", "import os, time\nb = '/gcs/mine/'\n" + code))
        agent = make(program=program, runtime="sandbox", buckets={"mine": str(bucket)}, **fields)
        agent.start()
        return agent

    return new


def last(ears: Ears, agent: Agent) -> Found:
    """Return what a replica's end says of files: (kind, URI below the bucket) -> (bytes, count)."""
    assert agent.outcome().reason == p.SUCCEEDED, agent.lines(p.STDERR)
    body = ears.body("outcome", agent.spec.replica)
    assert body["watched"]
    assert ears.body("started", agent.spec.replica)["watched"]
    return totals(body)


def totals(body: dict[str, Any]) -> Found:
    found = {}
    for what, uri, size, count, first, late in body["files"]:
        assert uri.startswith("gs://mine/")
        assert first <= late <= time.time_ns() // 1000
        if count:
            found[what, uri.removeprefix("gs://mine/")] = size, count
    return found


def told(ears: Ears, replica: str = "workerpool0-0") -> Found:
    """Return what was reported on the way, taken together as the server does."""
    known: Found = {}
    for report in [r for r in list(ears.reports.get(replica, [])) if "files" in r.body]:
        for what, uri, size, count, _, _ in report.body["files"]:
            known[what, uri.removeprefix("gs://mine/")] = size, count
    return {key: value for key, value in known.items() if value[1]}


def test_reads_and_writes_are_told_with_sizes(start: Start, ears: Ears, bucket: Path) -> None:
    (bucket / "in.csv").write_bytes(b"x" * 100)
    (bucket / "unread.csv").write_bytes(b"x" * 100)
    agent = start(
        "for _ in range(3): open(b + 'in.csv').read(); time.sleep(0.3)\n"
        "os.listdir(b); os.stat(b + 'unread.csv')\n"
        "os.makedirs(b + 'd/e'); open(b + 'd/e/out', 'wb').write(b'y' * 5000); open(b + 'empty', 'w').close()\n"
    )
    assert last(ears, agent) == {
        ("open", "in.csv"): (100, 3),
        ("save", "d/e/out"): (5000, 1),
        ("save", "empty"): (0, 1),
    }


def test_the_same_bytes_written_again_are_told(start: Start, ears: Ears, bucket: Path) -> None:
    (bucket / "model").write_bytes(b"same")
    assert last(ears, start("open(b + 'model', 'wb').write(b'same')")) == {("save", "model"): (4, 1)}


def test_it_is_told_while_the_program_runs(start: Start, ears: Ears, bucket: Path) -> None:
    (bucket / "in").write_bytes(b"123")
    start(
        "f = open(b + 'log', 'wb', 0); f.write(b'a' * 10); open(b + 'in').read()\n"
        "while not os.path.exists(b + 'go'): time.sleep(0.02)\n"
        "f.write(b'a' * 10)\n"
        "while not os.path.exists(b + 'end'): time.sleep(0.02)\n"
    )
    until(lambda: told(ears) == {("save", "log"): (10, 1), ("open", "in"): (3, 1)}, "the first reports")
    (bucket / "go").write_text("")
    until(lambda: told(ears).get(("save", "log")) == (20, 1), "the growth of an open file")
    (bucket / "end").write_text("")


def test_each_replica_tells_of_its_own_files_only(start: Start, ears: Ears, bucket: Path) -> None:
    code = "open(b + os.environ['NAME'], 'w').write('12'); time.sleep(0.3)"
    one = start(code, env={"NAME": "one"})
    two = start(code, replica="workerpool1-0", env={"NAME": "two"})
    (bucket / "of the server").write_text("123")
    assert last(ears, one) == {("save", "one"): (2, 1)}
    assert last(ears, two) == {("save", "two"): (2, 1)}


def test_files_count_under_their_last_names(start: Start, ears: Ears) -> None:
    agent = start(
        "def save(name, size=10, wait=0):\n"
        "  open(b + 'tmp', 'wb').write(b'x' * size); time.sleep(wait); os.replace(b + 'tmp', b + name)\n"
        "save('a'); save('b', 20, 0.6); save('latest', 5); save('latest', 5)\n"
    )
    assert last(ears, agent) == {("save", "a"): (10, 1), ("save", "b"): (20, 1), ("save", "latest"): (10, 2)}
    assert not any("tmp" in uri for _, uri in told(ears))


def test_folders_count_under_their_last_names(start: Start, ears: Ears) -> None:
    agent = start(
        "os.makedirs(b + 'step.tmp/shards')\n"
        "for i in range(3): open(b + 'step.tmp/shards/%d' % i, 'w').write('xyz')\n"
        "open(b + 'step.tmp/done', 'w').write('y'); time.sleep(2); os.rename(b + 'step.tmp', b + 'step')\n"
    )
    wanted = {("save", f"step/shards/{i}"): (3, 1) for i in range(3)} | {("save", "step/done"): (1, 1)}
    assert last(ears, agent) == wanted
    assert ("save", "step.tmp/done") in {
        (what, uri.removeprefix("gs://mine/"))
        for report in ears.reports["workerpool0-0"]
        if report.kind == "files"
        for what, uri, *_ in report.body["files"]
    }


@pytest.mark.parametrize("pause", [0.05, 1.2])
def test_a_rotation_of_folders_is_told_as_it_ended(start: Start, ears: Ears, bucket: Path, pause: float) -> None:
    agent = start(
        "import shutil\n"
        "for step in range(4):\n"
        "  os.makedirs(b + 'new'); open(b + 'new/%d' % step, 'w').write('x' * (step + 1))\n"
        "  open(b + 'new/m', 'w').write('m')\n"
        f"  time.sleep({pause}); shutil.rmtree(b + 'prev', ignore_errors=True)\n"
        "  if os.path.exists(b + 'latest'): os.rename(b + 'latest', b + 'prev')\n"
        f"  os.rename(b + 'new', b + 'latest'); time.sleep({pause})\n"
    )
    found = last(ears, agent)
    there = {str(path.relative_to(bucket)): path.stat().st_size for path in bucket.rglob("*") if path.is_file()}
    assert there == {"latest/3": 4, "latest/m": 1, "prev/2": 3, "prev/m": 1}
    assert {("save", name) for name in there} <= set(found)


def test_a_file_that_is_renamed_while_it_is_open_counts_once(start: Start, ears: Ears) -> None:
    agent = start(
        "f = open(b + 'm.tmp', 'w'); f.write('x' * 100); f.flush(); time.sleep(1.6)\n"
        "os.rename(b + 'm.tmp', b + 'm.bin'); f.write('y'); f.flush(); time.sleep(1.6); f.write('z'); f.close()\n"
    )
    assert last(ears, agent) == {("save", "m.bin"): (102, 1)}


def test_a_lease_of_another_program_keeps_nobody_waiting(start: Start, ears: Ears, bucket: Path) -> None:
    (bucket / "in").write_text("123")
    holder = start(
        "import fcntl\n"
        "while not os.path.exists(b + 'read'): time.sleep(0.02)\n"
        "f = open(b + 'in', 'r+'); fcntl.fcntl(f, fcntl.F_SETSIG, 0); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n"
        "open(b + 'held', 'w').close()\n"
        "while not os.path.exists(b + 'end'): time.sleep(0.02)\n",
    )
    reader = start(
        "open(b + 'in').read(); open(b + 'read', 'w').close()\n"
        "while not os.path.exists(b + 'held'): time.sleep(0.02)\n",
        replica="workerpool1-0",
    )
    begun = time.monotonic()
    assert reader.outcome().reason == p.SUCCEEDED, reader.lines(p.STDERR)
    assert time.monotonic() - begun < 20
    (bucket / "end").write_text("")
    assert holder.outcome() is not None


def test_what_was_written_and_deleted_was_written(start: Start, ears: Ears, bucket: Path) -> None:
    agent = start("for i in range(3): open(b + str(i), 'w').write('x' * 9); os.remove(b + str(i)); time.sleep(0.15)")
    assert last(ears, agent) == {("save", str(i)): (9, 1) for i in range(3)}
    assert not list(bucket.iterdir())


def test_many_files_are_told_by_folder(start: Start, ears: Ears, bucket: Path) -> None:
    for i in range(700):
        (bucket / f"{i:03}.jpg").write_bytes(b"xx")
    found = last(ears, start("for e in range(2):\n for n in sorted(os.listdir(b)): open(b + n).read()"))
    assert sum(size for size, _ in found.values()) == 1400
    assert len(found) == 301
    assert found["open", ""][0] == 800


def test_odd_names_and_files_that_are_none(start: Start, ears: Ears, bucket: Path) -> None:
    (bucket / "in").write_text("1")
    agent = start(
        "open(b + 'two\\nlines', 'w').write('x'); open(b.encode() + b'\\xff', 'w').write('x')\n"
        "open(b + 'x (deleted)', 'w').write('x'); os.symlink('/etc', b + 'link'); open(b + 'link/hosts').read()\n"
        "os.mkfifo(b + 'pipe'); os.symlink('in', b + 'alias'); open(b + 'alias').read()\n"
        "os.makedirs(b + 'd'); os.symlink('/usr', b + 'd/l'); open('/tmp/x', 'w').write('y')\n"
    )
    assert last(ears, agent) == {
        ("save", "\ufffd"): (1, 1),
        ("save", "x (deleted)"): (1, 1),
        ("open", "in"): (1, 1),
    }
    json.dumps(ears.body("outcome")["files"]).encode()


def test_a_file_whose_other_name_is_deleted_keeps_its_own(start: Start, ears: Ears) -> None:
    agent = start(
        "open(b + 'one', 'w').write('12'); os.link(b + 'one', b + 'two'); time.sleep(0.4); os.remove(b + 'one')\n"
        "f = open(b + 'three', 'w'); f.write('3'); f.flush(); time.sleep(0.4)\n"
        "os.rename(b + 'three', b + 'od\\nd'); f.close()\n"
    )
    assert last(ears, agent) == {("save", "one"): (2, 1), ("save", "three"): (1, 1)}


def test_all_is_told_again_to_a_server_that_was_away(start: Start, ears: Ears, bucket: Path) -> None:
    agent = start(
        "open(b + 'first', 'w').write('1')\n"
        "while not os.path.exists(b + 'go'): time.sleep(0.02)\n"
        "open(b + 'second', 'w').write('22')\n"
        "while not os.path.exists(b + 'end'): time.sleep(0.02)\n"
    )
    until(lambda: ("save", "first") in told(ears), "the first report")
    ears.close()
    ears.reports.clear()
    (bucket / "go").write_text("")
    time.sleep(0.5)
    ears.reports["workerpool0-0"] = agent_reports(agent)
    ears.open()
    until(lambda: {("save", "first"), ("save", "second")} <= set(told(ears)), "both files")
    (bucket / "end").write_text("")


def agent_reports(agent: Agent) -> list[p.Report]:
    """Return what the server had acknowledged, so that it takes what comes next."""
    lines = (agent.directory / "spool.jsonl").read_text().splitlines()
    return [p.load_report(json.loads(line)) for line in lines]
