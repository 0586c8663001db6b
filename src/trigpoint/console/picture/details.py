"""One node of a picture, opened: what a card has no room for, and nothing that only the program may know."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from trigpoint.console import guarding, sentences
from trigpoint.console.picture import opened, rules
from trigpoint.console.picture.gather import Gatherer, Sources, run_of
from trigpoint.console.picture.places import Places, places, sources_of, split
from trigpoint.console.picture.records import Member, Records, Resource
from trigpoint.console.picture.wire import Known, Node, NodeDetails, Thing
from trigpoint.console.usage.reading import samples
from trigpoint.core.errors import NotFound
from trigpoint.domains.datasets import Datasets
from trigpoint.store import Tx, graph, history, objects, resources

_MOST_VERSIONS = 100


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
                return replace(found, known=self._versions(node.resource, guarded=guarded))
            case "dataset":
                return replace(found, known=self._dataset(records.dataset, node, guarded=guarded))
            case "model":
                model = self._sources.models.find(node.resource)
                return replace(found, known=self._versions(model.row.name, guarded=guarded) if model else ())
            case "replica":
                return self._replica(records, rules.names(records)[node.id], where, found, guarded=guarded)
            case "image":
                return replace(found, known=_packages(records, node))
            case "lineage":
                members = self._sources.store.read(lambda tx: _members(tx, node.resource))
                return replace(found, known=[Known(node.since, members=members)])
            case "files" | "source" | "splits" | "package":
                return replace(found, objects=self._objects(records, node, where))
            case _:
                return found

    def _versions(self, name: str, *, guarded: bool) -> list[Known]:
        """Return a resource as it was from each change of it on."""
        found = self._sources.store.read(lambda tx: _versions(tx, name))
        return [Known(one.time, resource=guarding.guarded(one.resource)) for one in found] if guarded else found

    def _dataset(self, row: Resource | None, node: Node, *, guarded: bool) -> list[Known]:
        if row is None:
            return []
        known = self._datasets.known(row.name)
        columns = known.profile["columns"] if known is not None and known.profile is not None else None
        return [*self._versions(row.name, guarded=guarded), Known(node.since, columns=columns)]

    def _replica(
        self, records: Records, member: Member, where: Places, found: NodeDetails, *, guarded: bool
    ) -> NodeDetails:
        key = f"{member.record.uid}/{member.record.task}"
        return replace(
            found,
            known=opened.replica(records, member, found.node, guarded=guarded),
            objects=opened.things(records, [member], where)[: opened.MOST_THINGS],
            usage=self._sources.store.telemetry.read(lambda tx: samples(tx, key)),
        )

    def _objects(self, records: Records, node: Node, where: Places) -> list[Thing]:
        """Return what lies in a node: what was touched, and what else is known to be there."""
        found = opened.things(records, records.members, where, node.id)
        known = {thing.uri for thing in found}
        if node.kind == "source":
            for uri, generation, size in sources_of(records):
                if uri.startswith(node.resource) and uri not in known:
                    found.append(Thing(uri, str(generation), node.since, node.since, size, 0, 0, 0, ()))
        elif node.kind in ("splits", "package"):
            lying = self._sources.store.read(lambda tx: _lying(tx, node.resource.removesuffix("*")))
            wanted = [one for one in lying if node.kind == "splits" or one.uri == node.resource]
            found += [one for one in wanted if one.uri not in known]
        return found[: opened.MOST_THINGS]


def _versions(tx: Tx, name: str) -> list[Known]:
    row = resources.get(tx, name)
    rows = [*([row] if row is not None else []), *(old for old, _, _ in history.before(tx, name, _MOST_VERSIONS))]
    found: list[Known] = []
    for one in reversed(rows):
        message: dict[str, Any] = orjson.loads(one.json)
        if not found or found[-1].resource != message:
            found.append(Known(one.update_time, resource=message))
    return found


def _packages(records: Records, node: Node) -> Sequence[Known]:
    """Return what is installed in the environment that an image became, from when it was ready."""
    known = ((records.job.notes.get("environments") or {}) if records.job is not None else {}).get(node.resource) or {}
    installed = (known.get("environment") or {}).get("installed", {})
    ready = next((state.time for state in node.states if state.state == "READY"), node.since)
    return [Known(ready, packages=dict(sorted(installed.items())))]


def _lying(tx: Tx, prefix: str) -> list[Thing]:
    """Return the live objects whose URIs begin so."""
    bucket, _, name = split(prefix)[0].removeprefix("gs://").partition("/")
    start = name.encode()
    rows = objects.select(tx, bucket, start, start + b"\xff", opened.MOST_THINGS)
    return [
        Thing(f"gs://{bucket}/{row.name.decode('utf-8', 'replace')}", str(row.generation), 0, 0, row.size, 0, 0, 0, ())
        for row in rows
    ]


def _members(tx: Tx, context: str) -> list[str]:
    return sorted(node for _, node in graph.members(tx, [context])) if context else []
