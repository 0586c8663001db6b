"""The rules of the metadata service."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import FailedPrecondition, InvalidArgument
from trigpoint.core.pb.google.cloud.aiplatform.v1.artifact_pb import Artifact
from trigpoint.domains.lineage import rules

STORE = "projects/1/locations/l/metadataStores/default"


@pytest.mark.parametrize("ident", ["default", "a-b-c", "0000", "a" * 128])
def test_store_ids(ident: str) -> None:
    assert rules.store_id(ident, "id") == []


@pytest.mark.parametrize("ident", ["abc", "Default", "a_bcd", "a" * 129, "", "../etc", "a/bcd"])
def test_store_ids_refused(ident: str) -> None:
    assert [v.field for v in rules.store_id(ident, "id")] == ["id"]


@pytest.mark.parametrize("ident", ["e", "Exp_1-run", "0" * 128])
def test_node_ids(ident: str) -> None:
    assert rules.node_id(ident, "id") == []


@pytest.mark.parametrize("ident", ["", "a b", "a/b", "..", "a.b", "é", "0" * 129])
def test_node_ids_refused(ident: str) -> None:
    assert rules.node_id(ident, "id")


def test_a_node_is_checked_field_by_field() -> None:
    wrong = Artifact(display_name="x" * 129, labels={"Not": "ok"})
    found = rules.node(wrong, {"a": "x" * rules.LARGEST_METADATA}, "artifact")
    assert [v.field for v in found] == ["artifact.display_name", "artifact.labels", "artifact.metadata"]
    assert rules.node(Artifact(), {}, "artifact") == []


@given(st.dictionaries(st.text(max_size=4), st.integers()))
def test_keys_lose_their_outer_spaces(metadata: dict[str, int]) -> None:
    found = rules.trimmed(metadata)
    assert set(found) == {key.strip() for key in metadata}
    assert rules.trimmed(found) == found


@pytest.mark.parametrize(
    "name", ["x", f"{STORE}/contexts/a", f"{STORE}x/artifacts/a", f"{STORE}/artifacts/a/b", f"{STORE}/artifacts"]
)
def test_names_of_another_store_or_kind_are_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="must name one of the artifacts"):
        rules.same_store(STORE, [f"{STORE}/artifacts/fine", name], "artifacts", "artifacts")


def test_a_circle_is_refused() -> None:
    for child, above in [("p", frozenset[str]()), ("g", frozenset({"g"}))]:
        with pytest.raises(InvalidArgument, match="circle"):
            rules.adoption("p", child, above, [])


def test_ten_parents_are_enough() -> None:
    parents = [f"p{i}" for i in range(10)]
    rules.adoption("p3", "c", frozenset(), parents)
    rules.adoption("new", "c", frozenset(), parents[:9])
    with pytest.raises(InvalidArgument, match="10 parents"):
        rules.adoption("new", "c", frozenset(), parents)


def test_hops() -> None:
    assert rules.hops(3) == 3
    assert rules.hops(0) >= rules.MOST_REACHED
    with pytest.raises(InvalidArgument, match="negative"):
        rules.hops(-1)


def test_too_large_an_answer_is_refused() -> None:
    rules.bounded(1000, 1000, "artifacts", "")
    with pytest.raises(FailedPrecondition, match=r"more than 1000 artifacts\. Ask less\."):
        rules.bounded(1001, 1000, "artifacts", "Ask less.")
