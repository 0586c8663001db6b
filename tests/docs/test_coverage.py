"""docs/api-coverage.md says what a running server says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_current() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools/coverage.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
