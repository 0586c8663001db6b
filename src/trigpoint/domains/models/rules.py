"""What a model and its versions may be, which version an alias means; pure. Source: vertex-services.md section 3.1."""

import re
from collections.abc import Iterable, Mapping, Sequence

from trigpoint.core import checks
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, Violation
from trigpoint.core.names import pattern
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_pb import Model, ModelSourceInfo
from trigpoint.domains.models import sentences

MODEL = pattern("projects/{project}/locations/{location}/models/{model}")
DEFAULT = "default"
MODEL_FIELDS = frozenset({"display_name", "description", "labels"})
"""What an update may change of a model."""
VERSION_FIELDS = frozenset({"version_description", "labels"})
"""What an update may change of one version."""

_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
_OUTPUT_ONLY = (
    "name",
    "version_id",
    "version_create_time",
    "version_update_time",
    "create_time",
    "update_time",
    "etag",
    "supported_export_formats",
    "supported_deployment_resources_types",
    "supported_input_storage_formats",
    "supported_output_storage_formats",
    "training_pipeline",
    "deployed_models",
    "metadata_artifact",
    "original_model_info",
    "satisfies_pzs",
    "satisfies_pzi",
)
_INPUT_FORMATS = ("jsonl", "bigquery", "csv", "tf-record", "tf-record-gzip", "file-list")
_OUTPUT_FORMATS = ("jsonl", "bigquery")


def split_name(name: str, field: str = "name") -> tuple[str, str]:
    """Return a model's name and what follows its `@`: a version, an alias, or nothing. InvalidArgument for no name."""
    model, _, version = name.partition("@")
    MODEL.parse(model, field)
    return model, version


def upload(model: Model, *, first: bool) -> list[Violation]:
    """Check a model to upload; a further version may leave the display name out."""
    found = checks.display_name("model.display_name", model.display_name, required=first)
    found += checks.labels("model.labels", model.labels)
    for alias in model.version_aliases:
        found += alias_form(alias, "model.version_aliases")
    if model.artifact_uri and not re.fullmatch(r"gs://[^/]+(/.*)?", model.artifact_uri, re.DOTALL):
        text = sentences.BAD_DIRECTORY.format(uri=repr(model.artifact_uri[:200]))
        found.append(Violation("model.artifact_uri", text))
    return found


def alias_form(alias: str, field: str) -> list[Violation]:
    """Check the form of an alias: 2 to 128 of `[a-zA-Z0-9-]`, from a lower-case letter to one or a digit."""
    if _ALIAS.fullmatch(alias):
        return []
    return [Violation(field, sentences.BAD_ALIAS.format(alias=repr(alias[:80])))]


def target(parent: str, parent_model: str, model_id: str) -> str:
    """Return the name of the model that an upload to `parent` names as its own, or an empty string for a new one.

    `parent_model` is a full name or a bare id; with `model_id` beside it both must mean the same model.
    """
    if not parent_model:
        return ""
    name = parent_model if "/" in parent_model else f"{parent}/models/{parent_model}"
    name, version = split_name(name, "parent_model")
    if version or not name.startswith(f"{parent}/"):
        text = sentences.BAD_PARENT.format(model=repr(parent_model[:200]), parent=parent)
        raise InvalidArgument(violations=[Violation("parent_model", text)])
    if model_id and name != f"{parent}/models/{model_id}":
        text = sentences.OTHER_ID.format(id=repr(model_id[:80]))
        raise InvalidArgument(violations=[Violation("model_id", text)])
    return name


def computed(model: Model) -> None:
    """Clear what only the service says of a custom model, and say it."""
    blank = Model()
    for field in _OUTPUT_ONLY:
        setattr(model, field, getattr(blank, field))
    model.supported_deployment_resources_types = [Model.DeploymentResourcesType.DEDICATED_RESOURCES]
    model.supported_input_storage_formats = list(_INPUT_FORMATS)
    model.supported_output_storage_formats = list(_OUTPUT_FORMATS)
    contents = Model.ExportFormat.ExportableContent
    model.supported_export_formats = [
        Model.ExportFormat(id="custom-trained", exportable_contents=[contents.ARTIFACT, contents.IMAGE])
    ]
    if model.model_source_info is None:
        model.model_source_info = ModelSourceInfo(source_type=ModelSourceInfo.ModelSourceType.CUSTOM)


def resolve(aliases: Mapping[str, Sequence[str]], wanted: str) -> str | None:
    """Return the version that a version id or alias means; an empty one and `-` mean the default. None for none."""
    if wanted in aliases:
        return wanted
    sought = DEFAULT if wanted in ("", "-") else wanted
    return next((version for version, names in aliases.items() if sought in names), None)


def added(aliases: Mapping[str, Sequence[str]], version: str, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the aliases of each version after a new version came with these names.

    An alias moves to whom it is given last; the first version is the default whatever it asks for.
    """
    given = [*names, *([] if aliases else [DEFAULT])]
    return _moved({**aliases, version: []}, version, given)


def merged(aliases: Mapping[str, Sequence[str]], version: str, changes: Iterable[str]) -> dict[str, list[str]]:
    """Return the aliases of each version after `alias` was added to, or `-alias` removed from, one of them.

    InvalidArgument for a malformed alias, and for taking `default` away instead of giving it to another version.
    """
    changes = list(changes)
    removed = [change[1:] for change in changes if change.startswith("-")]
    given = [change for change in changes if not change.startswith("-")]
    checks.refuse([v for alias in (*removed, *given) for v in alias_form(alias, "version_aliases")])
    if DEFAULT in removed and DEFAULT not in given:
        text = sentences.NO_DEFAULT
        raise InvalidArgument(violations=[Violation("version_aliases", text)])
    kept = {each: list(names) for each, names in aliases.items()}
    kept[version] = [name for name in kept[version] if name not in removed]
    return _moved(kept, version, given)


def without(aliases: Mapping[str, Sequence[str]], version: str, name: str) -> dict[str, list[str]]:
    """Return the aliases after a version is deleted: `default` goes to the next most recent one.

    FailedPrecondition when it is the only one; `name` is the model's.
    """
    left = {each: list(names) for each, names in aliases.items() if each != version}
    if not left:
        raise FailedPrecondition(sentences.LAST_VERSION.format(version=version, model=name))
    if DEFAULT in aliases[version]:
        left[max(left, key=int)].append(DEFAULT)
    return left


def labels(of_model: Mapping[str, str], of_version: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that a reader sees: the model's, and over them the version's."""
    return {**of_model, **of_version}


def changed(paths: Sequence[str], *, version: bool) -> None:
    """Refuse a mask for a model that names fields of a version, or the other way round."""
    fields = {path.split(".")[0] for path in paths}
    fine = VERSION_FIELDS if version else MODEL_FIELDS
    wrong = sorted(fields - fine)
    if not wrong:
        return
    if not fields <= MODEL_FIELDS | VERSION_FIELDS:
        known = ", ".join(sorted(MODEL_FIELDS | VERSION_FIELDS))
        wrong = sorted(fields - MODEL_FIELDS - VERSION_FIELDS)
        text = sentences.NOT_MUTABLE.format(path=repr(wrong[0][:100]), fields=known)
        raise InvalidArgument(violations=[Violation("update_mask", text)])
    other = sentences.OF_MODEL if version else sentences.OF_VERSION
    raise FailedPrecondition(other.format(field=wrong[0]))


def _moved(aliases: Mapping[str, Sequence[str]], version: str, given: Iterable[str]) -> dict[str, list[str]]:
    taken = list(dict.fromkeys(given))
    moved = {each: [name for name in names if name not in taken] for each, names in aliases.items()}
    moved[version] = [*moved[version], *taken]
    return moved
