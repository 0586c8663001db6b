"""What every store promises about due work, on both databases."""

import threading
from collections.abc import Callable

import pytest

from trigpoint.core.errors import Aborted
from trigpoint.store import Store, Tx, work
from trigpoint.store.work import Item

JOB = "projects/1/locations/l/customJobs/1"


def put(store: Store, due: int, name: str = JOB) -> None:
    store.write(lambda tx: work.put(tx, "customJobs", name, due))


def claim(store: Store, now: int, token: str = "t", lease: int = 1_000, limit: int = 10) -> list[Item]:
    return store.write(lambda tx: work.claim(tx, now, token, lease, limit))


def next_due(store: Store) -> int | None:
    return store.read(work.next_due)


def test_an_item_is_claimed_when_due_and_by_one(store: Store) -> None:
    assert next_due(store) is None
    put(store, 50)
    assert next_due(store) == 50
    assert claim(store, 49) == []
    [item] = claim(store, 50)
    assert (item.kind, item.name, item.failures) == ("customJobs", JOB, 0)
    assert claim(store, 60, "other") == []
    store.write(lambda tx: work.finish(tx, item))
    assert next_due(store) is None


def test_a_put_makes_earlier_never_later(store: Store) -> None:
    put(store, 50)
    put(store, 70)
    assert next_due(store) == 50
    put(store, 20)
    assert next_due(store) == 20


def test_a_wake_during_work_is_not_lost(store: Store) -> None:
    put(store, 0)
    [item] = claim(store, 0)
    put(store, 30)
    put(store, 10)
    store.write(lambda tx: work.finish(tx, item))
    assert next_due(store) == 10
    [item] = claim(store, 10)
    put(store, 12)
    store.write(lambda tx: work.reschedule(tx, item, 500, 3))
    assert next_due(store) == 12
    [item] = claim(store, 12)
    assert item.failures == 3
    store.write(lambda tx: work.reschedule(tx, item, 500, 4))
    assert next_due(store) == 500


def test_a_lost_lease_is_noticed(store: Store) -> None:
    put(store, 0)
    [old] = claim(store, 0, "a", lease=100)
    put(store, 900)
    [new] = claim(store, 100, "b", lease=200)
    changes: list[Callable[[Tx, Item], None]] = [
        work.finish,
        lambda tx, item: work.reschedule(tx, item, 7),
        lambda tx, item: work.renew(tx, item, 9),
    ]
    for change in changes:
        with pytest.raises(Aborted):
            store.write(lambda tx, change=change: change(tx, old))  # type: ignore[misc]
    store.write(lambda tx: work.renew(tx, new, 400))
    assert claim(store, 300, "c") == []
    store.write(lambda tx: work.finish(tx, new))
    assert next_due(store) == 900


def test_a_dead_servers_items_are_released(store: Store) -> None:
    put(store, 0)
    put(store, 10_000, "later")
    claim(store, 0, "dead", lease=10**9)
    assert store.write(work.release_all) == 1
    [item] = claim(store, 1, "new")
    assert item.name == JOB
    store.write(lambda tx: work.drop(tx, "customJobs", JOB))
    assert next_due(store) == 10_000


def test_racing_claims_share_the_items(store: Store) -> None:
    for i in range(40):
        put(store, 0, f"job{i:02}")
    names: list[str] = []

    def worker(token: str) -> None:
        while items := claim(store, 0, token, limit=3):
            names.extend(item.name for item in items)

    threads = [threading.Thread(target=worker, args=(str(i),)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == [f"job{i:02}" for i in range(40)]
