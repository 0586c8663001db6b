"""The local engine through the deaths of servers, agents and machines."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.live.python import bare

from trigpoint.agent import protocol as p
from trigpoint.agent import tree
from trigpoint.runtime import doctor
from trigpoint.runtime.engine import GangObservation, GangSpec, Placement
from trigpoint.runtime.local import LocalEngine, LocalOptions
from trigpoint.runtime.logs import LogReader

UID = f"a{os.getpid()}"
"""Of the attempts here: marks and control groups are the machine's, and other workers run tests beside this one."""

SERVER = """
import sys, time
from pathlib import Path
from trigpoint.agent import protocol as p
from trigpoint.runtime.engine import GangSpec
from trigpoint.runtime.local import LocalEngine, LocalOptions
engine = LocalEngine(Path(sys.argv[1]), LocalOptions(runtime=sys.argv[2]))
program = p.Program(argv=("/bin/sh", "-c", sys.argv[3]))
engine.ensure(GangSpec(sys.argv[4], (p.RunSpec(sys.argv[4], "workerpool0-0", program=program),), boot=engine.boot()))
print(engine._nursery._process.pid, flush=True)
time.sleep(60)
"""


def spec(uid: str, script: str, *names: str) -> GangSpec:
    program = p.Program(argv=("/bin/sh", "-c", script))
    environment = bare()
    replicas = (p.RunSpec(uid, n, hostname=f"host-{n}", program=program, environment=environment) for n in names)
    return GangSpec(uid, tuple(replicas))


def until(check: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(params=["process", "sandbox"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalEngine]:
    made = LocalEngine(tmp_path / "attempts", LocalOptions(runtime=request.param))
    yield made
    made.sweep([])
    made.close()


def seen(engine: LocalEngine, uid: str = UID) -> GangObservation:
    return engine.observe([uid])[uid]


def status(engine: LocalEngine, replica: str = "workerpool0-0") -> p.Status | None:
    found = seen(engine).replicas.get(replica)
    return found.status if found else None


def running(engine: LocalEngine) -> bool:
    found = status(engine)
    return found is not None and found.state == p.RUNNING


def lines(engine: LocalEngine, replica: str = "workerpool0-0") -> list[bytes]:
    found, _ = LogReader(engine.directory(UID, replica) / "logs").read(ended=True)
    return [line.data for line in found if line.stream == p.STDOUT]


def test_agents_outlive_the_server_and_are_adopted(engine: LocalEngine, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        SERVER,
        str(tmp_path / "attempts"),
        engine.runtime,
        "echo on; sleep 1; echo off",
        UID,
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, start_new_session=True)
    assert server.stdout is not None
    nursery = int(server.stdout.readline())
    until(lambda: running(engine))
    server.kill()
    server.communicate()
    until(lambda: not tree.process(nursery))
    gang = spec(UID, "echo never", "workerpool0-0")
    engine.ensure(replace(gang, boot=engine.boot()))
    assert seen(engine).placement is Placement.PLACED
    until(lambda: seen(engine).placement is Placement.GONE)
    assert lines(engine) == [b"on", b"off"]
    found = status(engine)
    assert found is not None
    assert found.outcome is not None
    assert found.outcome.reason == p.SUCCEEDED
    assert found.fence == 1


def test_a_killed_agent_is_gone_and_so_is_all_it_started(engine: LocalEngine) -> None:
    engine.ensure(spec(UID, "setsid sleep 300 & (setsid sleep 300 &) ; echo ready; sleep 300", "workerpool0-0"))
    until(lambda: running(engine) and lines(engine) == [b"ready"])
    found = status(engine)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    until(lambda: seen(engine).placement is Placement.GONE)
    until(lambda: not tree.marked(f"{UID}/"))
    engine.ensure(spec(UID, "echo never", "workerpool0-0"))
    assert seen(engine).placement is Placement.GONE
    assert "died" in seen(engine).reason
    assert lines(engine) == [b"ready"]


def test_to_forget_kills_and_leaves_nothing(engine: LocalEngine, tmp_path: Path) -> None:
    engine.ensure(spec(UID, "trap '' TERM; setsid sleep 300 & sleep 300", "workerpool0-0", "workerpool1-0"))
    until(lambda: running(engine))
    engine.forget(UID)
    until(lambda: not tree.marked(f"{UID}/"))
    assert [path.name for path in (tmp_path / "attempts").iterdir()] == []
    assert (
        not [n for n in os.listdir("/run/netns") if n == engine._namespace(UID)]
        if os.path.exists("/run/netns")
        else True
    )
    assert not list(Path("/sys/fs/cgroup").glob(f"*/**/trigpoint/{UID}.*"))


def test_a_stop_with_a_shorter_grace_wins(engine: LocalEngine) -> None:
    engine.ensure(spec(UID, "trap '' TERM; echo ready; while :; do sleep 0.05; done", "workerpool0-0"))
    until(lambda: running(engine) and lines(engine) == [b"ready"])
    engine.stop(UID, 60)
    engine.stop(UID, 0.1)
    until(lambda: seen(engine).placement is Placement.GONE)
    found = status(engine)
    assert found is not None
    assert found.outcome is not None
    assert (found.outcome.reason, found.outcome.exit_code) == (p.STOPPED, 137)


def test_an_agent_that_hangs_is_not_waited_for_without_end(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trigpoint.runtime.local._OVERDUE_S", 0.3)
    engine.ensure(spec(UID, "sleep 60", "workerpool0-0"))
    until(lambda: running(engine))
    found = status(engine)
    assert found is not None
    os.kill(found.pid, signal.SIGSTOP)
    engine.stop(UID, 0.2)
    assert seen(engine).placement is Placement.PLACED
    time.sleep(0.6)
    engine.stop(UID, 30)
    until(lambda: seen(engine).placement is Placement.GONE)
    until(lambda: not tree.marked(f"{UID}/"))


def test_the_engine_lives_without_its_nursery(engine: LocalEngine) -> None:
    helper = engine._nursery._process
    assert helper is not None
    helper.kill()
    engine.ensure(spec(UID, "echo one", "workerpool0-0"))
    until(lambda: seen(engine).placement is Placement.GONE)
    assert lines(engine) == [b"one"]
    engine._nursery._launch_alone(engine.directory(UID, "workerpool0-0"))  # a second launch runs nothing
    assert lines(engine) == [b"one"]


def test_attempts_of_an_earlier_boot_are_gone(engine: LocalEngine) -> None:
    engine.ensure(spec(UID, "sleep 300", "workerpool0-0"))
    until(lambda: running(engine))
    found = status(engine)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    (engine.directory(UID, "x").parent / "gang.json").write_text('{"boot": "earlier"}')
    until(lambda: seen(engine).placement is Placement.GONE)
    assert seen(engine).reason == "the machine was restarted"


def test_replicas_of_a_gang_have_names_and_ports_of_their_own(tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path / "attempts", LocalOptions(runtime="sandbox"))
    try:
        listen = (
            "exec python3 -c \"import socket as s; l = s.create_server(('', 2222)); c, a = l.accept(); c.send(b'hi')\""
        )
        call = (
            "exec python3 -c \"import socket as s; print(s.create_connection(('host-workerpool0-0', 2222)).recv(9))\""
        )
        script = f"case $(hostname) in host-workerpool0-0) {listen};; *) sleep 0.3; {call};; esac"
        engine.ensure(spec(UID, script, "workerpool0-0", "workerpool1-0"))
        until(lambda: seen(engine).placement is Placement.GONE)
        if doctor.own_networks().works:
            assert lines(engine, "workerpool1-0") == [b"b'hi'"]
    finally:
        engine.sweep([])
        engine.close()


def test_a_doctor_says_what_each_lack_costs(tmp_path: Path) -> None:
    findings = doctor.examine(tmp_path / "not" / "there")
    assert len({finding.name for finding in findings}) == len(findings) == 8
    assert all(finding.seen and finding.otherwise for finding in findings)
