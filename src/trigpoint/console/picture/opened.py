"""What opens of a node, in time: what was known when, which objects were touched by then, what was used. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trigpoint.console import guarding
from trigpoint.console.picture.flows import Steps, Touch, flow, joined, timeline
from trigpoint.console.picture.places import Place, Places, split
from trigpoint.console.picture.records import READS, WRITES, Member, Records
from trigpoint.console.picture.tenant import evidence_of
from trigpoint.console.picture.user import size_of
from trigpoint.console.picture.wire import Amount, Known, Node, NodeDetails, Thing, Variable
from trigpoint.core.clock import Micros

MOST_THINGS = 1000
_CLUSTER = frozenset({"CLUSTER_SPEC", "TF_CONFIG", "MASTER_ADDR", "MASTER_PORT", "WORLD_SIZE", "RANK"})
_UNSEEN = "Reads through /gcs are not observed; writes there are, once the job has ended, in the primary's name."


def at(details: NodeDetails, time: Micros) -> NodeDetails:
    """Return what was known of a node at an instant: what the page shows there."""
    return replace(
        details,
        known=tuple(one for one in details.known if one.time <= time),
        objects=tuple(_thing_at(thing, time) for thing in details.objects if thing.time <= time),
        usage=tuple(one for one in details.usage if one["time"] <= time),
    )


def _thing_at(thing: Thing, time: Micros) -> Thing:
    reads, writes = (tuple(one for one in each if one.time <= time) for each in (thing.reads, thing.writes))
    last = [each[-1] for each in (reads, writes) if each]
    return replace(
        thing,
        last=max((one.time for one in last), default=thing.time),
        read=reads[-1].bytes if reads else 0,
        written=writes[-1].bytes if writes else 0,
        opens=sum(one.count for one in last),
        reads=reads,
        writes=writes,
    )


def replica(records: Records, member: Member, node: Node, *, guarded: bool) -> list[Known]:
    """Return what became known of a replica: what it is to run, what is not enforced, what it runs, why it failed."""
    record, given = member.record, _given(records, member.record.pool)
    entered = {state.state: state.time for state in node.states}

    def program(time: Micros, command: Sequence[str], variables: Mapping[str, str]) -> Known:
        told = [_variable(name, value, given, guarded=guarded) for name, value in sorted(variables.items())]
        return Known(time, command=list(command), variables=told, cluster=_cluster(variables))

    found = [program(node.since, record.command, record.variables)]
    if "PREPARED" in entered:
        lost = [*record.lost, *([_UNSEEN] if record.runtime == "sandbox" else [])]
        found.append(Known(entered["PREPARED"], lost=lost))
    if "RUNNING" in entered and (record.argv or record.environ):
        started = record.argv or record.command, record.environ or record.variables
        found.append(program(entered["RUNNING"], *started))
    evidence = evidence_of(record.outcome or {})
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
    return Variable(name, "" if hidden else value, origin, hidden)  # type: ignore[arg-type]


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
    by: dict[tuple[str, str], list[str]] = {}
    for touch in touches:
        by.setdefault((touch.uri, touch.generation), []).append(touch.replica)
    passed = {what: _passed(records, members, what) for what in (READS, WRITES)}
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
            reads=_amounts(passed[READS].get(key)),
            writes=_amounts(passed[WRITES].get(key)),
        )
        for key, touch in sorted(joined(touches).items(), key=lambda pair: pair[1].time)
    ]


def _touched(records: Records, members: Iterable[Member], where: Places) -> Iterable[tuple[Place, Sequence[Touch]]]:
    for member in members:
        yield from flow(member, records.series.get(member.record.name, {}), None, where, 0).touched.items()


def _passed(records: Records, members: Iterable[Member], wanted: str) -> dict[tuple[str, str], list[Steps]]:
    """Return the series of reads or writes by URI and generation."""
    found: dict[tuple[str, str], list[Steps]] = {}
    for member in members:
        for (what, thing), chain in records.series.get(member.record.name, {}).items():
            if what == wanted:
                found.setdefault(split(thing), []).append(chain)
    return found


def _amounts(chains: Sequence[Steps] | None) -> Sequence[Amount]:
    return timeline(chains, 0) if chains else ()
