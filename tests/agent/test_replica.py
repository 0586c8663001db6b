"""The life of replicas, with real agents, real programs and, where a test says so, a real sandbox."""

import hashlib
import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.agent.conftest import Agent, Ears, Make, listening, until

from trigpoint.agent import directory, tree
from trigpoint.agent import protocol as p
from trigpoint.runtime.environments import Environments
from trigpoint.runtime.nursery import agent_command


def test_a_life_is_reported_in_order(make: Make, ears: Ears, runtime: str) -> None:
    agent = make("echo hello; echo oops >&2; sleep 0.3", runtime=runtime)
    process = agent.start()
    assert agent.outcome() == p.Outcome(p.SUCCEEDED, tail="oops\n")
    assert process.wait(30) == 0
    assert ears.kinds() == ["hello", "prepared", "started", "outcome"]
    assert agent.lines(p.STDOUT, p.STDERR) == ["hello", "oops"]
    status = agent.status()
    assert status is not None
    assert status.runtime == runtime == ears.body("prepared")["runtime"]
    assert list(status.times) == [p.CLAIMED, p.PREPARED, p.RUNNING, p.ENDED]
    beats = [report.body for report in ears.reports["workerpool0-0"] if report.kind == "heartbeat"]
    assert max(beat["processes"] for beat in beats) > 0
    assert beats[-1]["memory_peak_bytes"] > 0
    assert beats[-1]["logs"][p.STDOUT] == 6  # the last one holds the totals
    assert beats[-1]["lines"] == {p.RUNNER: 2, p.STDOUT: 1, p.STDERR: 1}


def test_a_failure_names_the_last_line_of_the_traceback(make: Make, ears: Ears) -> None:
    agent = make("python3 -c 'def f(): raise ValueError(\"no such column: x\")\nf()'")
    agent.start()
    outcome = agent.outcome()
    assert (outcome.reason, outcome.exit_code) == (p.FAILED, 1)
    assert outcome.message == "ValueError: no such column: x"
    assert "Traceback" in outcome.tail
    assert agent.lines(p.RUNNER)[-1] == "Task completed. Exit code (1). Exit reason (FAILED)"


def test_a_program_killed_by_a_signal(make: Make, runtime: str) -> None:
    agent = make("kill -SEGV $$", runtime=runtime)
    agent.start()
    outcome = agent.outcome()
    assert (outcome.reason, outcome.exit_code, outcome.signal) == (p.FAILED, 139, 11)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("/no/such/program", 127, "The command '/no/such/program' was not found in the image sklearn."),
        ("no\\nsuch", 127, r"The command 'no\\nsuch' was not found in the image sklearn."),
        ("/etc/group", 126, "'/etc/group' is not a program in the image sklearn."),
        ("/etc", 126, "'/etc' is not a program in the image sklearn."),
    ],
)
def test_a_program_that_is_not_there_is_named(make: Make, runtime: str, command: str, code: int, said: str) -> None:
    agent = make(program=p.Program(argv=(command, "--flag")), runtime=runtime, image="sklearn")
    agent.start()
    outcome = agent.outcome()
    assert (outcome.reason, outcome.exit_code, outcome.tail) == (p.FAILED, code, said + "\n")
    assert agent.lines(p.STDERR) == [said]


def test_a_program_is_found_by_its_name_alone(make: Make, runtime: str) -> None:
    agent = make(program=p.Program(argv=("echo", "a b", "$HOME")), runtime=runtime)  # a builtin of shells, too
    agent.start()
    assert agent.outcome().reason == p.SUCCEEDED
    assert agent.lines() == ["a b $HOME"]


def test_the_environment_is_made_from_nothing(make: Make, runtime: str) -> None:
    agent = make("env", env={"MINE": "1", "LANG": "de"}, runtime=runtime)
    agent.start()
    agent.outcome()
    env = dict(line.partition("=")[::2] for line in agent.lines())
    assert "SECRET_OF_THE_SERVER" not in env
    assert (env["MINE"], env["LANG"], env["PYTHONUNBUFFERED"]) == ("1", "de", "1")


def test_it_tells_what_the_program_really_got(make: Make, ears: Ears, runtime: str) -> None:
    script = "cat /proc/self/environ"
    agent = make(script, env={"MINE": "a=b"}, runtime=runtime)
    agent.start()
    agent.outcome()
    seen = dict(pair.partition("=")[::2] for pair in "\n".join(agent.lines()).split("\0") if pair)
    told = ears.body("started")
    assert told["argv"] == ["/bin/sh", "-c", script]
    own = ears.body("prepared")["address"]["ip"] if runtime == "process" else "no secret"
    shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert {name: value for name, value in told["env"].items() if name not in shell} == {
        name: value.replace(own, "(secret address)") for name, value in seen.items() if name not in shell
    }


def test_the_addresses_that_are_secrets_are_not_told(make: Make, ears: Ears, tmp_path: Path) -> None:
    door = listening(tmp_path / "net.sock")
    network = p.Network(socket=str(tmp_path / "net.sock"))
    agent = make("env", network=network, runtime="process", env={"GCE_METADATA_HOST": "127.9.8.7:3456"})
    agent.start()
    agent.outcome()
    door.close()
    seen = dict(line.partition("=")[::2] for line in agent.lines())
    own = seen["http_proxy"].removeprefix("http://").partition(":")[0]
    assert own.startswith("127.")
    told = ears.body("started")["env"]
    assert told.keys() >= seen.keys() - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert told["GCE_METADATA_HOST"] == "(secret address):3456"
    if own != "127.0.0.1":
        assert own not in json.dumps(told)


def test_lines_are_counted_and_the_last_one_needs_no_end(make: Make, ears: Ears) -> None:
    agent = make("printf 'a\nb\nc'; printf '\n' >&2; sleep 0.3; printf 'd\ne'")
    agent.start()
    agent.outcome()
    counts = ears.body("outcome")
    assert counts["lines"][p.STDOUT] == len(agent.lines()) == 4
    assert (counts["lines"][p.STDERR], counts["logs"][p.STDOUT]) == (1, 8)
    assert counts["lines"][p.RUNNER] == len(agent.lines(p.RUNNER))
    moved = [report.body for report in ears.reports["workerpool0-0"] if report.kind == "logs"]
    assert any(body["lines"].get(p.STDOUT) == 2 for body in moved)


def test_term_gives_time_for_a_last_word(make: Make, ears: Ears, runtime: str) -> None:
    agent = make("trap 'echo saved; exit 5' TERM; echo ready; while :; do sleep 0.05; done", runtime=runtime)
    process = agent.start()
    until(lambda: agent.reach(p.RUNNING) and agent.lines() == ["ready"])
    process.send_signal(signal.SIGTERM)
    outcome = agent.outcome()
    assert (outcome.reason, outcome.exit_code) == (p.STOPPED, 5)
    assert agent.lines() == ["ready", "saved"]


def test_who_ignores_term_is_killed_with_all_its_tree(make: Make, runtime: str) -> None:
    script = "trap '' TERM; (setsid sleep 300 &) ; setsid sleep 300 & echo ready; while :; do sleep 0.05; done"
    agent = make(script, runtime=runtime)
    (agent.directory / "stop.json").unlink(missing_ok=True)
    process = agent.start()
    until(lambda: agent.reach(p.RUNNING) and agent.lines() == ["ready"])
    (agent.directory / "stop.json").write_text('{"grace_s": 0.1}')
    process.send_signal(signal.SIGTERM)
    outcome = agent.outcome()
    assert (outcome.reason, outcome.exit_code, outcome.signal) == (p.STOPPED, 137, 9)
    assert tree.marked(agent.mark()) == []


def test_children_do_not_outlive_the_program(make: Make, runtime: str) -> None:
    agent = make("setsid sleep 300 & setsid sh -c 'sleep 300' & sleep 0.1; exit 3", runtime=runtime)
    agent.start()
    assert agent.outcome().exit_code == 3
    assert tree.marked(agent.mark()) == []


def test_a_stop_may_come_from_the_server(make: Make, ears: Ears) -> None:
    agent = make("sleep 60")
    agent.start()
    ears.body("started")
    ears.commands["workerpool0-0"] = [p.Command("stop", grace_s=0.1)]
    assert agent.outcome().reason == p.STOPPED


def test_when_the_agent_is_killed_nothing_survives_in_a_sandbox(make: Make) -> None:
    agent = make("setsid sleep 300 & (setsid sleep 300 &) ; echo ready; sleep 300", runtime="sandbox")
    process = agent.start()
    until(lambda: agent.reach(p.RUNNING) and agent.lines() == ["ready"])
    assert len(tree.marked(agent.mark())) >= 3
    process.send_signal(signal.SIGKILL)
    until(lambda: not tree.marked(agent.mark()), "every process of the replica is gone")


def test_when_the_agent_is_killed_what_survives_is_found_and_removed(make: Make) -> None:
    agent = make("(setsid sleep 300 &) ; echo ready; sleep 300")
    process = agent.start()
    until(lambda: agent.reach(p.RUNNING) and agent.lines() == ["ready"])
    assert subprocess.run(agent_command("--clean", str(agent.directory)), check=False).returncode == 3
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert subprocess.run(agent_command("--clean", str(agent.directory)), check=False).returncode == 0
    assert tree.marked(agent.mark()) == []


def test_launching_often_runs_once(make: Make, tmp_path: Path) -> None:
    count = tmp_path / "count"
    agent = make(f"echo ran >> {count}; sleep 0.5")
    processes = [agent.start() for _ in range(6)]
    assert agent.outcome().reason == p.SUCCEEDED
    assert sorted(process.wait(30) for process in processes) == [0, 3, 3, 3, 3, 3]
    assert count.read_text() == "ran\n"


def test_a_program_whose_agent_died_never_runs_again(make: Make, ears: Ears, tmp_path: Path) -> None:
    count = tmp_path / "count"
    agent = make(f"echo ran >> {count}; sleep 300")
    process = agent.start()
    until(count.exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    agent.start()
    assert agent.outcome().reason == p.LOST
    assert ears.body("outcome")["reason"] == p.LOST
    assert count.read_text() == "ran\n"
    status = agent.status()
    assert status is not None
    assert status.fence == 2


def test_an_agent_that_died_at_the_barrier_may_be_replaced(make: Make, ears: Ears) -> None:
    agent = make("echo ran", barrier=True)
    process = agent.start()
    agent.reach(p.PREPARED)
    process.send_signal(signal.SIGKILL)
    process.wait()
    agent.start()
    until(lambda: (s := agent.status()) and s.fence == 2 and s.state == p.PREPARED)
    until(lambda: ears.fences["workerpool0-0"] == 2)  # or the command would still be given to the first
    ears.commands["workerpool0-0"] = [p.Command("go")]
    assert agent.outcome().reason == p.SUCCEEDED
    assert agent.lines() == ["ran"]


def test_an_agent_that_is_not_the_one_any_more_ends_its_program(make: Make, ears: Ears) -> None:
    agent = make("sleep 300")
    process = agent.start()
    ears.body("started")
    ears.status = 409
    assert agent.outcome().reason == p.STOPPED
    assert process.wait(30) == 0
    assert tree.marked(agent.mark()) == []


def test_nothing_is_lost_while_the_server_is_away(make: Make, ears: Ears) -> None:
    size = 400_000
    line = b"some words of which there are many \xff\xfe\n"
    whole = (line * (size // len(line) + 1))[:size]
    script = (
        f"import sys, time\nout = sys.stdout.buffer\ndata = ({line!r} * {size})[:{size}]\n"
        "for i in range(0, len(data), 7919):\n    out.write(data[i:i + 7919]); out.flush(); time.sleep(0.005)\n"
    )
    agent = make(program=p.Program(argv=("python3", "-c", script)))
    ears.close()
    process = agent.start()
    until(lambda: agent.reach(p.RUNNING))
    ears.open()
    ears.body("started")
    ears.close()
    assert agent.outcome().reason == p.SUCCEEDED
    assert process.poll() is None  # it waits for the server
    ears.open()
    assert process.wait(30) == 0
    assert ears.kinds() == ["hello", "prepared", "started", "outcome"]
    assert [r.kind for r in ears.reports["workerpool0-0"]].count("hello") >= 3  # one anew after each absence
    data = b"".join(
        found[start:end]
        for path in sorted((agent.directory / "logs").glob("stdout.*"))
        for found in [path.read_bytes()]
        for _, start, end in p.frames(found)
    )
    assert hashlib.sha256(data).hexdigest() == hashlib.sha256(whole).hexdigest()


def test_without_a_server_the_directory_tells_all(make: Make) -> None:
    agent = make("exit 4", reports="")
    assert agent.start().wait(30) == 0
    kinds = [json.loads(line)["kind"] for line in (agent.directory / "spool.jsonl").read_text().splitlines()]
    assert kinds == ["hello", "prepared", "started", "outcome"]
    assert agent.outcome().exit_code == 4


@pytest.mark.parametrize("runtime", ["process", "sandbox"])
def test_a_gang_meets_and_its_members_reach_each_other(make: Make, ears: Ears, runtime: str, tmp_path: Path) -> None:
    server = (
        "import os, socket; s = socket.create_server(('', int(os.environ['PORT']))); c, _ = s.accept(); "
        "c.sendall(b'from ' + socket.gethostname().encode()); c.close()"
    )
    client = (
        "import os, socket, time\n"
        "for _ in range(200):\n"
        "    try: c = socket.create_connection((os.environ['PEER'], int(os.environ['PORT']))); break\n"
        "    except OSError: time.sleep(0.02)\n"
        "print(c.recv(100).decode())\n"
    )
    names = ("workerpool0-0", "workerpool1-0")
    hosts = tuple(f"cmle-training-{name.rpartition('-')[0]}-0123456789-0" for name in names)
    namespace = ""
    if runtime == "sandbox":
        namespace = f"trig-test-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        subprocess.run(["ip", "-n", namespace, "link", "add", "br0", "type", "bridge"], check=True)
        subprocess.run(["ip", "-n", namespace, "link", "set", "br0", "up"], check=True)
    agents: list[Agent] = []
    try:
        for rank, (name, code) in enumerate(zip(names, (server, client), strict=True)):
            network = p.Network(peers=hosts, rank=rank, namespace=namespace)
            program = p.Program(argv=("python3", "-c", code))
            agents.append(make(replica=name, program=program, barrier=True, network=network, runtime=runtime))
        agents[0].start()
        first = p.load_address(ears.body("prepared", names[0])["address"])
        time.sleep(0.05)
        assert agents[0].reach(p.PREPARED)
        agents[1].start()
        ears.body("prepared", names[1])
        go = p.Command("go", env={"PEER": first.host, "PORT": str(first.ports["2222"])}, hosts={first.host: first.ip})
        for name in names:
            ears.commands[name] = [go]
        assert agents[1].outcome().reason == p.SUCCEEDED
        assert agents[1].lines()[0].startswith("from ")
        if runtime == "sandbox":
            assert (first.host, first.ports["2222"]) == (hosts[0], 2222)
            assert agents[1].lines() == [f"from {hosts[0]}"]
    finally:
        for agent in agents:
            agent.kill()
        if namespace:
            subprocess.run(["ip", "netns", "del", namespace], check=True)


def _python38(tmp_path: Path) -> str:
    found = {i.version: i.path for i in Environments(tmp_path / "envs").interpreters()}
    return found.get("3.8", "")


def test_the_agent_runs_on_the_oldest_python(make: Make, ears: Ears, tmp_path: Path, runtime: str) -> None:
    python = _python38(tmp_path)
    if not python:
        pytest.skip("no Python 3.8 here")
    agent = make("echo hello; exit 2", python=python, runtime=runtime)
    assert agent.start().wait(30) == 0
    assert (agent.outcome().exit_code, agent.lines()) == (2, ["hello"])
    assert ears.kinds() == ["hello", "prepared", "started", "outcome"]


def test_a_spec_of_another_version_is_refused(make: Make) -> None:
    agent = make("true")
    (agent.directory / "spec.json").write_bytes(p.dump(replace(agent.spec, version=99)))
    assert agent.start().wait(30) == 1
    assert "version 99" in (agent.directory / "agent.log").read_text()


def test_an_agent_whose_directory_was_taken_away_ends(make: Make, ears: Ears, runtime: str) -> None:
    agent = make("sleep 300", runtime=runtime)
    process = agent.start()
    ears.body("started")
    ears.close()
    agent.directory.rename(agent.directory.with_name("elsewhere"))
    process.wait(30)
    assert tree.marked(agent.mark()) == []


def test_an_agent_at_the_barrier_whose_directory_was_taken_away_ends(make: Make, ears: Ears, runtime: str) -> None:
    agent = make("sleep 300", runtime=runtime, barrier=True)
    process = agent.start()
    ears.body("prepared")
    ears.close()
    agent.directory.rename(agent.directory.with_name("elsewhere"))
    process.wait(30)
    assert tree.marked(agent.mark()) == []


def test_an_agent_that_fetches_when_its_directory_is_taken_away_ends(make: Make, tmp_path: Path) -> None:
    network = p.Network(socket=str(tmp_path / "no-server.sock"))
    agent = make("true", network=network, packages=(p.Package(uri="gs://bucket/tool-1.tar.gz"),))
    process = agent.start()
    until(lambda: any("gsutil" in line for line in agent.lines(p.RUNNER)), "the download")
    agent.directory.rename(agent.directory.with_name("elsewhere"))
    process.wait(30)


def test_orphans_that_end_do_not_pile_up(make: Make, ears: Ears) -> None:
    agent = make("for i in 1 2 3 4 5 6; do (setsid true &); done; sleep 1", heartbeat_s=0.05)
    process = agent.start()
    ears.body("started")

    def dead() -> list[str]:
        listed = subprocess.run(
            ["ps", "-o", "stat=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
        )
        return [state for state in listed.stdout.split() if state.startswith("Z")]

    time.sleep(0.3)
    until(lambda: not dead())
    assert agent.outcome().reason == p.SUCCEEDED


def test_how_a_program_ended_is_not_forgotten_while_it_cannot_be_written(make: Make, ears: Ears) -> None:
    agent = make("echo done; sleep 0.5")
    process = agent.start()
    until(lambda: "started" in ears.kinds(), "the start")
    hindrance = agent.directory / "status.json.new"
    hindrance.mkdir()
    until(lambda: agent.lines(p.RUNNER)[-1].startswith("Task completed."), "the end of the program")
    time.sleep(0.7)
    assert process.poll() is None
    assert "outcome" not in ears.kinds()
    hindrance.rmdir()
    assert agent.outcome().reason == p.SUCCEEDED
    assert process.wait(30) == 0
    assert ears.kinds()[-1] == "outcome"


def test_a_torn_report_does_not_hide_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = directory.claim(str(tmp_path))
    assert claimed is not None
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: real(file, data[:10]))
        claimed.spool(p.Report(1, "started", 5, {}))
    claimed.spool(p.Report(2, "outcome", 6, {}))
    assert [report.seq for report in directory.spooled(str(tmp_path / "spool.jsonl"))] == [2]
    claimed.release()
