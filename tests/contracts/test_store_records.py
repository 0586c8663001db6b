"""What every store promises about operations, events, refs, lineage edges and history, on both databases."""

import asyncio
import threading
from dataclasses import replace

import pytest

from trigpoint.core.errors import Aborted, AlreadyExists
from trigpoint.store import Store, Tx, events, graph, history, operations, refs, resources
from trigpoint.store.graph import Edge
from trigpoint.store.operations import Operation
from trigpoint.store.resources import Row

PARENT = "projects/1/locations/l"
JOB = f"{PARENT}/customJobs/1"


def operation(ident: str, **values: object) -> Operation:
    start = Operation(f"{PARENT}/operations/{ident}", PARENT, JOB, "Create", b"\x00\xff", b"{}", create_time=5)
    return replace(start, **values)  # type: ignore[arg-type]


def test_operations_are_kept_and_compared(store: Store) -> None:
    first = store.write(lambda tx: operations.add(tx, operation("1")))
    assert store.read(lambda tx: operations.get(tx, first.name)) == first
    with pytest.raises(AlreadyExists):
        store.write(lambda tx: operations.add(tx, operation("1")))
    done = store.write(lambda tx: operations.save(tx, replace(first, done=True, update_time=9)))
    with pytest.raises(Aborted):
        store.write(lambda tx: operations.save(tx, first))
    assert store.read(lambda tx: operations.get(tx, first.name)) == done
    assert store.read(lambda tx: operations.of_target(tx, JOB)) == [done]
    assert store.read(lambda tx: operations.of_target(tx, JOB, running=True)) == []
    assert store.write(lambda tx: operations.prune(tx, 9)) == 0
    assert store.write(lambda tx: operations.prune(tx, 10)) == 1
    assert not store.write(lambda tx: operations.remove(tx, first.name))


def test_operations_are_paged_newest_first(store: Store) -> None:
    store.write(lambda tx: [operations.add(tx, operation(f"{i}", create_time=i // 2)) for i in range(7)])
    seen: list[str] = []
    after = None
    while True:
        page, after = store.read(lambda tx, after=after: operations.select_page(tx, PARENT, None, after, 3))  # type: ignore[misc]
        seen += [each.name[-1] for each in page]
        if after is None:
            break
    assert seen == list("6543210")
    page, _ = store.read(lambda tx: operations.select_page(tx, "projects/1/"))
    assert len(page) == 7


def append(tx: Tx, subject: str, project: str = "1", time: int = 1) -> int:
    return events.append(
        tx, time=time, project=project, subject=subject, kind="job.state", where="r0", actor="me", data={"to": "DONE"}
    )


def test_events_are_numbered_and_followed(store: Store) -> None:
    numbers = store.write(lambda tx: [append(tx, JOB), append(tx, JOB + "/x"), append(tx, JOB + "0", "2")])
    assert numbers == sorted(set(numbers))
    [event] = store.read(lambda tx: events.after(tx, 0, 1))
    assert (event.seq, event.subject, event.kind, event.where, event.actor) == (
        numbers[0],
        JOB,
        "job.state",
        "r0",
        "me",
    )
    assert event.data == {"to": "DONE"}
    below = store.read(lambda tx: events.after(tx, 0, 10, JOB))
    assert [each.seq for each in below] == numbers[:2]
    assert [each.seq for each in store.read(lambda tx: events.after(tx, 0, 10, None, "2"))] == numbers[2:]
    assert [each.seq for each in store.read(lambda tx: events.before(tx, None, 2))] == numbers[:0:-1]
    assert [each.seq for each in store.read(lambda tx: events.before(tx, numbers[1], 5))] == numbers[:1]
    assert store.read(events.last) == numbers[-1]


def test_pruned_numbers_are_not_used_again(store: Store) -> None:
    numbers = store.write(lambda tx: [append(tx, JOB, time=i) for i in range(5)])
    assert store.write(lambda tx: events.prune(tx, 3)) == 3
    assert store.write(lambda tx: events.prune(tx, 100)) == 2
    assert store.write(lambda tx: events.prune(tx, 100)) == 0
    assert store.write(lambda tx: append(tx, JOB)) > numbers[-1]


def test_a_follower_misses_no_event_of_racing_writers(store: Store) -> None:
    over = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        last = 0
        while True:
            ending = over.is_set()
            for event in store.read(lambda tx, last=last: events.after(tx, last)):  # type: ignore[misc]
                seen.append(event.seq)
                last = event.seq
            if ending:
                return

    follower = threading.Thread(target=follow)
    follower.start()
    writers = [
        threading.Thread(target=lambda: [store.write(lambda tx: append(tx, JOB)) for _ in range(15)]) for _ in range(6)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    over.set()
    follower.join()
    assert len(seen) == 90
    assert seen == sorted(set(seen))


def test_refs_are_read_from_both_sides(store: Store) -> None:
    def unit(tx: Tx) -> None:
        for ref in ["e1 m1 deployed", "e1 m1 deployed", "e2 m1 x", "e1 m2 x"]:
            refs.add(tx, *ref.split())

    store.write(unit)
    assert [(r.user, r.kind) for r in store.read(lambda tx: refs.users(tx, "m1"))] == [("e1", "deployed"), ("e2", "x")]
    assert [r.user for r in store.read(lambda tx: refs.users(tx, "m1", "x"))] == ["e2"]
    assert [r.used for r in store.read(lambda tx: refs.used_by(tx, "e1"))] == ["m1", "m2"]
    assert store.write(lambda tx: refs.drop(tx, "e1", "m1", "none")) == 0
    assert store.write(lambda tx: refs.drop(tx, "e1", "m1", "deployed")) == 1
    assert store.write(lambda tx: refs.drop(tx, "e1")) == 1
    assert store.read(lambda tx: refs.used_by(tx, "e1")) == []


def test_lineage_is_walked(store: Store) -> None:
    def unit(tx: Tx) -> None:
        for i in range(5):
            graph.link(tx, Edge(f"run{i}", f"a{i}", False, i))
            graph.link(tx, Edge(f"run{i}", f"a{i + 1}", True, i, {"k": "v"}))
        graph.link(tx, Edge("run0", "a0", False, 99))

    store.write(unit)
    assert [e.time for e in store.read(lambda tx: graph.of_artifacts(tx, ["a0"]))] == [0]
    assert store.read(lambda tx: graph.of_executions(tx, ["run2"]))[1].labels == {"k": "v"}
    near = store.read(lambda tx: graph.walk(tx, ["a2"], 2))
    assert {(e.execution, e.artifact) for e in near} == {("run1", "a1"), ("run1", "a2"), ("run2", "a2"), ("run2", "a3")}
    assert len(store.read(lambda tx: graph.walk(tx, ["a2"], 100))) == 10
    store.write(lambda tx: graph.remove(tx, "a2"))
    assert len(store.read(lambda tx: graph.walk(tx, ["a0"], 100))) == 3


def test_contexts_have_members_and_children(store: Store) -> None:
    def unit(tx: Tx) -> None:
        for _ in range(2):
            graph.join(tx, "c1", "a1")
            graph.adopt(tx, "c1", "c2")
            graph.adopt(tx, "c2", "c3")

    store.write(unit)
    assert store.read(lambda tx: graph.members(tx, ["c1", "c2"])) == [("c1", "a1")]
    assert store.read(lambda tx: graph.contexts_of(tx, ["a1"])) == [("c1", "a1")]
    assert store.read(lambda tx: graph.children(tx, ["c1"])) == [("c1", "c2")]
    assert store.read(lambda tx: graph.ancestors(tx, "c3")) == {"c1", "c2"}
    store.write(lambda tx: graph.leave(tx, "c1", "a1"))
    store.write(lambda tx: graph.orphan(tx, "c1", "c2"))
    assert store.read(lambda tx: graph.members(tx, ["c1"])) == []
    assert store.read(lambda tx: graph.ancestors(tx, "c3")) == {"c2"}


def test_history_answers_what_was(store: Store) -> None:
    def at(micros: int) -> str | None:
        found = store.read(lambda tx: history.as_of(tx, JOB, micros))
        return found.state if found else None

    row = Row(JOB, "customJobs", PARENT, b"1", state="A", create_time=10, update_time=10)
    row = store.write(lambda tx: resources.insert(tx, row))
    row = store.write(lambda tx: resources.update(tx, replace(row, notes={"n": 1})))
    row = store.write(lambda tx: resources.update(tx, replace(row, state="B", update_time=20)))
    row = store.write(lambda tx: resources.update(tx, replace(row, state="C", update_time=20)))
    store.write(lambda tx: resources.delete(tx, row, 30))
    row = store.write(lambda tx: resources.insert(tx, replace(row, state="D", update_time=40)))
    assert [at(t) for t in (9, 10, 19, 20, 29, 30, 39, 40, 99)] == [None, "A", "A", "C", "C", None, None, "D", "D"]
    kept = store.read(lambda tx: history.before(tx, JOB))
    assert [(each.state, until, gone) for each, until, gone in kept] == [
        ("C", 30, True),
        ("B", 20, False),
        ("A", 20, False),
    ]
    assert store.write(lambda tx: history.prune(tx, 25, limit=1)) == 1
    assert store.write(lambda tx: history.prune(tx, 25)) == 1
    assert at(15) is None
    assert at(25) == "C"


def test_the_notifier_tells_what_was_committed(store: Store) -> None:
    told: list[frozenset[str]] = []
    mine: list[frozenset[str]] = []
    store.notifier.subscribe(told.append)
    store.notifier.subscribe(mine.append, JOB)
    store.write(lambda tx: append(tx, "other"))
    store.write(lambda tx: append(tx, JOB))
    assert told == [{"other"}, {JOB}]
    assert mine == [{JOB}]
    store.notifier.unsubscribe(told.append)
    store.notifier.unsubscribe(mine.append, JOB)
    store.notifier.unsubscribe(mine.append, JOB)
    store.write(lambda tx: append(tx, JOB))
    assert len(told) + len(mine) == 3


async def test_a_held_read_is_woken(store: Store) -> None:
    with store.notifier.watch(JOB) as watch:
        assert not await watch.changed(0.01)
        await asyncio.to_thread(store.write, lambda tx: append(tx, JOB))
        assert await watch.changed(10)
        assert not await watch.changed(0.01)


def test_after_commit_runs_for_what_was_kept_only(store: Store) -> None:
    done: list[str] = []

    def unit(tx: Tx, *, fail: bool) -> None:
        tx.after_commit(lambda: done.append("failed" if fail else "kept"))
        if fail:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        store.write(lambda tx: unit(tx, fail=True))
    store.write(lambda tx: unit(tx, fail=False))
    assert done == ["kept"]
