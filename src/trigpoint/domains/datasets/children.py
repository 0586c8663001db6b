"""Starts child processes that read datasets, on sources that stay as they were; what they find is others' affair."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import trigpoint
from trigpoint.domains.storage import Files


def pinned(files: Files, project: str, uris: list[str], folder: Path) -> list[tuple[str, int, str]]:
    """Link the present generation of every object into a folder; return URI, generation and path of each."""
    found: list[tuple[str, int, str]] = []
    for uri in uris:
        with files.open_read(project, uri) as reading:
            path = folder / f"in-{len(found):05d}"
            _link(reading.file, path)
            found.append((uri, reading.row.generation, str(path)))
    return found


def spawn(module: str, folder: Path) -> "subprocess.Popen[bytes]":
    """Start a module on the folder's job file; it ends when this process is gone: its standard input closes then."""
    source_root = str(Path(trigpoint.__file__).parent.parent)
    with (folder / "stderr").open("wb") as errors_to:
        return subprocess.Popen(
            [sys.executable, "-m", module, str(folder / "job.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors_to,
            env={"PYTHONPATH": source_root, "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )


def reap(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a child that is over or about to be, and close what led to it."""
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _link(file: int, path: Path) -> None:
    """Give an open file a second name, so that it stays; copy it where the file system cannot."""
    try:
        os.link(f"/proc/self/fd/{file}", path, follow_symlinks=True)
    except OSError:
        with open(os.dup(file), "rb") as source, path.open("wb") as target:
            source.seek(0)
            shutil.copyfileobj(source, target)
