"""What every store promises about unfinished work, on both databases."""

from trigpoint.store import Store, work

JOB = "projects/1/locations/us-central1/customJobs/7"


def test_a_put_is_kept_until_it_is_finished(store: Store) -> None:
    store.write(lambda tx: work.put(tx, "customJobs", JOB, 100, 1))
    assert store.read(work.everything) == [("customJobs", JOB, 100, 1)]
    assert store.write(lambda tx: work.finish(tx, "customJobs", JOB, 1))
    assert store.read(work.everything) == []


def test_putting_again_keeps_the_earlier_instant_and_the_newer_stamp(store: Store) -> None:
    for due, stamp in ((100, 1), (300, 2), (50, 3)):
        store.write(lambda tx, due=due, stamp=stamp: work.put(tx, "customJobs", JOB, due, stamp))  # type: ignore[misc]
    assert store.read(work.everything) == [("customJobs", JOB, 50, 3)]


def test_a_put_after_the_work_was_taken_survives_its_end(store: Store) -> None:
    store.write(lambda tx: work.put(tx, "customJobs", JOB, 100, 1))
    store.write(lambda tx: work.put(tx, "customJobs", JOB, 100, 2))
    assert not store.write(lambda tx: work.finish(tx, "customJobs", JOB, 1))
    assert store.read(work.everything) == [("customJobs", JOB, 100, 2)]


def test_kinds_do_not_mix(store: Store) -> None:
    store.write(lambda tx: work.put(tx, "customJobs", JOB, 100, 1))
    assert not store.write(lambda tx: work.finish(tx, "trainingPipelines", JOB, 9))
    assert len(store.read(work.everything)) == 1
