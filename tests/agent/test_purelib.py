import shutil
import time
from pathlib import Path

import pytest

from trigpoint.agent import purelib

INSTALLED = {"numpy": "1.26.4", "pandas": "2.2.3", "odd": "1.0.post1", "google-cloud-storage": "3.17.1"}
SETUP = "from setuptools import setup, find_packages\nsetup(name='t', version='1', packages=find_packages())\n"


@pytest.mark.parametrize(
    ("requirement", "holds"),
    [
        ("numpy", True), ("NumPy>=1.20", True), ("numpy>=1.26.4,<2", True), ("numpy==1.26.*", True),
        ("numpy~=1.26.0", True),
        ("google_cloud.storage>3", True), ("numpy (>=1.0)", True), ("numpy!=1.26.4", False), ("numpy>1.26.4", False),
        ("numpy==1.26.40", False), ("numpy<1.26.4", False), ("numpy~=1.25.0", False), ("numpy===1.26.4", True),
        ("numpy[extra]", False), ("numpy; python_version<'3'", False), ("numpy @ file:///x", False), ("torch", False),
        ("odd>=1", False), ("numpy>=1rc1", False), ("numpy>=*", False), ("", False), ("numpy==1.26.4.0", True),
    ],
)  # fmt: skip
def test_requirements_hold_only_when_they_surely_do(requirement: str, holds: bool) -> None:
    assert purelib.satisfied(requirement, INSTALLED) is holds


def package(tmp_path: Path, setup: str = SETUP, **files: str) -> Path:
    root = tmp_path / "unpacked"
    contents = {
        "setup.py": setup,
        "PKG-INFO": "Metadata-Version: 2.1\nName: t\nVersion: 1\n\nwords: not headers\n",
        "trainer/__init__.py": "",
        "trainer/task.py": "print(1)\n",
        "t.egg-info/top_level.txt": "trainer\n",
        "setup.cfg": "[egg_info]\ntag_build = \ntag_date = 0\n",
        **files,
    }
    for name, text in contents.items():
        path = root / "t-1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_plain_package_is_recognised_and_placed(tmp_path: Path) -> None:
    root = package(tmp_path, **{"t.egg-info/requires.txt": "numpy>=1\npandas\n"})
    found = purelib.recognise(str(root), INSTALLED)
    assert found == purelib.Found("t", "1", ("t-1/trainer",))
    assert found is not None
    target = tmp_path / "site"
    target.mkdir()
    for _ in range(2):
        purelib.place(str(root), found, str(target))
    assert (target / "trainer" / "task.py").read_text() == "print(1)\n"


@pytest.mark.parametrize(
    "setup",
    [
        "import os\n" + SETUP + "os.system('x')\n",
        "from setuptools import setup as find_packages\nsetup = print\n" + SETUP,
        SETUP.replace("version='1'", "version=open('v').read()"),
        SETUP.replace("find_packages()", "find_packages('src')"),
        SETUP.replace("version='1'", "ext_modules=[]"),
        SETUP.replace("version='1'", "**{}"),
        SETUP.replace("packages=find_packages()", "py_modules=['x']"),
        SETUP.replace("setup(", "run("),
        "if True:\n    pass\n" + SETUP,
        "setup(",
        "",
    ],
)
def test_a_setup_that_does_more_has_to_be_run(tmp_path: Path, setup: str) -> None:
    assert purelib.recognise(str(package(tmp_path, setup)), INSTALLED) is None


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": ""},
        {"trainer/fast.pyx": ""},
        {"trainer/data.csv": ""},
        {"setup.cfg": "[options]\nscripts = x\n"},
        {"t.egg-info/requires.txt": "torch\n"},
        {"t.egg-info/requires.txt": "numpy\n\n[extra]\ntorch\n"},
    ],
)
def test_a_package_with_more_has_to_be_installed(tmp_path: Path, files: dict[str, str]) -> None:
    assert purelib.recognise(str(package(tmp_path, **files)), INSTALLED) is None


def test_data_comes_along_when_the_package_says_so(tmp_path: Path) -> None:
    setup = SETUP.replace("version='1'", "version='1', include_package_data=True")
    assert purelib.recognise(str(package(tmp_path, setup, **{"trainer/data.csv": ""})), INSTALLED) is not None


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"WHEEL": "Root-Is-Purelib: false\n"}, False),
        ({"METADATA": "Name: w\nVersion: 2\nRequires-Dist: numpy\nRequires-Dist: torch\n"}, False),
        ({"METADATA": "Name: w\nVersion: 2\nRequires-Dist: numpy\nRequires-Dist: pandas (>=2)\n"}, True),
        ({"entry_points.txt": "[console_scripts]\n"}, False),
    ],
)
def test_wheels(tmp_path: Path, changes: dict[str, str], known: bool) -> None:
    parts = {"WHEEL": "Root-Is-Purelib: true\n", "METADATA": "Name: w\nVersion: 2\n", **changes}
    for name, text in {
        **{f"w-2.dist-info/{k}": v for k, v in parts.items()},
        "w.py": "1\n",
        "p/__init__.py": "",
    }.items():
        (tmp_path / "u" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "u" / name).write_text(text)
    found = purelib.recognise(str(tmp_path / "u"), INSTALLED)
    assert found == (purelib.Found("w", "2", ("p", "w-2.dist-info", "w.py")) if known else None)
    if found:
        (tmp_path / "site").mkdir()
        purelib.place(str(tmp_path / "u"), found, str(tmp_path / "site"))
        assert (tmp_path / "site" / "w.py").exists()


def test_what_is_neither_is_not_recognised(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert purelib.recognise(str(tmp_path), {}) is None
    shutil.rmtree(tmp_path / "b")
    assert purelib.recognise(str(tmp_path), {}) is None


@pytest.mark.parametrize(
    "setup",
    [
        SETUP + "#" * 300_000,
        "setup(name=" + "(" * 2000 + ")" * 2000 + ", packages=find_packages())",
        "setup(name=" + "-" * 100_000 + "1, packages=find_packages())",
        "setup(name=" + "+".join(["1"] * 5000) + ", packages=find_packages())",
        "setup(name={[]: 1}, packages=find_packages())",
        "setup(name={{}}, packages=find_packages())",
        "setup(name=" + "9" * 5000 + ", packages=find_packages())",
        "\0",
    ],
    ids=["long", "nested", "negated", "added", "a list as key", "a dict in a set", "a huge number", "nul"],
)
def test_a_setup_beyond_all_measure_goes_to_the_installer(tmp_path: Path, setup: str) -> None:
    assert purelib.recognise(str(package(tmp_path, setup=setup)), INSTALLED) is None


@pytest.mark.parametrize(
    ("requirement", "installed"),
    [("numpy" + " " * 100_000 + ";", {"numpy": "1"}), ("a>=1", {"a": "9" * 5000}), ("a>=" + "9" * 450, {"a": "1"})],
)
def test_requirements_beyond_all_measure_do_not_hold(requirement: str, installed: dict[str, str]) -> None:
    begun = time.monotonic()
    assert not purelib.satisfied(requirement, installed)
    assert time.monotonic() - begun < 1


def test_a_package_with_long_metadata_goes_to_the_installer(tmp_path: Path) -> None:
    long = "Requires-Dist: torch\n".rjust(300_000)
    assert purelib.recognise(str(package(tmp_path, **{"t.egg-info/requires.txt": long})), INSTALLED) is None
    shutil.rmtree(tmp_path / "unpacked")
    root = package(tmp_path)
    (root / "t-1" / "PKG-INFO").unlink()
    (root / "t-1" / "PKG-INFO").mkdir()
    assert purelib.recognise(str(root), INSTALLED) is None
