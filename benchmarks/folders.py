"""What a program pays for being watched below /gcs, against the same files and the same program without an agent.

    python -m benchmarks.folders [--rounds 5] [--files 20000]

Rounds are interleaved. The floor reads and writes the bucket's folder as a bare process; the rest is one replica in a
sandbox, whose agent hears of every file. Needs root: without, nothing is watched.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.live.python import bare

from benchmarks import show
from trigpoint.agent import protocol
from trigpoint.runtime.logs import LogReader
from trigpoint.runtime.nursery import AGENT

PROGRAM = """
import json, os, sys, time
folder, files = sys.argv[1], int(sys.argv[2])
took = {}
def timed(what, act):
    begun = time.perf_counter()
    act()
    took[what] = 1000 * (time.perf_counter() - begun)
def small_reads():
    for number in range(files):
        with open("%s/in/%d" % (folder, number), "rb") as file:
            file.read()
def large_read():
    with open(folder + "/large", "rb", 0) as file:
        while file.read(8192):
            pass
def small_writes():
    for number in range(files // 4):
        with open("%s/out/%d" % (folder, number), "wb") as file:
            file.write(b"x" * 2000)
def large_write():
    with open(folder + "/made", "wb", 0) as file:
        for _ in range(20000):
            file.write(b"x" * 8192)
timed("files of 2 kB read", small_reads)
timed("200 MB read 8 kB at a time", large_read)
timed("files of 2 kB written", small_writes)
timed("160 MB written 8 kB at a time", large_write)
print(json.dumps(took))
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=20_000)
    options = parser.parse_args()
    floor, watched = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    with tempfile.TemporaryDirectory() as folder:
        bucket = Path(folder, "bucket")
        for name in ("in", "out"):
            (bucket / name).mkdir(parents=True)
        for number in range(options.files):
            (bucket / "in" / str(number)).write_bytes(b"x" * 2000)
        (bucket / "large").write_bytes(b"x" * (200 << 20))
        for number in range(options.rounds + 1):
            plain, heard = _plain(bucket, options.files), _replica(Path(folder, str(number)), bucket, options.files)
            for what in plain if number else ():  # the first round warms the machine's memory
                floor[what].append(plain[what])
                watched[what].append(heard[what])
    show.heading("a program's time below /gcs, watched; floor: the same without an agent")
    for what in floor:
        show.row(what, watched[what], floor[what], "")


def _plain(bucket: Path, files: int) -> dict[str, float]:
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(bucket), str(files)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _replica(directory: Path, bucket: Path, files: int) -> dict[str, float]:
    argv = ("python3", "-I", "-S", "-c", PROGRAM, "/gcs/bucket", str(files))
    spec = protocol.RunSpec(
        attempt=f"folders-{time.monotonic_ns()}",
        replica="workerpool0-0",
        program=protocol.Program(argv=argv),
        environment=bare(),
        buckets={"bucket": str(bucket)},
        limits=protocol.Limits(nice=0),
        runtime="sandbox",
        uid=210_000,
    )
    directory.mkdir()
    (directory / "spec.json").write_bytes(protocol.dump(spec))
    subprocess.run([sys.executable, "-I", "-S", str(AGENT), str(directory)], check=True)
    lines, _ = LogReader(directory / "logs").read(limit=1000, ended=True)
    [told] = [line.data for line in lines if line.stream == protocol.STDOUT]
    found: dict[str, float] = json.loads(told)
    return found


if __name__ == "__main__":
    main()
