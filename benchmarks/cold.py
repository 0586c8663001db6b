"""Server cold start and idle memory against a bare server; recovery after kill -9 (performance.md P20, P21).

    python -m benchmarks.cold [--rounds 7] [--jobs 2000] [--kills 5]

A start is measured from the spawn to the announcement, and to the first answered request. The floor is a Starlette app
on uvicorn in the same Python. Recovery: some jobs run, many wait; the server is killed, started, and asked.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import time

import psutil

from benchmarks import show
from benchmarks.api import floors
from benchmarks.stand import HOMES, Stand, contained

RUNNING = 3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    show.heading("cold start and idle memory")
    _cold(options.rounds)
    if options.kills:
        show.heading(f"recovery after kill -9, {options.jobs} jobs queued, {RUNNING} running")
        _recovery(options.jobs, options.kills)


def _cold(rounds: int) -> None:
    floor, python, first, start, answer, memory, bare = [], [], [], [], [], [], []
    for _ in range(rounds):
        floor.append(_bare(bare))
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        python.append((time.perf_counter() - begun) * 1000)
        shutil.rmtree(HOMES / "cold", ignore_errors=True)
        stand = Stand("cold")
        first.append(stand.start() * 1000)
        stand.end(signal.SIGTERM)
        begun = time.perf_counter()
        start.append(stand.start() * 1000)
        stand.call("GET", f"/v1/{stand.parent}/customJobs")
        answer.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.5)
        assert stand.process is not None
        memory.append(psutil.Process(stand.process.pid).memory_info().rss / 2**20)
        stand.end(signal.SIGTERM)
    show.row("floor: bare Starlette on uvicorn, to its port", floor, [], "")
    show.row("  python itself", python, floor, "")
    show.row("  first start of a new home (keys are made)", first, floor, "")
    show.row("  start -> announced", start, floor, "P20 <= 1000 ms")
    show.row("  start -> first list answered", answer, floor, "P20 <= 1000 ms (moonshot 400)")
    show.row("floor: memory of the bare server", bare, [], "", "MiB")
    show.row("  idle memory", memory, bare, "P20 <= 150 MiB (moonshot 80)", "MiB")


def _bare(memory: list[float]) -> float:
    with floors() as bare:
        memory.append(psutil.Process(bare.pids[0]).memory_info().rss / 2**20)
        return bare.seconds[0] * 1000


def _recovery(jobs: int, kills: int) -> None:
    with Stand("recovery", {"parallel_jobs": str(RUNNING), "runtime": "process"}) as stand:
        blockers = [stand.create(contained("python3", "-c", "import time; time.sleep(900)")) for _ in range(RUNNING)]
        for _ in range(jobs):
            stand.create(contained("python3", "-c", "print()"))
        deadline = time.monotonic() + 300
        while any(stand.call("GET", f"/v1/{name}").get("state") != "JOB_STATE_RUNNING" for name in blockers):
            if time.monotonic() > deadline:
                raise SystemExit("the jobs do not run")
            time.sleep(0.2)
        start, answer = [], []
        for _ in range(kills):
            stand.end(signal.SIGKILL)
            begun = time.perf_counter()
            start.append(stand.start() * 1000)
            states = [stand.call("GET", f"/v1/{name}")["state"] for name in blockers]
            answer.append((time.perf_counter() - begun) * 1000)
            if set(states) != {"JOB_STATE_RUNNING"}:
                raise SystemExit(f"after a kill the running jobs are {states}")
        show.row("  kill -9 -> announced", start, [], "P21 <= 2000 ms (moonshot 600)")
        show.row("  kill -9 -> running jobs read as RUNNING", answer, [], "P21 <= 2000 ms")
        for name in blockers:
            stand.call("POST", f"/v1/{name}:cancel", {})


if __name__ == "__main__":
    main()
