"""Kills a process at every durable step of a list of object operations and checks what the next process finds.

Run as a program with a folder: forks (nothing is open in the parent) one child per step, and prints one JSON line
per step with what was wrong, if anything.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from trigpoint.core.clock import SystemClock, SystemIds
from trigpoint.data.checksums import of_file
from trigpoint.data.objects import Objects
from trigpoint.data.objects_sweep import Sweeper
from trigpoint.data.objects_uploads import Uploads
from trigpoint.store import Store
from trigpoint.store import objects as rows
from trigpoint.store.objects import BucketRow, ObjectRow

State = dict[bytes, bytes]
BIG = bytes(range(256)) * 1200


def opened(home: Path, step: Callable[[str], None] = lambda name: None) -> Objects:
    store = Store.open(f"sqlite:///{home}/main.db", f"sqlite:///{home}/telemetry.db")
    return Objects(store, home, SystemClock(), SystemIds(), step=step)


def never(owner: BucketRow, live: ObjectRow | None) -> bool:
    return False


def always(owner: BucketRow, live: ObjectRow | None) -> bool:
    return True


class Script:
    """The operations, each with what the bucket holds after it."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.uploads = Uploads(objects)
        self.sweeper = Sweeper(objects, lambda name: b"{}", lambda owner: False)
        self.session = ""

    def put(self, name: bytes, data: bytes, *, keep: bool = False) -> None:
        with self.objects.writer() as writer:
            writer.write(data)
            content = writer.finish()
        self.objects.put("b", name, content, b"{}", always if keep else never)

    def append(self, data: bytes) -> None:
        if not self.session:
            self.session = self.uploads.begin("b", b"up", b"{}").id
        with self.uploads.appending(self.session) as session:
            session.write(session.row.received, data)

    def finish(self) -> None:
        self.uploads.finish(self.uploads.get(self.session), b"{}", never)

    def by_hand(self) -> None:
        folder = self.objects.root / "b" / "hand"
        folder.mkdir()
        (folder / "made").write_bytes(BIG)
        self.sweeper.rescan("b", b"hand/")

    def operations(self) -> list[tuple[Callable[[], object], State]]:
        two = {b"a": b"2", b"a/b": b"x"}
        moved = {b"a/b": b"x", b"d/c": b"2"}
        up = {**moved, b"up": BIG + BIG}
        return [
            (lambda: self.objects.create_bucket(BucketRow("b", "1", 1, 1, 1, b"{}")), {}),
            (lambda: self.put(b"a", b"1"), {b"a": b"1"}),
            (lambda: self.put(b"a", b"2", keep=True), {b"a": b"2"}),
            (lambda: self.put(b"a/b", b"x"), two),
            (lambda: self.put(b"a/", b""), {**two, b"a/": b""}),
            (lambda: self.objects.remove("b", b"a/", 0, never), two),
            (lambda: self.objects.move("b", b"a", b"d/c", never, never), moved),
            (lambda: self.append(BIG), moved),
            (lambda: self.append(BIG), moved),
            (self.finish, up),
            (self.by_hand, {**up, b"hand/made": BIG}),
            (lambda: self.put(b"up", b"small"), {**moved, b"up": b"small", b"hand/made": BIG}),
            (self.objects.settle, {**moved, b"up": b"small", b"hand/made": BIG}),
            (lambda: self.objects.remove("b", b"hand/made", 0, never), {**moved, b"up": b"small"}),
            (lambda: self.put(b"a", b"3"), {**moved, b"up": b"small", b"a": b"3"}),
            (self.objects.close, {**moved, b"up": b"small", b"a": b"3"}),
        ]


def run(home: Path, stop_at: int) -> None:
    """Do the operations, noting each that is acknowledged; end the hard way at a step."""
    count = 0

    def step(name: str) -> None:
        nonlocal count
        count += 1
        if count == stop_at:
            os.kill(os.getpid(), signal.SIGKILL)

    objects = opened(home, step)
    objects.recover()
    with (home / "acknowledged").open("ab", buffering=0) as acknowledged:
        for operation, _ in Script(objects).operations():
            operation()
            acknowledged.write(b".")


def check(home: Path) -> list[str]:
    """Return what is wrong after a crash; recovering twice shows that it is idempotent."""
    objects = opened(home)
    objects.recover()
    objects.recover()
    done = (home / "acknowledged").stat().st_size if (home / "acknowledged").exists() else 0
    states: list[State] = [{}, *(state for _, state in Script(objects).operations())]
    found: State = {}
    wrong = []
    listed = objects.store.read(lambda tx: rows.select(tx, "b", b"", None, 100))
    for row in listed:
        with objects.open(row) as reading:
            found[row.name] = reading.read(0, row.size + 1)
            if of_file(reading.file) != row.crc32c or len(found[row.name]) != row.size:
                wrong.append(f"{row.name!r} is torn")
        shown = objects.tree("b").open(row.name)
        if row.name.endswith(b"/"):
            continue
        if shown is None or os.pread(shown, row.size + 1, 0) != found[row.name]:
            wrong.append(f"{row.name!r} is not shown")
    if found not in states[done : done + 2]:
        wrong.append(f"after {done} operations: {found.keys()}")
    wrong += leftovers(objects, set(found))
    return wrong


def leftovers(objects: Objects, live: set[bytes]) -> list[str]:
    wrong = []
    for folder, _, names in os.walk(objects.blobs.root):
        for name in names:
            if not objects.store.read(lambda tx, n=name: rows.blob_used(tx, n)):  # type: ignore[misc]
                wrong.append(f"stray file in {Path(folder).name}")
    if objects.store.read(rows.all_chores):
        wrong.append("chores are left")
    shown = {name for name, _ in objects.tree("b").walk(b"")}
    if not shown <= live | {b"hand/made"}:
        wrong.append(f"shown but not there: {shown - live}")
    return wrong


def in_child(work: Callable[[], object]) -> tuple[int, str]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            os.write(write, json.dumps(work()).encode())
        except BaseException as error:  # noqa: BLE001 - a child of the test: whatever ends it is reported
            os.write(write, json.dumps([f"{type(error).__name__}: {error}"]).encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        text = pipe.read().decode()
    return os.waitpid(child, 0)[1], text


def main(folder: Path) -> None:
    for stop_at in range(1, 1000):
        home = folder / str(stop_at)
        home.mkdir()
        status, end = in_child(lambda h=home, s=stop_at: run(h, s))  # type: ignore[misc]
        _, text = in_child(lambda h=home: check(h))  # type: ignore[misc]
        wrong = json.loads(text) + (json.loads(end) or [] if end else [])
        print(json.dumps({"step": stop_at, "killed": os.WIFSIGNALED(status), "wrong": wrong}))  # noqa: T201
        if not os.WIFSIGNALED(status):
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
