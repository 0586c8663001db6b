"""What a run's picture must show, taken from elsewhere: the API, the agents' own files, rows, what programs said."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.console.picture.programs import BUCKET, Plan
from tests.live.environments import IMAGE
from tests.live.rest import STORAGE, Rest

from trigpoint.agent.protocol import frames, load_status

Totals = dict[str, int]
SPLITS = ("training", "validation", "test")


@dataclass(frozen=True)
class Replica:
    """One replica as its agent's directory tells it."""

    attempt: int
    task: str
    times: Mapping[str, int]
    printed: int
    """Bytes, over all streams."""

    @property
    def id(self) -> str:
        return f"attempt/{self.attempt}/replica/{self.task}"


@dataclass
class Truth:
    """Everything about one run that is over. `name` is what was created: the pipeline, or the job."""

    home: Path
    rest: Rest
    plan: Plan
    name: str
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(target node, label) -> calls that the test made and that were accepted."""

    @cached_property
    def main(self) -> Any:
        return self.rest.ask("GET", f"/v1/{self.name}")

    @cached_property
    def job(self) -> str:
        """Full name of the job; empty where none came to be."""
        if "/customJobs/" in self.name:
            return self.name
        metadata = self.main.get("trainingTaskMetadata") or {}
        return str(metadata.get("backingCustomJob", ""))

    @cached_property
    def replicas(self) -> list[Replica]:
        ident, found = self.job.rpartition("/")[2], []
        for path in sorted((self.home / "attempts").glob(f"{ident}-*/*/spec.json")) if ident else ():
            status = path.with_name("status.json")
            times = load_status(status.read_bytes()).times if status.exists() else {}
            attempt = int(path.parent.parent.name.rpartition("-")[2])
            printed = sum(
                end - start
                for segment in sorted((path.parent / "logs").glob("*.log"))
                for _, start, end in frames(segment.read_bytes())
            )
            found.append(Replica(attempt, path.parent.name, dict(times), printed))
        return found

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        return self.rest.log(self.job) if self.job else []

    @cached_property
    def lines(self) -> Counter[str]:
        """Log entries by node of the replica, and those of the service."""
        found: Counter[str] = Counter()
        for entry in self.entries:
            task, attempt = str(entry["insertId"]).split(".")[:2]
            found["service" if task == "service" else f"attempt/{int(attempt)}/replica/{task}"] += 1
        return found

    @cached_property
    def did(self) -> dict[str, dict[str, Any]]:
        """What programs say they did, by node of the replica."""
        found: dict[str, dict[str, Any]] = {}
        for entry in self.entries:
            text = str(entry.get("textPayload", ""))
            if text.startswith("DID "):
                task, attempt = str(entry["insertId"]).split(".")[:2]
                found[f"attempt/{int(attempt)}/replica/{task}"] = json.loads(text[4:])
        return found

    @cached_property
    def below_gcs(self) -> set[str]:
        """URIs of the files that programs say they touched below /gcs."""
        return {uri for did in self.did.values() for kind in ("opened", "saved") for uri, _ in did[kind]}

    @cached_property
    def package(self) -> int:
        """Bytes of the package; 0 where there is none to fetch."""
        return dict(objects(self.rest, "code/")).get(self.plan.package, 0)

    @cached_property
    def links(self) -> int | None:
        """How many links the run's lineage holds; None where none was recorded."""
        context = f"{self.rest.parent}/metadataStores/default/contexts/training-{self.name.rpartition('/')[2]}"
        answer = self.rest.call("GET", f"/v1/{context}:queryContextLineageSubgraph")
        assert answer.ok or answer.status == 404
        return len(answer.body.get("events", ())) if answer.ok else None

    @cached_property
    def exported(self) -> dict[str, list[tuple[str, int]]]:
        """URI and size of the exported objects, by split."""
        if not (self.plan.dataset and self.job):
            return {}
        listed = objects(self.rest, f"runs/{self.plan.name}/dataset-")
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for uri, size in listed:
            found[uri.rpartition("/")[2].partition("-")[0]].append((uri, size))
        return found

    def states(self, name: str) -> list[tuple[str, int]]:
        """Return the states of a resource over time, from its history."""
        with sqlite3.connect(f"file:{self.home}/trigpoint.db?mode=ro", uri=True) as rows:
            query = "SELECT state, update_time, version FROM {} WHERE name = ?"
            found = [row for table in ("history", "resources") for row in rows.execute(query.format(table), (name,))]
        rows.close()
        states: list[tuple[str, int]] = []
        for state, time, _ in sorted(found, key=lambda row: row[2]):
            word = state.rpartition("_STATE_")[2]
            if not states or states[-1][0] != word:
                states.append((word, time))
        return states

    def accesses(self) -> dict[tuple[str, str], Totals]:
        """Return what storage served to the job's replicas: (verb, uri) -> totals."""
        found: dict[tuple[str, str], Totals] = {}
        with sqlite3.connect(f"file:{self.home}/telemetry.db?mode=ro", uri=True) as rows:
            query = "SELECT verb, uri, bytes, count FROM accesses WHERE attempt LIKE ?"
            for verb, uri, size, count in rows.execute(query, (f"{self.job}/%",)):
                known = found.setdefault((verb, uri), {"bytes": 0, "count": 0})
                known["bytes"] += size
                known["count"] += count
        rows.close()
        return found

    def place(self, uri: str) -> str:
        """Return the node that an object belongs to."""
        for split, found in self.exported.items():
            if any(uri == one for one, _ in found):
                return f"splits/{split}"
        if uri == self.plan.package:
            return f"package/{uri}"
        if self.plan.dataset and uri == f"gs://{BUCKET}/data/table.csv":
            return f"source/gs://{BUCKET}/data/"
        for folder in ("model", "checkpoints", "logs"):
            if uri.startswith(f"{self.plan.output}/{folder}/"):
                return f"files/{self.plan.output}/{folder}/"
        if uri.startswith(f"{self.plan.output}/"):
            return f"files/{self.plan.output}/"
        head, slash, _ = uri.removeprefix(f"gs://{BUCKET}/").partition("/")
        return f"files/gs://{BUCKET}/{head}/" if slash else f"files/gs://{BUCKET}/"


def objects(rest: Rest, prefix: str) -> list[tuple[str, int]]:
    """Return URI and size of every object of the bucket below a prefix."""
    page = rest.ask("GET", f"/storage/v1/b/{BUCKET}/o", host=STORAGE, query={"prefix": prefix, "maxResults": 1000})
    return [(f"gs://{BUCKET}/{one['name']}", int(one["size"])) for one in page.get("items", ())]


def nodes(truth: Truth) -> dict[str, list[str] | None]:
    """Return every node there must be, with its states; None where states are not its affair."""
    plan = truth.plan
    found: dict[str, list[str] | None] = {}
    if plan.pipeline:
        found["pipeline"] = [state for state, _ in truth.states(truth.name)]
    if truth.job:
        found["job"] = [state for state, _ in truth.states(truth.job)]
        found["logs"] = None
    if plan.package:
        fetched = ["FETCHED"] if truth.package else []
        installed = ["INSTALLED"] if any("PREPARED" in replica.times for replica in truth.replicas) else []
        found[f"package/{plan.package}"] = ["NAMED", *fetched, *installed]
    places = {truth.place(uri) for _, uri in truth.accesses()} | {truth.place(uri) for uri in truth.below_gcs}
    files = dict.fromkeys(place for place in places if place.startswith("files/"))
    return {**found, **files, **_data(truth), **dict(_tenant(truth)), **_results(truth)}


def _data(truth: Truth) -> dict[str, list[str] | None]:
    found: dict[str, list[str] | None] = {}
    if truth.plan.dataset:
        found["dataset"] = ["EXPORTING", "EXPORTED"] if truth.job else []
    if truth.exported:
        found[f"source/gs://{BUCKET}/data/"] = None
    return found | {f"splits/{split}": ["READY"] for split, written in truth.exported.items() if written}


def _results(truth: Truth) -> dict[str, list[str] | None]:
    model = truth.main.get("modelToUpload", {}).get("name", "")
    found = [f"model/{model}@{truth.main['modelToUpload']['versionId']}"] if model else []
    return dict.fromkeys([*found, *(["lineage"] if truth.links is not None else [])])


def _tenant(truth: Truth) -> Iterator[tuple[str, list[str] | None]]:
    job = truth.states(truth.job) if truth.job else []
    queued = any(state == "QUEUED" for state, _ in job)
    if truth.replicas:
        yield "queue", ["QUEUED", "ADMITTED"] if queued else ["ADMITTED"]
        yield f"image/{IMAGE}", ["READY"]
    elif queued:
        yield "queue", ["QUEUED", "LEFT"]
    last = max((replica.attempt for replica in truth.replicas), default=0)
    asked = {edge.partition(">")[0].removeprefix("asks:") for edge in edges(truth) if edge.startswith("asks:")}
    for replica in truth.replicas:
        attempt = f"attempt/{replica.attempt}"
        yield attempt, None
        yield f"{attempt}/pool/{replica.task.removeprefix('workerpool').partition('-')[0]}", None
        yield replica.id, ["PENDING", *sorted(replica.times, key=lambda name: replica.times[name])]
        if replica.id in asked:
            yield f"{attempt}/metadata", None
    if last:
        number = truth.name.split("/")[1]
        yield f"account/service-{number}@gcp-sa-aiplatform-cc.iam.gserviceaccount.com", None


def edges(truth: Truth) -> dict[str, Totals]:
    """Return every edge there must be, but for those of callers, with its totals."""
    found: dict[str, Totals] = {}
    found |= _of_replicas(truth)
    found |= _of_the_run(truth)
    model = truth.main.get("modelToUpload", {}).get("name", "")
    if model:
        written = objects(truth.rest, f"runs/{truth.plan.name}/model/")
        totals = {"bytes": sum(size for _, size in written), "count": len(written)}
        node = f"model/{model}@{truth.main['modelToUpload']['versionId']}"
        found[f"becomes:files/{truth.plan.output}/model/>{node}"] = totals
    return found


def _of_replicas(truth: Truth) -> dict[str, Totals]:
    found: dict[str, Totals] = {}
    tokens: Counter[str] = Counter()
    number = truth.name.split("/")[1]
    account = f"account/service-{number}@gcp-sa-aiplatform-cc.iam.gserviceaccount.com"
    for replica in truth.replicas:
        did = truth.did.get(replica.id, {})
        asked = did.get("tokens", 0) + (1 if truth.plan.package and "CLAIMED" in replica.times else 0)
        metadata = f"attempt/{replica.attempt}/metadata"
        if asked:
            found[f"asks:{replica.id}>{metadata}#tokens"] = {"count": asked}
            tokens[metadata] += asked
        if did.get("others"):
            found[f"asks:{replica.id}>{metadata}#other"] = {"count": did["others"]}
        passed = [("reads", *one, "") for one in did.get("reads", ())]
        passed += [("writes", *one, "") for one in did.get("writes", ())]
        passed += [("reads", *one, "#gcs") for one in did.get("opened", ())]
        passed += [("writes", *one, "#gcs") for one in did.get("saved", ())]
        if truth.package and "CLAIMED" in replica.times:
            passed.append(("fetches", truth.plan.package, truth.package, ""))
        for source, target, size in did.get("copied", ()):
            of, to = truth.place(source), truth.place(target)
            for edge in (f"orders:{replica.id}>{to}", *([f"copies:{of}>{to}"] if of != to else [])):
                totals = found.setdefault(edge, {"bytes": 0, "count": 0})
                totals["bytes"] += size
                totals["count"] += 1
        for kind, uri, size, label in passed:
            place = truth.place(uri)
            ends = f"{replica.id}>{place}" if kind == "writes" else f"{place}>{replica.id}"
            totals = found.setdefault(f"{kind}:{ends}{label}", {"bytes": 0, "count": 0})
            totals["bytes"] += size
            totals["count"] += 1
        if truth.lines[replica.id]:
            found[f"logs:{replica.id}>logs"] = {"lines": truth.lines[replica.id], "bytes": replica.printed}
        pool = f"attempt/{replica.attempt}/pool/{replica.task.removeprefix('workerpool').partition('-')[0]}"
        found[f"provides:image/{IMAGE}>{pool}"] = {}
    found |= {f"stands:{metadata}>{account}": {"count": count} for metadata, count in tokens.items()}
    return found


def _of_the_run(truth: Truth) -> dict[str, Totals]:
    found: dict[str, Totals] = {}
    if truth.job:
        said = [str(e.get("textPayload", "")) for e in truth.entries if str(e["insertId"]).startswith("service.")]
        totals = {"lines": len(said), "bytes": sum(len(text.encode()) for text in said)}
        found["logs:job>logs#service"] = totals
        if any(state == "QUEUED" for state, _ in truth.states(truth.job)):
            found["waits:job>queue"] = {}
        if truth.plan.pipeline:
            found["launches:pipeline>job"] = {"count": 1}
        if truth.links is not None:
            found["records:pipeline>lineage"] = {"count": truth.links}
    if truth.replicas:
        found["admits:queue>attempt/1"] = {}
    model = truth.main.get("modelToUpload", {}).get("name", "")
    if model:
        found[f"registers:pipeline>model/{model}@{truth.main['modelToUpload']['versionId']}"] = {"count": 1}
    if truth.exported:
        rows = dict(objects(truth.rest, "data/"))
        source = f"gs://{BUCKET}/data/table.csv"
        found[f"takes:source/gs://{BUCKET}/data/>dataset"] = {"bytes": rows[source], "count": 1}
    for split, written in truth.exported.items():
        lines = sum(len(_content(truth.rest, uri).splitlines()) - 1 for uri, _ in written)
        totals = {"rows": lines, "bytes": sum(size for _, size in written), "count": len(written)}
        found[f"exports:dataset>splits/{split}#{split}"] = totals
    return found


def _content(rest: Rest, uri: str) -> str:
    name = uri.removeprefix(f"gs://{BUCKET}/")
    return rest.call(
        "GET", f"/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}", host=STORAGE, query={"alt": "media"}
    ).text
