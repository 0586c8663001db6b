"""Finds out what this machine can do for programs, as data; what follows from it is decided elsewhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

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
        _installer(),
        _interpreters(home),
        _disk(home),
    ]


def sandbox() -> Finding:
    """Return whether programs can be walled in."""
    walls = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--ro-bind", "/", "/"]
    problem = _problem([*walls, "true"])
    cost = "Programs run as plain processes: no isolation, no /gcs. Install bubblewrap."
    return Finding("sandbox", not problem, problem or "bubblewrap works", cost)


def own_networks() -> Finding:
    """Return whether each replica can have a network of its own, with the ports of Vertex."""
    name = f"trig-probe-{os.getpid()}"
    problem = "not root" if os.geteuid() != 0 else _problem(["ip", "netns", "add", name])
    if not problem:
        problem = _problem(["ip", "-n", name, "link", "add", "br0", "type", "bridge"])
        problem = problem or _problem(["ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1"])
        _problem(["ip", "netns", "del", name])
    cost = "Replicas share the machine's network: their ports are free ones instead of 2222."
    return Finding("own networks", not problem, problem or "namespaces, bridges and cables work", cost)


def _groups() -> Finding:
    root = Path("/sys/fs/cgroup")
    version = 2 if (root / "cgroup.controllers").exists() else 1
    path = root / "trigpoint-probe" if version == 2 else root / "memory" / "trigpoint-probe"
    try:
        path.mkdir()
        path.rmdir()
        problem = ""
    except OSError as error:
        problem = error.strerror or "no control groups"
    cost = "Limits on CPU, memory and processes are not enforced."
    return Finding("limits", not problem, problem or f"control groups, version {version}", cost)


def _overlay(home: Path) -> Finding:
    known = Path("/proc/filesystems")
    works = known.exists() and "overlay" in known.read_text() and os.geteuid() == 0
    cost = "Packages that must be installed get a copy of their environment, which is slower."
    return Finding("overlay", works, "overlayfs is there" if works else "no overlayfs, or not root", cost)


def _installer() -> Finding:
    try:
        seen = subprocess.run([find_uv_bin(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("installer", False, str(error), "Environments cannot be built.")
    return Finding("installer", True, seen, "Environments cannot be built.")


def _interpreters(home: Path) -> Finding:
    """Return which Pythons environments can be made of: those that a job will be given."""
    versions = [found.version for found in discover(home / "environments" / "interpreters.json")]
    cost = "Images get the nearest interpreter instead of their own."
    return Finding("interpreters", "3.10" in versions, ", ".join(versions) or "none", cost)


def _disk(home: Path) -> Finding:
    place = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(place).free
    return Finding("disk", free > 5 << 30, f"{free / (1 << 30):.0f} GiB free", "Environments need several GiB.")


def _problem(command: Sequence[str]) -> str:
    """Return why a command fails, or an empty string."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    except FileNotFoundError:
        return f"{command[0]} is not installed"
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return words[-1] if words else f"{command[0]} fails with {done.returncode} on {sys.platform}"
