"""Which node an object belongs to: a package, a split, a source of the dataset, or the files of a folder. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trigpoint.console.picture.records import Records

SPLITS = ("training", "validation", "test")
MOST_FOLDERS = 24
"""Folders of other files that get a node each, the first ones; the rest is shown by bucket."""
_ROLES = (("model", "model"), ("checkpoints", "checkpoints"), ("logs", "tensorboard"))


@dataclass(frozen=True, slots=True)
class Place:
    """A node that objects lie in."""

    id: str
    kind: str
    """package, splits, source or files."""
    folder: str = ""
    """Of files: `gs://BUCKET/FOLDER/`."""
    role: str = ""
    """Of files: model, checkpoints, tensorboard, output or other."""


@dataclass
class Places:
    """Where objects of one run lie. The same for equal arguments; remembers what it was asked."""

    packages: frozenset[str]
    splits: Mapping[str, str]
    """Split -> how the URIs of its files begin."""
    sources: frozenset[str]
    output: str
    """The job's output folder, with a slash at its end; empty for none."""
    folded: frozenset[str] = frozenset()
    """Folders of other files that are shown by bucket."""
    _known: dict[str, Place] = field(default_factory=dict)

    def of(self, thing: str) -> Place:
        """Return the node of a thing of a series: `URI#GENERATION`, or `FOLDER*` for many."""
        found = self._known.get(thing)
        if found is None:
            found = self._known[thing] = self._find(split(thing)[0])
        return found

    def same(self, other: "Places | None") -> bool:
        """Return whether another one would answer the same."""
        return other is not None and all(
            getattr(self, name) == getattr(other, name)
            for name in ("packages", "splits", "sources", "output", "folded")
        )

    def _find(self, uri: str) -> Place:
        if uri in self.packages:
            return Place(f"package/{uri}", "package")
        for name, prefix in self.splits.items():
            if uri.startswith(prefix):
                return Place(f"splits/{name}", "splits")
        if uri in self.sources:
            return Place(f"source/{folder_of(uri)}", "source")
        for name, role in _ROLES:
            if self.output and uri.startswith(f"{self.output}{name}/"):
                return _files(f"{self.output}{name}/", role)
        if self.output and uri.startswith(self.output):
            return _files(self.output, "output")
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        head, slash, _ = name.partition("/")
        folder = f"gs://{bucket}/{head}{slash}" if slash else f"gs://{bucket}/"
        return _files(f"gs://{bucket}/" if folder in self.folded else folder, "other")


def places(records: Records, folded: frozenset[str] = frozenset()) -> Places:
    """Return where the objects of a run lie."""
    export = export_of(records)
    directory = str(export.get("directory", ""))
    job = (records.job.message if records.job else {}).get("jobSpec") or {}
    output = str((job.get("baseOutputDirectory") or {}).get("outputUriPrefix", "")).rstrip("/")
    return Places(
        packages=frozenset(packages_of(job)),
        splits={name: f"{directory}/{name}-" for name in SPLITS if directory and written(export, name)},
        sources=frozenset(uri for uri, *_ in sources_of(records)),
        output=f"{output}/" if output else "",
        folded=folded,
    )


def export_of(records: Records) -> Mapping[str, Any]:
    """Return what the run's export made; empty before."""
    found: Mapping[str, Any] = (records.pipeline.notes.get("export") if records.pipeline else None) or {}
    return found


def written(export: Mapping[str, Any], name: str) -> bool:
    """Return whether an export wrote files of a split; older ones say only how many rows."""
    return bool((export.get("files") or export.get("counts") or {}).get(name))


def sources_of(records: Records) -> list[tuple[str, int, int]]:
    """Return URI, generation and size (-1: not known) of what the export read, or reads."""
    told = next((e for e in records.events if e.kind == "trainingPipeline.exporting"), None)
    named = [(str(uri), int(gen), int(size)) for uri, gen, size in (told.data.get("sources", ()) if told else ())]
    sizes = {(uri, generation): size for uri, generation, size in named}
    kept = [(str(uri), int(gen)) for uri, gen in export_of(records).get("sources", ())]
    return [(*one, sizes.get(one, -1)) for one in kept] or named


def packages_of(spec: Mapping[str, Any]) -> list[str]:
    """Return the package URIs of a job's specification, each once."""
    found = [uri for pool in spec.get("workerPoolSpecs", ()) for uri in _package(pool).get("packageUris", ())]
    return list(dict.fromkeys(found))


def _package(pool: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = pool.get("pythonPackageSpec") or {}
    return found


def split(thing: str) -> tuple[str, str]:
    """Return the URI and generation of a thing; of a folder's star, the folder with its star and no generation.

    A file below /gcs has none either: its thing says 0.
    """
    uri, hash_, generation = thing.rpartition("#")
    return (uri, generation.lstrip("0")) if hash_ and generation.isdecimal() else (thing, "")


def folder_of(uri: str) -> str:
    """Return the folder that an object lies in, with a slash at its end."""
    return uri.rpartition("/")[0] + "/"


def fold(others: Mapping[str, int]) -> frozenset[str]:
    """Return which folders of other files, given with the time of their first access, are shown by bucket."""
    order: Sequence[str] = sorted(others, key=lambda folder: (others[folder], folder))
    return frozenset(folder for folder in order[MOST_FOLDERS:] if folder.count("/") > 3)


def _files(folder: str, role: str) -> Place:
    return Place(f"files/{folder}", "files", folder, role)
