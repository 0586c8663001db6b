"""Writes the splits of a table as files, in a process of its own: `python -m trigpoint.data.export JOB_FILE`.

The job file says what to read and where to write; `result.json` appears beside the output, whole, when it is over,
well or not. The process limits its own memory, dies with the server that started it (its standard input closes), and
touches nothing outside its output directory. Where results belong in a bucket is left to the datasets slice.
"""

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trigpoint.core.errors import ResourceExhausted, TrigpointError
from trigpoint.data import sentences
from trigpoint.data.children import RESULT, die_with_parent, progress, replace
from trigpoint.data.formats import SHARD_BYTES, CsvTable, Shards, Source
from trigpoint.data.splits import SPLITS, Split, survey

MEMORY_BYTES = 2 * 1024 * 1024 * 1024
"""Address space that an export may use."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one export reads and writes. Paths are this machine's; they never reach a user."""

    sources: Sequence[Source]
    split: Split
    output: Path
    shard_bytes: int = SHARD_BYTES
    memory_bytes: int = MEMORY_BYTES

    def to_json(self) -> str:
        """Return the text of a job file."""
        plain = asdict(self) | {"output": str(self.output), "split": self.split.plain()}
        plain["sources"] = [list(source) for source in self.sources]
        return json.dumps(plain)

    @staticmethod
    def from_json(text: str) -> "Job":
        """Return what `to_json` gave."""
        plain = json.loads(text)
        return Job(
            sources=[Source(*source) for source in plain["sources"]],
            split=Split.from_plain(plain["split"]),
            output=Path(plain["output"]),
            shard_bytes=plain["shard_bytes"],
            memory_bytes=plain["memory_bytes"],
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What an export wrote: file names and row counts by split; `ignored` rows belong to no split."""

    files: Mapping[str, Sequence[str]]
    counts: Mapping[str, int]
    ignored: int
    header: Sequence[str]


def export(job: Job) -> Written:
    """Read the sources and write the splits; the errors of `CsvTable` and `survey` for data that cannot be used."""
    table = CsvTable(job.sources)
    assign = survey(job.split, table.header, table.rows(lambda rows: progress(job.output, "surveyed", rows)))
    shards = [Shards(job.output, name, table.header, job.shard_bytes) for name in SPLITS]
    ignored = 0
    for row in table.rows(lambda rows: progress(job.output, "written", rows)):
        index = assign(row)
        if index is None:
            ignored += 1
        else:
            shards[index].write(row)
    return Written(
        files={name: shard.close() for name, shard in zip(SPLITS, shards, strict=True)},
        counts={name: shard.rows for name, shard in zip(SPLITS, shards, strict=True)},
        ignored=ignored,
        header=table.header,
    )


def main(arguments: Sequence[str]) -> int:
    """Run one job file; the exit status is 0 whenever a result was written."""
    die_with_parent()
    job = Job.from_json(Path(arguments[0]).read_text(encoding="utf-8"))
    resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, job.memory_bytes))
    try:
        result: dict[str, Any] = {"written": asdict(export(job))}
    except TrigpointError as error:
        result = {"error": {"status": error.status, "message": error.message}}
    except MemoryError:
        mebibytes = job.memory_bytes // (1024 * 1024)
        text = sentences.SPLIT_MEMORY.format(mebibytes=mebibytes)
        result = {"error": {"status": ResourceExhausted.status, "message": text}}
    except OSError as error:
        text = sentences.NOT_WRITTEN.format(problem=error.strerror)
        result = {"error": {"status": "UNAVAILABLE", "message": text}}
    replace(job.output / RESULT, json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
