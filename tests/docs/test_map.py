"""The map of the code is what the code says of itself."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_map_is_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools/map.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
