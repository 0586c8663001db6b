"""The story of one run names files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_every_file_it_names_is_there() -> None:
    text = (ROOT / "docs/one-run.md").read_text()
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+(?:\.py)?)`", text)) | {"workers.py"}
    assert len(named) > 15
    missing = [name for name in named if not (ROOT / "src/trigpoint" / name).exists()]
    assert missing == []
