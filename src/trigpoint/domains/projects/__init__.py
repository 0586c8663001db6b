"""Projects: who owns what. Serves google.cloud.resourcemanager.v3.Projects and answers `resolve` on every request.

`Projects` keeps and finds them, `ProjectsApi` (rpc) speaks Resource Manager for callers. Accounts are `identity`'s.
"""

import threading
from collections.abc import Callable
from dataclasses import replace

import orjson

from trigpoint.core.call import Caller
from trigpoint.core.clock import Clock, Ids
from trigpoint.core.errors import AlreadyExists, FailedPrecondition, PermissionDenied
from trigpoint.domains.projects import rules, sentences
from trigpoint.domains.projects.rules import Project
from trigpoint.store import Store, Tx, events, resources
from trigpoint.store.resources import Row

__all__ = ["Project", "Projects", "denied"]

KIND = "projects"
_IDS = "projectIds"


class Projects:
    """All projects of the home, held in memory because every request asks for one. Thread-safe.

    One server owns a home, so what this object has read and written is all there is.
    """

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store, self._clock, self._ids = store, clock, ids
        self._lock = threading.Lock()
        self._by_segment: dict[str, Project] = {}
        self._protected = ""
        for row in store.read(_all_rows):
            self._keep(_project(row))

    def ensure(self, project_id: str) -> Project:
        """Return the project of an id, made if there is none; it can't be deleted while this server runs."""
        found = self.find(project_id)
        if found is None:
            found = self.create(project_id, "", {})
        elif not found.active:
            found = self.undelete(found.number)
        self._protected = found.number
        return found

    def find(self, segment: str) -> Project | None:
        """Return the project of an id or a number in any state, or None. Never touches the database."""
        return self._by_segment.get(segment)

    def resolve(self, segment: str) -> Project:
        """Return the active project of an id or a number; PermissionDenied as Google says it otherwise."""
        found = self._by_segment.get(segment)
        if found is None or not found.active:
            raise denied(segment)
        return found

    def admit(self, caller: Caller, segment: str) -> Project:
        """Return the active project if this caller may act in it; the same PermissionDenied when absent or foreign."""
        found = self._by_segment.get(segment)
        if found is None or not caller.may_act_in(found.number) or not found.active:
            raise denied(segment)
        return found

    def all(self) -> list[Project]:
        """Return every project in any state, oldest first."""
        found = {project.number: project for project in self._by_segment.copy().values()}
        return sorted(found.values(), key=lambda p: (p.create_time, p.number))

    def create(self, project_id: str, display_name: str, labels: dict[str, str], by: str = "") -> Project:
        """Store a new project under a fresh number; AlreadyExists when the id was ever used. Checks no form."""

        def unit(tx: Tx) -> Project:
            if resources.get(tx, f"{_IDS}/{project_id}") is not None:
                raise AlreadyExists(sentences.ID_TAKEN.format(id=repr(project_id)))
            number = rules.twelve_digits(self._ids.hex(16))
            while resources.get(tx, f"{KIND}/{number}") is not None:
                number = rules.twelve_digits(self._ids.hex(16))
            now = self._clock.now()
            tenant, tenant_number = rules.tenant_of(number)
            made = Project(number, project_id, display_name or project_id, tenant, tenant_number)
            made = replace(made, labels=dict(labels), create_time=now, update_time=now)
            index = Row(f"{_IDS}/{project_id}", _IDS, "", number.encode(), create_time=now, update_time=now)
            resources.insert(tx, index)
            self._tell(tx, made, "project.created", by)
            return self._keep_after(tx, resources.insert(tx, _row(made)))

        return self._store.write(unit)

    def change(self, number: str, edit: Callable[[Project], Project], by: str = "") -> Project:
        """Replace a project by what `edit` makes of it; PermissionDenied when there is none."""

        def unit(tx: Tx) -> Project:
            row = resources.get(tx, f"{KIND}/{number}")
            if row is None:
                raise denied(number)
            old = _project(row)
            new = edit(old)
            if new == old:
                return old
            word = "updated" if new.state == old.state else "undeleted" if new.active else "deleteRequested"
            self._tell(tx, new, f"project.{word}", by)
            return self._keep_after(tx, resources.update(tx, _row(replace(new, update_time=self._clock.now()))))

        return self._store.write(unit)

    def delete(self, number: str, by: str = "") -> Project:
        """Request a project's deletion: from now on it authenticates nobody. FailedPrecondition for the default one."""
        if number == self._protected:
            raise FailedPrecondition(sentences.DEFAULT.format(number=number))
        now = self._clock.now()
        return self.change(number, lambda old: _in_state(old, rules.ACTIVE, rules.DELETE_REQUESTED, now), by)

    def undelete(self, number: str, by: str = "") -> Project:
        """Take the request back; FailedPrecondition when there is none."""
        return self.change(number, lambda old: _in_state(old, rules.DELETE_REQUESTED, rules.ACTIVE, 0), by)

    def _tell(self, tx: Tx, project: Project, kind: str, by: str) -> None:
        at = self._clock.now()
        events.append(tx, time=at, project=project.number, subject=project.name, kind=kind, actor=by)

    def _keep_after(self, tx: Tx, row: Row) -> Project:
        project = _project(row)
        tx.after_commit(lambda: self._keep(project))
        return project

    def _keep(self, project: Project) -> None:
        with self._lock:
            known = self._by_segment.get(project.number)
            if known is None or known.version < project.version:
                self._by_segment[project.number] = self._by_segment[project.id] = project


def denied(segment: str) -> PermissionDenied:
    """Return what is said of a project that is absent, deleted or somebody else's: one text for all."""
    return PermissionDenied(sentences.DENIED.format(project=segment[:80]), reason="CONSUMER_INVALID")


def _in_state(project: Project, expected: str, wanted: str, deleted: int) -> Project:
    if project.state != expected:
        raise FailedPrecondition(
            sentences.OTHER_STATE.format(number=project.number, state=project.state, expected=expected)
        )
    return replace(project, state=wanted, delete_time=deleted)


def _all_rows(tx: Tx) -> list[Row]:
    page = resources.select(tx, KIND, limit=1000)
    rows = list(page.rows)
    while page.next is not None:
        page = resources.select(tx, KIND, after=page.next, limit=1000)
        rows += page.rows
    return rows


def _row(project: Project) -> Row:
    more = {"tenant": project.tenant, "tenantNumber": project.tenant_number, "deleteTime": project.delete_time}
    return Row(
        project.name,
        KIND,
        "",
        orjson.dumps({"id": project.id, **more}),
        state=project.state,
        display_name=project.display_name,
        labels=dict(project.labels),
        create_time=project.create_time,
        update_time=project.update_time,
        version=project.version,
    )


def _project(row: Row) -> Project:
    more = orjson.loads(row.message)
    return Project(
        row.name.partition("/")[2],
        more["id"],
        row.display_name,
        more["tenant"],
        more["tenantNumber"],
        row.state,
        dict(row.labels),
        row.create_time,
        row.update_time,
        more["deleteTime"],
        row.version,
    )
