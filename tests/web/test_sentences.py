"""Whatever the server and the agent say of a run, of the machine or to the page is said once, with Chinese for it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from tests.live.sentences import SOURCE, owned

from trigpoint.agent import protocol
from trigpoint.runtime import doctor

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "web/src"
OF_OTHERS = ("SYSTEM_", "UV_")
"""Beginnings of the names of what others say, which is known and never said by us."""
SAYS = re.compile(
    "Finding|Queued|Refused|Restart|Outcome|PackageError|FetchError|BadArchive|Preparing|Violation|say|Status"
    "|FailedPrecondition|InvalidArgument|NotFound|PermissionDenied|ResourceExhausted|Internal|Unavailable|DataLoss"
    "|Aborted|AlreadyExists|OutOfRange|Unauthenticated|Unimplemented|_?refused|_?wrong|_signed_out|_unsupported|bounded"
)
"""What is called with a sentence that people are told."""
OF_RUNS = (
    "agent",
    "runtime/doctor.py",
    "runtime/environments.py",
    "domains/jobs",
    "domains/training",
    "domains/datasets/__init__.py",
    "domains/datasets/work.py",
    "domains/datasets/profiles.py",
    "data/export.py",
    "data/formats.py",
    "data/profile.py",
    "data/splits.py",
    "data/objects_blobs.py",
)
"""Where what runs and machines are explained with comes from."""
TO_THE_PAGE = (
    "console",
    "core/checks.py",
    "core/errors.py",
    "core/filters.py",
    "core/masks.py",
    "core/messages/refusals.py",
    "core/names.py",
    "core/ordering.py",
    "core/paging.py",
    "core/transcoding.py",
    "core/uris.py",
    "data/objects.py",
    "data/objects_sweep.py",
    "data/objects_tree.py",
    "data/objects_uploads.py",
    "domains/datasets/rules.py",
    "domains/lineage/edges.py",
    "domains/lineage/filters.py",
    "domains/lineage/queries.py",
    "domains/lineage/rules.py",
    "domains/logging/reading.py",
    "domains/models",
    "domains/projects/__init__.py",
    "domains/storage",
    "kernel",
    "runtime/logs.py",
    "store/events.py",
    "store/faults.py",
    "store/graph.py",
    "store/objects.py",
    "store/operations.py",
    "store/queries.py",
    "store/resources.py",
    "store/rows.py",
    "store/tally.py",
    "surfaces/gcs/app.py",
    "surfaces/gcs/asking.py",
    "surfaces/gcs/buckets.py",
    "surfaces/gcs/downloads.py",
    "surfaces/gcs/uploads.py",
    "surfaces/vertex/dispatch.py",
    "surfaces/vertex/rest.py",
)
"""Where the refusals come from that somebody who uses the console's pages can meet."""
NOT_SHOWN = frozenset({"domains/jobs/reports.py"})
"""What these refuse is asked for by agents: no person reads it."""
HELD = frozenset({"text", "message", "problem", "reason", "seen", "words", "why", "fix"})
"""Names of variables that sentences are kept in until they are said."""


def modules(*places: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the modules below some places."""
    for place in places:
        path = SOURCE / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if "/core/pb/" not in str(file):
                yield file, ast.parse(file.read_text())


def owner(path: Path, tree: ast.Module) -> str:
    """Return the package whose sentences a module calls `sentences`; empty for none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any((name.asname or name.name) == "sentences" for name in node.names):
            package = ".".join(path.parent.relative_to(SOURCE).parts)
            return package if node.level else str(node.module).removeprefix("trigpoint.")
    return ""


def fields(template: str) -> set[str]:
    """Return the fields of a template."""
    return {field for _, field, _, _ in Formatter().parse(template) if field is not None}


def is_sentence(node: ast.AST) -> bool:
    """Return whether an expression is a sentence named in a `sentences` module."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sentences"


def test_what_the_page_knows_is_what_is_said() -> None:
    tool = ROOT / "tools/generate_sentences.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_sentence_has_chinese_that_tells_the_same() -> None:
    words = "".join((PAGES / "i18n" / name).read_text() for name in ("refusals.ts", "sentences.ts"))
    known = {key: text for key, _, text in re.findall(r"""^  "([\w.]+)":\s*(["'])(.*)\2,$""", words, re.MULTILINE)}
    for package, sentences in owned().items():
        for name, template in sentences.items():
            key = f"{package.removeprefix('domains.')}.{name}"
            chinese = known.pop(key, "")
            assert re.search(r"[\u4e00-\u9fff]", chinese), f"web/src/i18n has no Chinese for {key}"
            assert fields(chinese) == fields(template), key
    assert not known, "Chinese for what nobody says"


def test_sentences_are_said_with_what_they_tell() -> None:
    said: set[tuple[str, str]] = set()
    sentences = owned()
    for path, tree in modules(""):
        package = owner(path, tree)
        for node in ast.walk(tree):
            if path.name == "sentences.py" and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                said.add((".".join(path.parent.relative_to(SOURCE).parts), node.id))  # a part of another
            if isinstance(node, ast.ImportFrom) and str(node.module).endswith(".sentences"):
                owning = str(node.module).removeprefix("trigpoint.").removesuffix(".sentences")
                said |= {(owning, name.name) for name in node.names}
            if is_sentence(node):
                assert isinstance(node, ast.Attribute)
                assert node.attr in sentences[package], f"{path}: {node.attr}"
                said.add((package, node.attr))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_sentence(node.func.value):
                assert isinstance(node.func.value, ast.Attribute)
                given = {keyword.arg for keyword in node.keywords}
                wanted = fields(sentences[package][node.func.value.attr])
                assert given == wanted or None in given, f"{path}:{node.lineno} {given} for {wanted}"
    never = [
        f"{package}.{name}"
        for package, names in sentences.items()
        for name in names
        if (package, name) not in said and not name.startswith(OF_OTHERS)
    ]
    assert not never, never


@pytest.mark.parametrize("place", [*OF_RUNS, *TO_THE_PAGE])
def test_what_people_are_told_is_no_sentence_of_its_own(place: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path, tree in modules(place)
        if str(path.relative_to(SOURCE)) not in NOT_SHOWN
        for node in ast.walk(tree)
        for said in _said(node)
        for text in _texts(said)
    ]
    assert not found, "\n".join(found)


def test_what_is_wrong_with_a_name_is_no_sentence_of_its_own() -> None:
    (_, tree), *_ = modules("core/uris.py")
    said = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    assert not [text for each in said for text in _texts(each)]


def _said(node: ast.AST) -> list[ast.expr]:
    """Return the expressions that a statement or call has people told."""
    if isinstance(node, ast.Assign):
        return [node.value] if any(getattr(target, "id", "") in HELD for target in node.targets) else []
    if not isinstance(node, ast.Call):
        return []
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    lost = name == "append" and getattr(getattr(node.func, "value", None), "attr", "") == "lost"
    if not lost and not SAYS.fullmatch(name):
        return []
    return [*node.args[name == "Finding" :], *(keyword.value for keyword in node.keywords)]  # a finding's name is a key


def _texts(said: ast.expr) -> Iterator[str]:
    """Yield literal texts of several words."""
    for part in ast.walk(said):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.search(r"\w \w", part.value):
            yield part.value


def test_findings_and_outcomes_have_names_in_both_languages(tmp_path: Path) -> None:
    home = (PAGES / "features/home/texts.ts").read_text()
    for finding in doctor.examine(tmp_path):
        assert len(re.findall(rf'\b"?finding\.{finding.name}"?:', home)) == 2, finding.name
    design = (PAGES / "design/texts.ts").read_text()
    for reason in (
        protocol.SUCCEEDED,
        protocol.FAILED,
        protocol.OUT_OF_MEMORY,
        protocol.STOPPED,
        protocol.START_ERROR,
        protocol.PREPARE_ERROR,
        protocol.LOST,
    ):
        assert design.count(f'"outcome.{reason}":') == 2, reason
