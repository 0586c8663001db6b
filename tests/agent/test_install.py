"""Packages that have to be installed: into an environment of the replica's own, by its user, in two passes."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.agent.conftest import Agent, Make
from uv import find_uv_bin

from trigpoint.agent import protocol as p
from trigpoint.runtime.environments import Environments
from trigpoint.runtime.images import BARE, EnvSpec

ENTRY = "[console_scripts]\nsay-hello = tool:main\n"
CODE = "import os, shared\ndef main():\n    print('hello', os.getuid() if os.getuid() else 0, shared.version)\n"


def wheel(folder: Path, name: str, version: str, requires: str = "", **files: str) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (
        f"Requires-Dist: {requires}\n" * bool(requires)
    )
    with zipfile.ZipFile(path, "w") as file:
        for inner, text in files.items():
            file.writestr(inner.replace("INFO", info), text)
        file.writestr(f"{info}/METADATA", metadata)
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> p.Environment:
    folder = tmp_path_factory.mktemp("index")
    wheel(folder, "shared", "1", **{"shared.py": "version = 1\n"})
    before = {name: os.environ.get(name) for name in ("UV_NO_INDEX", "UV_FIND_LINKS")}
    os.environ.update(UV_NO_INDEX="1", UV_FIND_LINKS=str(folder))
    try:
        spec = EnvSpec("3.11", ("shared==1",))
        return Environments(tmp_path_factory.mktemp("envs")).build(spec, lambda line: None).environment
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def agent_with(
    make: Make, tmp_path: Path, environment: p.Environment, runtime: str, package: Path, **env: str
) -> Agent:
    (tmp_path / "layers").mkdir(exist_ok=True)
    return make(
        program=p.Program(argv=("say-hello",)),
        packages=(p.Package(path=str(package)),),
        environment=environment,
        layers=str(tmp_path / "layers"),
        uv=find_uv_bin(),
        install_env=env,
        runtime=runtime,
        ca_file=os.environ.get("SSL_CERT_FILE", ""),
    )


def test_a_package_may_replace_what_the_image_holds(
    make: Make, tmp_path: Path, environment: p.Environment, runtime: str
) -> None:
    links = tmp_path / "work"
    links.mkdir()
    wheel(links, "shared", "2", **{"shared.py": "version = 2\n"})
    package = wheel(tmp_path, "tool", "1", "shared>=1", **{"tool.py": CODE, "INFO/entry_points.txt": ENTRY})
    agent = agent_with(make, tmp_path, environment, runtime, package, UV_OFFLINE="1")
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.SUCCEEDED, "\n".join(agent.lines(p.STDERR))
    user = 210_000 if runtime == "sandbox" and os.geteuid() == 0 else os.geteuid()
    assert agent.lines() == [f"hello {user} 1"]
    status = agent.status()
    assert status is not None
    assert status.facts["install"] == "installed"
    assert not list(Path(environment.path).rglob("tool.py"))
    runner = agent.lines(p.RUNNER)
    assert "Running command: pip3 install --user tool-1-py3-none-any.whl" in runner


def test_a_package_that_cannot_be_installed_says_so(
    make: Make, tmp_path: Path, environment: p.Environment, runtime: str
) -> None:
    package = wheel(tmp_path, "tool", "1", "no-such-thing", **{"tool.py": CODE, "INFO/entry_points.txt": ENTRY})
    agent = agent_with(make, tmp_path, environment, runtime, package, UV_OFFLINE="1", UV_NO_INDEX="1")
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.PREPARE_ERROR
    assert outcome.message == "tool-1-py3-none-any.whl could not be installed (exit code 1)."
    assert "no-such-thing was not found" in " ".join(outcome.tail.split())
    assert agent.lines(p.STDERR) == outcome.tail.splitlines()
    assert any(line.startswith("Installed 1 package") for line in agent.lines(p.RUNNER)), "the first pass is progress"


BACKEND = """
import os, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    here = "/var/trigpoint/packages/0"
    for name in os.listdir(here):
        try:
            os.rename(f"{here}/{name}", f"{here}/old-{name}")
            os.symlink("SECRET", f"{here}/{name}")
        except OSError:
            pass
    with zipfile.ZipFile(f"{folder}/evil-1-py3-none-any.whl", "w") as file:
        file.writestr("tool.py", "import glob\\ndef main():\\n"
                      "    for p in glob.glob('/var/trigpoint/**', recursive=True):\\n"
                      "        try: print(open(p, 'rb').read())\\n"
                      "        except OSError: pass\\n")
        file.writestr("evil-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: evil\\nVersion: 1\\n")
        file.writestr("evil-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr("evil-1.dist-info/entry_points.txt", "[console_scripts]\\nsay-hello = tool:main\\n")
        file.writestr("evil-1.dist-info/RECORD", "")
    return "evil-1-py3-none-any.whl"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the builder is the server's user")
def test_code_that_runs_while_a_package_is_built_leads_the_agent_nowhere(
    make: Make, tmp_path: Path, environment: p.Environment
) -> None:
    secret = tmp_path / "keys"
    secret.write_text("the server's secret")
    secret.chmod(0o600)
    archive = tmp_path / "2026:evil-1.zip"
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("evil-1/backend.py", BACKEND.replace("SECRET", str(secret)))
        file.writestr("evil-1/pyproject.toml", project + '[project]\nname = "evil"\nversion = "1"\n')
    agent = agent_with(make, tmp_path, environment, "sandbox", archive, UV_OFFLINE="1", UV_NO_INDEX="1")
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.SUCCEEDED, "\n".join(agent.lines(p.STDERR))
    assert "secret" not in "\n".join(agent.lines())
    assert secret.stat().st_mode & 0o777 == 0o600


OWN_BACKEND = """
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/my_tool-1-py3-none-any.whl", "w") as file:
        file.write("tool.py")
        for name, text in (
            ("METADATA", "Metadata-Version: 2.1\\nName: my.tool\\nVersion: 1\\n"),
            ("WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"),
            ("entry_points.txt", "[console_scripts]\\nsay-hello = tool:main\\n"),
            ("RECORD", ""),
        ):
            file.writestr(f"my_tool-1.dist-info/{name}", text)
    return "my_tool-1-py3-none-any.whl"
"""


def built_by_setuptools(folder: Path) -> Path:
    """Return a source distribution as `python -m build` makes it: its first entry is its own folder."""
    folder.mkdir()
    (folder / "tool.py").write_text(CODE)
    (folder / "backend.py").write_text(OWN_BACKEND)
    build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (folder / "pyproject.toml").write_text(build + '[project]\nname = "my.tool"\nversion = "1"\n')
    (folder / "setup.cfg").write_text("[options]\npy_modules = tool, backend\n")
    command = [sys.executable, "-c", "from setuptools.build_meta import build_sdist; build_sdist('dist')"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return next((folder / "dist").glob("*.tar.gz"))


def repacked(sdist: Path, how: str) -> Path:
    """Return the same files as people also pack them."""
    if how == "as built":
        return sdist
    other = sdist.with_name(f"2026-01-02-03:04:05.678-{how}")
    with tarfile.open(sdist) as old:
        files = [(member, old.extractfile(member)) for member in old if member.isfile()]
        if how.endswith(".zip"):
            with zipfile.ZipFile(other, "w") as zipped:
                for member, content in files:
                    zipped.writestr(member.name, content.read() if content else b"")
            return other
        with tarfile.open(other, "w:gz") as packed:
            for member, content in files:
                member.name = member.name.replace("my_tool-1", "elsewhere-2") if how == "renamed.tgz" else member.name
                packed.addfile(member, content)
    return other


@pytest.mark.parametrize("how", ["as built", "files-only.tar.gz", "renamed.tgz", "my.tool.zip"])
def test_a_source_distribution_is_installed_however_it_is_packed(
    make: Make, tmp_path: Path, environment: p.Environment, runtime: str, how: str
) -> None:
    package = repacked(built_by_setuptools(tmp_path / "source"), how)
    with tarfile.open(tmp_path / "source" / "dist" / "my_tool-1.tar.gz") as tar:
        first = tar.next()
        assert first is not None
        assert first.isdir()
    agent = agent_with(make, tmp_path, environment, runtime, package, UV_OFFLINE="1", UV_NO_INDEX="1")
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.SUCCEEDED, "\n".join(agent.lines(p.STDERR))
    assert agent.lines()[0].startswith("hello ")


@pytest.mark.slow
def test_a_package_is_built_and_what_it_requires_is_had(make: Make, tmp_path: Path, runtime: str) -> None:
    environment = Environments(tmp_path / "envs").build(BARE, lambda line: None).environment
    root = tmp_path / "source"
    (root / "built").mkdir(parents=True)
    (root / "built" / "__init__.py").write_text("import six\n\ndef main():\n    print('six', bool(six.__version__))\n")
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "built"\n'
        'version = "1"\ndependencies = ["six"]\n[project.scripts]\nsay-hello = "built:main"\n'
    )
    archive = tmp_path / "2026-01-02-03:04:05.678-built-1.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in root.rglob("*.*"):
            file.write(path, f"built-1/{path.relative_to(root)}")
    index = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_"))}
    agent = agent_with(make, tmp_path, environment, runtime, archive, **index)
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.SUCCEEDED, "\n".join(agent.lines(p.STDERR))
    assert agent.lines() == ["six True"]
