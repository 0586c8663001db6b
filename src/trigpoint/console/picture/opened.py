"""What opens of a node, in time: what was known when, which objects were touched by then, what was used. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trigpoint.console import guarding, sentences
from trigpoint.console.picture.flows import MADE, Steps, Touch, flow, joined, newest_of, renamed, timeline
from trigpoint.console.picture.places import Place, Places, split
from trigpoint.console.picture.records import COPIES, OPENED, READS, Member, Records
from trigpoint.console.picture.tenant import evidence_of
from trigpoint.console.picture.user import size_of
from trigpoint.console.picture.wire import Amount, Known, Node, NodeDetails, Thing, Variable
from trigpoint.core.clock import Micros

MOST_THINGS = 1000
_CLUSTER = frozenset({"CLUSTER_SPEC", "TF_CONFIG", "MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK"})


def at(details: NodeDetails, time: Micros) -> NodeDetails:
    """Return what was known of a node at an instant: what the page shows there."""
    return replace(
        details,
        known=tuple(one for one in details.known if one.time <= time),
        objects=tuple(_thing_at(thing, time) for thing in details.objects if thing.time <= time),
        usage=tuple(one for one in details.usage if one["time"] <= time),
    )


def _thing_at(thing: Thing, time: Micros) -> Thing:
    reads, writes, copies, openings = (
        tuple(one for one in each if one.time <= time)
        for each in (thing.reads, thing.writes, thing.copies, thing.openings)
    )
    last = [each[-1] for each in (reads, writes, openings) if each]
    return replace(
        thing,
        last=max((one.time for one in [*last, *copies[-1:]]), default=thing.time),
        read=reads[-1].bytes if reads else 0,
        written=writes[-1].bytes if writes else 0,
        opens=sum(one.count for one in last),
        copied=copies[-1].bytes if copies else 0,
        reads=reads,
        writes=writes,
        copies=copies,
        openings=openings,
    )


def replica(records: Records, member: Member, node: Node, *, guarded: bool) -> list[Known]:
    """Return what became known of a replica: what it is to run, what is not enforced, what it runs, why it failed."""
    record, given = member.record, _given(records, member.record.pool)
    entered = {state.state: state.time for state in node.states}

    def program(time: Micros, command: Sequence[str], variables: Mapping[str, str]) -> Known:
        told = [_variable(name, value, given, guarded=guarded) for name, value in sorted(variables.items())]
        line, cluster = list(command), _cluster(variables)
        if guarded:
            line, cluster = guarding.command(line), guarding.guarded(cluster)
        return Known(time, command=line, variables=told, cluster=cluster)

    found = [program(node.since, record.command, record.variables)]
    if "PREPARED" in entered:
        found.append(Known(entered["PREPARED"], lost=record.lost))
    if "RUNNING" in entered and (record.argv or record.environ):
        started = record.argv or record.command, record.environ or record.variables
        found.append(program(entered["RUNNING"], *started))
        if not record.watched:
            found.append(Known(entered["RUNNING"], lost=[*record.lost, sentences.UNWATCHED]))
    evidence = evidence_of(record.outcome or {})
    if "ENDED" in entered and record.missed:
        found.append(Known(entered["ENDED"], lost=[*record.lost, sentences.HALF_WATCHED]))
    if "ENDED" in entered and evidence:
        found.append(Known(entered["ENDED"], evidence=evidence))
    return sorted(found, key=lambda one: one.time)


def _given(records: Records, pool: int) -> frozenset[str]:
    """Return the names of the variables that the job's specification gives a pool."""
    spec = (records.job.message.get("jobSpec") or {}) if records.job is not None else {}
    pools: Sequence[Mapping[str, Any]] = spec.get("workerPoolSpecs", ())
    task = (pools[pool].get("containerSpec") or pools[pool].get("pythonPackageSpec") or {}) if pool < len(pools) else {}
    return frozenset(str(one.get("name", "")) for one in task.get("env", ()))


def _variable(name: str, value: str, given: frozenset[str], *, guarded: bool) -> Variable:
    hidden = guarded and guarding.secret(name)
    origin = "user" if name in given else "cluster" if name in _CLUSTER else "service"
    told = "" if hidden else guarding.value(value) if guarded else value
    return Variable(name, told, origin, hidden)  # type: ignore[arg-type]


def _cluster(variables: Mapping[str, str]) -> Mapping[str, Any] | None:
    try:
        found = json.loads(variables.get("CLUSTER_SPEC", ""))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def things(records: Records, members: Sequence[Member], where: Places, place: str = "") -> list[Thing]:
    """Return the objects that replicas touched, in all places or in that with an id, in the order of their times."""
    touches = [
        touch for found, all_ in _touched(records, members, where) if not place or found.id == place for touch in all_
    ]
    newest = newest_of((touch.uri, touch.generation) for touch in touches)
    by: dict[tuple[str, str], set[str]] = {}
    for touch in touches:
        by.setdefault((touch.uri, touch.generation or newest[touch.uri]), set()).add(touch.replica)
    reads, writes, copies, openings = (
        _passed(records, members, kinds, newest)
        for kinds in (frozenset({READS}), MADE, frozenset({COPIES}), frozenset({OPENED}))
    )
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
            sum(chain[-1].bytes for chain in copies.get(key, ())),
            reads=_amounts(reads.get(key)),
            writes=_amounts(writes.get(key)),
            copies=_amounts(copies.get(key)),
            openings=_amounts(openings.get(key)),
        )
        for key, touch in sorted(joined(touches).items(), key=lambda pair: pair[1].time)
    ]


def _touched(records: Records, members: Iterable[Member], where: Places) -> Iterable[tuple[Place, Sequence[Touch]]]:
    for member in members:
        yield from flow(member, records.series.get(member.record.name, {}), None, where, 0).touched.items()


def _passed(
    records: Records, members: Iterable[Member], kinds: frozenset[str], newest: Mapping[str, str]
) -> dict[tuple[str, str], list[Steps]]:
    """Return the series of some kinds by URI and generation, as `joined` puts touches together."""
    found: dict[tuple[str, str], list[Steps]] = {}
    for member in members:
        for (what, thing), chain in records.series.get(member.record.name, {}).items():
            if what in kinds and not renamed(what, chain):
                for one in thing.split("\n"):
                    uri, generation = split(one)
                    found.setdefault((uri, generation or newest.get(uri, "")), []).append(chain)
    return found


def _amounts(chains: Sequence[Steps] | None) -> Sequence[Amount]:
    return timeline(chains, 0) if chains else ()
