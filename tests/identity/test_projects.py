"""Projects: resolved by id and number, made and ended by the operator, and alike when absent or foreign."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.call import Caller
from trigpoint.core.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    TrigpointError,
)
from trigpoint.domains.projects import rules
from trigpoint.domains.projects.rpc import ProjectsApi
from trigpoint.store import events

from .conftest import Home

OPERATOR = Caller("operator@demo-project.iam.gserviceaccount.com", "0", operator=True)


@pytest.fixture
def api(home: Home) -> ProjectsApi:
    return ProjectsApi(home.projects, home.identity.prepare)


def create(api: ProjectsApi, project_id: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.create(OPERATOR, {"project": {"projectId": project_id, **more}})
    return answer


def test_the_default_project_is_made_once_and_has_a_tenant(home: Home) -> None:
    first = home.project
    assert re.fullmatch(r"[1-9]\d{11}", first.number)
    assert re.fullmatch(r"[a-z][0-9a-f]{16}-tp", first.tenant)
    assert re.fullmatch(r"[1-9]\d{11}", first.tenant_number)
    assert home.projects.resolve("demo-project") == home.projects.resolve(first.number) == first
    home.restart()
    assert home.project == first
    with pytest.raises(FailedPrecondition, match="default project"):
        home.projects.delete(first.number)


def test_the_life_of_a_project(home: Home, api: ProjectsApi) -> None:
    made = create(api, "team-one", displayName="Team 1", labels={"color": "red"})
    assert made["done"] is True
    shown = made["response"]
    name, number = shown["name"], shown["name"].partition("/")[2]
    assert shown["projectId"] == "team-one"
    assert shown["state"] == "ACTIVE"
    assert api.get(OPERATOR, {"name": "projects/team-one"}) == api.get(OPERATOR, {"name": name})
    assert api.operation(OPERATOR, {"name": made["name"]}) == made
    update = {"project": {"name": name, "labels": {"color": "blue"}, "etag": shown["etag"]}, "updateMask": "labels"}
    changed = api.update(OPERATOR, update)["response"]
    assert (changed["labels"], changed["displayName"]) == ({"color": "blue"}, "Team 1")
    with pytest.raises(Aborted):
        api.update(OPERATOR, update)
    assert api.delete(OPERATOR, {"name": name})["response"]["state"] == "DELETE_REQUESTED"
    with pytest.raises(PermissionDenied):
        home.projects.resolve("team-one")
    with pytest.raises(FailedPrecondition):
        api.delete(OPERATOR, {"name": name})
    with pytest.raises(AlreadyExists):
        create(api, "team-one")
    home.restart()
    again = ProjectsApi(home.projects)
    assert [p["projectId"] for p in again.list_(OPERATOR, {})["projects"]] == ["demo-project"]
    again.undelete(OPERATOR, {"name": name})
    assert home.projects.resolve(number).labels == {"color": "blue"}
    told = home.store.read(lambda tx: events.after(tx, 0, subject_prefix=name))
    assert [e.kind for e in told if e.kind.startswith("project.")] == [
        "project.created",
        "project.updated",
        "project.deleteRequested",
        "project.undeleted",
    ]
    assert {e.actor for e in told if e.kind.startswith("project.")} == {OPERATOR.email}


def test_pages_and_queries(home: Home, api: ProjectsApi) -> None:
    for i in range(5):
        create(api, f"team-{i}-x", labels={"side": "left" if i % 2 else "right"})
    seen: list[str] = []
    token = ""
    while True:
        page = api.list_(OPERATOR, {"pageSize": 2, "pageToken": token})
        seen += [p["projectId"] for p in page["projects"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert sorted(seen) == ["demo-project", *(f"team-{i}-x" for i in range(5))]
    found = api.search(OPERATOR, {"query": "id:TEAM-* AND labels.side=left state:ACTIVE"})["projects"]
    assert {p["projectId"] for p in found} == {"team-1-x", "team-3-x"}


def test_a_foreign_project_is_as_absent(home: Home, api: ProjectsApi) -> None:
    create(api, "team-one")
    mine = Caller("a@demo-project.iam.gserviceaccount.com", home.project.number)

    def said(call: Any, *args: Any) -> str:
        with pytest.raises(PermissionDenied) as refusal:
            call(*args)
        return refusal.value.message.replace("team-one", "X").replace("team-two", "X")

    for method in (api.get, api.delete, api.undelete):
        assert said(method, mine, {"name": "projects/team-one"}) == said(method, mine, {"name": "projects/team-two"})
    assert said(home.projects.admit, mine, "team-one") == said(home.projects.resolve, "team-two")
    assert [p["projectId"] for p in api.search(mine, {})["projects"]] == ["demo-project"]
    with pytest.raises(PermissionDenied):
        api.create(mine, {"project": {"projectId": "team-three"}})
    with pytest.raises(PermissionDenied):
        api.delete(mine, {"name": "projects/demo-project"})


BAD: list[tuple[str, dict[str, Any], type[TrigpointError]]] = [
    ("GetProject", {}, InvalidArgument),
    ("GetProject", {"name": "projects/"}, InvalidArgument),
    ("GetProject", {"name": "projects/../x"}, InvalidArgument),
    ("GetProject", {"name": 7}, InvalidArgument),
    ("GetProject", {"name": "projects/.."}, PermissionDenied),
    ("CreateProject", {}, InvalidArgument),
    ("CreateProject", {"project": []}, InvalidArgument),
    ("CreateProject", {"project": {"projectId": "short"}}, InvalidArgument),
    ("CreateProject", {"project": {"projectId": "x" * 10_000_000}}, InvalidArgument),
    ("CreateProject", {"project": {"projectId": "gcp-sa-aiplatform-cc"}}, InvalidArgument),
    ("CreateProject", {"project": {"projectId": "abcdef", "displayName": "x" * 31}}, InvalidArgument),
    ("CreateProject", {"project": {"projectId": "abcdef", "labels": {"Über": "x"}}}, InvalidArgument),
    ("CreateProject", {"project": {"projectId": "abcdef", "labels": {"a": 1}}}, InvalidArgument),
    ("ListProjects", {"pageSize": -1}, InvalidArgument),
    ("ListProjects", {"pageToken": "é"}, InvalidArgument),
    ("ListProjects", {"pageToken": "AAAA"}, InvalidArgument),
    ("SearchProjects", {"query": "nonsense"}, InvalidArgument),
    ("SearchProjects", {"query": "size:7"}, InvalidArgument),
    ("SearchProjects", {"query": "a" * 1_000_000}, InvalidArgument),
    ("SearchProjects", {"query": "a" * 1000}, InvalidArgument),
    ("UpdateProject", {"project": {"name": "projects/demo-project"}, "updateMask": "state"}, InvalidArgument),
    ("TestIamPermissions", {"resource": "projects/demo-project", "permissions": "all"}, InvalidArgument),
    ("GetOperation", {"name": "operations/cp.1"}, NotFound),
    ("GetOperation", {"name": "nonsense"}, NotFound),
]


@pytest.mark.parametrize(("method", "request_", "error"), BAD)
def test_bad_requests(api: ProjectsApi, method: str, request_: dict[str, Any], error: type[TrigpointError]) -> None:
    with pytest.raises(error) as refusal:
        api.handlers()[method](OPERATOR, request_)
    assert len(refusal.value.message) < 500


@given(st.integers(10**11, 10**12 - 1))
def test_tenants_are_stable_and_well_formed(number: int) -> None:
    tenant, tenant_number = rules.tenant_of(str(number))
    assert (tenant, tenant_number) == rules.tenant_of(str(number))
    assert re.fullmatch(r"[a-z][0-9a-f]{16}-tp", tenant)
    assert len(tenant_number) == 12


@given(st.text(max_size=40))
def test_any_text_is_a_project_id_or_is_refused(text: str) -> None:
    assert bool(rules.identifier("f", text)) != bool(
        re.fullmatch(r"(?!gcp-sa-)[a-z][a-z0-9-]{4,28}[a-z0-9]", text) and not text.endswith("-tp")
    )
