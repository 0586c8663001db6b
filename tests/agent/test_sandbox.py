"""What the walls of the sandbox keep out and let through, seen from inside."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import trustme
from tests.agent.conftest import Agent, Ears, Make, listening, until

from trigpoint.agent import protocol as p
from trigpoint.agent import tree
from trigpoint.agent.relay import Proxy, Relay, is_own, is_public
from trigpoint.runtime.nursery import agent_command

ROOT = os.geteuid() == 0
FAMILIES = (socket.AF_INET, socket.AF_INET6)
needs_root = pytest.mark.skipif(not ROOT, reason="users and networks of one's own need root")


def result(agent: Agent) -> dict[str, str]:
    """Run the agent to its end and return the `key=value` lines of its program."""
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.SUCCEEDED, (outcome, agent.lines(p.STDERR), agent.lines(p.RUNNER))
    return dict(line.partition("=")[::2] for line in agent.lines())


def test_nothing_of_the_machine_is_visible(make: Make, tmp_path: Path) -> None:
    secret = tmp_path / "home" / "keys"
    secret.mkdir(parents=True)
    (secret / "ca.pem").write_text("secret")
    other = make("", replica="workerpool9-9")
    script = (
        f"for f in {secret}/ca.pem {tmp_path} {other.directory}/spec.json {os.path.dirname(__file__)} /etc/shadow"
        " /sys/kernel /home; do ls $f >/dev/null 2>&1 && echo seen=$f; done;"
        "echo processes=$(ls /proc | grep -c '^[0-9]');"
        f"kill -0 {os.getpid()} 2>/dev/null && echo reached=1;"
        "echo cwd=$(pwd); echo host=$(hostname); echo x > here && echo wrote=$(cat here); "
        "touch /usr/x 2>/dev/null && echo usr=1; true"
    )
    seen = result(make(script, runtime="sandbox", hide=(str(tmp_path),)))
    assert int(seen.pop("processes")) < 10
    assert seen == {"cwd": "/", "host": "cmle-training-workerpool0-0123456789-0", "wrote": "x"}


@needs_root
def test_the_program_has_no_rights(make: Make) -> None:
    script = "echo uid=$(id -u); grep -E '^Cap(Eff|Prm)|NoNewPrivs' /proc/self/status | tr -d ' \\t' | tr : ="
    assert result(make(script, runtime="sandbox")) == {
        "uid": "210000",
        "CapPrm": "0000000000000000",
        "CapEff": "0000000000000000",
        "NoNewPrivs": "1",
    }


def test_the_processes_of_a_program_share_memory(make: Make, runtime: str) -> None:
    code = (
        "import multiprocessing as m\nfrom multiprocessing import shared_memory as s\n"
        "block = s.SharedMemory(create=True, size=1 << 20); block.buf[:3] = b'abc'; lock = m.Semaphore(1)\n"
        "other = s.SharedMemory(block.name); print('shared', bytes(other.buf[:3]).decode(), lock.acquire())\n"
        "other.close(); block.close(); block.unlink()"
    )
    agent = make(program=p.Program(argv=("python3", "-c", code)), runtime=runtime)
    agent.start()
    assert agent.outcome().reason == p.SUCCEEDED, agent.lines(p.STDERR)
    assert agent.lines() == ["shared abc True"]


KEYS = "import ctypes; libc = ctypes.CDLL(None); "
ADD = "libc.syscall(250, 1, None); assert libc.syscall(248, b'user', b'ticket', b'secret', 6, -3) > 0; "
SEARCH = (
    "print('key', libc.syscall(250, 10, -3, b'user', b'ticket', 0), libc.syscall(249, b'user', b'ticket', None, 0))"
)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of the calls are those of x86-64")
def test_the_keys_of_the_servers_session_are_not_the_programs(make: Make, runtime: str) -> None:
    agent = make(program=p.Program(argv=("python3", "-c", KEYS + SEARCH)), runtime=runtime)
    command = agent_command(str(agent.directory))
    subprocess.run([sys.executable, "-c", f"import os; {KEYS}{ADD}os.execv({command[0]!r}, {command!r})"], check=True)
    assert agent.outcome().reason == p.SUCCEEDED
    assert agent.lines() == ["key -1 -1"]


def test_variables_of_a_job_mean_nothing_to_what_builds_the_walls(make: Make, tmp_path: Path) -> None:
    traps, canary = tmp_path / "traps", tmp_path / "sprung"
    traps.mkdir()
    for name in ("bwrap", "setpriv", "sh", "env"):
        (traps / name).write_text(f"#!/bin/sh\necho $0 >> {canary}\nexit 1\n")
        (traps / name).chmod(0o755)
    variables = {
        "PATH": f"{traps}:/usr/bin:/bin",
        "ODD": 'it\'s "a" $HOME `id` \\\n=x',
        "with.dots-and": "1",
        "ENV": f"{traps}/sh",
    }
    code = "import json, os; print(json.dumps({n: os.environ.get(n) for n in json.loads(os.environ['WANTED'])}))"
    program = p.Program(argv=("python3", "-c", code))
    agent = make(program=program, runtime="sandbox", env={**variables, "WANTED": json.dumps(list(variables))})
    agent.start()
    assert agent.outcome().reason == p.SUCCEEDED, agent.lines(p.STDERR)
    assert json.loads(agent.lines()[0]) == variables
    assert not canary.exists()


def test_the_loader_of_the_program_alone_hears_of_the_libraries_of_a_job(make: Make) -> None:
    program = p.Program(argv=("/bin/true",))
    agent = make(program=program, runtime="sandbox", env={"LD_PRELOAD": "/gcs/none.so"})
    agent.start()
    assert agent.outcome().reason == p.SUCCEEDED
    assert len([line for line in agent.lines(p.STDERR) if "/gcs/none.so" in line]) == 1


def test_buckets_are_folders_whose_files_belong_to_both_sides(make: Make, tmp_path: Path) -> None:
    bucket = tmp_path / "buckets" / "mine"
    bucket.mkdir(parents=True)
    (tmp_path / "buckets" / "other").mkdir()
    (bucket / "in.csv").write_text("a,b\n")
    script = (
        "echo read=$(cat /gcs/mine/in.csv); mkdir -p /gcs/mine/d; echo model > /gcs/mine/d/out; echo all=$(ls /gcs)"
    )
    seen = result(make(script, runtime="sandbox", buckets={"mine": str(bucket)}))
    assert seen == {"read": "a,b", "all": "mine"}
    assert (bucket / "d" / "out").read_text() == "model\n"
    assert (bucket / "d" / "out").stat().st_uid == os.geteuid()


def test_hidden_folders_below_visible_ones_are_empty(make: Make, tmp_path: Path) -> None:
    base = tmp_path / "python"
    (base / "home" / "keys").mkdir(parents=True)
    (base / "bin").mkdir()
    (base / "bin" / "python3").symlink_to("/bin/true")
    environment = p.Environment(base=str(base))
    script = "cd /opt/interpreter; echo keys=$(ls home | wc -l); echo bin=$(ls bin | wc -l)"
    agent = make(script, runtime="sandbox", environment=environment, hide=(str(base / "home"),))
    assert result(agent) == {"keys": "0", "bin": "1"}


def test_one_replica_can_not_find_another(make: Make) -> None:
    first = make("echo ready; sleep 60", runtime="sandbox")
    first.start()
    until(lambda: first.reach(p.RUNNING) and first.lines() == ["ready"])
    script = "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c TRIGPOINT_REPLICA= | sed s/^/n=/"
    seen = result(
        make(f"{script}; grep -l {first.spec.attempt} /proc/[0-9]*/environ | sed s/^/seen=/", runtime="sandbox")
    )
    assert "seen" not in seen


@needs_root
@pytest.mark.parametrize("kind", ["process", "sandbox"])
def test_a_fork_bomb_stays_small(make: Make, kind: str) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 30 & done; echo all"
    agent = make(script, runtime=kind, limits=p.Limits(processes=12))
    agent.start()
    outcome = agent.outcome()
    status = agent.status()
    assert status is not None
    if any("number of processes" in lost for lost in status.lost):
        pytest.skip("no control groups here")
    assert outcome.reason != p.SUCCEEDED
    assert tree.marked(agent.mark()) == []


@needs_root
def test_who_takes_too_much_memory_is_told_so(make: Make, ears: Ears) -> None:
    script = "x = bytearray(300 << 20); print(len(x))"
    program = p.Program(argv=("python3", "-c", script))
    agent = make(program=program, runtime="sandbox", limits=p.Limits(memory_bytes=64 << 20))
    agent.start()
    outcome = agent.outcome()
    status = agent.status()
    assert status is not None
    if any("memory" in lost for lost in status.lost):
        pytest.skip("no control groups here")
    assert (outcome.reason, outcome.exit_code) == (p.OUT_OF_MEMORY, 137)


@needs_root
def test_nothing_that_a_mount_goes_through_can_be_moved(make: Make) -> None:
    script = (
        "cd /; for f in root run tmp var/log-storage; do mkdir $f/mine && mv $f/mine $f/own && echo $f=mine; done;"
        " for f in gcs opt opt/interpreter etc root run; do mv $f /tmp/x 2>/dev/null && echo $f=moved; done; true"
    )
    seen = result(make(script, runtime="sandbox"))
    assert seen == {"root": "mine", "run": "mine", "tmp": "mine", "var/log-storage": "mine"}


def test_what_a_program_leaves_behind_is_removed_however_deep(make: Make, ears: Ears, runtime: str) -> None:
    script = "import os\nos.chdir(os.environ['HOME'])\nfor _ in range(3000):\n os.mkdir('d')\n os.chdir('d')"
    agent = make(program=p.Program(argv=("python3", "-c", script)), runtime=runtime)
    process = agent.start()
    assert agent.outcome().reason == p.SUCCEEDED
    ears.body("outcome")
    process.wait()
    assert not (agent.directory / "root").exists()
    assert not (agent.directory / "work").exists()


def test_programs_run_out_of_memory_before_the_server_does(make: Make, runtime: str) -> None:
    seen = result(make("echo score=$(cat /proc/self/oom_score_adj)", runtime=runtime))
    assert int(seen["score"]) >= 500


class Door:
    """The server's socket for one replica: says what kind of connection came, with what first bytes."""

    def __init__(self, path: Path, authority: trustme.CA) -> None:
        self.path = path
        self._authority = authority
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("storage.googleapis.com").configure_cert(self._context)
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self._listener = listening(path)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        kind = b""
        while not kind.endswith(b"\n"):
            kind += connection.recv(1)
        if kind == b"tls\n":
            try:
                connection = self._context.wrap_socket(connection, server_side=True)
            except OSError:
                return
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            words = head.split(b" ")
            self.requests.append(f"{kind.decode().strip()} {words[1].decode()}")
            status, body = self._body(kind, words[1].decode(), head)
            answer = f"HTTP/1.1 {status} X\r\nMetadata-Flavor: Google\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(answer.encode() + body)

    def _body(self, kind: bytes, path: str, head: bytes) -> tuple[int, bytes]:
        if kind == b"metadata\n":
            return 200, b'{"access_token": "of-this-replica", "expires_in": 3599}'
        if b"Bearer of-this-replica" not in head:
            return 401, b""
        name = path.partition("/o/")[2].partition("?")[0]
        return (200, self.objects[name]) if name in self.objects else (404, b"no")

    def close(self) -> None:
        self._listener.close()
        self.path.unlink()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    made = Door(Path(f"/tmp/trig-door-{os.getpid()}-{time.monotonic_ns()}"), authority)
    yield made
    made.close()


Network = Callable[[Door], p.Network]


def network(door: Door) -> p.Network:
    return p.Network(socket=str(door.path), hosts=("storage.googleapis.com",))


ASK = """
import os, socket, ssl, urllib.request
host = os.environ.get("GCE_METADATA_HOST", "169.254.169.254")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print("metadata=" + opener.open(f"http://{host}/computeMetadata/v1/x").read().decode()[:20])
with urllib.request.urlopen("https://storage.googleapis.com/storage/v1/b/b/o/none?alt=media") as answer:
    print(answer.read())
"""


def test_metadata_and_apis_arrive_as_this_replica(make: Make, door: Door, tmp_path: Path, runtime: str) -> None:
    agent = make(
        program=p.Program(argv=("python3", "-c", ASK)),
        runtime=runtime,
        network=network(door),
        ca_file=str(tmp_path / "ca.pem"),
    )
    agent.start()
    agent.outcome()
    assert agent.lines() == ['metadata={"access_token": "of']
    assert agent.lines(p.STDERR)[-1] == "urllib.error.HTTPError: HTTP Error 401: X"
    assert door.requests == ["metadata /computeMetadata/v1/x", "tls /storage/v1/b/b/o/none?alt=media"]


def test_a_package_is_fetched_as_the_replica_and_run_from_the_cache(
    make: Make, door: Door, tmp_path: Path, runtime: str
) -> None:
    name = "aiplatform-2026-01-02-03:04:05.678-trainer-0.1.tar.gz"
    door.objects["packages%2F" + name.replace(":", "%3A")] = sdist(tmp_path)
    (tmp_path / "layers").mkdir()
    fields = {
        "program": p.Program(module="trainer.task", args=("--a=b", "1 2")),
        "packages": (p.Package(uri=f"gs://bucket/packages/{name}"),),
        "layers": str(tmp_path / "layers"),
        "network": network(door),
        "ca_file": str(tmp_path / "ca.pem"),
    }
    for first in (True, False):
        agent = make(runtime=runtime, **fields)
        agent.start()
        assert agent.outcome().reason == p.SUCCEEDED, agent.lines(p.STDERR)
        assert agent.lines() == ["trainer ['--a=b', '1 2']"]
        runner = agent.lines(p.RUNNER)
        assert runner[2] == "Running module trainer.task."
        assert runner[3] == f"Downloading the package: gs://bucket/packages/{name}"
        assert runner[6] == f"Running command: pip3 install --user --upgrade --force-reinstall --no-deps {name}"
        assert ("Successfully installed trainer-0.1" in runner) is first
        assert runner[-2:] == [
            "Running command: python3 -m trainer.task --a=b 1 2",
            "Task completed. Exit code (0). Exit reason (SUCCEEDED)",
        ]
        status = agent.status()
        assert status is not None
        assert status.facts["install"] == "unpacked"
    assert len(list((tmp_path / "layers").iterdir())) == 1


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("gs://bucket/none.tar.gz", "gs://bucket/none.tar.gz does not exist"),
        ("http://x/y", "gs://BUCKET/OBJECT"),
        ("gs://bucket/bad", "not a usable package: the archive is damaged"),
    ],
)
def test_a_package_that_cannot_be_had_is_named(make: Make, door: Door, tmp_path: Path, uri: str, words: str) -> None:
    door.objects["bad"] = b"\x1f\x8bthis is no archive"
    (tmp_path / "layers").mkdir()
    agent = make(
        program=p.Program(module="trainer.task"),
        packages=(p.Package(uri=uri),),
        layers=str(tmp_path / "layers"),
        network=network(door),
        ca_file=str(tmp_path / "ca.pem"),
    )
    agent.start()
    outcome = agent.outcome()
    assert outcome.reason == p.PREPARE_ERROR
    assert words in outcome.message
    assert str(tmp_path) not in outcome.message


def sdist(tmp_path: Path, requirement: str = "") -> bytes:
    """Return a package as the SDK builds it."""
    root = tmp_path / "package"
    (root / "trainer").mkdir(parents=True, exist_ok=True)
    (root / "trainer" / "__init__.py").write_text("")
    (root / "trainer" / "task.py").write_text("import sys\nprint('trainer', sys.argv[1:])\n")
    (root / "setup.py").write_text(
        "from setuptools import find_packages\nfrom setuptools import setup\n\n"
        f"setup(name='trainer', version='0.1', packages=find_packages(), install_requires=({requirement}),"
        " include_package_data=True, description='My training application.')\n"
    )
    command = [sys.executable, "setup.py", "-q", "sdist", "--formats=gztar"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return (root / "dist" / "trainer-0.1.tar.gz").read_bytes()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("127.0.0.1", False), ("10.0.0.1", False), ("169.254.169.254", False), ("::1", False),
        ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("fd00::1", False),
        ("224.0.0.1", False), ("0.0.0.0", False), ("2001:4860:4860::8888", True), ("fe80::1%eth0", False),
        ("fec0::1", False), ("64:ff9b:1::1", False), ("2001:0:102:304::1", False), ("::127.0.0.1", False),
        ("2002:808:808::1", False), ("64:ff9b::808:808", True), ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_the_proxy_knows_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_the_proxy_knows_the_addresses_of_its_machine() -> None:
    own = {str(found.address) for at in psutil.net_if_addrs().values() for found in at if found.family in FAMILIES}
    assert "127.0.0.1" in own
    assert all(is_own(address) for address in own if "%" not in address)
    assert not is_own("198.51.100.1")


@pytest.mark.parametrize(
    ("allow", "indexes", "reached"),
    [
        (("127.0.0.1:{0}",), (), [True, False]), (("127.0.0.1",), (), [True, True]), ((), (), [False, False]),
        ((), ("127.0.0.1:{1}",), [False, True]), ((), ("127.0.0.1",), [False, False]),
    ],
)  # fmt: skip
def test_a_package_index_opens_its_own_port_only(
    tmp_path: Path, allow: tuple[str, ...], indexes: tuple[str, ...], reached: list[bool]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [listener.getsockname()[1] for listener in (one, other)]
        network = p.Network(allow=tuple(entry.format(*ports) for entry in allow))
        proxy = Proxy(Relay(""), network, tuple(entry.format(*ports) for entry in indexes))
        for port, expected in zip(ports, reached, strict=True):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
                ours.shutdown(socket.SHUT_WR)
                serving = threading.Thread(target=proxy.handle, args=(theirs,), daemon=True)
                serving.start()
                assert ours.recv(100).startswith(b"HTTP/1.1 200" if expected else b"HTTP/1.1 403")


@pytest.mark.parametrize("outbound", [True, False])
def test_the_proxy_refuses_what_is_not_public(make: Make, tmp_path: Path, runtime: str, outbound: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = (
            "import os, socket\nhost, port = os.environ['https_proxy'][7:].split(':')\n"
            f"for target in ('127.0.0.1:{port}', 'localhost:{port}', '[::ffff:7f00:1]:{port}', '0.0.0.0:1', 'x'):\n"
            "    s = socket.create_connection((host, int(port)))\n"
            "    s.sendall(f'CONNECT {target} HTTP/1.1\\r\\n\\r\\n'.encode())\n"
            "    print(s.recv(12).decode()[-3:])\n"
        )
        program = p.Program(argv=("python3", "-c", code))
        agent = make(program=program, runtime=runtime, network=p.Network(outbound=outbound))
        agent.start()
        assert agent.outcome().reason == p.SUCCEEDED, agent.lines(p.STDERR)
        assert agent.lines() == (["403"] * 4 + ["502"] if outbound else ["403"] * 5)
