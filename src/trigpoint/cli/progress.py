"""Shows what the platform says about jobs while something else waits for them; reads the public logs, no more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from trigpoint.cli.client import LOGGING, Api
from trigpoint.cli.session import Failure

EVERY_SECONDS = 1.0


class Progress:
    """Within its block, passes each new message of the service, from any job of the project, to `say`."""

    def __init__(self, api: Api, say: Callable[[str], None]) -> None:
        self._api = api
        self._say = say
        self._since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                entries = self._fresh()
            except Failure:
                continue
            for entry in entries:
                if entry["insertId"] not in self._seen:
                    self._seen.add(entry["insertId"])
                    self._since = max(self._since, entry["timestamp"])
                    self._say(entry.get("textPayload", ""))

    def _fresh(self) -> list[dict[str, Any]]:
        only = f'resource.type="ml_job" AND resource.labels.task_name="service" AND timestamp>="{self._since}"'
        body = {
            "resourceNames": [f"projects/{self._api.info.project}"],
            "filter": only,
            "orderBy": "timestamp asc",
            "pageSize": 100,
        }
        found: list[dict[str, Any]] = self._api.call("POST", LOGGING, "v2/entries:list", body).get("entries", [])
        return found
