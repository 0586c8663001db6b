import os
import shutil
import subprocess
import threading
import time
import zipfile
from pathlib import Path

import pytest

from trigpoint.core.errors import FailedPrecondition
from trigpoint.runtime import doctor
from trigpoint.runtime.environments import Environments
from trigpoint.runtime.images import EnvSpec, prebuilt

VERSION = "3.11"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the search for interpreters found, for all tests of this file."""
    root = tmp_path_factory.mktemp("found")
    Environments(root).interpreters()
    return root / "interpreters.json"


@pytest.fixture
def wheels(tmp_path: Path, found: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index that is a folder with one package."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    (tmp_path / "envs").mkdir()
    shutil.copyfile(found, tmp_path / "envs" / "interpreters.json")
    with zipfile.ZipFile(folder / "tiny_thing-1.5-py3-none-any.whl", "w") as file:
        file.writestr("tiny_thing.py", "answer = 42\n")
        file.writestr("tiny_thing-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.5\n")
        file.writestr(
            "tiny_thing-1.5.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr("tiny_thing-1.5.dist-info/RECORD", "")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.delenv("UV_NO_CONFIG", raising=False)
    return folder


def test_a_build_says_what_it_does_and_names_no_path(tmp_path: Path, wheels: Path) -> None:
    said: list[str] = []
    Environments(tmp_path / "envs").build(EnvSpec(VERSION, ("tiny-thing", "tiny-thing<2")), said.append)
    assert said[:2] == [
        f"creating an environment with Python {VERSION}",
        "resolving and installing tiny-thing, tiny-thing<2",
    ]
    assert [line.split()[0] for line in said[2:]] == ["Resolved", "Prepared", "Installed", "Bytecode", "ready"]
    assert not any("/" in line for line in said)


def test_an_environment_is_built_once_compiled_and_protected(tmp_path: Path, wheels: Path) -> None:
    environments, spec = Environments(tmp_path / "envs"), EnvSpec(VERSION, ("tiny-thing",))
    assert environments.find(spec) is None
    said: list[str] = []
    built = environments.build(spec, said.append)
    assert said[-1] == "ready"
    assert built.environment.installed == {"tiny-thing": "1.5"}
    root = Path(built.environment.path)
    assert list(root.glob("lib/*/site-packages/__pycache__/tiny_thing.*.pyc"))
    changeable = [path for path in root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o222]
    assert not [path for path in changeable if path.is_file() or os.geteuid()]
    command = [str(root / "bin" / "python3"), "-c", "import tiny_thing; print(tiny_thing.answer)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "42\n"
    again: list[str] = []
    assert Environments(tmp_path / "envs").build(spec, again.append).environment == built.environment
    assert "ready" not in again


def test_builders_at_the_same_time_build_once(tmp_path: Path, wheels: Path) -> None:
    spec = EnvSpec(VERSION, ("tiny-thing",))
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: Environments(tmp_path / "envs").build(spec, said.append)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("ready") == 1
    assert not list((tmp_path / "envs").glob("*.new"))


def test_a_request_returns_at_once_and_comes_true(tmp_path: Path, wheels: Path) -> None:
    environments, spec = Environments(tmp_path / "envs"), EnvSpec(VERSION, ("tiny-thing",))
    progress = environments.request(spec)
    assert progress.built is None
    deadline = time.monotonic() + 60
    while progress.built is None:
        assert not progress.failure
        assert time.monotonic() < deadline
        time.sleep(0.02)
        progress = environments.request(spec)


def test_what_cannot_be_had_is_said_without_paths(tmp_path: Path, wheels: Path) -> None:
    environments, spec = Environments(tmp_path / "envs"), EnvSpec(VERSION, ("no-such-thing==1",))
    with pytest.raises(FailedPrecondition, match="no-such-thing") as caught:
        environments.build(spec, lambda line: None)
    assert str(tmp_path) not in caught.value.message
    assert sorted(p.suffix for p in (tmp_path / "envs").iterdir() if p.name != "layers") == [".json", ".lock"]
    progress = environments.request(spec)
    while not progress.failure:
        progress = environments.request(spec)
    assert "no-such-thing" in progress.failure


def test_another_python_stands_in_with_a_word(tmp_path: Path, wheels: Path) -> None:
    built = Environments(tmp_path / "envs").build(EnvSpec("3.99", ()), lambda line: None)
    assert "stands in for 3.99" in built.substituted


def test_unused_environments_go(tmp_path: Path, wheels: Path) -> None:
    environments, spec = Environments(tmp_path / "envs"), EnvSpec(VERSION, ())
    built = environments.build(spec, lambda line: None)
    assert environments.remove_unused(3600) == []
    about = Path(built.environment.path).parent / "about.json"
    os.utime(about, (0, 0))
    assert environments.remove_unused(3600) == [built.environment.key]
    assert environments.find(spec) is None


@pytest.mark.slow
def test_the_image_of_scikit_learn_can_be_built(tmp_path: Path) -> None:
    image = prebuilt("us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest")
    assert image is not None
    assert image.environment is not None
    built = Environments(tmp_path / "envs").build(image.environment, lambda line: None)
    imports = (
        "import sklearn, pandas, gcsfs, hypertune, google.cloud.storage, pythonjsonlogger; print(sklearn.__version__)"
    )
    command = [f"{built.environment.path}/bin/python3", "-c", imports]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1.6.1\n"


def test_closing_ends_a_build_with_everything_that_it_started(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = tmp_path / "uv"
    started = tmp_path / "started"
    lines = ["#!/bin/sh", "sleep 60 &", f"echo $! > {started}.new", f"mv {started}.new {started}", "wait", ""]
    installer.write_text("\n".join(lines))
    installer.chmod(0o755)
    monkeypatch.setattr("trigpoint.runtime.environments.find_uv_bin", lambda: str(installer))
    environments, spec = Environments(tmp_path / "envs"), EnvSpec(VERSION, ("tiny-thing",))
    environments.request(spec)
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    sleeping = int((tmp_path / "started").read_text())
    environments.close()
    while not environments.request(spec).failure:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "stopping" in environments.request(spec).failure
    state = Path(f"/proc/{sleeping}/stat")
    while state.exists() and ") Z " not in state.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not list((tmp_path / "envs").glob("*.new"))


def test_the_doctor_names_the_interpreters_that_jobs_are_given(tmp_path: Path, found: Path) -> None:
    (tmp_path / "environments").mkdir()
    shutil.copyfile(found, tmp_path / "environments" / "interpreters.json")
    known = [one.version for one in Environments(tmp_path / "environments").interpreters()]
    [finding] = [one for one in doctor.examine(tmp_path) if one.name == "interpreters"]
    assert finding.seen == ", ".join(known)
    assert finding.works == ("3.10" in known)
