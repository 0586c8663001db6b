"""Resource Manager v3's Projects, one function per method, over JSON objects; wires and names are the surfaces'.

A request is the JSON form of the method's request message, an answer that of its response message. Changes are done
at once, so their operations are answered done. Source: google/cloud/resourcemanager/v3/projects.proto.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trigpoint.core.call import Caller
from trigpoint.core.errors import Aborted, InvalidArgument, NotFound, PermissionDenied, TrigpointError, Violation
from trigpoint.domains.projects import Project, Projects, denied, rules

Json = dict[str, Any]
Handler = Callable[[Caller, Json], Json]

_TYPE = "type.googleapis.com/google.cloud.resourcemanager.v3."
_VERBS = {"cp": "Create", "up": "Update", "dp": "Delete", "rp": "Undelete"}
_MUTABLE = {"display_name": "display_name", "displayName": "display_name", "labels": "labels"}


class ProjectsApi:
    """Accepts calls of identified callers. Until there are roles, only the operator makes and ends projects."""

    def __init__(self, projects: Projects, prepare: Callable[[str], None] = lambda _number: None) -> None:
        self._projects = projects
        self._prepare = prepare

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods by name (`GetProject`) and the operations' GetOperation."""
        return {
            "GetProject": self.get,
            "ListProjects": self.list_,
            "SearchProjects": self.search,
            "CreateProject": self.create,
            "UpdateProject": self.update,
            "DeleteProject": self.delete,
            "UndeleteProject": self.undelete,
            "TestIamPermissions": self.test_permissions,
            "GetIamPolicy": self.get_policy,
            "GetOperation": self.operation,
        }

    def get(self, caller: Caller, request: Json) -> Json:
        """Return one project, also while its deletion is requested."""
        return rules.rendered(self._mine(caller, _text(request, "name")))

    def list_(self, caller: Caller, request: Json) -> Json:
        """Return the caller's projects; there is no hierarchy above them, so any parent has them all."""
        states = {rules.ACTIVE, rules.DELETE_REQUESTED} if request.get("showDeleted") else {rules.ACTIVE}
        return _page([p for p in self._visible(caller) if p.state in states], request)

    def search(self, caller: Caller, request: Json) -> Json:
        """Return the caller's projects that fulfil a query."""
        query = _text(request, "query")
        return _page([p for p in self._visible(caller) if rules.matches(p, query)], request)

    def create(self, caller: Caller, request: Json) -> Json:
        """Make a project; only the operator may."""
        if not caller.operator:
            raise PermissionDenied(
                "Permission 'resourcemanager.projects.create' denied: use the operator's credentials."
            )
        given = _object(request, "project")
        project_id, display_name = _text(given, "projectId"), _text(given, "displayName")
        labels = _labels(given)
        _refuse(
            rules.identifier("project.project_id", project_id)
            + rules.display_name("project.display_name", display_name)
            + rules.labels("project.labels", labels)
        )
        made = self._projects.create(project_id, display_name, labels, by=caller.email)
        self._prepare(made.number)
        return _operation("cp", made)

    def update(self, caller: Caller, request: Json) -> Json:
        """Change display name and labels as the mask says; without a mask, those that are given."""
        given = _object(request, "project")
        project = self._mine(caller, _text(given, "name"))
        mask = _text(request, "updateMask")
        fields = {path.strip() for path in mask.split(",")} if mask else {key for key in given if key in _MUTABLE}
        unknown = sorted(fields - set(_MUTABLE))
        if unknown:
            text = f"{unknown[0][:60]!r} can't be changed; display_name and labels can."
            raise InvalidArgument(violations=[Violation("update_mask", text)])
        display_name, labels, etag = _text(given, "displayName"), _labels(given), _text(given, "etag")
        _refuse(rules.display_name("project.display_name", display_name) + rules.labels("project.labels", labels))
        named = {_MUTABLE[path] for path in fields}

        def edit(old: Project) -> Project:
            if etag and etag != old.etag:
                raise Aborted(f"The etag of project {old.number} is no longer current: read it again and retry.")
            return replace(
                old,
                display_name=(display_name or old.id) if "display_name" in named else old.display_name,
                labels=labels if "labels" in named else old.labels,
            )

        return _operation("up", self._projects.change(project.number, edit, caller.email))

    def delete(self, caller: Caller, request: Json) -> Json:
        """Disable a project; its rows stay. Only the operator may."""
        return _operation("dp", self._projects.delete(self._own(caller, request).number, caller.email))

    def undelete(self, caller: Caller, request: Json) -> Json:
        """Enable a project again. Only the operator may."""
        return _operation("rp", self._projects.undelete(self._own(caller, request).number, caller.email))

    def test_permissions(self, caller: Caller, request: Json) -> Json:
        """Return the asked permissions: until there are roles, whoever belongs to a project has them all."""
        self._mine(caller, _text(request, "resource"))
        asked = request.get("permissions", [])
        if not isinstance(asked, list) or not all(isinstance(one, str) for one in asked):
            raise InvalidArgument(violations=[Violation("permissions", "give a list of permission names.")])
        return {"permissions": asked}

    def get_policy(self, caller: Caller, request: Json) -> Json:
        """Return the project's policy: without roles there is none to show."""
        self._mine(caller, _text(request, "resource"))
        return {"version": 1, "etag": base64.b64encode(b"none").decode()}

    def operation(self, caller: Caller, request: Json) -> Json:
        """Return an operation that one of these methods answered; it is done, and shows the project as it is now."""
        name = _text(request, "name")
        verb, _, number = name.removeprefix("operations/").partition(".")
        project = self._projects.find(number)
        if verb not in _VERBS or project is None or not caller.may_act_in(project.number):
            raise NotFound(f"Operation {name[:80]} does not exist.")
        return _operation(verb, project)

    def _mine(self, caller: Caller, name: str) -> Project:
        """Return the project of a name if the caller may see it."""
        prefix, _, segment = name.partition("/")
        if prefix != "projects" or not segment or "/" in segment:
            text = f"{name[:80]!r} is not of the form projects/PROJECT."
            raise InvalidArgument(violations=[Violation("name", text)])
        found = self._projects.find(segment)
        if found is None or not caller.may_act_in(found.number):
            raise denied(segment)
        return found

    def _own(self, caller: Caller, request: Json) -> Project:
        found = self._mine(caller, _text(request, "name"))
        if not caller.operator:
            raise denied(found.id)
        return found

    def _visible(self, caller: Caller) -> list[Project]:
        return [project for project in self._projects.all() if caller.may_act_in(project.number)]


def _operation(verb: str, project: Project) -> Json:
    metadata: Json = {"@type": f"{_TYPE}{_VERBS[verb]}ProjectMetadata"}
    if verb == "cp":
        metadata |= {"createTime": rules.rendered(project)["createTime"], "gettable": True, "ready": True}
    response = {"@type": f"{_TYPE}Project", **rules.rendered(project)}
    return {"name": f"operations/{verb}.{project.number}", "metadata": metadata, "done": True, "response": response}


def _page(found: list[Project], request: Json) -> Json:
    """Return one page; its token is the number of the last project shown."""
    size, token = request.get("pageSize", 0), _text(request, "pageToken")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InvalidArgument(violations=[Violation("page_size", "give a whole number that is not negative.")])
    size = min(size or 300, 300)
    ordered = sorted(found, key=lambda project: project.number)
    if token:
        try:
            last = base64.urlsafe_b64decode(token.encode()).decode("ascii")
        except ValueError:
            last = ""
        if len(last) != 12 or not last.isdigit():
            text = "is not a token of this list: use nextPageToken of the answer before, unchanged."
            raise InvalidArgument(violations=[Violation("page_token", text)])
        ordered = [project for project in ordered if project.number > last]
    answer: Json = {"projects": [rules.rendered(project) for project in ordered[:size]]}
    if len(ordered) > size:
        answer["nextPageToken"] = base64.urlsafe_b64encode(ordered[size - 1].number.encode()).decode()
    return answer


def _text(request: Json, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str | None):
        raise _wrong(key, "a string")
    return value or ""


def _object(request: Json, key: str) -> Json:
    value = request.get(key)
    if not isinstance(value, dict | None):
        raise _wrong(key, "an object")
    return value or {}


def _labels(given: Json) -> dict[str, str]:
    value = _object(given, "labels")
    if not all(isinstance(text, str) for text in value.values()):
        raise _wrong("labels", "an object of strings")
    return dict(value)


def _wrong(key: str, kind: str) -> TrigpointError:
    return InvalidArgument(violations=[Violation(key, f"give {kind}.")])


def _refuse(violations: list[Violation]) -> None:
    if violations:
        raise InvalidArgument(violations=violations)
