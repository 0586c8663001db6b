"""Exports of a table's splits, resumable: a child process writes files, which then become objects one by one.

What an export has reached lies on the disk until the row that ends it: `exports/KEY/ATTEMPT/` holds links to the
sources (so that they stay as they were when it began), the job file and, once the child is done, its whole result.
"""

import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trigpoint.core import errors
from trigpoint.core.errors import FailedPrecondition, Internal, InvalidArgument, TrigpointError, Violation
from trigpoint.core.names import parent_of
from trigpoint.data import export as child
from trigpoint.data import formats
from trigpoint.data.children import PROGRESS, RESULT
from trigpoint.data.splits import Split
from trigpoint.domains.datasets import children, rules, sentences
from trigpoint.domains.storage import Files
from trigpoint.kernel.resource import Fact, Kernel
from trigpoint.store import Tx, resources
from trigpoint.store.resources import Row

KIND = "exports"
"""The internal kind of the rows that end exports."""

FIELD = "dataset.metadata.inputConfig.gcsSource.uri"
"""Where a dataset names its sources."""
MOST_AT_ONCE = 2
MOST_ATTEMPTS = 3
MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Pending:
    """The export goes on; `progress` is for people."""

    progress: str


@dataclass(frozen=True, slots=True)
class Exported:
    """The export is over and will not be done again."""

    directory: str
    """`gs://` URI, without a slash at its end."""
    variables: Mapping[str, str]
    """What the training program is told: AIP_DATA_FORMAT and the rest."""
    counts: Mapping[str, int]
    """Rows by split."""
    sources: Sequence[tuple[str, int]]
    """What was read: `gs://` URI and generation."""
    bytes: Mapping[str, int] = field(default_factory=dict)
    """Bytes by split; empty for an export of an older version."""
    files: Mapping[str, int] = field(default_factory=dict)
    """Files by split; empty as `bytes`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One export: what to read, how to divide it, where to write it. The key names it for good."""

    key: str
    dataset: str
    project: str
    uris: Sequence[str]
    split: Split
    directory: str


class Exports:
    """All exports of one home. Thread-safe; one key is worked on by one caller at a time."""

    def __init__(self, kernel: Kernel, files: Files, home: Path, memory_bytes: int = child.MEMORY_BYTES) -> None:
        self._kernel = kernel
        self._files = files
        self._home = home / KIND
        self._memory = memory_bytes
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._attempts: dict[str, int] = {}

    def step(self, wanted: Wanted) -> Pending | Exported:
        """Do the next step, within about a second, and say how far it is; raises what is wrong with the data."""
        ident = _ident(wanted.key)
        over = self._over(wanted, ident)
        if over is not None:
            return over
        result = self._written(ident, RESULT)
        if result is not None:
            self._forget(ident)
            return self._publish(wanted, ident, result.parent)
        with self._lock:
            running = self._children.get(ident)
            busy = sum(process.poll() is None for process in self._children.values())
        if running is not None and running.poll() is None:
            return Pending(self._progress(ident))
        if busy >= MOST_AT_ONCE:
            return Pending(f"waiting for {busy} other exports")
        if self._attempts.get(ident, 0) >= MOST_ATTEMPTS:
            self._forget(ident)
            raise Internal(sentences.INTERRUPTED.format(dataset=wanted.dataset, times=MOST_ATTEMPTS))
        self._start(wanted, ident)
        return Pending("reading the data")

    def reading(self, key: str) -> list[tuple[str, int, int]]:
        """Return what an export under way reads: URI, generation and size of each object; nothing before it began."""
        found = next(self._home.glob(f"{_ident(key)}/*/sources.json"), None)
        if found is None:
            return []
        return [(uri, generation, size) for uri, generation, size in json.loads(found.read_text(encoding="utf-8"))]

    def abandon(self, key: str) -> None:
        """Stop an export that nobody waits for any more and drop what it has not handed over. Idempotent."""
        ident = _ident(key)
        with self._lock:
            running = self._children.get(ident)
        if running is not None:
            running.kill()
        self._forget(ident)
        shutil.rmtree(self._home / ident, ignore_errors=True)

    def close(self) -> None:
        """End all children; their exports begin anew when they are asked for again."""
        with self._lock:
            running = list(self._children.values())
        for process in running:
            process.kill()
            children.reap(process)

    def _over(self, wanted: Wanted, ident: str) -> Exported | None:
        row = self._kernel.store.read(lambda tx: resources.get(tx, self._row_name(wanted, ident)))
        if row is None:
            return None
        kept = json.loads(row.message)
        sources = [(uri, generation) for uri, generation in kept["sources"]]
        directory: str = kept["directory"]
        sizes = {name: kept.get(name, {}) for name in ("bytes", "files")}
        return Exported(directory, rules.variables(directory), kept["counts"], sources, **sizes)

    def _start(self, wanted: Wanted, ident: str) -> None:
        """Pin the sources and start a child on them."""
        shutil.rmtree(self._home / ident, ignore_errors=True)
        folder = self._home / ident / self._kernel.ids.hex(16)
        (folder / "out").mkdir(parents=True)
        sources = self._pinned(wanted, folder)
        job = child.Job(
            sources=[formats.Source(uri, path) for uri, _, path in sources],
            split=wanted.split,
            output=folder / "out",
            memory_bytes=self._memory,
        )
        told = [[uri, generation, os.stat(path).st_size] for uri, generation, path in sources]
        (folder / "sources.json").write_text(json.dumps(told))
        (folder / "job.json").write_text(job.to_json())
        attempts = self._attempts.get(ident, 0)
        self._forget(ident)
        self._attempts[ident] = attempts + 1
        with self._lock:
            self._children[ident] = children.spawn(child.__name__, folder)

    def _pinned(self, wanted: Wanted, folder: Path) -> list[tuple[str, int, str]]:
        """Link the present generation of every source into the folder; return URI, generation and path of each."""
        uris = sources_of(self._files, wanted.project, wanted.uris, FIELD)
        return children.pinned(self._files, wanted.project, uris, folder)

    def _publish(self, wanted: Wanted, ident: str, output: Path) -> Pending | Exported:
        """Make the next file an object, or write the row that ends the export once all are."""
        result = json.loads((output / RESULT).read_text(encoding="utf-8"))
        if "error" in result:
            shutil.rmtree(self._home / ident, ignore_errors=True)
            raise _error(result["error"])
        names = [name for files in result["written"]["files"].values() for name in files]
        for number, name in enumerate(names):
            uri = f"{wanted.directory}/{name}"
            if not self._files.exists(wanted.project, uri):
                self._files.adopt_file(wanted.project, uri, output / name)
                return Pending(f"{number + 1} of {len(names)} files written")
        sources = [one[:2] for one in json.loads((output.parent / "sources.json").read_text(encoding="utf-8"))]
        files: dict[str, list[str]] = result["written"]["files"]
        kept = {
            "key": wanted.key,
            "directory": wanted.directory,
            "counts": result["written"]["counts"],
            "bytes": {split: sum((output / name).stat().st_size for name in files[split]) for split in files},
            "files": {split: len(files[split]) for split in files},
            "ignored": result["written"]["ignored"],
            "split": asdict(wanted.split),
            "sources": sources,
        }
        self._keep(wanted, ident, kept)
        shutil.rmtree(self._home / ident, ignore_errors=True)
        over = self._over(wanted, ident)
        assert over is not None
        return over

    def _keep(self, wanted: Wanted, ident: str, kept: Mapping[str, Any]) -> None:
        now = self._kernel.clock.now()
        name = self._row_name(wanted, ident)
        row = Row(
            name, KIND, parent_of(name), json.dumps(kept).encode(), state="DONE", create_time=now, update_time=now
        )
        told = {part: kept[part] for part in ("directory", "counts", "bytes", "files", "ignored")}

        def unit(tx: Tx) -> None:
            if resources.get(tx, name) is None:
                resources.insert(tx, row)
                self._kernel.narrate(tx, wanted.dataset, Fact("dataset.exported", {"for": wanted.key, **told}))

        self._kernel.store.write(unit)

    def _progress(self, ident: str) -> str:
        found = self._written(ident, PROGRESS)
        if found is None:
            return "reading the data"
        reached: dict[str, int] = json.loads(found.read_text(encoding="utf-8"))
        return ", ".join(f"{rows} rows {step}" for step, rows in reached.items())

    def _written(self, ident: str, name: str) -> Path | None:
        """Return a file that the child has written, if it has."""
        found = list(self._home.glob(f"{ident}/*/out/{name}"))
        return found[0] if found else None

    def _forget(self, ident: str) -> None:
        """Let go of a child that is over."""
        self._attempts.pop(ident, None)
        with self._lock:
            process = self._children.pop(ident, None)
        if process is not None:
            children.reap(process)

    def _row_name(self, wanted: Wanted, ident: str) -> str:
        return f"{wanted.dataset}/{KIND}/{ident}"


def sources_of(files: Files, project: str, uris: Sequence[str], field: str) -> list[str]:
    """Return the URIs of the objects that a dataset's URIs stand for, each once.

    InvalidArgument naming the field when one stands for no object; the errors of `Files.check_bucket` for its bucket.
    """
    found: dict[str, None] = {}
    for uri in uris:
        matched = [uri] if "*" not in uri and files.exists(project, uri, field) else []
        if "*" in uri:
            start = uri.split("*", 1)[0]
            matched = rules.matching(uri, [str(each) for each, _ in files.list(project, start, field)])
        if not matched:
            text = sentences.NO_OBJECT.format(uri=repr(uri[:300]))
            raise InvalidArgument(violations=[Violation(field, text)])
        found |= dict.fromkeys(matched)
    if len(found) > MOST_FILES:
        raise FailedPrecondition(sentences.MANY_FILES.format(count=len(found), most=MOST_FILES))
    return list(found)


def _ident(key: str) -> str:
    """Return a key as the name of a folder and a row."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _error(kept: Mapping[str, str]) -> TrigpointError:
    by_status = {
        cls.status: cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and cls is not TrigpointError and issubclass(cls, TrigpointError)
    }
    return by_status[kept["status"]](kept["message"])
