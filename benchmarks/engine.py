"""From launch to the first line of a user's program, against the bare program, in rounds that take turns.

Run: `python -m benchmarks.engine [--rounds 60] [--burst 200]`. Prints medians and ratios; goals P1 and P4 are for the
whole product, this shows the part of engine and agent.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from trigpoint.agent import protocol as p
from trigpoint.runtime import doctor
from trigpoint.runtime.engine import GangSpec, Placement
from trigpoint.runtime.local import LocalEngine, LocalOptions
from trigpoint.runtime.logs import LogReader

PYTHON = os.path.join(sys.base_prefix, "bin", "python3")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--burst", type=int, default=200)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "code" / "trainer").mkdir(parents=True)
        (work / "code" / "trainer" / "__init__.py").touch()
        (work / "code" / "trainer" / "task.py").write_text("print('first line')\n")
        for runtime in ("process", "sandbox"):
            if runtime == "sandbox" and not doctor.sandbox().works:
                continue
            engine = LocalEngine(work / runtime, LocalOptions(runtime=runtime))
            _measure(engine, work / "code", options.rounds, options.burst)
            engine.sweep([])
            engine.close()


def _measure(engine: LocalEngine, code: Path, rounds: int, burst: int) -> None:
    floor, ours = [], []
    for number in range(rounds):
        floor.append(_bare(code))
        ours.append(_ours(engine, code, f"one-{number}"))
    low, high = statistics.median(floor), statistics.median(ours)
    print(
        f"{engine.runtime}: first line after {high * 1e3:.1f} ms, bare {low * 1e3:.1f} ms: {high / low:.2f} x", end="; "
    )
    print(f"p99 {sorted(ours)[int(rounds * 0.99) - 1] / low:.2f} x")
    begin = time.perf_counter()
    for _ in range(burst):
        _bare(code)
    bare = (time.perf_counter() - begin) / (os.cpu_count() or 1)
    begin = time.perf_counter()
    uids = [f"burst-{number}" for number in range(burst)]
    for uid in uids:
        engine.ensure(_gang(engine, code, uid))
    while any(seen.placement is not Placement.GONE for seen in engine.observe(uids).values()):
        time.sleep(0.05)
    took = time.perf_counter() - begin
    print(f"{engine.runtime}: {burst} at once {took:.2f} s, bare on all processors {bare:.2f} s: {took / bare:.2f} x")


def _bare(code: Path) -> float:
    begin = time.perf_counter()
    with subprocess.Popen([PYTHON, "-m", "trainer.task"], cwd=code, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - begin


def _ours(engine: LocalEngine, code: Path, uid: str) -> float:
    begin = time.perf_counter()
    engine.ensure(_gang(engine, code, uid))
    for line in LogReader(engine.directory(uid, "workerpool0-0") / "logs").follow("", lambda: False, 0.002):
        if line.stream == p.STDOUT:
            break
    taken = time.perf_counter() - begin
    while engine.observe([uid])[uid].placement is not Placement.GONE:
        time.sleep(0.005)
    return taken


def _gang(engine: LocalEngine, code: Path, uid: str) -> GangSpec:
    sandbox = engine.runtime == "sandbox"
    spec = p.RunSpec(
        uid,
        "workerpool0-0",
        program=p.Program(module="trainer.task"),
        env={"PYTHONPATH": "/gcs/code" if sandbox else str(code)},
        environment=p.Environment(base=sys.base_prefix),
        buckets={"code": str(code)},
        limits=p.Limits(cpus=4, memory_bytes=15 << 30, processes=4096),
    )
    return GangSpec(uid, (spec,))


if __name__ == "__main__":
    main()
