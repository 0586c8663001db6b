"""What the processes that read users' tables have in common: they end with the server, and write whole files."""

import json
import os
import threading
from pathlib import Path

RESULT = "result.json"
PROGRESS = "progress.json"


def die_with_parent() -> None:
    """From now on end at once when standard input closes: when the server is gone, however it went."""
    threading.Thread(target=_watch, daemon=True).start()


def progress(output: Path, step: str, rows: int) -> None:
    """Say how far a step is."""
    replace(output / PROGRESS, json.dumps({step: rows}))


def replace(path: Path, text: str) -> None:
    """Write a file so that it is either absent or whole."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)
