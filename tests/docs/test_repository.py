"""Checks the repository itself: locks, forbidden strings, what the documentation names; runs no product code."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))

# In parts, so that this file does not contain what it forbids.
FORBIDDEN = re.compile(
    "|".join(["py" + "pi[.]org", "python" + "hosted", "npm" + "js[.]", "/wor" + "k/", "deb[.]debi" + "an"])
)


def pins(lock: Path) -> dict[str, list[Version]]:
    """The locked versions by package; several where they differ by Python version or platform."""
    found: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE):
        found.setdefault(name.lower(), []).append(Version(version))
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_a_hash_for_every_package_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in block for block in blocks if "==" in block.splitlines()[0])
    assert "://" not in text
    assert "--index-url" not in text


@pytest.mark.parametrize("group", ["runtime", "build", "dev", "sdk"])
def test_every_requirement_is_locked_at_a_version_it_allows(group: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        "runtime": project["project"]["dependencies"],
        "build": project["build-system"]["requires"],
        **project["dependency-groups"],
    }[group]
    locked = pins(ROOT / "locks" / f"{group}.txt")
    for requirement in map(Requirement, wanted):
        versions = locked.get(requirement.name.lower().replace("_", "-"))
        assert versions, f"{requirement} is not in locks/{group}.txt: run tools/lock.sh"
        assert all(version in requirement.specifier for version in versions), f"{requirement}: run tools/lock.sh"


def test_the_locks_agree_with_each_other() -> None:
    seen: dict[str, tuple[str, list[Version]]] = {}
    for lock in LOCKS:
        for name, versions in pins(lock).items():
            other, theirs = seen.setdefault(name, (lock.name, versions))
            assert set(theirs) == set(versions), f"{name} differs between {other} and {lock.name}: run tools/lock.sh"


def test_no_file_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in (part.decode() for part in listed if part):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".gz", ".png", ".bin"}:
            found = FORBIDDEN.search(path.read_text(errors="replace"))
            assert not found, f"{name} contains {found.group()!r}"


def test_the_makefile_has_the_targets_that_stay() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in ("install", "demo", "test", "test-all", "lint", "help"):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target


def test_files_and_functions_keep_the_size_limits() -> None:
    done = subprocess.run([sys.executable, "tools/check_sizes.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
