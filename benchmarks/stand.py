"""One server in a home of its own, and a plain client of its API; what is measured is left to the commands."""

import contextlib
import http.client
import io
import json
import os
import signal
import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import jwt

from trigpoint.cli.variables import UNSET, variables
from trigpoint.core import ready

ROOT = Path(__file__).resolve().parents[1]
HOMES = ROOT / "build" / "benchmarks"
"""Homes are kept between runs: what a benchmark needs first, built environments, takes minutes to make."""
LOCATION = "us-central1"
HOST = f"{LOCATION}-aiplatform.googleapis.com"
IMAGE = "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest"
BUCKET = "benchmark-bucket"
FINAL = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")
_START_SECONDS = 60


class Stand:
    """A server process and one connection to it. Use as a context: the process is gone afterwards."""

    def __init__(self, name: str, settings: Mapping[str, str] | None = None) -> None:
        self.home = HOMES / name
        self.home.mkdir(parents=True, exist_ok=True)
        self._settings = {f"TRIGPOINT_{key.upper()}": value for key, value in (settings or {}).items()}
        self._connection: http.client.HTTPSConnection | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(signal.SIGTERM)

    def start(self) -> float:
        """Start the server; return the seconds until it announced itself."""
        ready.withdraw(self.home / "run")
        environment = {
            **os.environ,
            **self._settings,
            "TRIGPOINT_HOME": str(self.home),
            "PYTHONPATH": str(ROOT / "src"),
        }
        begun = time.perf_counter()
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "trigpoint.server", "serve"], env=environment, stdout=log, stderr=log
            )
        while (info := ready.read(self.home / "run")) is None or info.pid != self.process.pid:
            if self.process.poll() is not None or time.perf_counter() - begun > _START_SECONDS:
                raise SystemExit(f"the server did not start; see {self.home / 'server.log'}")
            time.sleep(0.002)
        self.info = info
        self.context = ssl.create_default_context(cafile=info.ca_bundle)
        self.token = self._token()
        return time.perf_counter() - begun

    def end(self, number: int) -> None:
        """Send the server a signal and wait until it is gone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)

    @property
    def parent(self) -> str:
        """The location that everything is created in."""
        return f"projects/{self.info.project}/locations/{LOCATION}"

    def call(self, verb: str, path: str, body: Any = None, host: str = HOST) -> Any:
        """Return the decoded answer; the program ends with the text of a refusal."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"Host": host, "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        for attempt in (0, 1):
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(
                    "localhost", self.info.port, context=self.context, timeout=120
                )
            try:
                self._connection.request(verb, path, content, headers)
                answer = self._connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self._connection.close()
                self._connection = None
                if attempt:
                    raise
        if answer.status >= 300:
            raise SystemExit(f"{verb} {path}: {answer.status} {text[:500].decode()}")
        return json.loads(text or b"{}")

    def create(self, body: Any) -> str:
        """Create a custom job; return its name."""
        return str(self.call("POST", f"/v1/{self.parent}/customJobs", body)["name"])

    def wait(self, name: str, seconds: float = 600) -> dict[str, Any]:
        """Return a job once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.call("GET", f"/v1/{name}")
            if job.get("state") in FINAL:
                return dict(job)
            if time.monotonic() > deadline:
                raise SystemExit(f"{name} is {job.get('state')} after {seconds:.0f} s")
            time.sleep(0.02)

    def lines(self, name: str) -> list[str]:
        """Return what the job's program printed, once all of it can be read."""
        job = name.rpartition("/")[2]
        body = {
            "resourceNames": [f"projects/{self.info.project}"],
            "filter": f'resource.labels.job_id="{job}"',
            "orderBy": "timestamp asc",
            "pageSize": 1000,
        }
        entries = self.call("POST", "/v2/entries:list", body, host="logging.googleapis.com").get("entries", [])
        return [str(e.get("textPayload") or e.get("jsonPayload", {}).get("message", "")) for e in entries]

    def stamp(self, name: str) -> float:
        """Return the instant that a job's program printed first: its line reads `stamp SECONDS`."""
        for _ in range(100):
            for line in self.lines(name):
                if line.startswith("stamp "):
                    return float(line.split()[1])
            time.sleep(0.02)
        raise SystemExit(f"{name} printed nothing: {self.call('GET', f'/v1/{name}').get('error')}")

    def upload(self, name: str, data: bytes) -> str:
        """Store an object in the benchmarks' bucket; return its gs:// address."""
        with contextlib.suppress(SystemExit):
            path = f"/storage/v1/b?project={self.info.project}"
            self.call("POST", path, {"name": BUCKET, "location": LOCATION}, host="storage.googleapis.com")
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
        self.call("POST", path, data, host="storage.googleapis.com")
        return f"gs://{BUCKET}/{name}"

    def sdk_environment(self) -> dict[str, str]:
        """Return the environment of a program that uses Google's libraries against this server."""
        kept = {key: value for key, value in os.environ.items() if key not in UNSET}
        return {**kept, **variables(self.info, self.info.project)}

    def _token(self) -> str:
        key, now = json.loads(Path(self.info.key_file).read_text()), int(time.time())
        email = key["client_email"]
        claims = {
            "iss": email,
            "sub": email,
            "aud": "https://aiplatform.googleapis.com/",
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(claims, key["private_key"], algorithm="RS256", headers={"kid": key["private_key_id"]})


def packaged(uri: str, *arguments: str, machine: str = "n1-standard-4") -> dict[str, Any]:
    """Return a job that runs `trainer.task` of a package."""
    pool = {
        "machineSpec": {"machineType": machine},
        "replicaCount": "1",
        "pythonPackageSpec": {
            "executorImageUri": IMAGE,
            "packageUris": [uri],
            "pythonModule": "trainer.task",
            "args": list(arguments),
        },
    }
    return {"displayName": "benchmark", "jobSpec": {"workerPoolSpecs": [pool]}}


def contained(*command: str, machine: str = "n1-standard-4") -> dict[str, Any]:
    """Return a job that runs a command of the prebuilt image."""
    pool = {
        "machineSpec": {"machineType": machine},
        "replicaCount": "1",
        "containerSpec": {"imageUri": IMAGE, "command": list(command)},
    }
    return {"displayName": "benchmark", "jobSpec": {"workerPoolSpecs": [pool]}}


def sdist(source: str, version: str = "0.1") -> bytes:
    """Return a source distribution whose module `trainer.task` is `source`."""
    about = f"Metadata-Version: 2.1\nName: trainer\nVersion: {version}\n"
    setup = "from setuptools import find_packages, setup\n"
    setup += f"setup(name='trainer', version='{version}', packages=find_packages())\n"
    files = {
        "PKG-INFO": about,
        "setup.py": setup,
        "trainer.egg-info/PKG-INFO": about,
        "trainer/__init__.py": "",
        "trainer/task.py": source,
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"trainer-{version}/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()
