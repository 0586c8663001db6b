"""Models as rows: versions added, changed and removed in one transaction, aliases and the default kept consistent.

A version's row holds what a reader of it sees, with the model's labels merged in; the model's own row is a copy of
the default version, so that lists, filters and orders look at one row per model. What is accepted is for `rpc`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.clock import Micros
from trigpoint.core.errors import AlreadyExists, FailedPrecondition, NotFound
from trigpoint.core.names import id_of, parent_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_pb import Model
from trigpoint.domains.lineage import Lineage
from trigpoint.domains.models import rules, sentences
from trigpoint.domains.models.kinds import DEPLOYED, MODEL, UPLOADED, VERSION
from trigpoint.kernel.resource import Fact, Kernel, Stored, missing
from trigpoint.store import Tx, refs, resources

_LABELS = "labels"
_NEXT = "next"


class Versions:
    """Models and their versions in the caller's transaction. Thread-safe."""

    def __init__(self, kernel: Kernel, lineage: Lineage) -> None:
        self._kernel = kernel
        self._lineage = lineage

    def add(
        self, tx: Tx, name: str, given: Model, *, new: bool, pipeline: str = "", call: Call | None = None
    ) -> tuple[str, str]:
        """Store a model, or with `new` false a further version of one; return the model's name and the version's id.

        AlreadyExists when a new model's id is taken, NotFound when the model to extend is not there.
        """
        model = None if new else self.model(tx, name)
        if new and resources.get(tx, name) is not None:
            raise AlreadyExists(sentences.EXISTS.format(model=name))
        now = self._kernel.clock.now()
        number = str(model.notes[_NEXT] if model else 1)
        fresh = messages.copy(given)
        rules.computed(fresh)
        fresh.version_id, fresh.training_pipeline = number, pipeline
        fresh.version_create_time = fresh.version_update_time = messages.timestamp(now)
        fresh.metadata_artifact = self._artifact(tx, name, number, fresh)
        own = dict(fresh.labels) if model else {}
        shared = dict(model.notes[_LABELS]) if model else dict(fresh.labels)
        fresh.display_name = fresh.display_name or (model.message.display_name if model else "")
        present = self._aliases(tx, name) if model else {}
        aliases = rules.added(present, number, fresh.version_aliases)
        fresh.version_aliases = aliases[number]
        fresh.labels = rules.labels(shared, own)
        self._kernel.insert(tx, VERSION, self._row_name(name, number), fresh, notes={_LABELS: own}, call=call)
        self._spread(tx, name, present, aliases, now)
        fact = Fact("model.versionUploaded", {"version": number, "artifactUri": fresh.artifact_uri}, where="user")
        notes = {_LABELS: shared, _NEXT: int(number) + 1}
        if model is None:
            self._kernel.insert(tx, MODEL, name, fresh, notes=notes, facts=(fact,), call=call)
        else:
            self._show(tx, name, notes, (fact,), call)
        return name, number

    def model(self, tx: Tx, name: str) -> Stored[Model]:
        """Return a model's row; NotFound when there is none."""
        return self._kernel.load_in(tx, MODEL, name)

    def find(self, tx: Tx, name: str, wanted: str) -> Stored[Model]:
        """Return the row of the version that an id or alias means; NotFound when there is none."""
        version = rules.resolve(self._aliases(tx, name), wanted)
        if version is None:
            if resources.get(tx, name) is None:
                raise missing(MODEL, name)
            raise NotFound(sentences.NO_VERSION.format(model=name, version=repr(wanted)))
        return self._kernel.load_in(tx, VERSION, self._row_name(name, version))

    def artifact(self, name: str, wanted: str) -> str:
        """Return the lineage artifact of a version; NotFound when it is not there."""
        return self._kernel.store.read(lambda tx: self.find(tx, name, wanted)).message.metadata_artifact

    def merge_aliases(self, tx: Tx, name: str, wanted: str, changes: Sequence[str], call: Call) -> Model:
        """Add and remove (`-alias`) aliases of a version; return it."""
        stored = self.find(tx, name, wanted)
        present = self._aliases(tx, name)
        version = stored.message.version_id
        self._spread(tx, name, present, rules.merged(present, version, changes), self._kernel.clock.now())
        fact = Fact("model.aliasesChanged", {"version": version, "changes": list(changes)}, where="user")
        self._show(tx, name, None, (fact,), call)
        return self.find(tx, name, version).message

    def save_model(self, tx: Tx, stored: Stored[Model], fresh: Model, call: Call) -> Model:
        """Change what belongs to the model: every version shows it."""
        name = stored.row.name
        notes = stored.notes | {_LABELS: dict(fresh.labels)}
        for version in self._aliases(tx, name):
            row = self._kernel.load_in(tx, VERSION, self._row_name(name, version))
            changed = messages.copy(row.message)
            changed.display_name, changed.description = fresh.display_name, fresh.description
            changed.labels = rules.labels(fresh.labels, row.notes[_LABELS])
            self._kernel.save(tx, VERSION, row, changed)
        self._kernel.save(tx, MODEL, stored, fresh, notes=notes)
        self._show(tx, name, notes, (Fact("model.updated", where="user"),), call)
        return self.model(tx, name).message

    def save_version(self, tx: Tx, stored: Stored[Model], fresh: Model, call: Call) -> Model:
        """Change what belongs to one version."""
        name = parent_of(stored.row.name)
        own = dict(fresh.labels)
        changed = messages.copy(fresh)
        changed.labels = rules.labels(self.model(tx, name).notes[_LABELS], own)
        changed.version_update_time = messages.timestamp(self._kernel.clock.now())
        saved = self._kernel.save(tx, VERSION, stored, changed, notes={_LABELS: own})
        self._show(tx, name, None, (Fact("model.versionUpdated", {"version": changed.version_id}, where="user"),), call)
        return saved.message

    def remove_version(self, tx: Tx, name: str, wanted: str, call: Call) -> None:
        """Delete a version; FailedPrecondition when it is deployed or the only one."""
        stored = self.find(tx, name, wanted)
        version = stored.message.version_id
        self._refuse_deployed(tx, name, version)
        present = self._aliases(tx, name)
        left = rules.without(present, version, name)
        self._kernel.drop(tx, VERSION, stored, call=call)
        self._spread(tx, name, {each: present[each] for each in left}, left, self._kernel.clock.now())
        self._show(tx, name, None, (Fact("model.versionDeleted", {"version": version}, where="user"),), call)

    def remove(self, tx: Tx, name: str, call: Call) -> None:
        """Delete a model with its versions; FailedPrecondition while one of them is deployed."""
        model = self.model(tx, name)
        for version in self._aliases(tx, name):
            self._refuse_deployed(tx, name, version)
            self._kernel.drop(tx, VERSION, self._kernel.load_in(tx, VERSION, self._row_name(name, version)))
        self._kernel.drop(tx, MODEL, model, facts=(Fact("model.deleted", where="user"),), call=call)

    def etags(self, tx: Tx, name: str) -> set[str]:
        """Return the etags that a change of the model may come with: its own and those of its versions.

        A change of the model changes them all; one of a version, or of its aliases, is no reason to refuse it.
        """
        rows = [self._kernel.load_in(tx, VERSION, self._row_name(name, each)) for each in self._aliases(tx, name)]
        return {self.model(tx, name).message.etag, *(row.message.etag for row in rows)}

    def own_labels(self, stored: Stored[Model]) -> Mapping[str, str]:
        """Return the labels that a model's or version's row has of itself, without the merged ones."""
        own: Mapping[str, str] = stored.notes[_LABELS]
        return own

    def _aliases(self, tx: Tx, name: str) -> dict[str, list[str]]:
        """Return the aliases of each version, oldest version first."""
        found: dict[str, list[str]] = {}
        after = None
        while True:
            page = resources.select(tx, VERSION.collection, name, after=after, limit=1000)
            for row in page.rows:
                version = messages.decode(Model, row.message)
                found[version.version_id] = list(version.version_aliases)
            if page.next is None:
                return {version: found[version] for version in sorted(found, key=int)}
            after = page.next

    def _spread(
        self,
        tx: Tx,
        name: str,
        before: Mapping[str, Sequence[str]],
        after: Mapping[str, Sequence[str]],
        now: Micros,
    ) -> None:
        """Write changed aliases to the rows of their versions."""
        for version, names in before.items():
            if list(names) != list(after[version]):
                row = self._kernel.load_in(tx, VERSION, self._row_name(name, version))
                changed = messages.copy(row.message)
                changed.version_aliases = list(after[version])
                changed.version_update_time = messages.timestamp(now)
                self._rewrite(tx, row, changed)

    def _show(
        self, tx: Tx, name: str, notes: dict[str, Any] | None, facts: tuple[Fact, ...], call: Call | None
    ) -> None:
        """Make the model's row show its default version again."""
        model = self.model(tx, name)
        shown = messages.copy(self.find(tx, name, "").message)
        shown.name, shown.create_time = name, model.message.create_time
        self._rewrite(tx, model, shown, notes)
        for fact in facts:
            self._kernel.narrate(tx, name, fact, call)

    def _rewrite(self, tx: Tx, stored: Stored[Model], fresh: Model, notes: dict[str, Any] | None = None) -> None:
        """Replace a row by what follows from a change elsewhere; its etag stays, which tells of its own changes."""
        now = self._kernel.clock.now()
        fresh.etag, fresh.update_time = stored.message.etag, messages.timestamp(now)
        row = replace(
            stored.row,
            message=messages.encode(fresh),
            json=messages.to_json(fresh),
            display_name=fresh.display_name,
            labels=dict(fresh.labels),
            update_time=now,
            notes=stored.row.notes if notes is None else notes,
        )
        resources.update(tx, row)

    def _artifact(self, tx: Tx, name: str, version: str, model: Model) -> str:
        """Record a version as an artifact of the location's metadata store; return the artifact's name."""
        store = self._lineage.ensure_store(tx, parent_of(name))
        ident = f"model-{id_of(name)}-v{version}"
        resource = f"{name}@{version}"
        return self._lineage.put_resource(tx, store, ident, "google.VertexModel", resource, model.display_name)

    def _refuse_deployed(self, tx: Tx, name: str, version: str) -> None:
        users = refs.users(tx, f"{name}@{version}", DEPLOYED)
        if users:
            text = sentences.DEPLOYED.format(version=version, model=name, user=users[0].user)
            raise FailedPrecondition(text)

    def _row_name(self, name: str, version: str) -> str:
        return f"{name}/{VERSION.collection}/{version}"


def registered(tx: Tx, key: str) -> tuple[str, str] | None:
    """Return the model and version that were registered under a key, or None."""
    for ref in refs.used_by(tx, key):
        if ref.kind == UPLOADED:
            name, _, version = ref.used.partition("@")
            return name, version
    return None
