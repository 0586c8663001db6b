"""What the telemetry database promises, on both databases."""

import threading

from trigpoint.store import Store, Tx, telemetry
from trigpoint.store.telemetry import Access, Heartbeat, LogBlock, Point


def test_log_blocks_are_indexed_and_found_by_time(store: Store) -> None:
    blocks = [
        LogBlock("r", "stdout", 0, 0, 100, 0, 3, 10, 19, {"INFO": 3}),
        LogBlock("r", "stdout", 0, 100, 50, 3, 2, 20, 29, {"ERROR": 1, "INFO": 1}),
        LogBlock("r", "stderr", 0, 0, 10, 0, 1, 15, 15),
    ]
    store.telemetry.write(lambda tx: telemetry.index_logs(tx, blocks))
    grown = LogBlock("r", "stdout", 0, 100, 80, 3, 4, 20, 35, {"INFO": 4})
    store.telemetry.write(lambda tx: telemetry.index_logs(tx, [grown]))
    assert store.telemetry.read(lambda tx: telemetry.log_blocks(tx, "r")) == [blocks[2], blocks[0], grown]
    assert store.telemetry.read(lambda tx: telemetry.log_blocks(tx, "r", stream="stdout", since=30)) == [grown]
    assert store.telemetry.read(lambda tx: telemetry.log_blocks(tx, "r", until=15)) == [blocks[0]]
    assert store.telemetry.read(lambda tx: telemetry.log_blocks(tx, "other")) == []


def test_series_are_kept_per_replica_and_metric(store: Store) -> None:
    points = [Point("r", metric, time, time / 4) for metric in ("cpu", "memory") for time in range(10)]
    store.telemetry.write(lambda tx: telemetry.add_points(tx, points))
    store.telemetry.write(lambda tx: telemetry.add_points(tx, [Point("r", "cpu", 3, 9.5)]))
    assert store.telemetry.read(lambda tx: telemetry.metrics(tx, "r")) == ["cpu", "memory"]
    found = store.telemetry.read(lambda tx: telemetry.points(tx, "r", "cpu", 2, 5))
    assert [(p.time, p.value) for p in found] == [(2, 0.5), (3, 9.5), (4, 1.0)]
    assert len(store.telemetry.read(lambda tx: telemetry.points(tx, "r", "memory", limit=4))) == 4


def test_the_newest_heartbeat_wins(store: Store) -> None:
    def beat(time: int) -> None:
        store.telemetry.write(lambda tx: telemetry.beat(tx, [Heartbeat("r", time, {"t": time}), Heartbeat("q", 1)]))

    beat(5)
    beat(9)
    beat(7)
    found = store.telemetry.read(lambda tx: telemetry.heartbeats(tx, ["r", "q", "none"]))
    assert found == {"r": Heartbeat("r", 9, {"t": 9}), "q": Heartbeat("q", 1)}
    assert store.telemetry.read(lambda tx: telemetry.silent(tx, 9)) == ["q"]
    assert store.telemetry.read(lambda tx: telemetry.silent(tx, 10)) == ["q", "r"]


def test_accesses_are_merged_from_any_thread(store: Store) -> None:
    def record(time: int) -> None:
        access = Access("r", "me", "gs://b/o", 3, False, "1", 10, 1, time, time)
        other = Access("r", "me", "gs://b/o", 3, True, "1", 1, 1, time, time)
        store.telemetry.write(lambda tx: telemetry.record_accesses(tx, [access, other]))

    threads = [threading.Thread(target=record, args=(time,)) for time in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read, write = sorted(store.telemetry.read(lambda tx: telemetry.accesses_of_attempt(tx, "r")), key=lambda a: a.write)
    assert read == Access("r", "me", "gs://b/o", 3, False, "1", 120, 12, 1, 12)
    assert (write.bytes, write.count) == (12, 12)
    assert len(store.telemetry.read(lambda tx: telemetry.accesses_of_object(tx, "gs://b/o"))) == 2
    assert store.telemetry.read(lambda tx: telemetry.accesses_of_object(tx, "gs://b/o", 4)) == []


def test_what_is_old_is_pruned(store: Store) -> None:
    def unit(tx: Tx) -> None:
        for replica, time in (("old", 10), ("new", 50)):
            telemetry.beat(tx, [Heartbeat(replica, time)])
            telemetry.add_points(tx, [Point(replica, "cpu", time, 1.0)])
            telemetry.index_logs(tx, [LogBlock(replica, "stdout", 0, 0, 1, 0, 1, time, time)])
            telemetry.record_accesses(tx, [Access(replica, "me", "gs://b/o", 1, False, last_time=time)])

    store.telemetry.write(unit)
    assert store.telemetry.write(lambda tx: telemetry.prune(tx, 20)) == 2
    assert store.telemetry.write(lambda tx: telemetry.prune(tx, 20)) == 0
    assert store.telemetry.read(lambda tx: telemetry.metrics(tx, "old")) == []
    assert store.telemetry.read(lambda tx: telemetry.metrics(tx, "new")) == ["cpu"]
    assert store.telemetry.read(lambda tx: telemetry.log_blocks(tx, "old")) == []
    assert [a.attempt for a in store.telemetry.read(lambda tx: telemetry.accesses_of_object(tx, "gs://b/o"))] == ["new"]
