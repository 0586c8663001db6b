"""The model registry: models, their versions and aliases.

RPCs: ModelService, as far as a registry goes. Training registers what it made with `register`; an endpoint that serves
`models/M@V` keeps a reference of kind `deployedModel` on that name, which keeps the version from being deleted.
"""

from collections.abc import Mapping

from trigpoint.core.errors import NotFound
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_pb import Model
from trigpoint.domains.lineage import Lineage
from trigpoint.domains.models.kinds import DEPLOYED
from trigpoint.domains.models.rpc import Registry
from trigpoint.domains.models.versions import Versions
from trigpoint.domains.storage import Files
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Queries
from trigpoint.kernel.reconcile import Reconcilers
from trigpoint.kernel.resource import Kernel, Stored
from trigpoint.kernel.standard import Handler

__all__ = ["DEPLOYED", "Models"]

SERVICE = "google.cloud.aiplatform.v1.ModelService"


class Models:
    """The slice, put together. Thread-safe."""

    def __init__(
        self,
        kernel: Kernel,
        operations: Operations,
        queries: Queries,
        lineage: Lineage,
        files: Files,
    ) -> None:
        self._kernel = kernel
        self._versions = Versions(kernel, lineage)
        self._registry = Registry(kernel, operations, queries, self._versions, files)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of ModelService by full method name."""
        own = {
            "UploadModel": self._registry.upload,
            "GetModel": self._registry.get,
            "ListModels": self._registry.list,
            "ListModelVersions": self._registry.versions,
            "UpdateModel": self._registry.update,
            "MergeVersionAliases": self._registry.merge_aliases,
            "DeleteModelVersion": self._registry.delete_version,
            "DeleteModel": self._registry.delete,
        }
        return {f"{SERVICE}.{method}": handler for method, handler in own.items()}

    def reconcilers(self) -> Reconcilers:
        """Return none: nothing here goes on after its call."""
        return {}

    def register(
        self,
        location: str,
        model: Model,
        *,
        key: str,
        parent_model: str = "",
        model_id: str = "",
        training_pipeline: str = "",
    ) -> tuple[str, str]:
        """Register what a training run made; return the model's name, without a version, and the version's id.

        Create-or-get by `key`, so that a crash repeats nothing. InvalidArgument for a model that cannot be uploaded,
        FailedPrecondition when nothing lies under its artifact URI.
        """
        return self._registry.register(location, model, parent_model, model_id, key, training_pipeline)

    def check(self, location: str, model: Model, *, parent_model: str = "", model_id: str = "") -> None:
        """Refuse a model to upload before the run that is to make it: the errors of `register`, except for files."""
        self._registry.accept(location, model, parent_model, model_id)

    def find(self, name: str) -> Stored[Model] | None:
        """Return `models/M@VERSION`, or None."""
        model, _, version = name.partition("@")
        try:
            return self._kernel.store.read(lambda tx: self._versions.find(tx, model, version))
        except NotFound:
            return None

    def artifact(self, name: str) -> str:
        """Return the lineage artifact of `models/M@VERSION`; NotFound when there is no such version."""
        model, _, version = name.partition("@")
        return self._versions.artifact(model, version)
