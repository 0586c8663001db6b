"""Metadata schemas: what every store has, what a text must be, what metadata is refused."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import InvalidArgument
from trigpoint.domains.lineage.schemas import ARTIFACT, BUILT_IN, LARGEST_TEXT, Schema, parse, version_key, violations

PLAIN = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RULE = st.recursive(
    st.sampled_from(["string", "number", "integer", "boolean", "object", "array"]).map(lambda t: {"type": t}),
    lambda inner: (
        st.dictionaries(st.text(max_size=5), inner, max_size=3).map(lambda p: {"type": "object", "properties": p})
        | inner.map(lambda i: {"type": "array", "items": i})
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("schema", BUILT_IN.values(), ids=BUILT_IN)
def test_the_text_of_a_built_in_schema_is_the_schema(schema: Schema) -> None:
    assert parse(schema.text, schema.version, schema.kind) == schema


@pytest.mark.parametrize(
    ("title", "ident"),
    [
        ("system.ResolverExecution", "system-resolver-execution-v0-0-1"),
        ("system.HTML", "system-html-v0-0-1"),
        ("google.BQTable", "google-bq-table-v0-0-1"),
    ],
)
def test_ids_are_the_title_in_kebab_case(title: str, ident: str) -> None:
    assert BUILT_IN[title].ident == ident


def test_ids_of_built_in_schemas_are_different() -> None:
    assert len({schema.ident for schema in BUILT_IN.values()}) == len(BUILT_IN) == 30


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "must be a YAML mapping"),
        ("title: [", "is not valid YAML"),
        ("title: lower.case", "its title must be"),
        ("type: object", "its title must be"),
        ("title: x.Short", "its title must be"),
        ("1: 2", "must be a YAML mapping"),
        ("[" * 5_000, "is not valid YAML|must be a YAML mapping"),
        ("x" * (LARGEST_TEXT + 1), "must not be longer"),
        ("!!python/object/apply:os.system ['true']", "is not valid YAML"),
        ("title: 0x" + "f" * 10_000, "not a int"),
        ("title: !!bool x", "is not valid YAML"),
        ("title: !!timestamp x", "is not valid YAML"),
        ("title: !!int ''", "is not valid YAML"),
        ("a: &a {x: 1}\nb: {<<: [*a, *a]}\ntitle: acme.Thing", "is not valid YAML"),
    ],
)
def test_a_text_that_is_no_schema_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        parse(text, "0.0.1", ARTIFACT)
    assert [violation.field for violation in caught.value.violations] == ["metadata_schema.schema"]


@pytest.mark.parametrize("version", ["", "1", "1.0", "1.0.0a", "v1.0.0", "9" * 5000 + ".0.0", "١.0.0"])
def test_versions_are_three_numbers(version: str) -> None:
    with pytest.raises(InvalidArgument, match="three numbers"):
        parse("title: acme.Thing", version, ARTIFACT)


_TAGS = st.sampled_from(
    ["!!int", "!!float", "!!bool", "!!timestamp", "!!binary", "!!set", "!!omap", "!!pairs", "!!null"]
)


@given(st.text(alphabet="ab1:-{}[],&*<>|!?%#'\"\n =.~", max_size=30), st.none() | _TAGS)
def test_any_text_is_a_schema_or_is_refused(text: str, tag: str | None) -> None:
    with contextlib.suppress(InvalidArgument):
        parse(f"title: {tag} {text}" if tag else text, "0.0.1", ARTIFACT)


def test_versions_sort_by_their_numbers() -> None:
    assert sorted(["0.0.10", "0.0.9", "0.1.0"], key=version_key) == ["0.0.9", "0.0.10", "0.1.0"]


SCHEMA = parse(
    """
title: acme.Thing
type: object
required: [name]
properties:
  name: {type: string}
  size: {type: integer}
  share: {type: number}
  done: {type: boolean}
  inner: {type: object, required: [a], additionalProperties: false, properties: {a: {type: string}}}
  list: {type: array, items: {type: string}}
""",
    "0.0.1",
    ARTIFACT,
)


@pytest.mark.parametrize(
    ("metadata", "fields"),
    [
        ({"name": "x"}, []),
        ({}, ["metadata.name"]),
        ({"name": "x", "more": 1}, []),
        ({"name": 1}, ["metadata.name"]),
        ({"name": "x", "size": 1.0}, []),
        ({"name": "x", "size": 1.5}, ["metadata.size"]),
        ({"name": "x", "size": True}, ["metadata.size"]),
        ({"name": "x", "share": 1.5, "done": False}, []),
        ({"name": "x", "done": "no"}, ["metadata.done"]),
        ({"name": "x", "inner": {}}, ["metadata.inner.a"]),
        ({"name": "x", "inner": {"a": "1", "b": 2}}, ["metadata.inner.b"]),
        ({"name": "x", "list": ["a", 1]}, ["metadata.list[1]"]),
        ({"name": "x", "list": None}, []),
    ],
)
def test_only_fields_on_both_sides_are_compared(metadata: dict[str, Any], fields: list[str]) -> None:
    assert [problem.field for problem in violations(SCHEMA.definition, metadata, "metadata")] == fields


@given(st.dictionaries(st.text(), RULE), st.dictionaries(st.text(), PLAIN))
def test_any_metadata_can_be_checked(properties: dict[str, Any], metadata: dict[str, Any]) -> None:
    found = violations({"properties": properties}, metadata, "metadata")
    assert not found or set(properties) & set(metadata)


@given(st.dictionaries(st.text(), PLAIN))
def test_an_open_schema_takes_everything(metadata: dict[str, Any]) -> None:
    assert violations(BUILT_IN["system.Artifact"].definition, metadata, "metadata") == []
