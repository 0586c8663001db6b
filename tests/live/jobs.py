"""Jobs without heavy imports whose every start leaves a mark: what is sent to the API, and what must come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.live.environments import IMAGE

FINAL = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"})
PIPELINE_FINAL = frozenset({"PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED"})
CUSTOM_TASK = "gs://google-cloud-aiplatform/schema/trainingjob/definition/custom_task_1.0.0.yaml"
MARKS = "marks-of-starts"
"""The bucket in which every start of a program leaves a file."""

PROGRAM = """
import os, signal, sys, time
token, lines, pause, then = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
mark = os.environ["TRIGPOINT_REPLICA"]
folder = next((p for p in ("/gcs/marks-of-starts", os.environ.get("MARKS_FOLDER", "")) if p and os.path.isdir(p)), "")
if folder:
    name = os.path.join(folder, "%s.%d.%d" % (mark.replace("/", "."), os.getpid(), time.time_ns()))
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
print("START", token, mark, flush=True)
if then == "trap":
    def end(number, frame):
        print("TERM", token, flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    print("TRAPPED", token, flush=True)
for i in range(lines):
    print(token, i, "x" * (i * 37 % 200), flush=True)
    time.sleep(pause)
if then in ("trap", "wait"):
    time.sleep(600)
if then == "raise":
    raise ValueError("no rows for " + token)
if then.startswith("signal"):
    os.kill(os.getpid(), int(then[6:]))
    time.sleep(60)
if then.startswith("exit"):
    sys.exit(int(then[4:]))
if then == "memory":
    hoard = []
    while True:
        hoard.append(b"x" * (64 << 20))
print("END", token, flush=True)
"""


@dataclass(frozen=True)
class Plan:
    """What a job will do: print `lines` lines with `pause` seconds after each, and then what `then` says."""

    token: str
    lines: int = 3
    pause: float = 0.0
    then: str = "end"
    replicas: int = 1
    timeout: float = 0
    folder: str = ""
    """Where a program outside a sandbox leaves its mark."""
    machine: str = "n1-standard-4"

    @property
    def endless(self) -> bool:
        """Whether it ends only when it is stopped."""
        return self.then in ("trap", "wait")

    def pools(self) -> list[dict[str, Any]]:
        """Return the worker pools."""
        counts = [1, *([self.replicas - 1] if self.replicas > 1 else [])]
        return [self._pool(count) for count in counts]

    def job(self) -> dict[str, Any]:
        """Return the custom job."""
        spec: dict[str, Any] = {"workerPoolSpecs": self.pools()}
        if self.timeout:
            spec["scheduling"] = {"timeout": f"{self.timeout}s"}
        return {"displayName": self.token, "jobSpec": spec}

    def pipeline(self) -> dict[str, Any]:
        """Return a training pipeline without a dataset that does the same."""
        inputs = {"workerPoolSpecs": self.pools()}
        return {
            "displayName": self.token,
            "trainingTaskDefinition": CUSTOM_TASK,
            "trainingTaskInputs": inputs,
        }

    def printed(self) -> list[str]:
        """Return what the program prints after its START, if it is left alone."""
        body = [f"{self.token} {i} {'x' * (i * 37 % 200)}" for i in range(self.lines)]
        trapped = [f"TRAPPED {self.token}"] if self.then == "trap" else []
        return [*trapped, *body, *([f"END {self.token}"] if self.then == "end" else [])]

    def expected(self) -> str:
        """Return the state in which it ends when nobody interferes; empty for one that never does."""
        if self.endless:
            return ""
        return "JOB_STATE_SUCCEEDED" if self.then == "end" else "JOB_STATE_FAILED"

    def _pool(self, count: int) -> dict[str, Any]:
        container: dict[str, Any] = {
            "imageUri": IMAGE,
            "command": ["python3", "-c", PROGRAM],
            "args": [self.token, str(self.lines), str(self.pause), self.then],
        }
        if self.folder:
            container["env"] = [{"name": "MARKS_FOLDER", "value": self.folder}]
        return {"replicaCount": count, "machineSpec": {"machineType": self.machine}, "containerSpec": container}
