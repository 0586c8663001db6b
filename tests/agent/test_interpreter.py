"""Where programs find Python, and what becomes of packages that they install themselves."""

import ensurepip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.agent.conftest import Agent, Make
from tests.agent.test_install import wheel
from tests.live.python import VERSION

from trigpoint.agent import interpreter
from trigpoint.agent import protocol as p
from trigpoint.runtime.environments import Environments
from trigpoint.runtime.images import EnvSpec

BUNDLED = Path(ensurepip.__file__).parent / "_bundled"
INSTALL = """
import json, os, subprocess, sys

def pip(*words):
    options = ["--no-index", "--find-links", os.environ["LINKS"], "--disable-pip-version-check", "-q"]
    subprocess.check_call([*words, "install", *options, *sys.argv[1:]])

def seen():
    code = "import json, shared, tool; print(json.dumps([shared.version, tool.__file__]))"
    return json.loads(subprocess.check_output([sys.executable, "-c", code]))

pip(*os.environ["INSTALLER"].split())
print(json.dumps({"seen": seen(), "said": subprocess.getoutput("say-hello"), "prefix": sys.prefix, "os": os.__file__}))
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("links")
    wheel(folder, "shared", "1", **{"shared.py": "version = 1\n"})
    wheel(folder, "shared", "2", **{"shared.py": "version = 2\n"})
    code, entry = "def main():\n    print('hello')\n", "[console_scripts]\nsay-hello=tool:main\n"
    wheel(folder, "tool", "1", "shared", **{"tool.py": code, "INFO/entry_points.txt": entry})
    for pip in BUNDLED.glob("pip-*.whl"):
        (folder / pip.name).write_bytes(pip.read_bytes())
    return folder


@pytest.fixture(scope="module")
def environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> p.Environment:
    """An environment with pip and `shared` 1."""
    if not list(BUNDLED.glob("pip-*.whl")):
        pytest.skip("this Python brings no pip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_NO_INDEX", "1")
        patch.setenv("UV_FIND_LINKS", str(wheels))
        spec = EnvSpec(VERSION, ("pip", "shared==1"))
        return Environments(tmp_path_factory.mktemp("envs")).build(spec, lambda line: None).environment


@pytest.fixture(params=["process", "sandbox", "sandbox without views"])
def agent(request: pytest.FixtureRequest, make: Make, environment: p.Environment, wheels: Path) -> Agent:
    """An agent with that environment; the kernel mounts no view whose options hold a comma."""
    sandbox = request.param != "process"
    name = f"a{os.getpid()}-" + ("no,view" if request.param.endswith("views") else "view")
    return make(
        attempt=name,
        env={"LINKS": "/gcs/wheels" if sandbox else str(wheels)},
        environment=environment,
        buckets={"wheels": str(wheels)},
        runtime="sandbox" if sandbox else "process",
    )


def run(agent: Agent, *arguments: str, installer: str = "python3 -m pip") -> dict[str, Any]:
    """Run the program to its end and return what it printed last."""
    program = p.Program(argv=("python3", "-c", INSTALL, *arguments))
    spec = p.load_spec((agent.directory / "spec.json").read_bytes())
    changed = {**vars(spec), "program": program, "env": {**spec.env, "INSTALLER": installer}}
    (agent.directory / "spec.json").write_bytes(p.dump(p.RunSpec(**changed)))
    process = agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.SUCCEEDED, "\n".join(agent.lines(p.STDERR))
    process.wait(30)
    found: dict[str, Any] = json.loads(agent.lines()[-1])
    return found


def content(folder: str) -> set[tuple[str, int]]:
    """Return every file of an environment with the time of its last change."""
    return {(str(path), path.lstat().st_mtime_ns) for path in Path(folder).rglob("*")}


@pytest.mark.parametrize("installer", ["python3 -m pip", "pip"])
def test_a_program_installs_what_it_needs(agent: Agent, environment: p.Environment, installer: str) -> None:
    before = content(environment.path)
    found = run(agent, "tool", installer=installer)
    version, place = found["seen"]
    assert (version, found["said"]) == (1, "hello")
    assert str(place).startswith(str(found["prefix"]))
    assert content(environment.path) == before
    assert not list(agent.directory.rglob("tool.py")), "it outlives the replica"


def test_a_program_replaces_what_the_image_holds(agent: Agent, environment: p.Environment) -> None:
    before = content(environment.path)
    assert run(agent, "tool", "shared==2")["seen"][0] == 2
    assert content(environment.path) == before


def test_a_program_installs_for_its_user(agent: Agent) -> None:
    if agent.spec.runtime == "process":
        pytest.skip("an environment on the machine itself knows no packages of a user")
    found = run(agent, "--user", "tool", installer="pip")
    assert found["seen"] == [1, f"{interpreter.packages('/root/.local', VERSION)}/tool.py"]


def test_programs_see_python_at_the_same_places_everywhere(agent: Agent, environment: p.Environment) -> None:
    if agent.spec.runtime == "process":
        pytest.skip("there is one place only without a sandbox")
    code = (
        "import json, os, shared, sys; print(sys.prefix, sys.base_prefix, sys.executable);"
        f"print(os.path.exists('{interpreter.SHARED}')); json.loads('nothing')"
    )
    spec = p.RunSpec(**{**vars(agent.spec), "program": p.Program(argv=("python3", "-c", code))})
    (agent.directory / "spec.json").write_bytes(p.dump(spec))
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.FAILED
    place = interpreter.environment(VERSION)
    views = os.geteuid() == 0 and "," not in agent.spec.attempt
    assert agent.lines() == [f"{place} {interpreter.INTERPRETER} {place}/bin/python3", str(not views)]
    assert f'File "{interpreter.INTERPRETER}/lib/python{VERSION}/json/__init__.py"' in outcome.tail
    assert environment.base not in outcome.tail
