"""Managed datasets: tables associated where they lie, and their splits written out for a training run.

RPCs: DatasetService, as far as tables go; datasets of other kinds are kept as given. Training asks `check` before it
accepts a pipeline, and `export` while it runs.
"""

from collections.abc import Mapping
from pathlib import Path

from trigpoint.core import messages
from trigpoint.core.clock import Micros
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from trigpoint.core.names import project_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_pb import Dataset
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import InputDataConfig
from trigpoint.domains.datasets import rpc, rules, sentences
from trigpoint.domains.datasets.profiles import Looked, Looking, Profiles
from trigpoint.domains.datasets.rpc import DATASET
from trigpoint.domains.datasets.work import Exported, Exports, Pending, Wanted
from trigpoint.domains.lineage import Lineage
from trigpoint.domains.storage import Files
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.reconcile import Reconcilers
from trigpoint.kernel.resource import Kernel
from trigpoint.kernel.standard import Handler, Standard

__all__ = ["Datasets", "Exported", "Looked", "Looking", "Pending"]

SERVICE = "google.cloud.aiplatform.v1.DatasetService"
_INPUT = "training_pipeline.input_data_config"


class Datasets:
    """The slice, put together. Thread-safe."""

    def __init__(
        self,
        kernel: Kernel,
        operations: Operations,
        standard: Standard,
        lineage: Lineage,
        files: Files,
        home: Path,
    ) -> None:
        self._kernel = kernel
        self._standard = standard
        self._files = files
        self._exports = Exports(kernel, files, home)
        self._profiles = Profiles(files, home / "profiles")
        self._rpc = rpc.Datasets(kernel, operations, lineage, files)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of DatasetService by full method name."""
        own = {
            "CreateDataset": self._rpc.create,
            "UpdateDataset": self._rpc.update,
            "ImportData": self._rpc.refuse_import,
            "ExportData": self._rpc.refuse_export,
        }
        return {
            **self._standard.handlers(DATASET, SERVICE, "get", "list", "delete"),
            **{f"{SERVICE}.{method}": handler for method, handler in own.items()},
        }

    def reconcilers(self) -> Reconcilers:
        """Return none: an export moves when its training pipeline asks."""
        return {}

    def close(self) -> None:
        """End what runs; it goes on when it is asked for again."""
        self._exports.close()
        self._profiles.close()

    def check(self, location: str, config: InputDataConfig) -> Dataset:
        """Return the dataset that a pipeline of `projects/N/locations/L` trains on, if it can be exported as asked.

        InvalidArgument naming the field for an unknown dataset, a split it cannot have or a bucket that is not there.
        """
        dataset = self._dataset(location, config)
        rules.split_of(config)
        prefix = rules.destination_of(config)
        if prefix:
            self._files.refuse_absent(project_of(location), prefix, f"{_INPUT}.gcs_destination.output_uri_prefix")
            _tables(dataset)
        return dataset

    def export(self, location: str, config: InputDataConfig, key: str, created: Micros) -> Pending | Exported | None:
        """Write the splits where the pipeline asked, step by step: call again until it is `Exported`.

        Idempotent by `key`, across restarts; `created`, the pipeline's create time, names the directory. None when no
        destination was asked for. Raises what is wrong with the data, for the pipeline's error.
        """
        prefix = rules.destination_of(config)
        if not prefix:
            return None
        dataset = self._dataset(location, config)
        wanted = Wanted(
            key=key,
            dataset=dataset.name,
            project=project_of(location),
            uris=_tables(dataset).uris,
            split=rules.split_of(config),
            directory=rules.directory(prefix, dataset.name, created),
        )
        return self._exports.step(wanted)

    def reading(self, key: str) -> list[tuple[str, int, int]]:
        """Return what the export of a key reads while it is under way: URI, generation and size of each object."""
        return self._exports.reading(key)

    def profile(self, name: str) -> Looking | Looked:
        """Return what the columns of a dataset are like, looking at them first when that is new: call again meanwhile.

        NotFound for an unknown dataset, FailedPrecondition for one that is no table of files.
        """
        dataset = self._kernel.load(DATASET, name).message
        return self._profiles.step(project_of(name), _tables(dataset).uris)

    def known(self, name: str) -> Looked | None:
        """Return what `profile` found out of the present sources, or None: nothing is begun."""
        try:
            dataset = self._kernel.load(DATASET, name).message
            return self._profiles.known(project_of(name), _tables(dataset).uris)
        except (FailedPrecondition, InvalidArgument, NotFound):
            return None

    def abandon(self, key: str) -> None:
        """Stop an export whose pipeline was cancelled. Idempotent; what is in the bucket already stays."""
        self._exports.abandon(key)

    def artifact(self, name: str) -> str:
        """Return the lineage artifact of a dataset; empty when the dataset was deleted meanwhile."""
        found = self._kernel.find(DATASET, name)
        return found.message.metadata_artifact if found is not None else ""

    def _dataset(self, location: str, config: InputDataConfig) -> Dataset:
        name = f"{location}/{DATASET.collection}/{config.dataset_id}"
        if DATASET.pattern.match(name) is not None:
            try:
                return self._kernel.load(DATASET, name).message
            except NotFound:
                pass
        text = sentences.NO_DATASET.format(dataset=repr(config.dataset_id[:120]), location=location)
        raise InvalidArgument(violations=[Violation(f"{_INPUT}.dataset_id", text)])


def _tables(dataset: Dataset) -> rules.Tables:
    """Return where a dataset's rows are; FailedPrecondition when they cannot be exported to Cloud Storage."""
    if rules.title(dataset.metadata_schema_uri) not in rules.TABLES:
        raise FailedPrecondition(sentences.NO_TABLE.format(dataset=dataset.name))
    tables = rules.tables(messages.plain(dataset.metadata) if dataset.metadata is not None else None)
    if tables.table:
        raise FailedPrecondition(sentences.BIGQUERY_SOURCE.format(dataset=dataset.name))
    return tables
