"""The tenant project in the picture: queue, images, attempts, pools, replicas, and as whom they act. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from trigpoint.console.picture import traces
from trigpoint.console.picture.flows import Flow, Steps, node_of
from trigpoint.console.picture.life import Life, clamped
from trigpoint.console.picture.records import Member, Records
from trigpoint.console.picture.sheet import Sheet
from trigpoint.console.picture.wire import Amount, Edge, State
from trigpoint.core.clock import Micros
from trigpoint.core.names import id_of


def put_places(sheet: Sheet, records: Records, life: Life) -> None:
    """Put in everything that the tenant project holds but what replicas exchange."""
    _put_queue(sheet, life)
    for image, chain in life.images.items():
        facts = {"image": image}
        until = chain.states[-1].time if chain.over else 0
        title = id_of(image)
        ident = f"image/{image}"
        sheet.node(ident, "image", title, chain.since, until=until, resource=image, states=chain.states, facts=facts)
    for number, attempt in sorted(life.attempts.items()):
        members = [member for member in records.members if member.attempt == number]
        uid = members[0].record.uid if members else f"{id_of(records.job.name) if records.job else ''}-{number}"
        sheet.node(
            f"attempt/{number}",
            "attempt",
            str(number),
            attempt.launched,
            until=attempt.ended,
            resource=f"{records.job.name}/attempts/{number}" if records.job else "",
            states=clamped(attempt.chain.states, attempt.launched),
            facts={"uid": uid, "replicas": len(members), "tenant": records.tenant},
        )
        _put_members(sheet, members, attempt.ended)
    if life.attempts:
        first = min(life.attempts)
        sheet.edge("admits", "queue", f"attempt/{first}", life.attempts[first].launched)
    for number, time, reason in life.restarts:
        sheet.edge("restarts", f"attempt/{number}", f"attempt/{number + 1}", time, facts={"reason": reason})


def _put_queue(sheet: Sheet, life: Life) -> None:
    states = life.queue.states
    if not states:
        return
    until = 0 if states[-1].state == "QUEUED" else states[-1].time
    sheet.node("queue", "queue", "queue", states[0].time, until=until, states=states)
    if states[0].state == "QUEUED":
        sheet.edge("waits", "job", "queue", states[0].time, until=until)


def _put_members(sheet: Sheet, members: Sequence[Member], ended: Micros) -> None:
    """Put in the pools and replicas of an attempt, and the accounts that they act as."""
    for member in members:
        record, attempt = member.record, f"attempt/{member.attempt}"
        since = max(member.created, sheet.nodes[attempt].since)
        pool = f"{attempt}/pool/{record.pool}"
        if pool not in sheet.nodes:
            count = sum(1 for other in members if other.record.pool == record.pool)
            facts = {"pool": record.pool, "machine": record.machine_type, "replicas": count, "image": record.image}
            title = f"workerpool{record.pool}"
            sheet.node(pool, "pool", title, since, until=ended, parent=attempt, facts=facts)
            sheet.edge("provides", f"image/{record.image}", pool, since)
        account = f"account/{record.identity}"
        if account not in sheet.nodes:
            sheet.node(account, "account", record.identity, since, facts={"email": record.identity})
        _put_replica(sheet, member, pool, since)


def _put_replica(sheet: Sheet, member: Member, pool: str, since: Micros) -> None:
    record = member.record
    states = clamped(states_of(member), since)
    last = states[-1]
    facts: dict[str, Any] = {
        "task": record.task,
        "pool": record.pool,
        "index": record.index,
        "rank": record.rank,
        "primary": record.rank == 0,
        "host": record.host,
        "machine": record.machine_type,
        "image": record.image,
        "account": record.identity,
    }
    sheet.node(
        node_of(member),
        "replica",
        record.task,
        since,
        until=last.time if last.state in ("ENDED", "LOST") else 0,
        parent=pool,
        resource=record.name,
        states=states,
        facts=facts,
    )


def states_of(member: Member) -> list[State]:
    """Return a replica's states, each with what became known with it."""
    record = member.record
    known: dict[str, dict[str, Any]] = {}
    known["PREPARED"] = {
        "runtime": record.runtime,
        "lost": list(record.lost),
        "python": record.facts.get("python", ""),
        "install": record.facts.get("install", ""),
    }
    outcome = record.outcome or {}
    if outcome:
        facts = {"outcome": outcome.get("reason", ""), "exitCode": outcome.get("exit_code", 0)}
        facts |= {"signal": outcome["signal"]} if outcome.get("signal") else {}
        frame = traces.innermost(evidence_of(outcome))
        facts |= {"frame": asdict(frame)} if frame is not None else {}
        known["ENDED"] = facts
    states = [State(member.created, "PENDING")]
    for name, time in sorted(record.times.items(), key=lambda pair: pair[1]):
        why = str(outcome.get("message", "")) if name == "ENDED" else ""
        states.append(State(time, name, why, bool(why) and _printed(outcome), known.get(name, {})))
    return states


def _printed(outcome: Mapping[str, Any]) -> bool:
    """Return whether the message of an end is a line of its program: where that printed none, the agent says one."""
    return outcome.get("reason") == "FAILED" and bool(evidence_of(outcome).strip())


def evidence_of(outcome: Mapping[str, Any]) -> str:
    """Return the end of what a program that failed printed; empty for one that did not."""
    return "" if outcome.get("reason") in ("SUCCEEDED", "STOPPED") else str(outcome.get("tail", ""))


def put_identities(
    sheet: Sheet, flows: Sequence[tuple[Member, Flow]], kept: Callable[[str, Sequence[Steps]], Sequence[Amount]]
) -> None:
    """Put in the metadata servers that were asked, attempt by attempt, and whom they stand for."""
    asks: dict[int, list[Edge]] = {}
    tokens: dict[tuple[int, str], list[Steps]] = {}
    for member, flow in flows:
        asks.setdefault(member.attempt, []).extend(edge for edge in flow.edges if edge.kind == "asks")
        tokens.setdefault((member.attempt, member.record.identity), []).extend(flow.tokens)
    for number, edges in asks.items():
        if edges:
            attempt = sheet.nodes[f"attempt/{number}"]
            since = min(edge.since for edge in edges)
            ident, facts = f"{attempt.id}/metadata", {"attempt": number}
            sheet.node(ident, "metadata", "metadata.google.internal", since, until=attempt.until, facts=facts)
    for (number, email), chains in tokens.items():
        if chains:
            amounts = kept(f"stands/{number}/{email}", chains)
            source, target = f"attempt/{number}/metadata", f"account/{email}"
            sheet.edge("stands", source, target, amounts[0].time, until=amounts[-1].time, amounts=amounts)
