"""Lists by filter, order and page give exactly what a plain reading of the request gives."""

from types import SimpleNamespace

import pytest

from trigpoint.core.errors import InvalidArgument
from trigpoint.core.filters import Call, Comparison
from trigpoint.core.names import pattern
from trigpoint.core.paging import Tokens
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_state_pb import JobState
from trigpoint.kernel.query import Condition, Extra, Queries
from trigpoint.kernel.resource import Kernel, Kind
from trigpoint.store import queries

JOB = Kind("CustomJob", CustomJob, pattern("projects/{p}/locations/{l}/customJobs/{j}"), filters={"start": "startTime"})
PARENT = "projects/1/locations/us-central1"


@pytest.fixture
def asked(kernel: Kernel) -> Queries:
    made = [
        ("alpha", JobState.RUNNING, {"team": "x", "env": "prod"}),
        ("beta_1", JobState.SUCCEEDED, {"team": "y"}),
        ("beta-2", JobState.FAILED, {}),
        ("Gamma 100%", JobState.RUNNING, {"team": "x"}),
    ]
    for name, state, labels in made:
        kernel.create(JOB, PARENT, CustomJob(display_name=name, state=state, labels=labels))
    kernel.create(JOB, "projects/1/locations/us-east1", CustomJob(display_name="elsewhere"))
    kernel.create(JOB, "projects/2/locations/us-central1", CustomJob(display_name="foreign"))
    return Queries(kernel, Tokens(b"k" * 32))


def request(**given: object) -> SimpleNamespace:
    return SimpleNamespace(**{"parent": PARENT, "filter": "", "order_by": "", "page_size": 0, "page_token": ""} | given)


def names(asked: Queries, **given: object) -> list[str]:
    return [job.display_name for job in asked.page(JOB, request(**given)).items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"alpha", "beta_1", "beta-2", "Gamma 100%"}),
        ('display_name="alpha"', {"alpha"}),
        ("display_name=beta-2", {"beta-2"}),
        ("displayName = alpha", {"alpha"}),
        ('display_name:"beta*"', {"beta_1", "beta-2"}),
        ('display_name:"100%"', {"Gamma 100%"}),
        ('display_name:"a_1"', {"beta_1"}),
        ('NOT display_name="alpha" AND state="JOB_STATE_RUNNING"', {"Gamma 100%"}),
        ('state="JOB_STATE_SUCCEEDED" OR state="JOB_STATE_FAILED"', {"beta_1", "beta-2"}),
        ('state!="JOB_STATE_RUNNING"', {"beta_1", "beta-2"}),
        ('labels.team="x"', {"alpha", "Gamma 100%"}),
        ("labels.team:*", {"alpha", "beta_1", "Gamma 100%"}),
        ("labels:env", {"alpha"}),
        ('labels.team!="x"', {"beta_1"}),
        ('create_time>"2020-01-01T00:00:00Z"', {"alpha", "beta_1", "beta-2", "Gamma 100%"}),
        ('create_time<"2020-01-01"', set()),
    ],
)
def test_filters(asked: Queries, text: str, expected: set[str]) -> None:
    assert set(names(asked, filter=text)) == expected


def test_natural_order_is_newest_first_and_order_by_is_obeyed(asked: Queries) -> None:
    assert names(asked) == ["Gamma 100%", "beta-2", "beta_1", "alpha"]
    assert names(asked, order_by="display_name desc") == ["beta_1", "beta-2", "alpha", "Gamma 100%"]


def test_a_dash_stands_for_every_location_of_the_project_only(asked: Queries) -> None:
    assert "elsewhere" in names(asked, parent="projects/1/locations/-")
    assert "foreign" not in names(asked, parent="projects/1/locations/-")


def test_pages_join_to_the_whole_and_tokens_belong_to_their_query(asked: Queries) -> None:
    found, token = [], ""
    while True:
        page = asked.page(JOB, request(page_size=1, page_token=token))
        found += [job.display_name for job in page.items]
        token = page.token
        if not token:
            break
    assert found == names(asked)
    token = asked.page(JOB, request(page_size=1)).token
    with pytest.raises(InvalidArgument, match="page_token"):
        asked.page(JOB, request(page_size=1, page_token=token, filter='display_name="x"'))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"filter": "colour = 1"}, "filter"),
        ({"filter": "create_time > yesterday"}, "filter"),
        ({"filter": 'in_context("x")'}, "filter"),
        ({"filter": "labels = x"}, "filter"),
        ({"order_by": "size"}, "order_by"),
        ({"page_size": -1}, "page_size"),
        ({"page_token": "abc"}, "page_token"),
    ],
)
def test_bad_requests_name_the_field(asked: Queries, given: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        asked.page(JOB, request(**given))
    assert caught.value.violations[0].field == field


def test_relations_and_functions_of_a_kind_are_handed_in(asked: Queries) -> None:
    extra = Extra(
        relations={"who": lambda node: queries.COLUMNS["display_name"] == node.value.text},
        functions={"running": lambda call: queries.COLUMNS["state"] == "JOB_STATE_RUNNING"},
    )
    page = asked.page(JOB, request(filter='who="alpha" AND running()'), extra=extra)
    assert [job.display_name for job in page.items] == ["alpha"]


@pytest.mark.parametrize("project", ["1", "my-project"])
def test_names_in_filters_may_have_the_id_or_the_number_of_the_project(kernel: Kernel, project: str) -> None:
    made = kernel.create(JOB, PARENT, CustomJob(display_name="a", labels={"of": "projects"}), ident="7").row
    asked = Queries(kernel, Tokens(b"k" * 32), {"my-project": "1"}.get)
    seen = []

    def held(leaf: Comparison | Call) -> Condition:
        seen.append(leaf.value.text if isinstance(leaf, Comparison) else leaf.arguments[0].text)
        return queries.COLUMNS["name"] == made.name

    extra = Extra(relations={"parents": held}, functions={"inside": held})
    name = f"projects/{project}/locations/us-central1/customJobs/7"
    for text in (f'name="{name}"', f"NOT name!={name}", f'display_name="x" OR name:"{name.replace("7", "*")}"'):
        assert [job.name for job in asked.page(JOB, request(filter=text)).items] == [made.name]
    asked.page(JOB, request(filter=f'parents:"{name}" AND inside("{name}", "x")'), extra=extra)
    assert seen == [made.name, made.name]
    assert asked.page(JOB, request(filter=f'display_name="{name}"')).items == []
