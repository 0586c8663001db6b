"""The user's project in the picture: callers, data, code, the run's resources, and what came of it. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trigpoint.console.picture.flows import Flow, Steps, Touch, int_of, joined, node_of
from trigpoint.console.picture.life import Chain, Life
from trigpoint.console.picture.places import Place, export_of, folder_of, packages_of, sources_of, written
from trigpoint.console.picture.records import Records, Resource
from trigpoint.console.picture.sheet import Sheet
from trigpoint.console.picture.wire import Amount, State
from trigpoint.core.clock import Micros
from trigpoint.core.names import id_of, parent_of
from trigpoint.store.events import Event

_HOW = ("method", "rpc", "transport", "version", "agent")
_VERBS = {"created": "create", "cancelling": "cancel", "deleted": "delete"}
MOST_OBJECTS = 60
"""Objects that a node names; opening it tells more."""


def put_runs(sheet: Sheet, records: Records, life: Life) -> None:
    """Put the pipeline and the job in, and who called for them."""
    if records.pipeline is not None:
        states = life.pipeline.states
        _put_run(sheet, "pipeline", records.pipeline, states, {})
    if records.job is not None:
        _put_run(sheet, "job", records.job, life.job.states, _spec_facts(records.job.message))
    launched = life.told.get("trainingPipeline.launched")
    if launched is not None:
        sheet.edge("launches", "pipeline", "job", launched.time, amounts=(Amount(launched.time, count=1),))
    for event in records.events:
        if event.actor:
            _put_call(sheet, event)


def _put_run(sheet: Sheet, kind: Any, row: Resource, states: Sequence[State], facts: Mapping[str, Any]) -> None:
    message = row.message
    until = states[-1].time if states[-1].state in ("SUCCEEDED", "FAILED", "CANCELLED") else 0
    told = {"displayName": message.get("displayName", ""), "labels": message.get("labels", {}), **facts}
    title = str(message.get("displayName") or id_of(row.name))
    sheet.node(kind, kind, title, states[0].time, until=until, resource=row.name, states=states, facts=told)


def _spec_facts(message: Mapping[str, Any]) -> dict[str, Any]:
    spec: Mapping[str, Any] = message.get("jobSpec") or {}
    pools = [
        {
            "machine": (pool.get("machineSpec") or {}).get("machineType", ""),
            "replicas": int(pool.get("replicaCount", 0)),
        }
        for pool in spec.get("workerPoolSpecs", ())
    ]
    scheduling: Mapping[str, Any] = spec.get("scheduling") or {}
    return {"pools": pools, "timeout": scheduling.get("timeout", "")}


def _put_call(sheet: Sheet, event: Event) -> None:
    """Put in who called: one node for each identity, library and environment; an edge for each way of calling."""
    told = event.data.get("client")
    client: Mapping[str, Any] = told if isinstance(told, Mapping) else _older(event.data)
    library, environment = str(client.get("library", "")), str(client.get("environment", ""))
    digest = hashlib.sha256("\0".join((event.actor, library, environment)).encode()).hexdigest()[:12]
    ident = f"caller/{digest}"
    if ident not in sheet.nodes:
        facts = {"email": event.actor, "library": library, "environment": environment}
        facts |= {key: str(client[key]) for key in ("method", "agent", "replica") if client.get(key)}
        sheet.node(ident, "caller", event.actor, event.time, facts=facts)
    target = "pipeline" if event.kind.startswith("trainingPipeline.") else "job"
    verb = {"created": "create", "cancelling": "cancel", "deleted": "delete"}.get(
        event.kind.partition(".")[2], "change"
    )
    label = ".".join(str(client.get("method") or client.get("rpc") or verb).split(".")[-2:])
    known = sheet.edges.get(f"calls:{ident}>{target}#{label}")
    before = known.amounts if known is not None else ()
    count = before[-1].count + 1 if before else 1
    sheet.edge(
        "calls",
        ident,
        target,
        known.since if known is not None else event.time,
        until=event.time,
        amounts=(*before, Amount(event.time, count=count)),
        label=label,
        facts={"verb": verb, **{key: client[key] for key in _HOW if key in client}},
    )


def _older(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an older version kept of a caller."""
    return {"method": data.get("caller", ""), **{key: data.get(key, "") for key in ("library", "environment")}}


def put_data(sheet: Sheet, records: Records, life: Life) -> None:
    """Put in the dataset, its sources and the exported splits, as far as the run uses one."""
    asked = (records.pipeline.message.get("inputDataConfig") or {}) if records.pipeline else {}
    if records.pipeline is None or not asked.get("datasetId"):
        return
    row, since = records.dataset, sheet.nodes["pipeline"].since
    message = row.message if row is not None else {}
    name = row.name if row is not None else f"{parent_of(records.pipeline.name)}/datasets/{asked['datasetId']}"
    schema = str(message.get("metadataSchemaUri", "")).rpartition("/")[2].partition("_")[0]
    facts = {"displayName": message.get("displayName", ""), "schema": schema}
    title = str(message.get("displayName") or asked["datasetId"])
    sheet.node("dataset", "dataset", title, since, resource=name, states=life.dataset.states, facts=facts)
    begun = life.told.get("trainingPipeline.exporting") or life.told.get("trainingPipeline.exported")
    if begun is not None:
        _put_sources(sheet, sources_of(records), begun)
    over = life.told.get("trainingPipeline.exported")
    if over is not None:
        _put_splits(sheet, export_of(records), over.time)


def _put_sources(sheet: Sheet, sources: Sequence[tuple[str, int, int]], begun: Event) -> None:
    """Put in what the export reads, by folder: all of it is counted, the first objects are named."""
    folders: dict[str, list[tuple[str, int, int]]] = {}
    for source in sources:
        folders.setdefault(folder_of(source[0]), []).append(source)
    totals = {folder: (len(found), sum(max(size, 0) for _, _, size in found)) for folder, found in folders.items()}
    totals |= {str(folder): (int(count), int(size)) for folder, count, size in begun.data.get("folders", ())}
    for folder, (count, size) in totals.items():
        ident, found = f"source/{folder}", folders.get(folder, [])
        objects = [
            {"uri": uri, "generation": str(generation), "size": size, "time": begun.time}
            for uri, generation, size in found[:MOST_OBJECTS]
        ]
        title = id_of(found[0][0]) if count == len(found) == 1 else folder
        facts = {"objects": objects, "count": count, "bytes": size}
        sheet.node(ident, "source", title, begun.time, resource=folder, facts=facts)
        amount = Amount(begun.time, size, count=count)
        sheet.edge("takes", ident, "dataset", begun.time, until=begun.time, amounts=(amount,))


def _put_splits(sheet: Sheet, export: Mapping[str, Any], time: Micros) -> None:
    rows, sizes, files = (export.get(key) or {} for key in ("counts", "bytes", "files"))
    for name in rows:
        if not written(export, name):
            continue
        uri = f"{export.get('directory', '')}/{name}-*"
        facts = {"split": name, "rows": rows[name], "bytes": sizes.get(name, 0), "files": files.get(name, 0)}
        state = State(time, "READY")
        sheet.node(f"splits/{name}", "splits", name, time, resource=uri, states=[state], facts=facts)
        amount = Amount(time, sizes.get(name, 0), rows=rows[name], count=files.get(name, 0))
        sheet.edge("exports", "dataset", f"splits/{name}", time, until=time, amounts=(amount,), label=name)


def put_packages(sheet: Sheet, records: Records, touched: Mapping[Place, Sequence[Touch]]) -> None:
    """Put in the packages that the job names; each is fetched by every replica, and the first one tells of it."""
    if records.job is None:
        return
    since = sheet.nodes["job"].since
    fetched = {place: [touch for touch in touches if touch.opens] for place, touches in touched.items()}
    read = {place.id: min(touches, key=lambda touch: touch.time) for place, touches in fetched.items() if touches}
    for uri in packages_of(records.job.message.get("jobSpec") or {}):
        ident, chain = f"package/{uri}", Chain()
        chain.enter(since, "NAMED")
        found = [
            (prepared, told)
            for member in records.members
            for told in member.record.facts.get("packages", ())
            if told.get("uri") == uri and (prepared := _entered(sheet, node_of(member), "PREPARED"))
        ]
        time, told = min(found, key=lambda pair: pair[0]) if found else (0, {})
        first = read.get(ident)
        if first is not None and not 0 < time < first.time:
            size = size_of(first, records.sizes)
            facts: dict[str, Any] = {"bytes": size} if size >= 0 else {}
            chain.enter(first.time, "FETCHED", **facts)
        if found:
            chain.enter(time, "INSTALLED", sha256=told.get("sha256", ""))
        sheet.node(ident, "package", id_of(uri), since, resource=uri, states=chain.states)


def _entered(sheet: Sheet, ident: str, state: str) -> Micros:
    """Return when a node entered a state; 0 when it did not."""
    node = sheet.nodes.get(ident)
    return next((one.time for one in node.states if one.state == state), 0) if node is not None else 0


def put_files(sheet: Sheet, touched: Mapping[Place, Sequence[Touch]], sizes: Mapping[str, int]) -> None:
    """Put in the folders that replicas touched."""
    for place, touches in touched.items():
        if place.kind != "files" or not touches:
            continue
        found = sorted(joined(touches).values(), key=lambda touch: (touch.time, touch.uri))
        objects = [named(touch, sizes) for touch in found[-MOST_OBJECTS:]]
        since = found[0].time
        facts = {"role": place.role, "objects": objects, "count": len(found)}
        title = place.folder.rstrip("/").rpartition("/")[2]
        sheet.node(place.id, "files", title, since, resource=place.folder, facts=facts)


def put_copies(sheet: Sheet, flows: Iterable[Flow], kept: Callable[[str, Sequence[Steps]], Sequence[Amount]]) -> None:
    """Put in what storage itself copied from place to place, whichever replica had it do so."""
    ways: dict[tuple[str, str], list[Steps]] = {}
    for flow in flows:
        for way, chains in flow.copied.items():
            ways.setdefault(way, []).extend(chains)
    for (source, target), chains in ways.items():
        amounts = kept(f"copies/{source}>{target}", chains)
        sheet.edge("copies", source, target, amounts[0].time, until=amounts[-1].time, amounts=amounts)


def named(touch: Touch, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return an object as the facts of a node name it; the size is -1 where it is not known."""
    return {
        "uri": touch.uri,
        "generation": touch.generation,
        "time": touch.time,
        "size": size_of(touch, sizes),
        "written": touch.made,
    }


def size_of(touch: Touch, sizes: Mapping[str, int]) -> int:
    """Return the bytes of an object: as they were seen, or as looked up; -1 where neither is known."""
    if touch.uri.endswith("*"):
        return -1
    if touch.made or not touch.generation:
        return touch.size or touch.copied()
    return touch.size or sizes.get(f"{touch.uri}#{touch.generation}", -1)


def put_results(sheet: Sheet, records: Records, life: Life, touched: Mapping[Place, Sequence[Touch]]) -> None:
    """Put in the registered model and the recorded lineage."""
    uploaded = life.told.get("trainingPipeline.uploaded")
    if uploaded is not None:
        _put_model(sheet, records, uploaded, touched)
    recorded = life.told.get("trainingPipeline.recorded")
    if recorded is not None:
        data = recorded.data
        facts = {key: data[key] for key in ("artifacts", "executions", "links") if key in data}
        context = str(data.get("context", ""))
        title = id_of(context) or "lineage"
        sheet.node("lineage", "lineage", title, recorded.time, resource=context, facts=facts)
        amount = Amount(recorded.time, count=int(data.get("links", 0)))
        sheet.edge("records", "pipeline", "lineage", recorded.time, until=recorded.time, amounts=(amount,))


def _put_model(sheet: Sheet, records: Records, uploaded: Event, touched: Mapping[Place, Sequence[Touch]]) -> None:
    name, time = str(uploaded.data.get("model", "")), uploaded.time
    message = records.model.message if records.model is not None else {}
    ident = f"model/{name}"
    title = str(message.get("displayName") or id_of(name))
    facts = {
        "displayName": message.get("displayName", ""),
        "version": name.rpartition("@")[2],
        "artifactUri": message.get("artifactUri", ""),
    }
    sheet.node(ident, "model", title, time, resource=name, facts=facts)
    sheet.edge("registers", "pipeline", ident, time, until=time, amounts=(Amount(time, count=1),))
    content = str(message.get("artifactUri", "")).rstrip("/") + "/"
    for place, touches in touched.items():
        inside = joined(touch for touch in touches if touch.uri.startswith(content) and touch.time <= time)
        newest = _newest(touch for touch in inside.values() if touch.made)
        if newest and content != "/":
            amount = Amount(time, sum(touch.size_by(time) for touch in newest), count=len(newest))
            sheet.edge("becomes", place.id, ident, time, until=time, amounts=(amount,))


def _newest(touches: Iterable[Touch]) -> list[Touch]:
    """Return of each object the newest generation."""
    found: dict[str, Touch] = {}
    for touch in touches:
        old = found.get(touch.uri)
        if old is None or int_of(old.generation) < int_of(touch.generation):
            found[touch.uri] = touch
    return list(found.values())
