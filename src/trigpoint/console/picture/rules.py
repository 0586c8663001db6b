"""What a run looks like: records in, picture out. Pure; everything in a picture follows from something observed.

Region `user`:

| kind | id | what it stands for |
|---|---|---|
| caller | `caller/HASH` | who called: one per email, library and environment |
| source | `source/FOLDER` | objects that the dataset's export read, by folder |
| dataset | `dataset` | the dataset that the pipeline names; EXPORTING, EXPORTED |
| splits | `splits/NAME` | the exported files of one split; READY |
| package | `package/URI` | a package that the job names; NAMED, FETCHED, INSTALLED |
| pipeline, job | `pipeline`, `job` | the resources, in the API's states |
| files | `files/FOLDER` | what replicas wrote or else read: model, checkpoints, tensorboard, output, other |
| model | `model/NAME@VERSION` | the registered version |
| lineage | `lineage` | the context that was recorded |
| logs | `logs` | what service and replicas printed |

Region `tenant`:

| kind | id | what it stands for |
|---|---|---|
| queue | `queue` | the job's place in it; QUEUED (again with each reason), ADMITTED, LEFT |
| image | `image/URI` | a name becoming an environment; PREPARING (again each step), READY, FAILED, CANCELLED |
| attempt | `attempt/N` | one try; PENDING, RUNNING, STOPPING, then the job's end or RESTARTED |
| pool | `attempt/N/pool/I` | a worker pool |
| replica | `attempt/N/replica/TASK` | PENDING, CLAIMED, PREPARED, RUNNING, ENDED, LOST |
| account | `account/EMAIL` | the service account that replicas act as |
| metadata | `attempt/N/metadata` | the replicas' metadata servers, once one was asked |

Edges point the way that calls, data or identity go: caller `calls` pipeline or job; source - dataset `takes`; dataset -
splits `exports`; pipeline `launches` job; job `waits` in queue; queue `admits` attempt; attempt `restarts` as attempt;
image `provides` pool; package - replica `fetches`; splits, source or files - replica `reads`; replica - files `writes`;
replica `orders` files (in them storage made copies for it); files `copies` to files (what such copies were made of,
where it lies elsewhere); replica `asks` metadata (labels `tokens`, `other`); metadata `stands` for account; replica or
job - logs `logs`; pipeline `registers` model; files - model `becomes`; pipeline `records` lineage.

Reads and writes labelled `gcs` are files below /gcs: which they were, how large and how often opened is seen, not how
much of them was read. Where they cannot be watched (`Replica.watched`), files that lie there when the job is over are
drawn as `writes` of its first replica, labelled `found`.

What is not seen: how far an export or an upload is on its way, and what a kill of the server takes from memory: the
last fifth of a second of telemetry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trigpoint.console.picture import tenant, user
from trigpoint.console.picture.flows import Flow, Steps, Touch, flow, node_of, timeline
from trigpoint.console.picture.life import Life, live, moments
from trigpoint.console.picture.places import Place, Places, fold, places
from trigpoint.console.picture.records import Member, Records
from trigpoint.console.picture.sheet import Sheet, edge
from trigpoint.console.picture.wire import Amount, Edge, Picture
from trigpoint.core.clock import Micros
from trigpoint.core.names import id_of


class Memory:
    """Parts of the last drawing that still hold: a drawing with one is the same as without, and costs less."""

    def __init__(self) -> None:
        self._parts: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self.places: Places | None = None

    def kept(self, name: str, made_of: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """Return what `make` gives, or what it gave before for the very same objects."""
        known = self._parts.get(name)
        if (
            known is None
            or len(known[0]) != len(made_of)
            or any(a is not b for a, b in zip(known[0], made_of, strict=True))
        ):
            known = self._parts[name] = (made_of, make())
        return known[1]


def draw(records: Records, memory: Memory | None = None) -> Picture:
    """Return the picture of a run. `memory` is of earlier drawings of the same run."""
    memory = memory or Memory()
    life, sheet = live(records), Sheet()
    user.put_runs(sheet, records, life)
    user.put_data(sheet, records, life)
    tenant.put_places(sheet, records, life)
    flows, touched = _flows(sheet, records, memory)
    user.put_packages(sheet, records, touched)
    user.put_files(sheet, touched, records.sizes)
    user.put_copies(sheet, [found for _, found in flows], lambda name, chains: _together(memory, name, chains))
    user.put_results(sheet, records, life, touched)
    tenant.put_identities(sheet, flows, lambda name, chains: _together(memory, name, chains))
    _put_logs(sheet, records, flows)
    for _, found in flows:
        for one in found.edges:
            sheet.add(one)
    main = life.pipeline if records.pipeline is not None else life.job
    return Picture(
        run=records.main.name,
        title=str(records.main.message.get("displayName") or id_of(records.main.name)),
        project=records.project,
        tenant=records.tenant,
        state=main.states[-1].state,
        since=main.since,
        until=main.states[-1].time if main.over else 0,
        nodes=tuple(sheet.nodes.values()),
        edges=tuple(sheet.edges.values()),
        moments=tuple(moments(records.events, sheet.nodes)),
    )


def _flows(
    sheet: Sheet, records: Records, memory: Memory
) -> tuple[list[tuple[Member, Flow]], dict[Place, list[Touch]]]:
    """Return what every replica exchanged, with other files by bucket where there are too many folders."""
    folded: frozenset[str] = frozenset()
    while True:
        where = places(records, folded)
        where = memory.places if memory.places is not None and where.same(memory.places) else where
        memory.places = where
        flows = [
            (member, _flow(sheet, member, records, where, memory))
            for member in records.members
            if node_of(member) in sheet.nodes
        ]
        touched: dict[Place, list[Touch]] = {}
        for _, found in flows:
            for place, touches in found.touched.items():
                touched.setdefault(place, []).extend(touches)
        first = {
            place.folder: min(touch.time for touch in touches)
            for place, touches in touched.items()
            if place.role == "other"
        }
        more = fold(first) if not folded else frozenset()
        if not more:
            return flows, touched
        folded = more


def _flow(sheet: Sheet, member: Member, records: Records, where: Places, memory: Memory) -> Flow:
    name, since = member.record.name, sheet.nodes[node_of(member)].since
    series, beat = records.series.get(name, {}), records.beats.get(name)
    used = beat if not any(what == "print" for what, _ in series) else None
    made_of = (series, used, where, member.record)
    found: Flow = memory.kept(name, made_of, lambda: flow(member, series, used, where, since))
    return found


def _together(memory: Memory, name: str, chains: Sequence[Steps]) -> Sequence[Amount]:
    found: Sequence[Amount] = memory.kept(name, tuple(chains), lambda: timeline(chains, 0))
    return found


def _put_logs(sheet: Sheet, records: Records, flows: Sequence[tuple[Member, Flow]]) -> None:
    """Put in the logs, once anything was said."""
    lines = size = 0
    said: list[Amount] = []
    for event in records.events:
        text = event.data.get("log")
        if isinstance(text, str) and event.kind.startswith("customJob."):
            lines, size = lines + 1, size + len(text.encode())
            said.append(Amount(event.time, size, lines=lines))
    firsts = [one.since for _, found in flows for one in found.edges if one.kind == "logs"]
    firsts += [said[0].time] if said else []
    if firsts:
        sheet.node("logs", "logs", "logs", min(firsts), resource=records.job.name if records.job else "")
    if said:
        sheet.add(edge("logs", "job", "logs", said[0].time, until=said[-1].time, amounts=said, label="service"))


def at(picture: Picture, time: Micros) -> Picture:
    """Return what was known of a picture at an instant: what the page shows there."""
    nodes = [
        replace(
            node,
            until=node.until if node.until <= time else 0,
            states=tuple(state for state in node.states if state.time <= time),
        )
        for node in picture.nodes
        if node.since <= time
    ]
    there = {node.id for node in nodes}
    edges = [_edge_at(one, time) for one in picture.edges if one.since <= time and {one.source, one.target} <= there]
    main = next((node for node in nodes if node.id in ("pipeline", "job") and node.resource == picture.run), None)
    return replace(
        picture,
        state=main.states[-1].state if main is not None and main.states else "",
        until=picture.until if picture.until <= time else 0,
        nodes=tuple(nodes),
        edges=tuple(edges),
        moments=tuple(moment for moment in picture.moments if moment.time <= time),
    )


def _edge_at(one: Edge, time: Micros) -> Edge:
    amounts = tuple(amount for amount in one.amounts if amount.time <= time)
    last = amounts[-1].time if amounts else 0
    return replace(one, amounts=amounts, until=one.until if one.until <= time else last)


def names(records: Records) -> Mapping[str, Member]:
    """Return the replicas by the ids of their nodes."""
    return {node_of(member): member for member in records.members}


__all__ = ["Life", "Memory", "at", "draw", "names"]
