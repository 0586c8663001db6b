"""What opens of a node is in time as the picture is: at a past instant, what was live then."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.console.picture import drawn
from tests.console.picture.drawn import runs
from tests.console.picture.test_rules import moment

from trigpoint.console import sentences
from trigpoint.console.picture import opened, rules
from trigpoint.console.picture.places import places
from trigpoint.console.picture.records import Member, Records, Resource
from trigpoint.console.picture.tenant import states_of
from trigpoint.console.picture.wire import Known, NodeDetails, Thing
from trigpoint.domains.jobs import Replica
from trigpoint.store.steps import Step


def all_opened(records: Records) -> dict[str, NodeDetails]:
    """Return every replica and every place of objects, opened."""
    where, members = places(records), rules.names(records)
    found: dict[str, NodeDetails] = {}
    for node in rules.draw(records).nodes:
        if node.kind == "replica":
            known = opened.replica(records, members[node.id], node, guarded=False)
            found[node.id] = NodeDetails(node, known, opened.things(records, [members[node.id]], where))
        elif node.kind in ("files", "splits", "package"):
            found[node.id] = NodeDetails(node, (), opened.things(records, records.members, where, node.id))
    return found


def by_uri(things: object) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return what a page tells of things: neither who touched them nor how their amounts came about."""
    assert isinstance(things, list | tuple)
    return {
        (one.uri, one.generation): (one.time, one.last, one.read, one.written, one.copied, one.opens)
        for one in things
        if isinstance(one, Thing)
    }


@given(runs(), st.data())
def test_a_node_opened_at_a_past_instant_shows_what_was_live_then(records: Records, data: st.DataObject) -> None:
    time = moment(data, records)
    then = drawn.until(records, time)
    whole = all_opened(records)
    for ident, live in (all_opened(then) if then is not None else {}).items():
        again = opened.at(whole[ident], time)
        assert list(again.known) == list(live.known), ident
        assert by_uri(again.objects) == by_uri(live.objects), ident


def member(*, watched: bool = True, **times: int) -> Member:
    """Return a replica that entered states at times."""
    record = Replica(drawn.JOB, "5-1", "workerpool0-0", 0, 0, 0, "h0", "n1", drawn.IMAGE, "sa@x", "t-tp")
    told = {
        "command": ["python3", "-m", "trainer.task"],
        "variables": {"MINE": "1"},
        "argv": ["/usr/bin/python3", "-m", "trainer.task", "--seed=1"],
        "environ": {"MINE": "1", "HOME": "/root", "CLUSTER_SPEC": '{"cluster": {}}'},
        "lost": ["No limit on memory."],
        "watched": watched,
        "outcome": {"reason": "FAILED", "exit_code": 1, "message": "ValueError: x", "tail": "ValueError: x\n"},
    }
    return Member(replace(record, state="ENDED", times=times, **told), created=100)  # type: ignore[arg-type]


def shown(known: list[Known], time: int) -> tuple[object, ...]:
    """Return the newest command, variables, losses and evidence by a time."""
    there = [one for one in known if one.time <= time]
    return tuple(
        next((getattr(one, name) for one in reversed(there) if getattr(one, name) is not None), None)
        for name in ("command", "lost", "evidence")
    )


def known_of(one: Member) -> list[Known]:
    """Return what becomes known of a replica that is alone in its job."""
    records = Records("demo", "t-tp", None, Resource(drawn.JOB, "", 90, 150, {}), [], members=[one])
    node = next(node for node in rules.draw(records).nodes if node.kind == "replica")
    return opened.replica(records, one, node, guarded=False)


def test_a_program_whose_files_are_not_watched_is_told_of() -> None:
    known = known_of(member(watched=False, CLAIMED=110, PREPARED=120, RUNNING=130))
    assert shown(known, 129)[1] == ["No limit on memory."]
    assert shown(known, 130)[1] == ["No limit on memory.", sentences.UNWATCHED]


def test_a_file_below_gcs_and_what_became_of_it_are_one_object() -> None:
    one = member(CLAIMED=110, PREPARED=120, RUNNING=130)
    kinds = {("save", "gs://b/x#0"): (7, 1), ("read", "gs://b/x#5"): (3, 1), ("read", "gs://b/x#6"): (7, 2)}
    kinds |= {("open", "gs://b/y#0"): (9, 4), ("save", "gs://b/old#0"): (0, 0)}
    series = {key: [Step(one.record.name, *key, 0, 140, 140, size, 0, count)] for key, (size, count) in kinds.items()}
    records = Records("demo", "t-tp", None, None, [], members=[one], series={one.record.name: series})
    found = opened.things(records, [one], places(records))
    assert [(t.uri, t.generation, t.read, t.written, t.opens, t.size) for t in found] == [
        ("gs://b/x", "6", 7, 7, 3, 7),
        ("gs://b/x", "5", 3, 0, 1, -1),
        ("gs://b/y", "", 0, 0, 4, 9),
    ]
    assert [amount.bytes for amount in (*found[0].writes, *found[2].openings)] == [7, 9]


def test_what_storage_copied_is_neither_read_nor_written() -> None:
    one = member(CLAIMED=110, PREPARED=120, RUNNING=130)
    made = {"gs://b/parts/1#5\ngs://c/x#7": 30, "gs://b/parts/2#6\ngs://c/x#7": 12, "gs://b/y#8\ngs://b/z#9": 4}
    series = {("copy", key): [Step(one.record.name, "copy", key, 0, 140, 140, made[key], 0, 1)] for key in made}
    job = Resource(drawn.JOB, "", 90, 150, {})
    records = Records("demo", "t-tp", None, job, [], members=[one], series={one.record.name: series})
    found = opened.things(records, [one], places(records))
    assert {(t.uri, t.read, t.written, t.opens, t.copied, t.size) for t in found} == {
        ("gs://b/parts/1", 0, 0, 0, 30, 30),
        ("gs://b/parts/2", 0, 0, 0, 12, 12),
        ("gs://c/x", 0, 0, 0, 42, 42),
        ("gs://b/y", 0, 0, 0, 4, 4),
        ("gs://b/z", 0, 0, 0, 4, 4),
    }
    edges = {edge.id: edge.amounts[-1].bytes for edge in rules.draw(records).edges if edge.kind in ("orders", "copies")}
    me = "attempt/1/replica/workerpool0-0"
    assert edges == {
        f"orders:{me}>files/gs://c/": 42,
        "copies:files/gs://b/parts/>files/gs://c/": 42,
        f"orders:{me}>files/gs://b/": 4,
    }


def test_a_program_is_what_the_job_asks_for_until_it_really_runs() -> None:
    known = known_of(member(CLAIMED=110, PREPARED=120, RUNNING=130, ENDED=140))
    asked, started = ["python3", "-m", "trainer.task"], ["/usr/bin/python3", "-m", "trainer.task", "--seed=1"]
    assert shown(known, 119) == (asked, None, None)
    assert shown(known, 129) == (asked, ["No limit on memory."], None)
    assert shown(known, 139) == (started, ["No limit on memory."], None)
    assert shown(known, 140) == (started, ["No limit on memory."], "ValueError: x\n")
    assert [v.name for v in known[0].variables or ()] == ["MINE"]
    assert known[0].cluster is None


@pytest.mark.parametrize(
    ("outcome", "printed"),
    [
        (
            {
                "reason": "FAILED",
                "message": "The replica ran out of memory.",
                "tail": "The replica ran out of memory.\n",
            },
            True,
        ),
        ({"reason": "FAILED", "message": "killed by signal 9", "tail": "\n"}, False),
        ({"reason": "OUT_OF_MEMORY", "message": "The replica ran out of memory.", "tail": "Killed\n"}, False),
        ({"reason": "PREPARE_ERROR", "message": "gs://b/t could not be installed.", "tail": "error: x\n"}, False),
        ({"reason": "STOPPED", "message": "", "tail": "bye\n"}, False),
    ],
)
def test_a_replica_tells_what_its_program_printed_from_what_its_agent_says(
    outcome: dict[str, str], printed: bool
) -> None:
    one = member(CLAIMED=110, ENDED=140)
    states = states_of(replace(one, record=replace(one.record, outcome=outcome)))
    assert [state.printed for state in states] == [False, False, printed]


def test_a_read_only_link_is_told_no_secrets_of_a_command_line() -> None:
    one = member(CLAIMED=110, PREPARED=120, RUNNING=130)
    hushed = {"argv": ["python3", "--api-key", "hush"], "environ": {"DSN": "hush", "URL": "http://u:hush@h"}}
    one = replace(one, record=replace(one.record, **hushed))  # type: ignore[arg-type]
    records = Records("demo", "t-tp", None, Resource(drawn.JOB, "", 90, 150, {}), [], members=[one])
    node = next(node for node in rules.draw(records).nodes if node.kind == "replica")
    known = opened.replica(records, one, node, guarded=True)
    started = next(each for each in known if each.time == 130)
    assert started.command == ["python3", "--api-key", "***"]
    assert [(v.name, v.value, v.hidden) for v in started.variables or ()] == [
        ("DSN", "", True),
        ("URL", "http://***@h", False),
    ]
