"""What the columns of a dataset are like: looked at once per state of its sources, by a child process, then kept."""

import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trigpoint.core.errors import Unavailable
from trigpoint.data import profile as child
from trigpoint.data.children import PROGRESS, RESULT
from trigpoint.domains.datasets import children, sentences
from trigpoint.domains.datasets.work import FIELD, sources_of
from trigpoint.domains.storage import Files

_FORM = 2
"""What is kept is of this form; what is of another is made again."""
KEPT = 200
"""Profiles that are kept; the oldest go first. They can be made again."""


@dataclass(frozen=True, slots=True)
class Looking:
    """The table is being read; `rows` so far."""

    rows: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: the members of `data.profile.Profile`, or what is wrong with the data."""

    sources: Sequence[tuple[str, int]]
    """What was read: `gs://` URI and generation."""
    bytes: int
    profile: Mapping[str, Any] | None
    problem: str = ""


class Profiles:
    """All profiles of a home, below `folder`. Thread-safe."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files, self._folder = files, folder
        self._lock = threading.Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def step(self, project: str, uris: Sequence[str]) -> Looking | Looked:
        """Return what is known of the table in these files, looking at it first if it is new; call again meanwhile.

        The errors of `sources_of` when there is no such file; Unavailable when too many tables are being read.
        """
        sources, size, ident = self._state(project, uris)
        with self._lock:
            began = ident in self._running
            self._reap()
            kept = self._kept(ident)
            if kept is not None:
                return Looked(sources, size, kept.get("profile"), _problem(kept))
            if ident in self._running:
                return Looking(self._rows(ident))
            if began:
                raise Unavailable(sentences.LOOK_ENDED)
            if self._running:
                raise Unavailable(sentences.LOOK_BUSY)
            self._start(project, [uri for uri, _ in sources], ident)
        return Looking(0)

    def known(self, project: str, uris: Sequence[str]) -> Looked | None:
        """Return what is known of the table in these files, as they are now; the errors of `sources_of`."""
        sources, size, ident = self._state(project, uris)
        kept = self._kept(ident)
        return Looked(sources, size, kept.get("profile"), _problem(kept)) if kept is not None else None

    def _state(self, project: str, uris: Sequence[str]) -> tuple[list[tuple[str, int]], int, str]:
        """Return the files with their generations, their size together, and the name of what is known of them."""
        rows = {uri: self._files.stat(project, uri) for uri in sources_of(self._files, project, uris, FIELD)}
        sources = [(uri, row.generation) for uri, row in rows.items()]
        ident = hashlib.sha256(json.dumps([_FORM, project, sources]).encode()).hexdigest()[:32]
        return sources, sum(row.size for row in rows.values()), ident

    def close(self) -> None:
        """End what runs; it begins anew when it is asked for again."""
        with self._lock:
            for process in self._running.values():
                process.kill()
            self._reap()

    def _kept(self, ident: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self._folder / ident / RESULT).read_bytes())
        except (OSError, ValueError):
            return None
        return found

    def _start(self, project: str, uris: list[str], ident: str) -> None:
        self._make_room()
        folder = self._folder / ident
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        sources = children.pinned(self._files, project, uris, folder)
        job = {"sources": [[uri, path] for uri, _, path in sources], "output": str(folder)}
        (folder / "job.json").write_text(json.dumps(job))
        self._running[ident] = children.spawn(child.__name__, folder)

    def _rows(self, ident: str) -> int:
        try:
            return int(json.loads((self._folder / ident / PROGRESS).read_bytes())["read"])
        except (OSError, ValueError, KeyError):
            return 0

    def _reap(self) -> None:
        """Let go of children that are over, and of the links that kept their sources."""
        for ident, process in list(self._running.items()):
            if process.poll() is not None or self._kept(ident) is not None:  # its result is the last that it writes
                children.reap(process)
                del self._running[ident]
                for link in (self._folder / ident).glob("in-*"):
                    link.unlink()

    def _make_room(self) -> None:
        if not self._folder.exists():
            return
        oldest = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for path in oldest[: max(0, len(oldest) - KEPT + 1)]:
            shutil.rmtree(path, ignore_errors=True)


def _problem(kept: Mapping[str, Any]) -> str:
    return str(kept["error"]["message"]) if "error" in kept else ""
