"""Export of a table: what the files hold, in process and as the child process that it really is."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from trigpoint.core.errors import FailedPrecondition
from trigpoint.data.children import RESULT
from trigpoint.data.export import Job, export
from trigpoint.data.formats import CsvTable, Source
from trigpoint.data.splits import Split


def job_of(folder: Path, *texts: str, split: Split | None = None, shard_bytes: int = 1 << 20) -> Job:
    sources = []
    for index, text in enumerate(texts):
        path = folder / f"in-{index}"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        sources.append(Source(f"gs://b/part-{index}.csv", str(path)))
    output = folder / "out"
    output.mkdir()
    return Job(sources[::-1], split or Split(), output, shard_bytes)


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return list(csv.reader(stream))


def test_every_row_is_in_one_file_and_every_file_has_the_header(tmp_path: Path) -> None:
    lines = [f'{i},"a, ""quoted"" \nfield {i}",é' for i in range(50)]
    written = export(job_of(tmp_path, "id,text,more\r\n" + "\r\n".join(lines)))
    assert written.counts == {"training": 40, "validation": 5, "test": 5}
    found = []
    for names in written.files.values():
        assert len(names) == 1
        header, *rows = rows_of(tmp_path / "out" / names[0])
        assert header == ["id", "text", "more"]
        assert [int(row[0]) for row in rows] == sorted(int(row[0]) for row in rows)
        found += rows
    assert sorted(found, key=lambda row: int(row[0])) == [[str(i), f'a, "quoted" \nfield {i}', "é"] for i in range(50)]


def test_files_are_numbered_and_stay_small(tmp_path: Path) -> None:
    text = "id,text\n" + "".join(f"{i},{'x' * 90}\n" for i in range(5000))
    written = export(job_of(tmp_path, text, split=Split(fractions=(1, 0, 0)), shard_bytes=100_000))
    assert written.files["training"][0] == "training-00000-of-00003.csv"
    assert len(written.files["training"]) == 3
    assert sum(len(rows_of(tmp_path / "out" / name)) - 1 for name in written.files["training"]) == 5000


def test_an_empty_split_is_a_file_with_the_header(tmp_path: Path) -> None:
    written = export(job_of(tmp_path, "a,b\n1,2\n", split=Split(fractions=(1, 0, 0))))
    assert written.files["test"] == ["test-00000-of-00001.csv"]
    assert (tmp_path / "out" / "test-00000-of-00001.csv").read_text() == "a,b\n"


def test_later_files_may_repeat_the_header_or_not(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a,b\n1,2\n", "a,b\n3,4\n", "5,6\n\n")
    assert list(CsvTable(job.sources).rows()) == [["1", "2"], ["3", "4"], ["5", "6"]]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    job = job_of(tmp_path, "\ufeffa,b\n1,2\n")
    assert CsvTable(job.sources).header == ["a", "b"]


def test_bytes_that_are_no_text_pass_through(tmp_path: Path) -> None:
    export(job_of(tmp_path, "a\n\udcff\n", split=Split(fractions=(1, 0, 0))))
    assert (tmp_path / "out" / "training-00000-of-00001.csv").read_bytes() == b"a\n\xff\n"


def test_a_ragged_row_is_named_by_file_and_number(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match=r"Row 3 of gs://b/part-0.csv has 3 fields and the header has 2"):
        export(job_of(tmp_path, "a,b\n1,2\n1,2,3\n"))


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match=r"gs://b/part-0.csv is empty"):
        export(job_of(tmp_path, ""))


def run(job: Job) -> dict[str, dict[str, object]]:
    path = job.output.parent / "job.json"
    path.write_text(job.to_json())
    command = [sys.executable, "-m", "trigpoint.data.export", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.wait(60) == 0
    result: dict[str, dict[str, object]] = json.loads((job.output / RESULT).read_text())
    return result


def test_the_child_process_leaves_a_whole_result(tmp_path: Path) -> None:
    result = run(job_of(tmp_path, "a,b\n" + "1,2\n" * 10))
    assert result["written"]["counts"] == {"training": 8, "validation": 1, "test": 1}


def test_the_child_process_tells_bad_data(tmp_path: Path) -> None:
    result = run(job_of(tmp_path, "a,b\n1\n"))
    assert result["error"]["status"] == "FAILED_PRECONDITION"


def test_the_child_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a,b\n1,2\n")
    import os

    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    path = tmp_path / "job.json"
    path.write_text(Job([Source("gs://b/slow.csv", str(fifo))], Split(), job.output).to_json())
    command = [sys.executable, "-m", "trigpoint.data.export", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(60) == 1
    assert not (job.output / RESULT).exists()
