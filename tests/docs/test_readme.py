"""Every command and file that the README names exists; whether they do what it says is tested elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHINESE = ROOT / "README.zh-CN.md"
READMES = [ROOT / "README.md", CHINESE, ROOT / "examples" / "penguins" / "README.md"]
TEXT = "\n".join(path.read_text() for path in READMES)

COMMANDS = sorted(set(re.findall(r"\btrig ((?:[a-z-]+ )?(?:[a-z]+(?:-[a-z]+)?))(?=[ `)\n\"]|$)", TEXT)))


@pytest.fixture(scope="module")
def commands() -> set[str]:
    listed = "import trigpoint.cli.app as a, typer; print('\\n'.join(typer.main.get_command(a.app).commands))"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_every_command_exists(commands: set[str]) -> None:
    named = {command.split()[0] for command in COMMANDS}
    assert {"run", "up", "demo"} <= named
    assert named <= commands


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)`?", TEXT):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_linked_file_exists() -> None:
    for readme in READMES:
        for target in re.findall(r"\]\(([^)#]+)\)", readme.read_text()):
            assert (readme.parent / target).exists(), target


def test_the_chinese_twin_has_the_same_commands_links_and_sections() -> None:
    english, chinese = (ROOT / "README.md").read_text(), CHINESE.read_text()
    assert commands_in(english) == commands_in(chinese)
    assert targets(english) == targets(chinese)
    for mark in ("## ", "| `", "!["):
        assert english.count(f"\n{mark}") == chinese.count(f"\n{mark}"), mark


def commands_in(text: str) -> tuple[list[str], list[str]]:
    """Return the blocks of commands in their order, and whatever else is code, sorted."""
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    return blocks, sorted(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def targets(text: str) -> list[str]:
    """Return where links and pictures lead, those of languages alike."""
    found = re.findall(r"\]\(([^)]+)\)", text)
    return sorted(target.replace(".zh-CN", "") for target in found)
