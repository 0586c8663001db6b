"""What is true of every picture, whatever a run left: nothing before its time, nothing from nowhere, nothing falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from tests.console.picture import drawn
from tests.console.picture.drawn import runs

from trigpoint.console.picture import changes, rules, wire
from trigpoint.console.picture.records import Member, Records, Resource
from trigpoint.console.picture.wire import Edge, Node, Picture
from trigpoint.console.wire import dump
from trigpoint.domains.jobs import Replica
from trigpoint.store.events import Event
from trigpoint.store.steps import Step


def moment(data: st.DataObject, records: Records) -> int:
    """Return an instant at which something happened, or just before."""
    steps = [step.time for series in records.series.values() for chain in series.values() for step in chain]
    states = [time for member in records.members for time in member.record.times.values()]
    times = [*(event.time for event in records.events), *steps, *states]
    return data.draw(st.sampled_from(sorted(set(times)))) - data.draw(st.integers(0, 1))


def check(picture: Picture) -> None:
    nodes = {node.id: node for node in picture.nodes}
    assert len(nodes) == len(picture.nodes)
    assert len({edge.id for edge in picture.edges}) == len(picture.edges)
    for node in picture.nodes:
        assert node.since > 0
        assert not node.until or node.until >= node.since
        assert not node.parent or nodes[node.parent].since <= node.since
        assert [state.time for state in node.states] == sorted(state.time for state in node.states)
        assert all(state.time >= node.since for state in node.states)
    for edge in picture.edges:
        assert edge.since >= max(nodes[edge.source].since, nodes[edge.target].since)
        assert not edge.until or edge.until >= edge.since
        assert all(amount.time >= edge.since for amount in edge.amounts)
        for before, after in pairwise(edge.amounts):
            for total in ("time", "bytes", "rows", "lines", "count"):
                assert getattr(before, total) <= getattr(after, total), (edge.id, total)
    assert all(moment.node in nodes for moment in picture.moments)


@given(runs())
def test_a_picture_is_whole(records: Records) -> None:
    check(rules.draw(records))


@given(runs(), st.data())
def test_later_instants_hold_all_that_earlier_ones_do(records: Records, data: st.DataObject) -> None:
    picture = rules.draw(records)
    early, late = (rules.at(picture, time) for time in sorted(moment(data, records) for _ in range(2)))
    check(early)
    after = {node.id: node for node in late.nodes}
    passed = {edge.id: edge for edge in late.edges}
    for node in early.nodes:
        assert list(after[node.id].states)[: len(node.states)] == list(node.states)
    for edge in early.edges:
        assert list(passed[edge.id].amounts)[: len(edge.amounts)] == list(edge.amounts)
    assert list(late.moments)[: len(early.moments)] == list(early.moments)


@given(runs(), st.data())
def test_a_past_instant_shows_what_was_live_then(records: Records, data: st.DataObject) -> None:
    time = moment(data, records)
    then = drawn.until(records, time)
    if then is None:
        assert not rules.at(rules.draw(records), time).nodes
        return
    live, again = rules.draw(then), rules.at(rules.draw(records), time)
    assert {node.id: told(node) for node in live.nodes} == {node.id: told(node) for node in again.nodes}
    assert {edge.id: passed(edge) for edge in live.edges} == {edge.id: passed(edge) for edge in again.edges}
    assert (live.state, live.until, live.moments) == (again.state, again.until, again.moments)


def test_a_model_is_of_what_storage_had_copied_into_it_by_then() -> None:
    record = Replica(drawn.JOB, "5-1", "workerpool0-0", 0, 0, 0, "h0", "n1", drawn.IMAGE, "sa@x", "t-tp")
    key = f"gs://other/x#12\n{drawn.OUT}/model/model.joblib#8"
    chain = [
        Step(record.name, "copy", key, number, 110, 110 + number, size, 0, 1) for number, size in enumerate((8, 9))
    ]
    kinds = ("trainingPipeline.created", "trainingPipeline.uploaded")
    model = f"{drawn.HERE}/models/9@2"
    events = [
        Event(at, at, "1", drawn.PIPELINE, kind, "", "", {"model": model})
        for at, kind in zip((90, 110), kinds, strict=True)
    ]
    records = Records(
        project="demo",
        tenant="t-tp",
        pipeline=Resource(drawn.PIPELINE, "", 90, 110, {}),
        job=Resource(drawn.JOB, "", 95, 110, {"jobSpec": {"baseOutputDirectory": {"outputUriPrefix": drawn.OUT}}}),
        events=events,
        members=[Member(record, 100)],
        series={record.name: {("copy", key): chain}},
        model=Resource(model, "", 110, 110, {"artifactUri": f"{drawn.OUT}/model"}),
    )
    (becomes,) = [edge for edge in rules.draw(records).edges if edge.kind == "becomes"]
    assert [(amount.time, amount.bytes, amount.count) for amount in becomes.amounts] == [(110, 8, 1)]


def told(node: Node) -> Any:
    return node.kind, node.since, node.until, node.parent, [(state.time, state.state) for state in node.states]


def passed(edge: Edge) -> Any:
    return edge.kind, edge.since, {amount.time: amount for amount in edge.amounts}


@given(runs(), st.data())
def test_what_is_remembered_between_drawings_changes_nothing(records: Records, data: st.DataObject) -> None:
    memory = rules.Memory()
    for time in sorted(moment(data, records) for _ in range(5)):
        then = drawn.until(records, time)
        if then is not None:
            assert rules.draw(then, memory) == rules.draw(then)
    assert rules.draw(records, memory) == rules.draw(records)


@given(runs(), st.data())
def test_patches_lead_from_each_picture_to_the_next(records: Records, data: st.DataObject) -> None:
    times = sorted(moment(data, records) for _ in range(5))
    looks = [found for time in times if (found := drawn.until(records, time)) is not None]
    pictures = [rules.draw(look) for look in [*looks, records]]
    page = pictures[0]
    for picture in pictures[1:]:
        patch = changes.between(page, picture)
        assert (patch is None) == same(page, picture)
        page = changes.applied(page, patch) if patch is not None else page
        assert same(page, picture)
    assert changes.between(page, page) is None


@given(runs(), runs())
def test_patches_also_lead_to_quite_another_picture(one: Records, other: Records) -> None:
    old, new = rules.draw(one), replace(rules.draw(other), run=rules.draw(one).run)
    patch = changes.between(replace(old, moments=()), new)
    if patch is not None:
        after = changes.applied(replace(old, moments=()), patch)
        assert by_id(after.nodes) == by_id(new.nodes)
        assert by_id(after.edges) == by_id(new.edges)


def same(one: Picture, other: Picture) -> bool:
    """Whether two pictures show the same; the order of nodes is the page's own affair."""
    head = replace(one, nodes=(), edges=()) == replace(other, nodes=(), edges=())
    return head and by_id(one.nodes) == by_id(other.nodes) and by_id(one.edges) == by_id(other.edges)


def by_id(found: Sequence[Node] | Sequence[Edge]) -> dict[str, Node | Edge]:
    return {one.id: one for one in found}


@given(runs())
def test_the_json_is_the_same_whoever_writes_it(records: Records) -> None:
    picture = rules.draw(records)
    assert orjson.loads(orjson.dumps(picture)) == orjson.loads(dump(picture))


def test_members_are_single_words() -> None:
    for name in wire.__dict__:
        fields = getattr(getattr(wire, name), "__dataclass_fields__", {})
        assert all("_" not in field for field in fields), name
