"""Expressions on the rows of resources, for the conditions and orders of `resources.select`; parses no filter itself.

All but `label` are never null: what is absent counts as the empty value of its type, as in the API's messages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Numeric, Text, exists, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.store import sentences
from trigpoint.store.rows import LABELS, RESOURCES

COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "name": RESOURCES.c.name,
    "state": RESOURCES.c.state,
    "display_name": RESOURCES.c.display_name,
    "displayName": RESOURCES.c.display_name,
    "create_time": RESOURCES.c.create_time,
    "createTime": RESOURCES.c.create_time,
    "update_time": RESOURCES.c.update_time,
    "updateTime": RESOURCES.c.update_time,
}
"""Columns by the API's name of the field, in both spellings; times are microseconds."""


def label(key: str) -> ColumnElement[str | None]:
    """Return the value of a label, null when the resource has none of that key."""
    found = select(LABELS.c.value).where(LABELS.c.name == RESOURCES.c.name, LABELS.c.key == key)
    return found.correlate(RESOURCES).scalar_subquery()


def has_label(key: str) -> ColumnElement[bool]:
    """Return whether a label of that key is there."""
    return exists().where(LABELS.c.name == RESOURCES.c.name, LABELS.c.key == key).correlate(RESOURCES)


def label_is(key: str, value: str) -> ColumnElement[bool]:
    """Return whether a label has exactly this value; answered from an index, unlike `label(key) == value`."""
    return RESOURCES.c.name.in_(select(LABELS.c.name).where(LABELS.c.key == key, LABELS.c.value == value))


@dataclass(frozen=True, slots=True)
class At:
    """One place in the rendered JSON of a message, read as one of the types."""

    path: tuple[str, ...]

    @property
    def text(self) -> ColumnElement[str]:
        """The value as text (`true` and `false` for a boolean); empty when absent."""
        return _JsonText(RESOURCES.c.json, *map(literal, self.path))

    @property
    def number(self) -> ColumnElement[Any]:
        """The value as a number, also where JSON holds it in a string as for 64-bit integers; 0 when absent or none."""
        return _JsonNumber(RESOURCES.c.json, *map(literal, self.path))

    @property
    def boolean(self) -> ColumnElement[bool]:
        """Whether the value is true; false when absent."""
        return self.text == "true"

    @property
    def present(self) -> ColumnElement[bool]:
        """Whether there is a value (of any type but null)."""
        return _JsonPresent(RESOURCES.c.json, *map(literal, self.path))


def json_at(path: Sequence[str]) -> At:
    """Return the place that these keys lead to (lowerCamelCase, as rendered). InvalidArgument for an impossible key."""
    for key in path:
        if '"' in key or "\\" in key or "\x00" in key or not key:
            raise InvalidArgument(violations=[Violation("filter", sentences.NO_FIELD.format(name=repr(key)))])
    return At(tuple(path))


class _JsonText(FunctionElement[str]):
    type = Text()
    inherit_cache = True
    name = "json_text"


class _JsonNumber(FunctionElement[Any]):
    type = Numeric()
    inherit_cache = True
    name = "json_number"


class _JsonPresent(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    name = "json_present"


@compiles(_JsonText, "sqlite")
def _text_sqlite(element: _JsonText, compiler: SQLCompiler, **options: Any) -> str:
    place = _sqlite(element, compiler, options)
    return (
        f"coalesce(CASE json_type({place}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
        f"ELSE CAST(json_extract({place}) AS TEXT) END, '')"
    )


@compiles(_JsonNumber, "sqlite")
def _number_sqlite(element: _JsonNumber, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce(CAST(json_extract({_sqlite(element, compiler, options)}) AS NUMERIC), 0)"


@compiles(_JsonPresent, "sqlite")
def _present_sqlite(element: _JsonPresent, compiler: SQLCompiler, **options: Any) -> str:
    return f"(coalesce(json_type({_sqlite(element, compiler, options)}), 'null') <> 'null')"


@compiles(_JsonText, "postgresql")
def _text_postgres(element: _JsonText, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce({_postgres(element, compiler, options)}, '') COLLATE \"C\""


@compiles(_JsonNumber, "postgresql")
def _number_postgres(element: _JsonNumber, compiler: SQLCompiler, **options: Any) -> str:
    place = _postgres(element, compiler, options)
    return rf"(CASE WHEN {place} ~ '^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$' THEN CAST({place} AS NUMERIC) ELSE 0 END)"


@compiles(_JsonPresent, "postgresql")
def _present_postgres(element: _JsonPresent, compiler: SQLCompiler, **options: Any) -> str:
    return f"({_postgres(element, compiler, options)} IS NOT NULL)"


def _sqlite(element: FunctionElement[Any], compiler: SQLCompiler, options: dict[str, Any]) -> str:
    column, *keys = [compiler.process(clause, **options) for clause in element.clauses]
    path = " || ".join(f"'.\"' || {key} || '\"'" for key in keys)
    # An internal kind renders no JSON, and SQLite refuses the empty string.
    return f"nullif({column}, ''), '$' || {path}"


def _postgres(element: FunctionElement[Any], compiler: SQLCompiler, options: dict[str, Any]) -> str:
    column, *keys = [compiler.process(clause, **options) for clause in element.clauses]
    # PostgreSQL's text cannot hold NUL, so its JSON functions fail on the escape: show it as U+FFFD.
    document = rf"CAST(nullif(replace({column}, '\u0000', '\ufffd'), '') AS JSON)"
    return f"json_extract_path_text({document}, {', '.join(f'CAST({key} AS TEXT)' for key in keys)})"
