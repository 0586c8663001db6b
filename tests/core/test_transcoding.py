"""Paths, queries and bodies become messages by the HTTP rules."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core import messages, transcoding
from trigpoint.core.errors import InvalidArgument


@dataclass(frozen=True)
class Rule:
    verb: str
    template: str
    body: str = ""


RULES = [
    Rule("POST", "/v1/{parent=projects/*/locations/*}/customJobs", "custom_job"),
    Rule("GET", "/v1/{parent=projects/*/locations/*}/customJobs"),
    Rule("GET", "/v1/{name=projects/*/locations/*/customJobs/*}"),
    Rule("DELETE", "/v1/{name=projects/*/locations/*/customJobs/*}"),
    Rule("POST", "/v1/{name=projects/*/locations/*/customJobs/*}:cancel", "*"),
    Rule("GET", "/v1/{name=projects/*/locations/*/tensorboards/*}"),
    Rule("GET", "/v1/{tensorboard=projects/*/locations/*/tensorboards/*}:batchRead"),
    Rule("PATCH", "/v1/{dataset.name=projects/*/locations/*/datasets/*}", "dataset"),
    Rule("GET", "/v1/{name=datasets/*}"),
    Rule("GET", "/v1/{name=projects/*/locations/*/things/**}"),
    Rule("GET", "/v1/projects/{project}/fixed"),
]
DATASET: dict[str, Any] = {"dataset.name": "n"}
ROUTER = transcoding.Router((rule, rule.template) for rule in RULES)
L = "projects/p/locations/us-central1"


@pytest.mark.parametrize(
    ("verb", "path", "template", "variables"),
    [
        ("POST", f"/v1/{L}/customJobs", 0, {"parent": L}),
        ("GET", f"/v1/{L}/customJobs", 1, {"parent": L}),
        ("GET", f"/v1/{L}/customJobs/5", 2, {"name": f"{L}/customJobs/5"}),
        ("DELETE", f"/v1/{L}/customJobs/5", 3, {"name": f"{L}/customJobs/5"}),
        ("POST", f"/v1/{L}/customJobs/5:cancel", 4, {"name": f"{L}/customJobs/5"}),
        ("GET", f"/v1/{L}/tensorboards/1:batchRead", 6, {"tensorboard": f"{L}/tensorboards/1"}),
        ("GET", f"/v1/{L}/tensorboards/1", 5, {"name": f"{L}/tensorboards/1"}),
        (
            "GET",
            "/v1/projects/example.com:p/locations/l/tensorboards/1:batchRead",
            6,
            {"tensorboard": "projects/example.com:p/locations/l/tensorboards/1"},
        ),
        ("GET", f"/v1/{L}/customJobs/5:unknown", 2, {"name": f"{L}/customJobs/5:unknown"}),
        ("PATCH", f"/v1/{L}/datasets/7", 7, {"dataset.name": f"{L}/datasets/7"}),
        ("GET", "/v1/datasets/9", 8, {"name": "datasets/9"}),
        ("GET", f"/v1/{L}/things/a/b/c", 9, {"name": f"{L}/things/a/b/c"}),
        ("GET", "/v1/projects/p/fixed", 10, {"project": "p"}),
        ("GET", f"/v1/{L}/customJobs/a%20b%2Fc", 2, {"name": f"{L}/customJobs/a%20b%2Fc"}),
        ("GET", f"/v1/{L}/customJobs/a%20b", 2, {"name": f"{L}/customJobs/a b"}),
    ],
)
def test_routes(verb: str, path: str, template: int, variables: dict[str, str]) -> None:
    found = ROUTER.find(verb, path)
    assert found is not None
    assert found[0].target == RULES[template].template
    assert found[1] == variables


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("PUT", f"/v1/{L}/customJobs/5"),
        ("GET", f"/v1/{L}/customJobs/5/"),
        ("GET", f"/v1/{L}/customJobs/"),
        ("GET", "/v1/projects//locations/l/customJobs/5"),
        ("GET", "/v2/x"),
        ("GET", "/"),
        ("GET", ""),
        ("POST", f"/v1/{L}/customJobs/5:"),
        ("GET", "/" * 5000),
    ],
)
def test_no_route(verb: str, path: str) -> None:
    assert ROUTER.find(verb, path) is None


@given(st.text(max_size=60))
def test_any_path_is_answered(path: str) -> None:
    ROUTER.find("GET", "/v1/" + path)


def request(method: str, rule: int, query: list[tuple[str, str]], body: bytes = b"", **variables: str) -> Any:
    cls = messages.message_class(f"google.cloud.aiplatform.v1.{method}")
    return transcoding.read_request(cls, RULES[rule], variables, query, body)


def test_a_body_field_and_the_path() -> None:
    made = request("CreateCustomJobRequest", 0, [("$alt", "json")], b'{"displayName":"d","labels":{"a":"b"}}', parent=L)
    assert made.parent == L
    assert made.custom_job.display_name == "d"
    assert made.custom_job.labels == {"a": "b"}


def test_the_path_wins_over_the_body() -> None:
    made = request(
        "UpdateDatasetRequest", 7, [("updateMask", "displayName,labels")], b'{"name":"x"}', **{"dataset.name": "n"}
    )
    assert made.dataset.name == "n"
    assert made.update_mask.paths == ["display_name", "labels"]


def test_a_variable_makes_the_message_on_its_way() -> None:
    assert request("UpdateDatasetRequest", 7, [], **DATASET).dataset.name == "n"


def test_queries() -> None:
    made = request(
        "ListCustomJobsRequest",
        1,
        [
            ("pageSize", "7"),
            ("filter", "a=b"),
            ("page_token", "t"),
            ("readMask", "name"),
            ("readMask", "a.b,c"),
            ("alt", "json"),
        ],
    )
    assert (made.page_size, made.filter, made.page_token) == (7, "a=b", "t")
    assert made.read_mask.paths == ["name", "a.b", "c"]
    nested = request(
        "SearchDataItemsRequest", 1, [("orderByAnnotation.savedQuery", "s"), ("orderByAnnotation.order_by", "x")]
    )
    assert nested.order.value.saved_query == "s"
    assert nested.order.value.order_by == "x"
    repeated = request("SearchDataItemsRequest", 1, [("annotationFilters", "a"), ("annotation_filters", "b")])
    assert repeated.annotation_filters == ["a", "b"]
    assert request("DeleteDatasetVersionRequest", 1, [("name", "n")]).name == "n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2", 2), ("MODEL_SOURCE_TYPE_UNSPECIFIED", None)]
    + [(text, InvalidArgument) for text in ("nonsense", "--5", "-", "9" * 5000, "²", "٣", "9999999999")],
)
def test_enums_in_queries(text: str, expected: Any) -> None:
    cls, name = "google.cloud.aiplatform.v1.GetPublisherModelRequest", "view"
    made = None
    if expected is InvalidArgument:
        with pytest.raises(InvalidArgument):
            transcoding.read_request(messages.message_class(cls), RULES[1], {}, [(name, text)], b"")
    elif expected:
        made = transcoding.read_request(messages.message_class(cls), RULES[1], {}, [(name, text)], b"")
        assert made.view == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "query",
    [
        [("nothing", "1")],
        [("pageSize", "many")],
        [("pageSize", "")],
        [("parent.x", "1")],
        [("readMask.paths.x", "1")],
        [("", "1")],
        [("x" * 1000, "1")],
    ],
)
def test_bad_queries_name_the_parameter(query: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        request("ListCustomJobsRequest", 1, query)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("names", [("timeout", "timeout.seconds"), ("timeout.seconds", "timeout", "timeout.nanos")])
def test_a_message_is_given_as_a_whole_or_in_parts(names: tuple[str, ...]) -> None:
    query = [(name, "5s" if name == "timeout" else "5") for name in names]
    cls = messages.message_class("google.longrunning.WaitOperationRequest")
    with pytest.raises(InvalidArgument):
        transcoding.read_request(cls, RULES[1], {}, query, b"")


@pytest.mark.parametrize("query", [("customJob", "x"), ("customJob.labels", "x"), ("customJob.labels.a", "x")])
def test_messages_and_maps_cannot_be_given_in_a_query(query: tuple[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        request("CreateCustomJobRequest", 0, [query])


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b'{"displayName":1}', b'{"nope":1}', b"\xff", b"null null"])
@pytest.mark.parametrize("rule", [0, 1, 4])
def test_bad_bodies(rule: int, body: bytes) -> None:
    with pytest.raises(InvalidArgument):
        request("CreateCustomJobRequest", rule, [], body)


def test_truth_values() -> None:
    made = request("DeleteFeaturestoreRequest", 3, [("force", "true")])
    assert made.force is True
    with pytest.raises(InvalidArgument):
        request("DeleteFeaturestoreRequest", 3, [("force", "perhaps")])
