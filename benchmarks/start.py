"""Submit to first line of the user's program, against a bare `python -m trainer.task` (performance.md P1, P2).

    python -m benchmarks.start [--rounds 15] [--runtime sandbox|process|auto] [--no-sklearn] [--fresh]

The program prints the clock as its first act after its imports; the floor is the same program, started bare with the
same interpreter. Rounds are interleaved. `--fresh` submits a package that was never seen, every time.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import show
from benchmarks.stand import Stand, contained, packaged, sdist

PLAIN = "import time\nprint('stamp', time.time(), flush=True)\n"
SKLEARN = "import sklearn.linear_model\n" + PLAIN


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runtime", default="", choices=["", "sandbox", "process"])
    parser.add_argument("--no-sklearn", action="store_true")
    options = parser.parse_args()
    for runtime in [options.runtime] if options.runtime else ["sandbox", "process"]:
        with Stand("start", {"runtime": runtime}) as stand:
            warm(stand)
            show.heading(f"submit -> first user line, {runtime} runtime")
            show.row("disk: 4 KiB written and confirmed", show.sync_cost(stand.home), [], "")
            _measure(stand, "trainer.task", PLAIN, options.rounds, "P1 <= 2.0x p50 (moonshot < 1x)")
            if not options.no_sklearn:
                _measure(stand, "trainer.task + sklearn", SKLEARN, max(3, options.rounds // 3), "P1 <= 2.0x p50")
            _measure(stand, "new package every time", PLAIN, options.rounds, "P2 <= 3x", fresh=True)


def warm(stand: Stand) -> None:
    """Have the environment built before anything is measured."""
    begun = time.monotonic()
    job = stand.wait(stand.create(contained("python3", "-c", "import sklearn.linear_model")))
    if job["state"] != "JOB_STATE_SUCCEEDED":
        raise SystemExit(f"the environment could not be made ready: {job.get('error')}")
    if time.monotonic() - begun > 30:
        print(f"(built the environment in {time.monotonic() - begun:.0f} s)")


def _measure(stand: Stand, what: str, source: str, rounds: int, target: str, *, fresh: bool = False) -> None:
    python = interpreter(stand.home)
    uri = stand.upload(f"trainer-{time.time_ns()}.tar.gz", sdist(source))
    floor, create, first, total = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "trainer")
        bare.mkdir()
        (bare / "__init__.py").touch()
        (bare / "task.py").write_text(source)
        for number in range(rounds + 1):
            floor.append(_bare(python, folder))
            if fresh:
                uri = stand.upload(f"trainer-{time.time_ns()}.tar.gz", sdist(source + f"# {time.time_ns()}\n"))
            begun = time.time()
            name = stand.create(packaged(uri))
            create.append((time.time() - begun) * 1000)
            job = stand.wait(name)
            total.append((time.time() - begun) * 1000)
            first.append((stand.stamp(name) - begun) * 1000)
            if job["state"] != "JOB_STATE_SUCCEEDED":
                raise SystemExit(f"{name}: {job.get('error')}")
            if number == 0:
                for values in (floor, create, first, total):
                    values.clear()
    show.row(f"floor: bare python -m {what}", floor, [], "")
    show.row("  the create call", create, floor, "")
    show.row("  submit -> first line", first, floor, target)
    show.row("  submit -> SUCCEEDED read (20 ms polling)", total, floor, "")


def _bare(python: str, folder: str) -> float:
    begun = time.time()
    environment = {"PATH": os.defpath, "PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [python, "-m", "trainer.task"], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return (float(done.stdout.split()[1]) - begun) * 1000


def interpreter(home: Path) -> str:
    """Return the interpreter of the environment that the jobs of a home run in."""
    found = sorted((home / "environments").glob("*/venv/bin/python3"))
    return str(found[0])


if __name__ == "__main__":
    main()
