"""Answers ModelService: what is accepted and how versions are named; the rows are kept by `versions`."""

from typing import Any

from sqlalchemy import not_

from trigpoint.core import checks, masks, messages
from trigpoint.core.call import Call
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, Violation
from trigpoint.core.filters import Comparison
from trigpoint.core.messages import FieldMask, Message
from trigpoint.core.names import LOCATION, id_of, project_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_pb import Model
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_service_pb import (
    ListModelsRequest,
    ListModelsResponse,
    ListModelVersionsResponse,
    UploadModelOperationMetadata,
    UploadModelResponse,
)
from trigpoint.domains.models import rules, sentences
from trigpoint.domains.models.kinds import MODEL, UPLOADED, VERSION
from trigpoint.domains.models.versions import Versions, registered
from trigpoint.domains.storage import Files
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Condition, Extra, Queries, snake
from trigpoint.kernel.resource import Kernel, check_etag
from trigpoint.store import Tx, refs
from trigpoint.store.rows import RESOURCES


class Registry:
    """The methods of ModelService that are not standard. Thread-safe."""

    def __init__(
        self, kernel: Kernel, operations: Operations, queries: Queries, versions: Versions, files: Files
    ) -> None:
        self._kernel = kernel
        self._operations = operations
        self._queries = queries
        self._versions = versions
        self._files = files

    def upload(self, call: Call, request: Any) -> Message:
        """UploadModel: a new model, or a version of one; done at once."""
        LOCATION.parse(request.parent, "parent")
        given = request.model or Model()
        name, new = self.accept(request.parent, given, request.parent_model, request.model_id)
        if given.artifact_uri and not self._has_files(request.parent, given):
            text = sentences.NOTHING_THERE.format(uri=_folder(given)[:300])
            raise InvalidArgument(violations=[Violation("model.artifact_uri", text)])

        def unit(tx: Tx) -> Message:
            model, version = self._versions.add(tx, name, given, new=new, call=call)
            response = UploadModelResponse(model=model, model_version_id=version)
            return self._operations.done(tx, call, model, response, UploadModelOperationMetadata)

        return self._kernel.store.write(unit)

    def accept(self, parent: str, given: Model, parent_model: str, model_id: str) -> tuple[str, bool]:
        """Check an upload; return the name of the model and whether it is a new one."""
        target = rules.target(parent, parent_model, model_id)
        if target:
            self._kernel.load(MODEL, target)
        checks.refuse(rules.upload(given, first=not target))
        if model_id and not target:
            checks.refuse(checks.client_id("model_id", model_id))
        if given.artifact_uri:
            self._files.check_bucket(project_of(parent), given.artifact_uri, "model.artifact_uri")
        return target or f"{parent}/{MODEL.collection}/{model_id or self._kernel.ids.number()}", not target

    def _has_files(self, parent: str, given: Model) -> bool:
        return any(True for _ in self._files.list(project_of(parent), _folder(given)))

    def register(
        self, parent: str, given: Model, parent_model: str, model_id: str, key: str, training_pipeline: str
    ) -> tuple[str, str]:
        """Create-or-get by key what a training run made; return the model's name and the version's id.

        FailedPrecondition when nothing lies under the artifact URI.
        """
        done = self._kernel.store.read(lambda tx: registered(tx, key))
        if done is not None:
            return done
        name, new = self.accept(parent, given, parent_model, model_id)
        if given.artifact_uri and not self._has_files(parent, given):
            raise FailedPrecondition(sentences.NO_MODEL.format(uri=given.artifact_uri))

        def unit(tx: Tx) -> tuple[str, str]:
            found = registered(tx, key)
            if found is not None:
                return found
            model, version = self._versions.add(tx, name, given, new=new, pipeline=training_pipeline)
            refs.add(tx, key, f"{model}@{version}", UPLOADED)
            return model, version

        return self._kernel.store.write(unit)

    def get(self, call: Call, request: Any) -> Any:
        """GetModel: the default version, or the one that `@version` or `@alias` means."""
        name, wanted = rules.split_name(request.name)
        if not wanted:
            return self._kernel.rendered(MODEL, name)
        found = self._kernel.store.read(lambda tx: self._versions.find(tx, name, wanted))
        return named(found.message, name)

    def list(self, call: Call, request: Any) -> Message:
        """ListModels: one entry per model, its default version."""
        LOCATION.parse(request.parent, "parent")
        page = self._queries.page(MODEL, request, extra=Extra(relations={"model": _same_id}))
        return ListModelsResponse(models=_masked(page.items, request.read_mask), next_page_token=page.token)

    def versions(self, call: Call, request: Any) -> Message:
        """ListModelVersions: oldest first, each with its `@version` in the name."""
        name, _ = rules.split_name(request.name)
        self._kernel.load(MODEL, name)
        asked = ListModelsRequest(
            parent=name,
            filter=request.filter,
            order_by=request.order_by,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        page = self._queries.page(VERSION, asked)
        items = [named(item, f"{name}@{item.version_id}") for item in page.items]
        return ListModelVersionsResponse(models=_masked(items, request.read_mask), next_page_token=page.token)

    def update(self, call: Call, request: Any) -> Message:
        """UpdateModel: of the model for `models/M` and `models/M@-`, of one version for `models/M@V`."""
        given = request.model or Model()
        name, wanted = rules.split_name(given.name, "model.name")
        of_version = wanted not in ("", "-")
        kind = VERSION if of_version else MODEL
        paths = list(request.update_mask.paths) if request.update_mask else []
        if not paths:
            text = sentences.NO_MASK.format(fields=", ".join(sorted(kind.mutable)))
            raise InvalidArgument(violations=[Violation("update_mask", text)])
        if "*" not in paths:
            rules.changed([snake(path) for path in paths], version=of_version)

        def unit(tx: Tx) -> Message:
            stored = self._versions.find(tx, name, wanted) if of_version else self._versions.model(tx, name)
            if of_version or given.etag not in self._versions.etags(tx, name):
                check_etag(MODEL, given.etag, stored.message.etag)
            own = messages.copy(stored.message)
            own.labels = dict(self._versions.own_labels(stored))
            fresh = masks.merged(own, given, request.update_mask, kind.mutable)
            checks.refuse(rules.upload(fresh, first=True))
            if of_version:
                return named(self._versions.save_version(tx, stored, fresh, call), name)
            return self._versions.save_model(tx, stored, fresh, call)

        return self._kernel.store.write(unit)

    def merge_aliases(self, call: Call, request: Any) -> Message:
        """MergeVersionAliases: adds, moves and with `-alias` removes aliases of a version."""
        name, wanted = rules.split_name(request.name)
        if not request.version_aliases:
            text = sentences.NO_CHANGES
            raise InvalidArgument(violations=[Violation("version_aliases", text)])
        merged = self._kernel.store.write(
            lambda tx: self._versions.merge_aliases(tx, name, wanted, request.version_aliases, call)
        )
        return named(merged, name)

    def delete_version(self, call: Call, request: Any) -> Message:
        """DeleteModelVersion: the name must say which."""
        name, wanted = rules.split_name(request.name)
        if not wanted:
            text = sentences.WHICH_VERSION
            raise InvalidArgument(violations=[Violation("name", text)])

        def unit(tx: Tx) -> Message:
            self._versions.remove_version(tx, name, wanted, call)
            return self._operations.done(tx, call, name, messages.Empty())

        return self._kernel.store.write(unit)

    def delete(self, call: Call, request: Any) -> Message:
        """DeleteModel: with all its versions."""
        name, wanted = rules.split_name(request.name)
        if wanted:
            text = sentences.ONE_VERSION
            raise InvalidArgument(violations=[Violation("name", text)])

        def unit(tx: Tx) -> Message:
            self._versions.remove(tx, name, call)
            return self._operations.done(tx, call, name, messages.Empty())

        return self._kernel.store.write(unit)


def named(model: Model, name: str) -> Model:
    """Return a version under the name that its reader knows it by."""
    model.name = name
    return model


def _same_id(node: Comparison) -> Condition:
    """Compare the last component of a model's name, which is what `model` means in a filter."""
    wanted = RESOURCES.c.name.endswith(f"/{id_of(node.value.text)}", autoescape=True)
    if node.operator not in ("=", "!="):
        text = sentences.NOT_ORDERED
        raise InvalidArgument(violations=[Violation("filter", text)])
    return wanted if node.operator == "=" else not_(wanted)


def _masked(items: list[Model], mask: FieldMask | None) -> list[Model]:
    return [masks.read(item, mask.paths) for item in items] if mask and mask.paths else items


def _folder(model: Model) -> str:
    return model.artifact_uri.rstrip("/") + "/"
