"""Runs for the truth test: light programs that do what they are told and say what they did, as jobs and pipelines."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.live.environments import IMAGE
from tests.live.jobs import CUSTOM_TASK

BUCKET = "truth-of-pictures"
TABULAR = "gs://google-cloud-aiplatform/schema/dataset/metadata/tabular_1.0.0.yaml"

PROGRAM = """
import glob, json, os, signal, ssl, sys, time, urllib.request
from urllib.parse import quote

plan = json.loads(sys.argv[1])
task = os.environ["TRIGPOINT_REPLICA"].rpartition("/")[2]
attempt = int(os.environ["TRIGPOINT_REPLICA"].rpartition("/")[0].rpartition("-")[2])
did = {"tokens": 0, "others": 0, "reads": [], "writes": [], "opened": [], "saved": [], "copied": []}
bearer = [""]

def ask(path):
    url = "http://metadata.google.internal/computeMetadata/v1/" + path
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(urllib.request.Request(url, headers={"Metadata-Flavor": "Google"})).read().decode()

def token():
    did["tokens"] += 1
    bearer[0] = json.loads(ask("instance/service-accounts/default/token"))["access_token"]

def storage(path, data=None):
    if not bearer[0]:
        token()
    request = urllib.request.Request("https://storage.googleapis.com" + path, data=data)
    request.add_header("Authorization", "Bearer " + bearer[0])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )
    return opener.open(request).read()

def parts(uri):
    bucket, _, name = os.path.expandvars(uri).replace("TASK", task)[5:].partition("/")
    return bucket, name

def read(uri):
    bucket, name = parts(uri)
    names = [name]
    if "*" in name:
        listed = json.loads(storage("/storage/v1/b/%s/o?prefix=%s" % (bucket, quote(name.partition("*")[0], safe=""))))
        names = [one["name"] for one in listed.get("items", [])]
    for each in names:
        data = storage("/storage/v1/b/%s/o/%s?alt=media" % (bucket, quote(each, safe="")))
        did["reads"].append(["gs://%s/%s" % (bucket, each), len(data)])

def write(uri, size):
    bucket, name = parts(uri)
    path = "/upload/storage/v1/b/%s/o?uploadType=media&name=%s" % (bucket, quote(name, safe=""))
    storage(path, b"x" * size)
    did["writes"].append(["gs://%s/%s" % (bucket, name), size])

def copy(source, target):
    (bucket, name), (other, made) = parts(source), parts(target)
    ends = bucket, quote(name, safe=""), other, quote(made, safe="")
    size = json.loads(storage("/storage/v1/b/%s/o/%s/rewriteTo/b/%s/o/%s" % ends, b""))["objectSize"]
    did["copied"].append(["gs://%s/%s" % (bucket, name), "gs://%s/%s" % (other, made), int(size)])

def compose(target, *sources):
    bucket, name = parts(target)
    body = json.dumps({"sourceObjects": [{"name": parts(one)[1]} for one in sources]}).encode()
    storage("/storage/v1/b/%s/o/%s/compose" % (bucket, quote(name, safe="")), body)
    for one in sources:
        size = int(json.loads(storage("/storage/v1/b/%s/o/%s" % (bucket, quote(parts(one)[1], safe=""))))["size"])
        did["copied"].append(["gs://%s/%s" % parts(one), "gs://%s/%s" % (bucket, name), size])

def saw(uri):
    for path in glob.glob("/gcs/%s/%s" % parts(uri)):
        with open(path, "rb") as file:
            did["opened"].append(["gs://" + path[5:], len(file.read())])

def save(uri, size):
    path = "/gcs/%s/%s" % parts(uri)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "wb") as file:
        file.write(b"x" * size)
    os.rename(path + ".part", path)
    did["saved"].append(["gs://%s/%s" % parts(uri), size])

def act(word, *given):
    if word == "say":
        for i in range(given[0]):
            print("line", i, flush=True)
    elif word == "complain":
        print("oh no", file=sys.stderr, flush=True)
    elif word == "email":
        did["others"] += 1
        did["email"] = ask("instance/service-accounts/default/email")
    elif word == "token":
        token()
    elif word == "read":
        read(*given)
    elif word == "write":
        write(*given)
    elif word == "copy":
        copy(*given)
    elif word == "compose":
        compose(*given)
    elif word == "open":
        saw(*given)
    elif word == "save":
        save(*given)
    elif word == "gather":
        bucket, name = parts(given[0])
        path = "/storage/v1/b/%s/o?prefix=%s" % (bucket, quote(name, safe=""))
        while len(json.loads(storage(path)).get("items", [])) < given[1]:
            time.sleep(0.1)
        time.sleep(0.5)
    elif word == "sleep":
        time.sleep(given[0])
    elif word == "env":
        print("ENV " + json.dumps(dict(os.environ)), flush=True)
    elif word == "did":
        print("DID " + json.dumps(did), flush=True)
    elif word == "abort" and attempt <= given[0]:
        os.kill(os.getpid(), signal.SIGABRT)
    elif word == "raise":
        raise ValueError("no rows")
    elif word == "exit":
        sys.exit(given[0])
    elif word == "memory":
        hoard = []
        while True:
            hoard.append(b"x" * (64 << 20))

for action in plan["all"] + plan.get(task, []):
    act(*action)
"""


@dataclass(frozen=True)
class Plan:
    """One run, and what is to become of it."""

    name: str
    does: Sequence[Any] = ()
    """What every replica does, in order."""
    more: dict[str, Any] = field(default_factory=dict)
    """What single replicas do after that, by task."""
    pools: Sequence[int] = (1,)
    package: str = ""
    """URI of a package to run the program from, instead of a command."""
    pipeline: bool = False
    dataset: str = ""
    """Id of a dataset."""
    model: bool = False
    state: str = "SUCCEEDED"
    attempts: int = 1
    timeout: float = 0
    machine: str = "n1-standard-4"
    command: Sequence[str] = ()
    """Another command line than the program's."""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """The base output folder."""
        return f"gs://{BUCKET}/runs/{self.name}"

    def body(self) -> dict[str, Any]:
        """Return the job or pipeline to create."""
        spec: dict[str, Any] = {
            "workerPoolSpecs": [self._pool(count) for count in self.pools],
            "baseOutputDirectory": {"outputUriPrefix": self.output},
        }
        if self.timeout:
            spec["scheduling"] = {"timeout": f"{self.timeout}s"}
        if not self.pipeline:
            return {"displayName": self.name, "jobSpec": spec}
        made: dict[str, Any] = {
            "displayName": self.name,
            "trainingTaskDefinition": CUSTOM_TASK,
            "trainingTaskInputs": spec,
        }
        if self.dataset:
            made["inputDataConfig"] = {
                "datasetId": self.dataset,
                "gcsDestination": {"outputUriPrefix": self.output},
                "fractionSplit": {"trainingFraction": 0.8, "validationFraction": 0.1, "testFraction": 0.1},
            }
        if self.model:
            container = {"imageUri": IMAGE.replace("/training/", "/prediction/")}
            made["modelToUpload"] = {"displayName": f"{self.name}-model", "containerSpec": container}
        return made

    def _pool(self, count: int) -> dict[str, Any]:
        args = [json.dumps({"all": list(self.does), **self.more})]
        env = [{"name": name, "value": value} for name, value in self.env.items()]
        pool: dict[str, Any] = {"replicaCount": count, "machineSpec": {"machineType": self.machine}}
        if self.package:
            package = {"executorImageUri": IMAGE, "packageUris": [self.package], "pythonModule": "trainer.task"}
            return {**pool, "pythonPackageSpec": {**package, "args": args, "env": env}}
        command = list(self.command) or ["python3", "-c", PROGRAM]
        given = [] if self.command else args
        return {**pool, "containerSpec": {"imageUri": IMAGE, "command": command, "args": given, "env": env}}


def sdist() -> bytes:
    """Return a source distribution whose module `trainer.task` is the program."""
    setup = "from setuptools import setup\nsetup(name='trainer', version='0.1', packages=['trainer'])\n"
    files = {
        "setup.py": setup,
        "PKG-INFO": "Metadata-Version: 2.1\nName: trainer\nVersion: 0.1\n",
        "trainer/__init__.py": "",
        "trainer/task.py": PROGRAM,
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"trainer-0.1/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def table(rows: int) -> bytes:
    """Return a CSV of so many rows."""
    return b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(rows))


GOOD, NONE, BAD = (f"gs://{BUCKET}/code/{name}-0.1.tar.gz" for name in ("trainer", "absent", "broken"))
CHECKPOINT = ["write", "${AIP_CHECKPOINT_DIR}1/c.bin", 70]
WORK = (["email"], ["say", 5], ["complain"], ["write", "${AIP_MODEL_DIR}TASK.bin", 1000], ["did"])


def _gather(name: str, count: int) -> list[Any]:
    """Return the action of a primary that waits until all have written their files: its end would stop the others."""
    return ["gather", f"gs://{BUCKET}/runs/{name}/model/", count]


def quick(dataset: str) -> list[Plan]:
    """Return the runs of the quick suite; they go side by side on one server."""
    return [
        Plan("single", [["say", 3], ["env"], ["did"]], env={"MINE": "1", "MY_TOKEN": "hush"}),
        Plan(
            "pools",
            WORK,
            {
                "workerpool0-0": [
                    ["sleep", 1.2],
                    ["write", "${AIP_CHECKPOINT_DIR}1/c.bin", 70],
                    ["did"],
                    _gather("pools", 4),
                ]
            },
            pools=(1, 2, 1),
        ),
        Plan("package", [*WORK, ["env"]], package=GOOD),
        Plan(
            "pipeline",
            [
                ["read", "${AIP_TRAINING_DATA_URI}"],
                ["sleep", 1.1],
                ["read", "${AIP_TRAINING_DATA_URI}"],
                ["read", "${AIP_TEST_DATA_URI}"],
                ["write", "${AIP_MODEL_DIR}model.bin", 500],
                ["write", "${AIP_MODEL_DIR}model.bin", 700],
                ["did"],
            ],
            package=GOOD,
            pipeline=True,
            dataset=dataset,
            model=True,
        ),
        *_files(dataset),
        Plan("bare-pipeline", [["did"]], pipeline=True),
        Plan("raises", [["say", 2], ["did"], ["raise"]], state="FAILED"),
        Plan("no-package", package=NONE, state="FAILED"),
        Plan("again", [["say", 2], ["did"], ["abort", 1]], attempts=2),
    ]


def _files(dataset: str) -> list[Plan]:
    """Return runs whose files come about in other ways than by uploads: below /gcs, and as copies."""
    return [
        Plan(
            "folders",
            [
                ["token"],
                ["save", "${AIP_MODEL_DIR}TASK.bin", 300],
                ["sleep", 0.5],
                ["open", f"gs://{BUCKET}/data/table.csv"],
                ["save", "${AIP_MODEL_DIR}TASK.bin", 300],
                ["save", f"gs://{BUCKET}/seen/same.bin", 16],
                ["did"],
            ],
            {"workerpool0-0": [_gather("folders", 3)]},
            pools=(1, 2),
        ),
        Plan(
            "folders-pipeline",
            [["open", "${AIP_VALIDATION_DATA_URI}"], ["save", "${AIP_MODEL_DIR}m.bin", 50], ["did"]],
            pipeline=True,
            dataset=dataset,
            model=True,
        ),
        Plan(
            "copies",
            [
                ["write", "${AIP_CHECKPOINT_DIR}TASK/a.bin", 400],
                ["write", "${AIP_CHECKPOINT_DIR}TASK/b.bin", 30],
                ["copy", "${AIP_CHECKPOINT_DIR}TASK/a.bin", "${AIP_CHECKPOINT_DIR}TASK/c.bin"],
                ["copy", f"gs://{BUCKET}/data/table.csv", f"gs://{BUCKET}/copied/TASK.csv"],
                ["compose", "${AIP_MODEL_DIR}TASK.bin", *(f"${{AIP_CHECKPOINT_DIR}}TASK/{n}.bin" for n in "abb")],
                ["did"],
            ],
            {"workerpool0-0": [_gather("copies", 2)]},
            pools=(1, 1),
            pipeline=True,
            model=True,
        ),
    ]


def slow(dataset: str, gone: str) -> list[Plan]:
    """Return the runs of the slow suite; `gone` is a dataset whose data was taken away."""
    elsewhere = [["write", f"gs://{BUCKET}/other/TASK/x.txt", 9], ["write", f"gs://{BUCKET}/TASK.txt", 8]]
    source = ["read", f"gs://{BUCKET}/data/table.csv"]
    return [
        Plan(
            "package-pools",
            [*elsewhere, *WORK],
            {"workerpool0-0": [_gather("package-pools", 4)]},
            package=GOOD,
            pools=(1, 3),
        ),
        Plan("data-only", [["read", "${AIP_VALIDATION_DATA_URI}"], source, ["did"]], pipeline=True, dataset=dataset),
        Plan("model-only", [["write", "${AIP_MODEL_DIR}m.bin", 50], ["did"]], pipeline=True, model=True),
        Plan("no-model-files", [["did"]], pipeline=True, model=True, state="FAILED"),
        Plan("no-data", [["did"]], pipeline=True, dataset=gone, state="FAILED", attempts=0),
        Plan("broken-package", package=BAD, state="FAILED"),
        Plan("no-command", command=["/no/such/program"], state="FAILED"),
        Plan("one-of-many-fails", [["say", 1], ["did"]], {"workerpool1-1": [["exit", 3]]}, pools=(1, 2), state="*"),
        Plan("memory", [["did"], ["memory"]], machine="n4-highcpu-2", state="FAILED"),
        Plan("timeout", [["did"], ["sleep", 60]], timeout=2, state="FAILED"),
        Plan("aborts", [["say", 1], ["did"], ["abort", 9]], attempts=4, state="FAILED"),
        Plan("many-things", [["write", f"gs://{BUCKET}/many/{i}/x", 1] for i in range(40)] + [["did"]]),
    ]
