"""Answers the pages of datasets from the slice's profiles and the rows of pipelines."""

from typing import Any

import orjson
from sqlalchemy import and_

from trigpoint.console.datasets.wire import ColumnInfo, ProfileInfo, TopValue, UseInfo, Uses
from trigpoint.core.names import id_of, parent_of
from trigpoint.domains.datasets import Datasets, Looking
from trigpoint.store import Store, resources
from trigpoint.store.queries import json_at
from trigpoint.store.resources import Row

_MOST = 200


def profile(datasets: Datasets, name: str) -> ProfileInfo:
    """Return what is known of a dataset's table; asking begins to find out."""
    found = datasets.profile(name)
    if isinstance(found, Looking):
        return ProfileInfo("working", found.rows, False, 0, (), (), "")
    uris = [uri for uri, _ in found.sources]
    if found.profile is None:
        return ProfileInfo("failed", 0, False, found.bytes, uris, (), found.problem)
    columns = [_column(column) for column in found.profile["columns"]]
    return ProfileInfo("ready", found.profile["rows"], found.profile["cut"], found.bytes, uris, columns, "")


def uses(store: Store, name: str) -> Uses:
    """Return the pipelines that trained on a dataset, newest first."""
    where = and_(json_at(("inputDataConfig", "datasetId")).text == id_of(name))
    page = store.read(lambda tx: resources.select(tx, "trainingPipelines", parent_of(name), where=where, limit=_MOST))
    return Uses([_use(row) for row in page.rows])


def _use(row: Row) -> UseInfo:
    export: Any = row.notes.get("export") or {}
    rows = {str(split): int(count) for split, count in (export.get("counts") or {}).items()}
    title = row.display_name or str(orjson.loads(row.json).get("displayName", ""))
    return UseInfo(row.name, title, row.state, row.create_time, rows)


def _column(told: Any) -> ColumnInfo:
    top = [TopValue(str(value), int(rows)) for value, rows in told["top"]]
    return ColumnInfo(**{**told, "top": top})
