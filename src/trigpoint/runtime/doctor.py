"""Finds out what this machine can do for programs, as data; what follows from it is decided elsewhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from trigpoint.agent import fanotify
from trigpoint.runtime import sentences
from trigpoint.runtime.environments import discover


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe: whether it works, what was seen, and what its absence costs, each for people."""

    name: str
    works: bool
    seen: str
    otherwise: str


def examine(home: Path) -> list[Finding]:
    """Return everything worth knowing before programs run here. Takes up to a few seconds, changes nothing."""
    return [
        sandbox(),
        own_networks(),
        _groups(),
        _overlay(home),
        _watching(home),
        _installer(),
        _interpreters(home),
        _disk(home),
    ]


def sandbox() -> Finding:
    """Return whether programs can be walled in."""
    walls = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--ro-bind", "/", "/"]
    problem = _problem([*walls, "true"])
    return Finding("sandbox", not problem, problem or sentences.BUBBLEWRAP_WORKS, sentences.WITHOUT_SANDBOX)


def own_networks() -> Finding:
    """Return whether each replica can have a network of its own, with the ports of Vertex."""
    name = f"trig-probe-{os.getpid()}"
    problem = sentences.NOT_ROOT if os.geteuid() != 0 else _problem(["ip", "netns", "add", name])
    if not problem:
        problem = _problem(["ip", "-n", name, "link", "add", "br0", "type", "bridge"])
        problem = problem or _problem(["ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1"])
        _problem(["ip", "netns", "del", name])
    return Finding("own networks", not problem, problem or sentences.NETWORKS_WORK, sentences.WITHOUT_NETWORKS)


def _groups() -> Finding:
    root = Path("/sys/fs/cgroup")
    version = 2 if (root / "cgroup.controllers").exists() else 1
    path = root / "trigpoint-probe" if version == 2 else root / "memory" / "trigpoint-probe"
    try:
        path.mkdir()
        path.rmdir()
        problem = ""
    except OSError as error:
        problem = error.strerror or sentences.NO_GROUPS
    seen = problem or sentences.GROUPS.format(version=version)
    return Finding("limits", not problem, seen, sentences.WITHOUT_LIMITS)


def _overlay(home: Path) -> Finding:
    known = Path("/proc/filesystems")
    works = known.exists() and "overlay" in known.read_text() and os.geteuid() == 0
    seen = sentences.OVERLAY if works else sentences.NO_OVERLAY
    return Finding("overlay", works, seen, sentences.WITHOUT_OVERLAY)


def _watching(home: Path) -> Finding:
    """Return whether the kernel tells what happens to files below one mount."""
    problem = ""
    try:
        group = fanotify.Group()
        try:
            group.listen(str(_there(home)))
        finally:
            group.close()
    except OSError as error:
        problem = sentences.NOT_ROOT if os.geteuid() != 0 else error.strerror or sentences.NO_FANOTIFY
    return Finding("watching", not problem, problem or sentences.FANOTIFY_WORKS, sentences.WITHOUT_WATCHING)


def _installer() -> Finding:
    try:
        seen = subprocess.run([find_uv_bin(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("installer", False, str(error), sentences.WITHOUT_INSTALLER)
    return Finding("installer", True, seen, sentences.WITHOUT_INSTALLER)


def _interpreters(home: Path) -> Finding:
    """Return which Pythons environments can be made of: those that a job will be given."""
    versions = [found.version for found in discover(home / "environments" / "interpreters.json")]
    seen = ", ".join(versions) or sentences.NO_PYTHON
    return Finding("interpreters", "3.10" in versions, seen, sentences.WITHOUT_INTERPRETERS)


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(_there(home)).free
    seen = sentences.DISK_FREE.format(gib=free / (1 << 30))
    return Finding("disk", free > 5 << 30, seen, sentences.WITHOUT_DISK)


def _there(home: Path) -> Path:
    """Return the home, or where it will be made."""
    return next(path for path in (home, *home.parents) if path.exists())


def _problem(command: Sequence[str]) -> str:
    """Return why a command fails, or an empty string."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    except FileNotFoundError:
        return sentences.NOT_INSTALLED.format(command=command[0])
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    fails = sentences.FAILS.format(command=command[0], status=done.returncode, system=sys.platform)
    return words[-1] if words else fails
