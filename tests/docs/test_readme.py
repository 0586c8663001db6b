"""Every command and file that the README names exists; whether they do what it says is tested elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[2]
READMES = [ROOT / "README.md", ROOT / "examples" / "penguins" / "README.md"]
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


def test_the_picture_is_well_formed_and_refers_to_nothing_outside() -> None:
    picture = ROOT / "docs" / "run.svg"
    assert ET.parse(picture).getroot().tag.endswith("svg")
    assert not re.search(r'(href|src)="http', picture.read_text())
