"""What every store promises about the rows of resources, on both databases."""

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement

from trigpoint.core.errors import Aborted, AlreadyExists, InvalidArgument, TrigpointError
from trigpoint.store import Store, Tx, resources
from trigpoint.store.queries import COLUMNS, has_label, json_at, label, label_is
from trigpoint.store.resources import Order, Row
from trigpoint.store.rows import RESOURCES

PARENT = "projects/1/locations/l"


def row(ident: str = "1", **values: object) -> Row:
    start = Row(
        name=f"{PARENT}/customJobs/{ident}",
        kind="customJobs",
        parent=PARENT,
        message=b"\x0a\x01\xff",
        json=b'{"displayName":"a"}',
        state="JOB_STATE_PENDING",
        display_name="a",
        labels={"team": "birds"},
        create_time=1_000,
        update_time=1_000,
        notes={"step": 1},
    )
    return replace(start, **values)  # type: ignore[arg-type]


def insert(store: Store, *rows: Row) -> list[Row]:
    return store.write(lambda tx: [resources.insert(tx, each) for each in rows])


def found(store: Store, where: ColumnElement[bool]) -> list[str]:
    page = store.read(lambda tx: resources.select(tx, "customJobs", PARENT, where, order=()))
    return [each.name.rsplit("/", 1)[1] for each in page.rows]


def test_a_row_comes_back_as_it_went_in(store: Store) -> None:
    [stored] = insert(store, row())
    assert stored == row(version=1)
    assert store.read(lambda tx: resources.get(tx, stored.name)) == stored
    assert store.read(lambda tx: resources.get(tx, "projects/1/locations/l/customJobs/none")) is None


def test_a_name_is_taken_once(store: Store) -> None:
    insert(store, row())
    with pytest.raises(AlreadyExists, match="customJobs/1"):
        insert(store, row())


def test_an_update_compares_the_version(store: Store) -> None:
    [first] = insert(store, row())
    second = store.write(lambda tx: resources.update(tx, replace(first, state="X", labels={"a": "b"})))
    assert (second.version, second.state) == (2, "X")
    with pytest.raises(Aborted):
        store.write(lambda tx: resources.update(tx, replace(first, state="Y")))
    assert store.read(lambda tx: resources.get(tx, first.name)) == second
    assert found(store, label_is("a", "b")) == ["1"]
    assert found(store, has_label("team")) == []


def test_a_delete_compares_the_version_and_a_new_life_goes_on_counting(store: Store) -> None:
    [first] = insert(store, row())
    second = store.write(lambda tx: resources.update(tx, replace(first, state="X")))
    with pytest.raises(Aborted):
        store.write(lambda tx: resources.delete(tx, first))
    store.write(lambda tx: resources.delete(tx, second))
    assert store.read(lambda tx: resources.get(tx, first.name)) is None
    assert found(store, has_label("team")) == []
    with pytest.raises(Aborted):
        store.write(lambda tx: resources.delete(tx, second))
    [again] = insert(store, row())
    assert again.version > second.version


def test_a_unit_that_raises_leaves_nothing(store: Store) -> None:
    def unit(tx: Tx, *, writing: bool = True) -> None:
        if writing:
            resources.insert(tx, row())
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        store.write(unit)
    assert caught.value.__cause__ is None
    with pytest.raises(KeyError, match="mine") as caught:
        store.read(lambda tx: unit(tx, writing=False))
    assert caught.value.__cause__ is None
    assert store.read(lambda tx: resources.count(tx, "customJobs")) == 0


def test_many_threads_on_one_row_have_one_winner_per_version(store: Store) -> None:
    [first] = insert(store, row(notes={}))
    wins: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        for _ in range(10):
            seen = store.read(lambda tx: resources.get(tx, first.name))
            assert seen is not None
            try:
                won = store.write(lambda tx, seen=seen: resources.update(tx, replace(seen, state=str(seen.version))))  # type: ignore[misc]
            except Aborted:
                continue
            with lock:
                wins.append(won.version)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = store.read(lambda tx: resources.get(tx, first.name))
    assert last is not None
    assert sorted(wins) == list(range(2, last.version + 1))


def test_racing_creates_of_one_name_have_one_winner(store: Store) -> None:
    answers: list[str] = []

    def work() -> None:
        try:
            insert(store, row())
            answers.append("won")
        except AlreadyExists:
            answers.append("lost")

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["lost"] * 11 + ["won"]


@pytest.mark.parametrize(
    "order",
    [
        (),
        (Order(RESOURCES.c.create_time, True),),
        (Order(RESOURCES.c.state), Order(RESOURCES.c.create_time, True)),
        (Order(json_at(["n"]).number, True), Order(json_at(["s"]).text)),
    ],
)
def test_pages_visit_each_row_once_in_order(store: Store, order: tuple[Order, ...]) -> None:
    rows = [
        row(f"{i:02}", state=f"S{i % 3}", create_time=i // 2, json=b'{"n":"%d","s":"x%d"}' % (i % 4, i % 2))
        for i in range(23)
    ]
    insert(store, *rows)
    whole = store.read(lambda tx: resources.select(tx, "customJobs", PARENT, order=order, limit=100))
    assert whole.next is None
    assert len(whole.rows) == 23
    paged: list[Row] = []
    after = None
    while True:
        page = store.read(lambda tx, after=after: resources.select(tx, "customJobs", PARENT, None, order, after, 5))  # type: ignore[misc]
        paged += page.rows
        after = page.next
        if after is None:
            break
    assert paged == whole.rows


@pytest.mark.parametrize(("enough", "lengths"), [(1, [1] * 7), (2500, [3, 3, 1]), (1 << 20, [5, 2])])
def test_a_page_ends_when_it_has_enough_bytes(store: Store, enough: int, lengths: list[int]) -> None:
    insert(store, *(row(f"{i:02}", message=b"x" * 1000) for i in range(7)))
    pages: list[list[Row]] = []
    after = None
    while not pages or after is not None:
        page = store.read(
            lambda tx, after=after: resources.select(tx, "customJobs", PARENT, after=after, limit=5, enough=enough)  # type: ignore[misc]
        )
        pages.append(page.rows)
        after = page.next
    assert [len(rows) for rows in pages] == lengths
    assert len({each.name for rows in pages for each in rows}) == 7


def test_parents_are_matched_whole_or_by_prefix(store: Store) -> None:
    names = ["projects/1/locations/a", "projects/1/locations/ab", "projects/12/locations/a"]
    insert(store, *(row(name=f"{parent}/customJobs/1", parent=parent) for parent in names))

    def parents(prefix: str) -> list[str]:
        return [
            each.parent for each in store.read(lambda tx: resources.select(tx, "customJobs", prefix, order=())).rows
        ]

    assert parents("projects/1/locations/a") == names[:1]
    assert parents("projects/1/") == names[:2]
    assert parents("") == names
    assert store.read(lambda tx: resources.count(tx, "customJobs", "projects/1/")) == 2


def test_conditions_on_labels_columns_and_json(store: Store) -> None:
    insert(
        store,
        row("1", labels={"a": "x", "b": "y"}, json=b'{"big":"9007199254740993","f":1.5,"on":true,"o":{"k k":"v"}}'),
        row("2", labels={"a": "z"}, json=b'{"f":2,"on":false,"t":"a\\u0000b"}', state="DONE"),
        row("3", labels={}, json=b""),
    )
    assert found(store, label("a") == "x") == ["1"]
    assert found(store, label_is("a", "z")) == ["2"]
    assert found(store, has_label("a")) == ["1", "2"]
    assert found(store, COLUMNS["state"] == "DONE") == ["2"]
    assert found(store, json_at(["big"]).number == 9007199254740993) == ["1"]
    assert found(store, json_at(["f"]).number >= 2) == ["2"]
    assert found(store, json_at(["f"]).number == 0) == ["3"]
    assert found(store, json_at(["on"]).boolean) == ["1"]
    assert found(store, ~json_at(["on"]).boolean) == ["2", "3"]
    assert found(store, json_at(["on"]).present) == ["1", "2"]
    assert found(store, json_at(["o", "k k"]).text == "v") == ["1"]
    assert found(store, json_at(["o", "none"]).text == "") == ["1", "2", "3"]
    with pytest.raises(InvalidArgument):
        json_at(['a"b'])


def test_get_all_returns_those_that_exist(store: Store) -> None:
    rows = insert(store, *(row(str(i)) for i in range(3)))
    names = [each.name for each in rows]
    assert store.read(lambda tx: resources.get_all(tx, [*names, "none"])) == {each.name: each for each in rows}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=20), data=st.binary(max_size=50), number=st.integers(-(2**70), 2**70))
def test_any_value_is_stored_exactly_or_refused(store: Store, text: str, data: bytes, number: int) -> None:
    given_row = row("h", display_name=text, message=data, create_time=number, labels={text: text}, notes={text: text})
    try:
        [stored] = insert(store, given_row)
    except InvalidArgument:
        assert "\x00" in text or abs(number) >= 2**63 or not text.isascii()
        return
    except TrigpointError as error:  # pragma: no cover - shows what came instead
        pytest.fail(repr(error))
    seen = store.read(lambda tx: resources.get(tx, stored.name))
    assert seen == stored
    assert replace(stored, version=0) == given_row
    store.write(lambda tx: resources.delete(tx, stored))
