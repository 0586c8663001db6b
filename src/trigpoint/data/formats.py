"""Reads and writes tables as text, streaming; which rows go where is left to `splits`.

CSV as managed datasets understand it (vertex-training.md section 1.2): comma-delimited UTF-8, the header is the first
line of the lexicographically first file, later files have the same header or none. Bytes that are not UTF-8 pass
through unchanged.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from trigpoint.core.errors import FailedPrecondition
from trigpoint.data import sentences

SHARD_BYTES = 128 * 1024 * 1024
"""About how large one exported file grows before the next is begun."""

_LARGEST_FIELD = 1 << 30


class Source(NamedTuple):
    """One file of a table: where it really is, and the `gs://` URI that people know it by."""

    uri: str
    path: str


class CsvTable:
    """The rows of several CSV files as one table. May be iterated any number of times; each pass reads the files."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Read the header; FailedPrecondition when there is none."""
        csv.field_size_limit(_LARGEST_FIELD)
        self._sources = sorted(sources)
        self.header = self._header()

    def rows(self, tick: Callable[[int], None] = lambda rows: None) -> Iterator[list[str]]:
        """Yield the data rows of all files; `tick` is told the count now and then.

        FailedPrecondition naming the file and the row when a row has more or fewer fields than the header.
        """
        count = 0
        for source in self._sources:
            for number, row in enumerate(_read(source), 1):
                if not row or (number == 1 and row == self.header):
                    continue
                if len(row) != len(self.header):
                    sizes = {"fields": len(row), "header": len(self.header)}
                    raise FailedPrecondition(sentences.ROW_LENGTH.format(row=number, uri=source.uri, **sizes))
                count += 1
                if count % 100_000 == 0:
                    tick(count)
                yield row

    def _header(self) -> list[str]:
        first = self._sources[0]
        for row in _read(first):
            if row:
                return row
        raise FailedPrecondition(sentences.NO_HEADER.format(uri=first.uri))


def _read(source: Source) -> Iterator[list[str]]:
    """Yield the parsed lines of one file, empty ones as empty lists; a byte-order mark is dropped."""
    with open(source.path, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        try:
            yield from csv.reader(stream)
        except csv.Error as error:
            raise FailedPrecondition(sentences.NO_CSV.format(uri=source.uri, problem=error)) from error


class Shards:
    """Writes one split as `NAME-%05d-of-%05d.csv`, the header in each file; at least one file, even without rows.

    Quoting is that of RFC 4180, lines end in a line feed. Files have their final names only after `close`.
    """

    def __init__(self, directory: Path, name: str, header: Sequence[str], limit: int = SHARD_BYTES) -> None:
        self._directory = directory
        self._name = name
        self._header = header
        self._limit = limit
        self._parts: list[Path] = []
        self._stream: IO[str] | None = None
        self.rows = 0
        self._begin()

    def write(self, row: Sequence[str]) -> None:
        """Append one row."""
        if self.rows % 1000 == 0 and self._stream is not None and self._stream.tell() >= self._limit:
            self._begin()
        self._writer.writerow(row)
        self.rows += 1

    def close(self) -> list[str]:
        """Finish the files; return their names in order."""
        self._end()
        names = []
        for index, part in enumerate(self._parts):
            final = part.with_name(f"{self._name}-{index:05d}-of-{len(self._parts):05d}.csv")
            part.rename(final)
            names.append(final.name)
        return names

    def _begin(self) -> None:
        self._end()
        part = self._directory / f"{self._name}-{len(self._parts):05d}.part"
        self._parts.append(part)
        self._stream = part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        self._writer = csv.writer(self._stream, lineterminator="\n")
        self._writer.writerow(self._header)

    def _end(self) -> None:
        if self._stream is not None:
            self._stream.close()
