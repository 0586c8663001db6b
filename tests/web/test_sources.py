"""The rules of the page's sources that its own tools don't check: which way imports go, and generated types."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "web/src"
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](~/|\.{1,2}/)([^"']+)["']""")
LONGEST = 400


def rooms() -> dict[str, int]:
    """Room -> its height; rooms of one line stand beside each other and do not import one another."""
    lines = json.loads((ROOT / "web/layers.json").read_text())["layers"]
    return {room: len(lines) - depth for depth, line in enumerate(lines) for room in line}


def room_of(path: Path) -> str:
    parts = path.relative_to(SOURCES).parts
    return "/".join(parts[:2]) if parts[0] == "features" else parts[0] if len(parts) > 1 else "app"


def files() -> Iterator[Path]:
    yield from sorted(path for path in SOURCES.rglob("*") if path.suffix in (".ts", ".tsx"))


def imports(path: Path) -> Iterator[Path]:
    for kind, rest in IMPORT.findall(path.read_text()):
        yield (SOURCES / rest).resolve() if kind == "~/" else (path.parent / kind / rest).resolve()


def test_imports_go_down_and_into_a_feature_by_its_front_door() -> None:
    heights = rooms()
    for path in files():
        here = room_of(path)
        assert here in heights, f"{path}: {here} has no place in web/layers.json"
        for target in imports(path):
            there = room_of(target / "x")
            if there == here:
                continue
            said = f"{path.relative_to(ROOT)} imports {target.relative_to(SOURCES)}"
            assert heights[there] < heights[here], f"{said}, which is not below it in web/layers.json"
            front = not there.startswith("features/") or target == SOURCES / there
            assert front, f"{said}: only a feature's index is for others"


def test_files_are_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files()
        if not path.name.endswith(".gen.ts") and (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert not long


def test_the_generated_types_are_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools/generate_types.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_lock_names_no_download_address() -> None:
    assert '"resolved"' not in (ROOT / "web/package-lock.json").read_text()


def test_whatever_happens_to_a_run_has_words_in_both_languages() -> None:
    told = (ROOT / "web/src/features/training/texts.ts").read_text()
    for path in sorted((ROOT / "src/trigpoint/domains").rglob("*.py")):
        for kind in re.findall(r'Fact\(\s*"((?:customJob|trainingPipeline)\.\w+)"', path.read_text()):
            if not kind.endswith(".deleted"):
                assert told.count(f'"event.{kind}":') == 2, f"{kind} of {path.relative_to(ROOT)}"
