"""A declared resource gets its name, times, etag, row, history and work item in one transaction."""

import pytest

from trigpoint.core import messages
from trigpoint.core.errors import Aborted, AlreadyExists, InvalidArgument, NotFound
from trigpoint.core.names import pattern
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_pb import Dataset
from trigpoint.kernel.resource import Fact, Kernel, Kind, check_etag
from trigpoint.store import events, work

DATASET = Kind(
    noun="Dataset",
    message=Dataset,
    pattern=pattern("projects/{project}/locations/{location}/datasets/{dataset}"),
    mutable=frozenset({"display_name"}),
)
PARENT = "projects/123/locations/us-central1"


def test_create_fills_name_times_and_etag_and_keeps_the_json(kernel: Kernel) -> None:
    made = kernel.create(DATASET, PARENT, Dataset(display_name="d", labels={"a": "b"}))
    read = kernel.load(DATASET, made.row.name)
    assert read.message.name.startswith(f"{PARENT}/datasets/")
    assert messages.micros(read.message.create_time) == read.row.create_time  # type: ignore[arg-type]
    assert read.message.etag.isdigit()
    assert len(read.message.etag) == 16
    assert messages.from_json(Dataset, read.row.json) == read.message
    assert (read.row.display_name, read.row.labels) == ("d", {"a": "b"})


def test_a_resource_that_no_client_could_take_is_refused(kernel: Kernel) -> None:
    with pytest.raises(InvalidArgument, match="at most 4194304 are kept"):
        kernel.create(DATASET, PARENT, Dataset(description="x" * (5 << 20)))


def test_create_or_get_by_id_refuses_a_second(kernel: Kernel) -> None:
    kernel.create(DATASET, PARENT, Dataset(), ident="7")
    with pytest.raises(AlreadyExists, match="datasets/7 already exists"):
        kernel.create(DATASET, PARENT, Dataset(), ident="7")


def test_missing_names_the_thing(kernel: Kernel) -> None:
    with pytest.raises(NotFound, match=r"The Dataset '.*datasets/9' does not exist"):
        kernel.load(DATASET, f"{PARENT}/datasets/9")
    assert kernel.find(DATASET, f"{PARENT}/datasets/9") is None


def test_a_stale_save_loses_and_changes_nothing(kernel: Kernel) -> None:
    first = kernel.create(DATASET, PARENT, Dataset(display_name="one"))
    changed = messages.copy(first.message)
    changed.display_name = "two"
    kernel.store.write(lambda tx: kernel.save(tx, DATASET, first, changed))
    with pytest.raises(Aborted):
        kernel.store.write(lambda tx: kernel.save(tx, DATASET, first, changed))
    assert kernel.load(DATASET, first.row.name).message.display_name == "two"


def test_notes_facts_and_work_commit_with_the_change(kernel: Kernel) -> None:
    made = kernel.create(DATASET, PARENT, Dataset(), notes={"phase": 1}, wake=True, facts=(Fact("dataset.created"),))
    assert kernel.load(DATASET, made.row.name).notes == {"phase": 1}
    told = kernel.store.read(lambda tx: events.after(tx, 0, 10))
    assert [(e.kind, e.subject, e.project) for e in told] == [("dataset.created", made.row.name, "123")]
    assert [(kind, name) for kind, name, _, _ in kernel.store.read(work.everything)] == [("datasets", made.row.name)]


def test_etags_are_compared_only_when_given() -> None:
    check_etag(DATASET, "", "0000000000000001")
    check_etag(DATASET, "1", "1")
    with pytest.raises(Aborted, match="Specified Dataset `etag`: `1` does not match server `etag`: `2`"):
        check_etag(DATASET, "1", "2")
