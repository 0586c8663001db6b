"""Programs that the fault tests of the store run in a process of their own: `python store_crash.py WHAT FOLDER`.

`write` writes until it is killed and prints each acknowledged name; `fill` writes until the disk is full, then goes on
once there is room again, and prints what it saw as one JSON object.
"""

import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

from trigpoint.core.errors import ResourceExhausted, Unavailable
from trigpoint.store import Store, resources
from trigpoint.store.resources import Row

THREADS = 4


def open_store(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder}/trigpoint.db", f"sqlite:///{folder}/telemetry.db")


def row(name: str, size: int) -> Row:
    return Row(name, "customJobs", "projects/1", name.encode() * (size // len(name)))


def write(folder: Path) -> None:
    store = open_store(folder)

    def work(thread: int) -> None:
        count = 0
        while True:
            name = f"{os.getpid()}-{thread}-{count}"
            store.write(lambda tx, name=name: resources.insert(tx, row(name, 3000)))  # type: ignore[misc]
            os.write(1, f"{name}\n".encode())
            count += 1

    for thread in range(THREADS):
        threading.Thread(target=work, args=(thread,)).start()


def fill(folder: Path) -> None:
    ballast = folder / "ballast"
    limited = "--limit" in sys.argv
    if not limited:
        ballast.write_bytes(b"\0" * 400_000)
    store = open_store(folder)
    if limited:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
    kept: list[str] = []
    failed: list[str] = []
    errors: set[str] = set()

    def work(thread: int) -> None:
        for count in range(2000):
            name = f"{thread}-{count}"
            try:
                store.write(lambda tx, name=name: resources.insert(tx, row(name, 20_000)))  # type: ignore[misc]
                kept.append(name)
            except (ResourceExhausted, Unavailable) as error:
                failed.append(name)
                errors.add(error.status)
                return

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    red = not store.health.ok
    readable = len(store.read(lambda tx: resources.get_all(tx, kept)))
    if limited:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        ballast.unlink()
    tries = 0
    while not store.health.ok and tries < 1000:
        tries += 1
        time.sleep(0.01)
    green = store.health.ok
    store.write(lambda tx: resources.insert(tx, row("after", 100)))
    store.close()
    store = open_store(folder)
    after = store.read(lambda tx: resources.get_all(tx, [*kept, *failed, "after"]))
    store.close()
    seen = {"kept": len(kept), "failed": len(failed), "errors": sorted(errors), "red": red, "readable": readable}
    lost = [name for name in kept if name not in after]
    ghosts = [name for name in failed if name in after]
    report = {**seen, "green": green, "lost": lost, "ghosts": ghosts, "after": "after" in after}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    {"write": write, "fill": fill}[sys.argv[1]](Path(sys.argv[2]))
