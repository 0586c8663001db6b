"""What a browser has to load before it shows anything."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "src/trigpoint/console/static"
INITIAL = 250_000
"""Bytes, compressed."""


@pytest.fixture(scope="module")
def index() -> str:
    page = STATIC / "index.html"
    assert page.exists(), "the page is not built: make install"
    return page.read_text()


def test_the_first_page_is_small(index: str) -> None:
    files = re.findall(r'(?:src|href)="/console/(assets/[^"]+\.(?:js|css))"', index)
    assert len(files) > 2
    sizes = {name: len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in files}
    assert sum(sizes.values()) <= INITIAL, sizes


def test_every_text_lies_beside_its_compressed_forms(index: str) -> None:
    for path in (STATIC / "assets").iterdir():
        if path.suffix in (".js", ".css") and path.stat().st_size > 2000:
            assert gzip.decompress(Path(f"{path}.gz").read_bytes()) == path.read_bytes()
            assert Path(f"{path}.br").stat().st_size < path.stat().st_size


def test_nothing_of_it_is_inline_or_from_elsewhere(index: str) -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=", index)
    assert not re.search(r'(?:src|href)="(?!/console/)', index)
