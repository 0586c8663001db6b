"""Recognises packages that need no installer: pure Python, nothing to build, every requirement already there."""

from __future__ import annotations

import ast
import os
import re
import shutil
from typing import Mapping, NamedTuple

_HARMLESS = {
    "name", "version", "packages", "install_requires", "include_package_data", "description", "long_description",
    "author", "author_email", "url", "license", "classifiers", "python_requires", "keywords", "maintainer",
    "maintainer_email", "zip_safe", "platforms", "long_description_content_type", "project_urls",
}  # fmt: skip
_NATIVE = (".c", ".cc", ".cpp", ".cxx", ".pyx", ".pyd", ".so", ".f", ".f90", ".rs", ".dylib")
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\(?)([^;@\[\]()]*)\)?\s*$")
_CLAUSE = re.compile(r"^\s*(===|==|>=|<=|!=|~=|>|<)\s*([0-9]{1,9}(?:\.[0-9]{1,9})*(?:\.\*)?)\s*$")
_LONGEST = 256 << 10
"""Bytes of a file that is read here; a package with a longer one goes to the installer, inside of the walls."""
_LONGEST_REQUIREMENT = 500


_UNREADABLE = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)
"""What Python raises for source that is none, or is nested or numbered beyond all measure."""


class Found(NamedTuple):
    """A package that can be used as it lies: which folders and files of it belong on the import path."""

    name: str
    version: str
    roots: tuple[str, ...]


def recognise(folder: str, installed: Mapping[str, str]) -> Found | None:
    """Return what an unpacked sdist or wheel holds, or None when it has to be installed properly.

    A sdist qualifies when its setup.py does nothing but call setup() with literals and find_packages(), has no
    build configuration besides, holds nothing to compile, and its recorded requirements are installed. setup.py is
    read, never run. A wheel qualifies when it is pure, has no data or scripts, and its requirements are installed.
    """
    entries = sorted(os.listdir(folder))
    wheel = [entry for entry in entries if entry.endswith(".dist-info")]
    if wheel:
        return _wheel(folder, entries, wheel[0], installed)
    if len(entries) == 1 and os.path.isdir(os.path.join(folder, entries[0])):
        return _sdist(folder, entries[0], installed)
    return None


def place(folder: str, found: Found, target: str) -> None:
    """Copy the package to a directory of the import path; what is there already is replaced."""
    for root in found.roots:
        source, destination = os.path.join(folder, root), os.path.join(target, os.path.basename(root))
        if os.path.isdir(source):
            shutil.rmtree(destination, ignore_errors=True)
            shutil.copytree(source, destination)
        else:
            shutil.copyfile(source, destination)


def satisfied(requirement: str, installed: Mapping[str, str]) -> bool:
    """Return whether a plain requirement holds; False for every form that this does not surely understand."""
    match = _REQUIREMENT.match(requirement) if len(requirement) <= _LONGEST_REQUIREMENT else None
    if match is None:
        return False
    version = installed.get(normalised(match.group(1)))
    if version is None or not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", version):
        return False
    return all(_holds(version, clause) for clause in match.group(3).split(",") if clause.strip())


def normalised(name: str) -> str:
    """Return a package name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _sdist(folder: str, top: str, installed: Mapping[str, str]) -> Found | None:
    root = os.path.join(folder, top)
    names = set(os.listdir(root))
    if not _short(root, "setup.py", "setup.cfg", "PKG-INFO"):
        return None
    if "setup.py" not in names or "pyproject.toml" in names or _native(root) or not _plain_config(root):
        return None
    with open(os.path.join(root, "setup.py"), "rb") as file:
        arguments = _setup_arguments(file.read())
    info = [name for name in names if name.endswith(".egg-info")]
    if arguments is None or len(info) != 1 or arguments.get("packages") is not ...:
        return None
    if not _short(os.path.join(root, info[0]), "requires.txt"):
        return None
    packages = [name for name in sorted(names) if os.path.isfile(os.path.join(root, name, "__init__.py"))]
    requirements = _requires(os.path.join(root, info[0], "requires.txt"))
    if not packages or (not arguments.get("include_package_data", False) and _has_data(root, packages)):
        return None
    if requirements is None or not all(satisfied(r, installed) for r in requirements):
        return None
    metadata = _headers(os.path.join(root, "PKG-INFO"))
    roots = tuple(os.path.join(top, name) for name in packages)
    return Found(metadata.get("name", top), metadata.get("version", "0"), roots)


def _wheel(folder: str, entries: list[str], info: str, installed: Mapping[str, str]) -> Found | None:
    if not _short(os.path.join(folder, info), "WHEEL", "METADATA"):
        return None
    about = _headers(os.path.join(folder, info, "WHEEL"))
    if (
        about.get("root-is-purelib", "").lower() != "true"
        or any(e.endswith(".data") for e in entries)
        or _native(folder)
    ):
        return None
    if os.path.exists(os.path.join(folder, info, "entry_points.txt")):
        return None
    metadata = _headers(os.path.join(folder, info, "METADATA"))
    requirements = [r for r in metadata.get("requires-dist", "").split("\n") if r]
    if not all(satisfied(r, installed) for r in requirements):
        return None
    return Found(metadata.get("name", info), metadata.get("version", "0"), tuple(entries))


def _setup_arguments(source: bytes) -> dict[str, object] | None:
    """Return the keywords of the only setup() call; find_packages() becomes `...`. None when setup.py does more."""
    try:
        tree = ast.parse(source)
    except _UNREADABLE:
        return None
    call: ast.Call | None = None
    for statement in tree.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            if any(name.asname for name in statement.names):
                return None
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and call is None:
            call = statement.value
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            return None
    if call is None or call.args or _called(call) != "setup":
        return None
    return _keywords(call)


def _keywords(call: ast.Call) -> dict[str, object] | None:
    found: dict[str, object] = {}
    for keyword in call.keywords:
        if keyword.arg not in _HARMLESS:
            return None
        value = keyword.value
        if isinstance(value, ast.Call):
            if keyword.arg != "packages" or value.args or value.keywords or _called(value) != "find_packages":
                return None
            found["packages"] = ...
            continue
        try:
            found[str(keyword.arg)] = ast.literal_eval(value)
        except _UNREADABLE:
            return None
    return found


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    if (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "setuptools"
    ):
        return function.attr
    return ""


def _plain_config(root: str) -> bool:
    """Return whether setup.cfg says nothing; sdists carry one with an empty egg_info section."""
    try:
        with open(os.path.join(root, "setup.cfg"), encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file]
    except FileNotFoundError:
        return True
    return all(line in ("", "[egg_info]", "tag_build =", "tag_date = 0") for line in lines)


def _short(folder: str, *names: str) -> bool:
    """Return whether each of these is a file of a size to be read, or is not there."""
    paths = [path for path in (os.path.join(folder, name) for name in names) if os.path.lexists(path)]
    return all(os.path.isfile(path) and os.path.getsize(path) <= _LONGEST for path in paths)


def _native(root: str) -> bool:
    return any(name.endswith(_NATIVE) for _, _, names in os.walk(root) for name in names)


def _has_data(root: str, packages: list[str]) -> bool:
    folders = (os.path.join(root, package) for package in packages)
    return any(not name.endswith(".py") for folder in folders for _, _, names in os.walk(folder) for name in names)


def _requires(path: str) -> list[str] | None:
    """Return the requirements of an egg-info; None when some hold only under conditions."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
    except FileNotFoundError:
        return []
    return None if any(line.startswith("[") for line in lines) else lines


def _headers(path: str) -> dict[str, str]:
    """Return the headers of a metadata file, names in lower case, repeated ones joined by newlines."""
    found: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                name, colon, value = line.partition(":")
                if not line.strip():
                    break
                if colon and not line[0].isspace():
                    key = name.strip().lower()
                    found[key] = "\n".join(filter(None, (found.get(key, ""), value.strip())))
    except FileNotFoundError:
        return {}
    return found


def _holds(version: str, clause: str) -> bool:
    match = _CLAUSE.match(clause)
    if match is None:
        return False
    operator, text = match.groups()
    have, wild = _numbers(version), text.endswith(".*")
    want = _numbers(text[:-2] if wild else text)
    if operator == "~=":
        return not wild and len(want) > 1 and have[: len(want) - 1] == want[:-1] and _compare(have, want) >= 0
    same = have[: len(want)] == want if wild else _compare(have, want) == 0
    order = _compare(have, want)
    if wild and operator not in ("==", "!="):
        return False
    results = {"==": same, "===": version == text, "!=": not same, ">=": order >= 0, "<=": order <= 0}
    results.update({">": order > 0, "<": order < 0})
    return results[operator]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _compare(left: list[int], right: list[int]) -> int:
    size = max(len(left), len(right))
    padded = [numbers + [0] * (size - len(numbers)) for numbers in (left, right)]
    return (padded[0] > padded[1]) - (padded[0] < padded[1])
