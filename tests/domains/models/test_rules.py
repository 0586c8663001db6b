"""The rules of the model registry: names, aliases in any order of changes, masks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import FailedPrecondition, InvalidArgument
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_pb import Model
from trigpoint.domains.models import rules

PARENT = "projects/1/locations/l"
NAMES = st.sampled_from(["default", "prod", "canary", "v1"])


def test_names_have_a_version_or_an_alias_behind_the_at() -> None:
    assert rules.split_name(f"{PARENT}/models/m") == (f"{PARENT}/models/m", "")
    assert rules.split_name(f"{PARENT}/models/m@2") == (f"{PARENT}/models/m", "2")
    with pytest.raises(InvalidArgument):
        rules.split_name("models/m@2")


@pytest.mark.parametrize("alias", ["default", "v1", "aBc", "a-1", "a" * 128])
def test_aliases(alias: str) -> None:
    assert rules.alias_form(alias, "f") == []


@pytest.mark.parametrize("alias", ["", "a", "1", "12", "A1", "a_b", "ab-", "-ab", "aB", "a" * 129])
def test_aliases_refused(alias: str) -> None:
    assert [v.field for v in rules.alias_form(alias, "f")] == ["f"]


def test_uploads_are_checked_field_by_field() -> None:
    wrong = Model(labels={"A": ""}, version_aliases=["7"], artifact_uri="/tmp/x")
    fields = [v.field for v in rules.upload(wrong, first=True)]
    assert fields == ["model.display_name", "model.labels", "model.version_aliases", "model.artifact_uri"]
    assert rules.upload(Model(artifact_uri="gs://b/dir/"), first=False) == []


def test_a_parent_model_is_a_name_or_an_id() -> None:
    name = f"{PARENT}/models/m"
    assert rules.target(PARENT, "", "x") == ""
    assert rules.target(PARENT, "m", "") == rules.target(PARENT, name, "m") == name
    for parent_model, model_id in [(f"{name}@1", ""), ("projects/1/locations/k/models/m", ""), ("m", "other")]:
        with pytest.raises(InvalidArgument):
            rules.target(PARENT, parent_model, model_id)


def test_output_fields_are_the_services() -> None:
    model = Model(name="x", version_id="9", training_pipeline="y", etag="1", description="kept")
    rules.computed(model)
    assert (model.name, model.version_id, model.training_pipeline, model.etag) == ("", "", "", "")
    assert model.description == "kept"
    assert model.supported_deployment_resources_types == [Model.DeploymentResourcesType.DEDICATED_RESOURCES]
    assert model.supported_export_formats[0].id == "custom-trained"
    assert model.model_source_info is not None


def test_the_first_version_is_the_default_and_aliases_move() -> None:
    first = rules.added({}, "1", [])
    assert first == {"1": ["default"]}
    second = rules.added(first, "2", ["prod"])
    assert second == {"1": ["default"], "2": ["prod"]}
    third = rules.added(second, "3", ["default", "prod"])
    assert third == {"1": [], "2": [], "3": ["default", "prod"]}


@given(st.lists(st.lists(NAMES, max_size=3), min_size=1, max_size=5), st.data())
def test_an_alias_names_one_version_and_there_is_always_one_default(
    given_names: list[list[str]], data: st.DataObject
) -> None:
    aliases: dict[str, list[str]] = {}
    for number, names in enumerate(given_names, 1):
        aliases = rules.added(aliases, str(number), names)
        if data.draw(st.booleans()):
            version = data.draw(st.sampled_from(sorted(aliases)))
            changes = data.draw(st.lists(NAMES | st.sampled_from(["-prod", "-canary"]), max_size=3))
            aliases = rules.merged(aliases, version, changes)
            assert all(change in aliases[version] for change in changes if not change.startswith("-"))
        if len(aliases) > 1 and data.draw(st.booleans()):
            aliases = rules.without(aliases, data.draw(st.sampled_from(sorted(aliases))), "m")
        every = [name for names in aliases.values() for name in names]
        assert len(every) == len(set(every))
        assert every.count("default") == 1


def test_versions_are_found_by_id_and_alias() -> None:
    aliases = {"1": ["prod"], "2": ["default"]}
    assert [rules.resolve(aliases, wanted) for wanted in ("", "-", "1", "prod", "default")] == ["2", "2", "1", "1", "2"]
    assert rules.resolve(aliases, "3") is None


def test_default_can_only_move() -> None:
    with pytest.raises(InvalidArgument, match="add it to another version"):
        rules.merged({"1": ["default"]}, "1", ["-default"])
    assert rules.merged({"1": ["default"], "2": []}, "2", ["default"]) == {"1": [], "2": ["default"]}
    with pytest.raises(InvalidArgument, match="the alias"):
        rules.merged({"1": ["default"]}, "1", ["3"])


def test_the_last_version_stays_and_default_goes_to_the_most_recent() -> None:
    assert rules.without({"2": ["x"], "9": [], "10": ["default"]}, "10", "m") == {"2": ["x"], "9": ["default"]}
    with pytest.raises(FailedPrecondition, match="the only one"):
        rules.without({"1": ["default"]}, "1", "m")


def test_a_mask_is_for_a_model_or_for_a_version() -> None:
    rules.changed(["display_name", "labels.a"], version=False)
    rules.changed(["version_description", "labels"], version=True)
    with pytest.raises(FailedPrecondition, match="of a model"):
        rules.changed(["display_name"], version=True)
    with pytest.raises(FailedPrecondition, match="of a version"):
        rules.changed(["version_description", "display_name"], version=False)
    with pytest.raises(InvalidArgument, match="cannot be updated"):
        rules.changed(["artifact_uri"], version=False)


def test_labels_of_a_version_win() -> None:
    assert rules.labels({"a": "1", "b": "1"}, {"b": "2"}) == {"a": "1", "b": "2"}
