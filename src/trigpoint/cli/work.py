"""What has not ended on a server, in all its projects and locations: shown, cancelled, waited for."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

from trigpoint.cli.client import RESOURCES, Api, ApiError
from trigpoint.cli.session import Failure, Session
from trigpoint.core.names import location_of

ACTIVE = ("JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_CANCELLING")
CANCEL_SECONDS = 40.0
_MOST_NAMED = 10
Label = tuple[str, str]


def active(api: Api) -> list[dict[str, Any]]:
    """Return the jobs that have not ended."""
    only: dict[str, str | int] = {"filter": " OR ".join(f'state="{state}"' for state in ACTIVE)}
    return list(_everywhere(api, "customJobs", only))


def ids(things: list[dict[str, Any]]) -> list[str]:
    """Return the ids of resources."""
    return [one["name"].rsplit("/", 1)[-1] for one in things]


def named(ids: list[str]) -> str:
    """Return ids as a line of text tells them, the first of many."""
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def cancel(session: Session, api: Api, label: Label | None = None, spare: Collection[str] = ()) -> None:
    """Cancel pipelines and jobs that have not ended, or only pipelines with a label, and wait for their end.

    `spare` are names of those to leave alone.
    """
    try:
        for path in unfinished(api, label, spare):
            session.note(f"Cancelling {'/'.join(path.split('/')[-2:])}")
            with suppress(ApiError):
                api.call("POST", f"{location_of(path)}-aiplatform.googleapis.com", f"v1/{path}:cancel", {})
        deadline = time.monotonic() + CANCEL_SECONDS
        while unfinished(api, label, spare) and time.monotonic() < deadline:
            time.sleep(0.25)
    except Failure as failure:
        session.note(f"Could not cancel what still runs: {failure.message}")


def unfinished(api: Api, label: Label | None = None, spare: Collection[str] = ()) -> list[str]:
    """Return the names of pipelines and jobs that have not ended, or only of pipelines with a label."""
    pipelines = [
        one["name"]
        for one in _everywhere(api, "trainingPipelines", {})
        if not one.get("endTime") and (label is None or one.get("labels", {}).get(label[0]) == label[1])
    ]
    names = pipelines if label else [*pipelines, *(job["name"] for job in active(api))]
    return [name for name in names if name not in spare]


def _everywhere(api: Api, collection: str, query: dict[str, str | int]) -> Iterator[dict[str, Any]]:
    """Yield the resources of a kind in each project that answers."""
    for project in api.pages(RESOURCES, "v3/projects:search", "projects", {"query": "state:ACTIVE", "pageSize": 100}):
        path = f"v1/{project['name']}/locations/-/{collection}"
        yield from api.pages(api.vertex, path, collection, {"pageSize": 100, **query})
