"""Checksums of files with holes: those of their bytes, without reading what is not there."""

import os
import time
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.data import checksums


@given(st.binary(max_size=200), st.integers(0, 5000))
def test_zeros_are_counted_as_they_would_be_read(data: bytes, count: int) -> None:
    assert checksums.with_zeros(google_crc32c.value(data), count) == google_crc32c.value(data + bytes(count))


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [(0, b"x")],
        [(1 << 20, b"y" * 5000)],
        [(0, b"a" * 70_000), (3 << 20, b"b" * (2 << 20)), (9 << 20, b"c")],
        [(5000, b"d"), (8 << 20, b"")],
    ],
)
def test_a_file_is_summed_up_with_its_holes(tmp_path: Path, parts: list[tuple[int, bytes]]) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        for offset, data in parts:
            file.seek(offset)
            file.write(data)
            file.truncate(max(file.tell(), offset))
    opened = os.open(path, os.O_RDONLY)
    try:
        assert checksums.of_file(opened) == google_crc32c.value(path.read_bytes())
    finally:
        os.close(opened)


def test_terabytes_of_nothing_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.write(b"x")
        file.truncate(8 << 40)
    opened = os.open(path, os.O_RDONLY)
    begun = time.monotonic()
    try:
        found = checksums.of_file(opened)
    finally:
        os.close(opened)
    assert time.monotonic() - begun < 5
    assert found == checksums.with_zeros(google_crc32c.value(b"x"), (8 << 40) - 1)
