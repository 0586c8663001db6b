"""What `CustomJob.run(sync=True)` of Google's own SDK takes beyond the job itself (performance.md P3).

    python -m benchmarks.sdk [--full] [--rounds 3] [--runtime process|sandbox]

A job of D seconds sleeps so long; printed is the wall time of `run` minus D, so the start of the program, everything
the server does and everything the SDK does is in it. `trainer floor` is the same sleeping program started bare.
"""

import argparse
import json
import subprocess
import sys
import time

from benchmarks import show
from benchmarks.stand import IMAGE, LOCATION, Stand, contained
from benchmarks.start import interpreter

SHORT = (0.5, 1.0, 2.0, 5.0, 7.0)
LONG = (10.0, 20.0, 30.0, 60.0)
CLIENT = """
import json, sys, time
from google.cloud import aiplatform
project, location, transport, image, *durations = sys.argv[1:]
aiplatform.init(project=project, location=location, api_transport=transport, staging_bucket="gs://benchmark-bucket")
for duration in durations:
    pool = {
        "machine_spec": {"machine_type": "n1-standard-4"},
        "replica_count": 1,
        "container_spec": {"image_uri": image, "command": ["python3", "-c", f"import time; time.sleep({duration})"]},
    }
    job = aiplatform.CustomJob(display_name="benchmark", worker_pool_specs=[pool])
    begun = time.perf_counter()
    job.run(sync=True)
    print(json.dumps([float(duration), time.perf_counter() - begun]), flush=True)
"""


def main() -> None:
    """Print the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="up to 60 s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runtime", default="sandbox", choices=["sandbox", "process"])
    parser.add_argument("--transport", default="grpc", choices=["grpc", "rest"])
    options = parser.parse_args()
    durations = SHORT + (LONG if options.full else ())
    with Stand("start", {"runtime": options.runtime}) as stand:
        stand.upload("marker", b"")
        stand.wait(stand.create(contained("python3", "-c", "print()")))
        show.heading(f"CustomJob.run(sync=True) minus job duration, {options.transport}, {options.runtime}")
        floor = [_bare(interpreter(stand.home)) for _ in range(7)]
        show.row("floor: bare python -c 'time.sleep(0)'", floor, [], "")
        over: dict[float, list[float]] = {duration: [] for duration in durations}
        for duration, wall in _run(stand, options.transport, durations * options.rounds):
            over[duration].append((wall - duration) * 1000)
        for duration, values in over.items():
            show.row(f"  job of {duration:g} s: wall - {duration:g} s", values, [], "P3 <= 300 ms (moonshot 100)")


def _run(stand: Stand, transport: str, durations: tuple[float, ...]) -> list[tuple[float, float]]:
    words = [stand.info.project, LOCATION, transport, IMAGE, "0.1", *map(str, durations)]
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, *words],
        env=stand.sdk_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return [(float(duration), float(wall)) for duration, wall in lines[1:]]


def _bare(python: str) -> float:
    begun = time.perf_counter()
    subprocess.run([python, "-c", "import time; time.sleep(0)"], check=True)
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main()
