"""Compares a picture with the truth, node by node and edge by edge, now and at past instants."""

from __future__ import annotations

from typing import Any

from tests.console.picture import truth as truths
from tests.console.picture.stage import Ran

SLACK = 2.5
"""Seconds after which what had happened must have been live: one, and what a shared machine may take."""
CLOSE = 0.05
"""Seconds between a row's time and its event's, at most."""
COMMIT = 1.0
"""Seconds from the time of an event to its being durable, where the disk is busy: only then the API shows it."""
STEP = 1.1
"""Seconds that a step of a series may take: within one, replay shows less than was live."""


def judge(ran: Ran) -> None:
    """Compare everything of a run that is over."""
    picture = ran.picture
    _heads(ran)
    _nodes(ran, {node["id"]: node for node in picture["nodes"]})
    _edges(ran, {edge["id"]: edge for edge in picture["edges"]})
    _accesses(ran)
    _states_at_past_instants(ran)
    _live(ran)
    if ran.of_job is not None:
        assert ran.of_job == picture, "the backing job's picture is another one"


def _heads(ran: Ran) -> None:
    picture, truth = ran.picture, ran.truth
    assert picture["run"] == ran.name
    assert picture["title"] == ran.plan.name
    assert picture["project"] == "demo-project"
    assert picture["state"] == truth.states(ran.name)[-1][0]
    assert ran.plan.state in ("*", picture["state"])
    assert len({replica.attempt for replica in truth.replicas}) == ran.plan.attempts


def _nodes(ran: Ran, found: dict[str, Any]) -> None:
    wanted = truths.nodes(ran.truth)
    callers = {ident for ident in found if ident.startswith("caller/")}
    assert set(found) - callers == set(wanted), set(found) - callers ^ set(wanted)
    for ident, states in wanted.items():
        if states is not None:
            assert collapsed(found[ident]["states"]) == states, ident
    for replica in ran.truth.replicas:
        for state in found[replica.id]["states"][1:]:
            assert state["time"] == replica.times[state["state"]], (replica, state)
    for node in ("pipeline", "job"):
        if node in found:
            told = found[node]["states"]
            for state, time in ran.truth.states(found[node]["resource"]):
                near = [one for one in told if one["state"] == state and abs(one["time"] - time) < CLOSE * 1e6]
                assert near, (node, state, time, told)


def _edges(ran: Ran, found: dict[str, Any]) -> None:
    wanted = truths.edges(ran.truth)
    calls = {ident for ident in found if ident.startswith("calls:")}
    restarts = {ident for ident in found if ident.startswith("restarts:")}
    assert set(found) - calls - restarts == set(wanted), (set(found) - calls - restarts) ^ set(wanted)
    assert len(restarts) == max(0, ran.plan.attempts - 1)
    made = {(found[ident]["target"], found[ident]["label"]): found[ident]["amounts"][-1]["count"] for ident in calls}
    assert made == dict(ran.truth.calls)
    for ident, totals in wanted.items():
        last = found[ident]["amounts"][-1] if found[ident]["amounts"] else {}
        told = {name: last.get(name, 0) for name in totals}
        assert told == totals, ident


def _accesses(ran: Ran) -> None:
    """What edges say in all must be what storage served, or copied; files below /gcs are not served by anybody."""
    served = ran.truth.accesses()
    copied = [copy for did in ran.truth.did.values() for copy in did["copied"]]
    size, makes = sum(size for *_, size in copied), len({made for _, made, _ in copied})
    copies = {"read": {"bytes": size, "count": len(copied)}, "write": {"bytes": size, "count": makes}}
    for verb, kinds in {"read": ("reads", "fetches"), "write": ("writes",)}.items():
        lasts = [e["amounts"][-1] for e in ran.picture["edges"] if e["kind"] in kinds and e["label"] != "gcs"]
        wanted = [total for (v, uri), total in served.items() if v == verb and uri not in ran.truth.below_gcs]
        for name in ("bytes", "count"):
            assert sum(one[name] for one in lasts) + copies[verb][name] == sum(total[name] for total in wanted)


def _states_at_past_instants(ran: Ran) -> None:
    """At each instant at which the API was asked, the picture shows what it said."""
    main = next(node for node in ran.picture["nodes"] if node["resource"] == ran.name)
    assert ran.polls
    for begun, state, ended in ran.polls:
        first, last = (begun - COMMIT) * 1e6, ended * 1e6
        told = {shown(main, first), *(one["state"] for one in main["states"] if first <= one["time"] <= last)}
        assert state in told, (state, told, begun)


def _live(ran: Ran) -> None:
    """What was live at a time is what the finished picture shows there, but for what was on its way."""
    assert ran.stream is not None
    heard = [message for message in ran.stream.heard if message.event in ("picture", "patch")]
    assert heard[0].event == "picture"
    nodes: dict[str, Any] = {}
    edges: dict[str, Any] = {}
    for number, message in enumerate(heard):
        if message.event == "picture":
            nodes, edges = by_id(message.data["nodes"]), by_id(message.data["edges"])
        else:
            _patch(nodes, edges, message.data)
        following = heard[number + 1].at if number + 1 < len(heard) else message.at + 60
        _compare(ran, nodes, edges, message.at * 1e6, following * 1e6)
    assert by_id(ran.picture["nodes"]) == nodes
    assert by_id(ran.picture["edges"]) == edges


def _compare(ran: Ran, nodes: dict[str, Any], edges: dict[str, Any], now: float, following: float) -> None:
    """Nothing is live before its time; and until the next message came, nothing was missing for long."""
    missed = following - SLACK * 1e6
    for node in ran.picture["nodes"]:
        live = nodes.get(node["id"], {"states": []})
        past = [state for state in node["states"] if state["time"] <= now]
        assert collapsed(live["states"]) == collapsed(past)[: len(collapsed(live["states"]))], node["id"]
        due = [state for state in node["states"] if state["time"] <= missed]
        assert len(collapsed(live["states"])) >= len(collapsed(due)), (node["id"], live["states"], due)
        assert node["id"] in nodes or node["since"] > missed, node["id"]
    for edge in ran.picture["edges"]:
        live = edges.get(edge["id"], {"amounts": []})
        assert edge["id"] in edges or edge["since"] > missed, (edge["id"], edge["since"], missed)
        for total in ("bytes", "rows", "lines", "count"):
            most, least = amount(edge, now + STEP * 1e6, total), amount(edge, missed, total)
            assert least <= amount(live, now, total) <= most, (edge["id"], total, least, live["amounts"][-1:], most)
    assert set(nodes) <= {node["id"] for node in ran.picture["nodes"]}
    assert set(edges) <= {edge["id"] for edge in ran.picture["edges"]}


def _patch(nodes: dict[str, Any], edges: dict[str, Any], patch: Any) -> None:
    """Apply a patch as a page does."""
    for ident in patch["gone"]:
        nodes.pop(ident, None)
        edges.pop(ident, None)
    nodes.update(by_id(patch["nodes"]))
    edges.update(by_id(patch["edges"]))
    for growth in patch["grown"]:
        edge = edges[growth["id"]]
        amounts = [*edge["amounts"][: growth["keep"]], *growth["amounts"]]
        edges[growth["id"]] = {**edge, "amounts": amounts, "until": growth["until"]}


def by_id(found: list[Any]) -> dict[str, Any]:
    return {one["id"]: one for one in found}


def shown(node: Any, time: float) -> str:
    """Return the state that a node shows at an instant."""
    return next((str(state["state"]) for state in reversed(node["states"]) if state["time"] <= time), "")


def amount(edge: Any, time: float, total: str) -> int:
    """Return a total of an edge at an instant."""
    return next((int(one[total]) for one in reversed(edge["amounts"]) if one["time"] <= time), 0)


def collapsed(states: list[Any]) -> list[str]:
    """Return the words of states, each once in a row."""
    found: list[str] = []
    for state in states:
        if not found or found[-1] != state["state"]:
            found.append(str(state["state"]))
    return found
