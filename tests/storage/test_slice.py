"""The storage slice without a wire: facts of access, files for other slices, /gcs, restarts, the gRPC method."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core import uris
from trigpoint.core.call import Caller
from trigpoint.core.clock import SECOND, SystemClock, SystemIds
from trigpoint.core.errors import InvalidArgument, NotFound, PermissionDenied, Unauthenticated
from trigpoint.core.uris import GsUri
from trigpoint.core.wire import RpcCall, Unary
from trigpoint.domains.storage import Storage, Target, rules
from trigpoint.domains.storage.listing import Listing
from trigpoint.domains.storage.rules import Hashes, Query
from trigpoint.store import Store, telemetry
from trigpoint.store.objects import ObjectRow
from trigpoint.surfaces.gcs import Threads, rpc_table
from trigpoint.surfaces.gcs.control import fields, text_field

OWNER = Caller("me@p.iam.gserviceaccount.com", "1")
REPLICA = Caller("me@p.iam.gserviceaccount.com", "1", replica="attempts/a/replicas/0", tenant="t-tp")
STRANGER = Caller("you@q.iam.gserviceaccount.com", "2")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/trigpoint.db", f"sqlite:///{tmp_path}/telemetry.db")
    yield opened
    opened.close()


@pytest.fixture
def storage(store: Store, tmp_path: Path) -> Storage:
    made = Storage(store, tmp_path, SystemClock(), SystemIds(), lambda project: project)
    made.start()
    made.buckets.create(OWNER, "1", "mine", {})
    return made


def test_facts_are_merged_by_replica_and_generation(storage: Storage, store: Store) -> None:
    row = storage.files.write("1", "gs://mine/data.csv", b"12345", caller=OWNER)
    for _ in range(3):
        storage.files.read_bytes("1", "gs://mine/data.csv", 10, caller=REPLICA)
    storage.tick()
    storage.files.read_bytes("1", "gs://mine/data.csv", 10, caller=REPLICA)
    storage.tick()
    facts = store.telemetry.read(lambda tx: telemetry.accesses_of_object(tx, "gs://mine/data.csv"))
    found = {(fact.attempt, fact.write): (fact.identity, fact.generation, fact.bytes, fact.count) for fact in facts}
    assert found == {
        ("", True): (OWNER.email, row.generation, 5, 1),
        (REPLICA.replica, False): (OWNER.email, row.generation, 20, 4),
    }
    assert all(fact.project == "1" for fact in facts)


def test_facts_wait_for_a_store_that_fails(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(store, tmp_path, SystemClock(), SystemIds(), lambda project: project)
    storage.start()
    storage.buckets.create(OWNER, "1", "mine", {})
    storage.files.write("1", "gs://mine/x", b"1")
    with monkeypatch.context() as broken:
        broken.setattr(store.telemetry, "write", _no_room)
        with pytest.raises(NotFound):
            storage.access.flush()
        storage.files.write("1", "gs://mine/y", b"22")
    assert storage.access.flush() == 2
    taken = store.telemetry.read(lambda tx: telemetry.accesses_of_attempt(tx, ""))
    assert [(fact.uri, fact.bytes) for fact in taken] == [("gs://mine/x", 1), ("gs://mine/y", 2)]


def _no_room(unit: object) -> None:
    raise NotFound("no room")


def test_files_say_which_field_is_wrong_and_what_to_do(storage: Storage) -> None:
    files = storage.files
    with pytest.raises(InvalidArgument, match=r"staging_bucket.*gs://"):
        files.check_bucket("1", "s3://x", "staging_bucket")
    with pytest.raises(NotFound, match=r"staging_bucket: the bucket absent-bucket .*[Cc]reate it"):
        files.check_bucket("1", "gs://absent-bucket/x", "staging_bucket")
    with pytest.raises(NotFound) as theirs:
        files.check_bucket("2", "gs://mine/x", "f")
    with pytest.raises(NotFound) as absent:
        files.check_bucket("2", "gs://none/x", "f")
    assert theirs.value.message.replace("mine", "none") == absent.value.message
    with pytest.raises(NotFound, match=r"package_uris: .*gs://mine/none"):
        files.read_bytes("1", "gs://mine/none", 10, "package_uris")
    files.write("1", "gs://mine/x", iter([b"\xff", b"12"]))
    with pytest.raises(InvalidArgument, match="3 bytes"):
        files.read_bytes("1", "gs://mine/x", 2)
    with pytest.raises(InvalidArgument, match="UTF-8"):
        files.read_text("1", "gs://mine/x", 20)
    assert files.exists("1", "gs://mine/x")
    assert not files.exists("1", "gs://mine/y")
    assert not files.exists("1", "gs://mine")


def test_files_list_delete_and_trees(storage: Storage, tmp_path: Path) -> None:
    for number in range(5):
        storage.files.write("1", f"gs://mine/d/{number}", b"x")
    assert [str(uri) for uri, _ in storage.files.list("1", "gs://mine/d/")] == [f"gs://mine/d/{n}" for n in range(5)]
    storage.files.delete("1", "gs://mine/d/0")
    assert not storage.files.exists("1", "gs://mine/d/0")
    assert storage.files.trees("1") == {"mine": tmp_path / "buckets" / "mine"}
    assert storage.files.trees("2") == {}
    (tmp_path / "local").write_bytes(b"local")
    storage.files.adopt_file("1", "gs://mine/local", tmp_path / "local")
    assert storage.files.read_text("1", "gs://mine/local", 10) == "local"


def test_a_pin_keeps_bytes_through_overwrites(storage: Storage) -> None:
    storage.files.write("1", "gs://mine/x", b"1")
    pinned = storage.files.pin("1", "gs://mine/x")
    storage.files.write("1", "gs://mine/x", b"2")
    with storage.things.open(OWNER, Target("mine", "x", pinned.generation)) as reading:
        assert reading.read(0, 9) == b"1"
    with pytest.raises(NotFound):
        storage.files.pin("1", "gs://mine/none")


def test_what_a_job_leaves_under_gcs(storage: Storage, store: Store) -> None:
    folder = storage.files.tree_path("mine") / "out"
    folder.mkdir()
    (folder / "model.json").write_bytes(b"{}")
    [made] = storage.files.rescan("mine", "out/").adopted
    assert made.name == b"out/model.json"
    storage.files.note(REPLICA, made, write=True)
    row = storage.things.get(OWNER, Target("mine", "out/model.json"))
    assert b"application/json" in row.attributes
    storage.tick()
    [fact] = store.telemetry.read(lambda tx: telemetry.accesses_of_attempt(tx, REPLICA.replica))
    assert (fact.uri, fact.write, fact.bytes) == ("gs://mine/out/model.json", True, 2)
    with pytest.raises(Exception, match="not empty"):
        storage.buckets.delete(OWNER, "mine", rules.Preconditions())


def test_a_bucket_that_is_not_empty_is_refused_without_looking_at_all_that_lies_in_it(storage: Storage) -> None:
    folder = storage.files.tree_path("mine")
    for number in range(100):
        (folder / f"{number:03}").write_bytes(b"")
    with pytest.raises(Exception, match="not empty"):
        storage.buckets.delete(OWNER, "mine", rules.Preconditions())
    assert len(storage.files.rescan("mine").adopted) == 99
    for path in folder.iterdir():
        path.unlink()
    storage.buckets.delete(OWNER, "mine", rules.Preconditions())


def test_a_session_is_its_beginners_and_survives_a_restart(storage: Storage, store: Store, tmp_path: Path) -> None:
    ident = storage.uploads.begin(OWNER, Target("mine", "big"), {"contentType": "a/b"}, Hashes())
    with storage.uploads.appending(OWNER, ident) as session:
        session.write(0, b"abc")
    with pytest.raises(PermissionDenied):
        storage.uploads.status(Caller("colleague@p", "1"), ident)
    with pytest.raises(PermissionDenied):
        storage.uploads.status(STRANGER, ident)
    again = Storage(store, tmp_path, SystemClock(), SystemIds(), lambda project: project)
    again.start()
    row = again.uploads.finish(OWNER, ident, 3, Hashes())
    assert (row.size, row.attributes) == (3, b'{"contentType":"a/b"}')
    assert again.uploads.finish(OWNER, ident, 3, Hashes()) == row


def test_sessions_that_are_too_old_go_while_the_server_runs(store: Store, tmp_path: Path) -> None:
    class Hands(SystemClock):
        ahead = 0

        def wall(self) -> int:
            return super().wall() + self.ahead * SECOND

        def monotonic(self) -> float:
            return super().monotonic() + self.ahead

    clock = Hands()
    storage = Storage(store, tmp_path, clock, SystemIds(), lambda segment: "1")
    storage.start()
    storage.buckets.create(OWNER, "1", "yours", {})
    ident = storage.uploads.begin(OWNER, Target("yours", "big"), {}, Hashes())
    storage.tick()
    storage.uploads.status(OWNER, ident)
    clock.ahead = 8 * 86_400
    storage.tick()
    with pytest.raises(NotFound, match="expired"):
        storage.uploads.status(OWNER, ident)


def test_the_layout_of_a_bucket_over_grpc(storage: Storage) -> None:
    threads = Threads(1)

    def authenticate(headers: object, replica: str) -> Caller:
        if replica == "none":
            raise Unauthenticated("Invalid Credentials")
        return STRANGER if replica == "stranger" else OWNER

    table = rpc_table(storage, threads, authenticate)
    [(method, row)] = table.items()
    assert isinstance(row, Unary)
    handle = row.handle

    def ask(name: str, replica: str = "") -> dict[int, str]:
        async def run() -> bytes:
            return await handle(RpcCall(method, text_field(1, name) + text_field(2, "p" * 300), {}, replica))

        return fields(asyncio.run(run()))

    name = "projects/_/buckets/mine/storageLayout"
    assert ask(name) == {1: name, 2: "US-CENTRAL1", 3: "region"}
    for wrong, replica, error in [
        (name, "none", Unauthenticated),
        (name, "stranger", PermissionDenied),
        ("projects/_/buckets/none/storageLayout", "", NotFound),
        ("mine", "", InvalidArgument),
    ]:
        with pytest.raises(error):
            ask(wrong, replica)
    with pytest.raises(InvalidArgument):
        fields(b"\x0a\xff")
    threads.close()


@given(st.text(max_size=40))
def test_parsing_a_uri_never_does_anything_but_say_what_is_wrong(text: str) -> None:
    for candidate in (text, f"gs://{text}", f"gs://bucket/{text}"):
        with suppress(InvalidArgument):
            parsed = uris.parse(candidate, "f")
            assert uris.parse(str(parsed), "f") == parsed


def test_uris_are_built() -> None:
    assert str(GsUri("b").below("a", "c")) == "gs://b/a/c"
    assert str(uris.parse("gs://bkt/a/").below("c")) == "gs://bkt/a/c"
    assert uris.bucket_fault("a" * 64)
    assert not uris.bucket_fault("a.b-c_d")
    assert uris.new_bucket_fault("my-google-thing")


def row(name: bytes, generation: int = 1) -> ObjectRow:
    return ObjectRow("b", name, generation, True, 1, 0, 0, "", "", 0, 0, 0, 0, 0, False, b"{}")


NAMES = st.lists(st.text("ab/", min_size=1, max_size=6), max_size=40, unique=True)


@given(NAMES, st.text("ab/", max_size=2), st.sampled_from(["", "/", "a/"]), st.integers(1, 5), st.booleans())
def test_pages_hold_everything_once_and_in_order(
    names: list[str], prefix: str, delimiter: str, limit: int, trailing: bool
) -> None:
    rows = sorted((row(name.encode()) for name in names), key=lambda each: each.name)

    def fetch(start: bytes, end: bytes | None, count: int, after: int) -> list[ObjectRow]:
        return [
            r
            for r in rows
            if (r.name > start or (r.name == start and r.generation > after)) and (end is None or r.name < end)
        ][:count]

    items: list[bytes] = []
    prefixes: list[bytes] = []
    token = ""
    while True:
        query = Query(prefix.encode(), delimiter.encode(), limit=limit, token=token, trailing=trailing)
        page = Listing("b", query, fetch).page()
        assert len(page.items) + len(page.prefixes) <= limit + trailing
        items += [r.name for r in page.items]
        prefixes += page.prefixes
        token = page.token
        if not token:
            break
    folded = set()
    plain = set()
    for name in names:
        if not name.startswith(prefix):
            continue
        at = name.find(delimiter, len(prefix)) if delimiter else -1
        if at < 0:
            plain.add(name.encode())
            continue
        fold = name[: at + len(delimiter)]
        folded.add(fold.encode())
        if trailing and fold == name:
            plain.add(name.encode())
    assert items == sorted(plain)
    assert prefixes == sorted(folded)


def test_a_token_of_another_list_is_refused(storage: Storage) -> None:
    for name in "abc":
        storage.files.write("1", f"gs://mine/{name}", b"")
    token = storage.things.list(OWNER, "mine", Query(limit=1)).token
    assert [r.name for r in storage.things.list(OWNER, "mine", Query(limit=1, token=token)).items] == [b"b"]
    for query in (Query(prefix=b"a", token=token), Query(versions=True, token=token), Query(token=token[:-3] + "AAA")):
        with pytest.raises(InvalidArgument, match="pageToken"):
            storage.things.list(OWNER, "mine", query)


@pytest.mark.parametrize(
    ("pattern", "fits", "misses"),
    [
        ("*.csv", ["a.csv"], ["d/a.csv", "a.csvx"]),
        ("**.csv", ["a.csv", "d/e/a.csv"], ["a.txt"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[a-c]x", ["bx"], ["dx"]),
        ("[!a]x", ["bx"], ["ax"]),
        ("{a,b*}/x", ["a/x", "bcd/x"], ["c/x"]),
        ("a+(b).c", ["a+(b).c"], ["aab.c"]),
        ("a[b", ["a[b"], ["ab"]),
        ("a}b,c", ["a}b,c"], ["ab"]),
    ],
)
def test_globs(pattern: str, fits: list[str], misses: list[str]) -> None:
    assert all(rules.glob(pattern).found_in(name) for name in fits)
    assert not any(rules.glob(pattern).found_in(name) for name in misses)


@given(st.text(alphabet="ab*?[]{}!^-,\\/", max_size=12))
def test_no_glob_is_an_internal_error(pattern: str) -> None:
    with suppress(InvalidArgument):
        rules.glob(pattern).found_in("aab/b")


@pytest.mark.parametrize("pattern", ["{" * 20_000 + "}", "*a" * 5000, "[a]" * 1000])
def test_globs_beyond_all_measure_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidArgument, match="matchGlob"):
        rules.glob(pattern)


def test_a_glob_made_to_take_for_ever_does_not(storage: Storage) -> None:
    storage.files.write("1", f"gs://mine/{'a' * 200}", b"")
    assert storage.things.list(OWNER, "mine", Query(glob="*a" * 100 + "b")).items == []


def test_attributes_of_wrong_kinds_are_refused() -> None:
    for wrong in (
        {"metadata": "x"}, {"metadata": {"a": 1}}, {"contentType": 5}, {"temporaryHold": "yes"},
        {"storageClass": "GOLD"}, {"metadata": {"a": "x" * 9000}}, {"contentType": "x" * 3000},
        {"contentDisposition": "x" * 3000},
    ):  # fmt: skip
        with pytest.raises(InvalidArgument):
            rules.checked_object(wrong)
    assert rules.new_object({"name": "x", "generation": "5", "contentType": "a/b"}, "") == {"contentType": "a/b"}


def test_what_adds_up_is_refused_when_it_is_too_much(storage: Storage) -> None:
    attributes = rules.new_object({"metadata": {"a": "x" * 5000}}, "")
    with pytest.raises(InvalidArgument, match="holds more than 8192 bytes"):
        rules.changed_object(attributes, {"metadata": {"b": "x" * 5000}}, whole=False)
    many = {f"k{n}": "v" for n in range(50_000)}
    with pytest.raises(InvalidArgument, match="hold at most"):
        storage.buckets.create(OWNER, "1", "other", {"labels": many})
    with pytest.raises(InvalidArgument, match="hold at most"):
        storage.buckets.change(OWNER, "mine", {"labels": many}, rules.Preconditions(), whole=False)
    with pytest.raises(InvalidArgument, match="hold at most"):
        storage.buckets.set_policy(OWNER, "mine", {"bindings": [{"role": "r", "members": list(many)}]})
