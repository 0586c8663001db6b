"""One node of a picture, opened: what a card has no room for, and nothing that only the program may know."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trigpoint.console import guarding, sentences
from trigpoint.console.picture import rules
from trigpoint.console.picture.flows import Touch, flow, joined
from trigpoint.console.picture.gather import Gatherer, Sources, run_of
from trigpoint.console.picture.places import Place, Places, places, sources_of, split
from trigpoint.console.picture.records import Member, Records
from trigpoint.console.picture.tenant import usage
from trigpoint.console.picture.user import size_of
from trigpoint.console.picture.wire import Node, NodeDetails, Thing, Variable
from trigpoint.core.errors import NotFound
from trigpoint.domains.datasets import Datasets
from trigpoint.store import Tx, graph, objects

MOST_THINGS = 1000
_CLUSTER = frozenset({"CLUSTER_SPEC", "TF_CONFIG", "MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK"})
_OUTCOME = {"reason": "reason", "exit_code": "exitCode", "signal": "signal", "message": "message", "tail": "tail"}


class Details:
    """Answers about nodes. Thread-safe."""

    def __init__(self, sources: Sources, datasets: Datasets) -> None:
        self._sources, self._datasets = sources, datasets

    def of(self, name: str, ident: str, *, guarded: bool) -> NodeDetails:
        """Return a node of the run that a name belongs to. `guarded` keeps values back that look like secrets."""
        records, memory = Gatherer(self._sources, run_of(self._sources.store, name)).look(), rules.Memory()
        node = next((node for node in rules.draw(records, memory).nodes if node.id == ident), None)
        if node is None:
            raise NotFound(sentences.NO_NODE.format(run=name, node=repr(ident[:200])))
        return self._of(records, node, memory.places or places(records), guarded=guarded)

    def _of(self, records: Records, node: Node, where: Places, *, guarded: bool) -> NodeDetails:
        found = NodeDetails(node)
        match node.kind:
            case "pipeline" | "job":
                row = records.pipeline if node.kind == "pipeline" else records.job
                message = row.message if row is not None else {}
                return replace(found, resource=guarding.guarded(message) if guarded else message)
            case "dataset":
                return self._dataset(records, found)
            case "model":
                told = records.model.message if records.model is not None else None
                return replace(found, resource=guarding.guarded(told) if guarded else told)
            case "replica":
                return _replica(records, rules.names(records)[node.id], where, found, guarded=guarded)
            case "image":
                return replace(found, packages=_packages(records, node.resource))
            case "lineage":
                return replace(found, members=self._sources.store.read(lambda tx: _members(tx, node.resource)))
            case "files" | "source" | "splits" | "package":
                return replace(found, objects=self._objects(records, node, where))
            case _:
                return found

    def _dataset(self, records: Records, found: NodeDetails) -> NodeDetails:
        row = records.dataset
        known = self._datasets.known(row.name) if row is not None else None
        columns = known.profile["columns"] if known is not None and known.profile is not None else ()
        return replace(found, resource=row.message if row is not None else None, columns=columns)

    def _objects(self, records: Records, node: Node, where: Places) -> list[Thing]:
        """Return what lies in a node: what was touched, and what else is known to be there."""
        touched = _touched(records, records.members, where)
        touches = [touch for place, found in touched.items() if place.id == node.id for touch in found]
        found = _things(records, touches)
        known = {thing.uri for thing in found}
        if node.kind == "source":
            for uri, generation, size in sources_of(records):
                if uri.startswith(node.resource) and uri not in known:
                    found.append(Thing(uri, str(generation), node.since, node.since, size, 0, 0, 0, ()))
        elif node.kind in ("splits", "package"):
            lying = self._sources.store.read(lambda tx: _lying(tx, node.resource.removesuffix("*")))
            wanted = [one for one in lying if node.kind == "splits" or one.uri == node.resource]
            found += [one for one in wanted if one.uri not in known]
        return found[:MOST_THINGS]


def _replica(records: Records, member: Member, where: Places, found: NodeDetails, *, guarded: bool) -> NodeDetails:
    record = member.record
    given = _given(records, record.pool)
    variables = record.environ or record.variables
    facts = {
        "address": _address(record.address, record.runtime),
        "environment": dict(record.environment),
        "packages": list(record.facts.get("packages", ())),
        "outcome": {_OUTCOME[key]: value for key, value in (record.outcome or {}).items() if key in _OUTCOME},
        "tenant": record.tenant,
        "runtime": record.runtime,
    }
    touched = [touch for touches in _touched(records, [member], where).values() for touch in touches]
    return replace(
        found,
        facts=facts,
        variables=[_variable(name, value, given, guarded=guarded) for name, value in sorted(variables.items())],
        command=list(record.argv or record.command),
        cluster=_cluster(variables),
        lost=[*record.lost, *([sentences.UNWATCHED] if record.argv and not record.watched else [])],
        objects=_things(records, touched)[:MOST_THINGS],
        usage=usage(beat) if (beat := records.beats.get(record.name)) is not None else None,
    )


def _given(records: Records, pool: int) -> frozenset[str]:
    """Return the names of the variables that the job's specification gives a pool."""
    spec = (records.job.message.get("jobSpec") or {}) if records.job is not None else {}
    pools: Sequence[Mapping[str, Any]] = spec.get("workerPoolSpecs", ())
    task = (pools[pool].get("containerSpec") or pools[pool].get("pythonPackageSpec") or {}) if pool < len(pools) else {}
    return frozenset(str(one.get("name", "")) for one in task.get("env", ()))


def _variable(name: str, value: str, given: frozenset[str], *, guarded: bool) -> Variable:
    hidden = guarded and guarding.secret(name)
    origin = "user" if name in given else "cluster" if name in _CLUSTER else "service"
    return Variable(name, "" if hidden else value, origin, hidden)  # type: ignore[arg-type]


def _address(address: Mapping[str, Any] | None, runtime: str) -> dict[str, Any]:
    """Return where peers reach a replica; outside a network of its own the address itself is its secret."""
    known = dict(address or {})
    return {"ports": known.get("ports", {})} if runtime != "sandbox" else known


def _cluster(variables: Mapping[str, str]) -> Mapping[str, Any] | None:
    try:
        found = json.loads(variables.get("CLUSTER_SPEC", ""))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _packages(records: Records, image: str) -> dict[str, str]:
    """Return what is installed in the environment that an image became."""
    known = ((records.job.notes.get("environments") or {}) if records.job is not None else {}).get(image) or {}
    return dict(sorted((known.get("environment") or {}).get("installed", {}).items()))


def _touched(records: Records, members: Iterable[Member], where: Places) -> dict[Place, list[Touch]]:
    found: dict[Place, list[Touch]] = {}
    for member in members:
        series = records.series.get(member.record.name, {})
        for place, touches in flow(member, series, None, where, 0).touched.items():
            found.setdefault(place, []).extend(touches)
    return found


def _things(records: Records, touches: Sequence[Touch]) -> list[Thing]:
    by: dict[tuple[str, str], list[str]] = {}
    for touch in touches:
        by.setdefault((touch.uri, touch.generation), []).append(touch.replica)
    return [
        Thing(
            touch.uri,
            touch.generation,
            touch.time,
            touch.last,
            size_of(touch, records.sizes),
            touch.read,
            touch.written,
            touch.opens,
            sorted(by[key]),
        )
        for key, touch in sorted(joined(touches).items(), key=lambda pair: pair[1].time)
    ]


def _lying(tx: Tx, prefix: str) -> list[Thing]:
    """Return the live objects whose URIs begin so."""
    bucket, _, name = split(prefix)[0].removeprefix("gs://").partition("/")
    start = name.encode()
    rows = objects.select(tx, bucket, start, start + b"\xff", MOST_THINGS)
    return [
        Thing(f"gs://{bucket}/{row.name.decode('utf-8', 'replace')}", str(row.generation), 0, 0, row.size, 0, 0, 0, ())
        for row in rows
    ]


def _members(tx: Tx, context: str) -> list[str]:
    return sorted(node for _, node in graph.members(tx, [context])) if context else []
