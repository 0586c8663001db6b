"""The engine of one machine: starts agents beside the server, finds them again by their directories, cleans up."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from trigpoint.agent import protocol
from trigpoint.agent.protocol import RunSpec, Status
from trigpoint.core.errors import InvalidArgument, Unavailable
from trigpoint.runtime import doctor
from trigpoint.runtime.engine import GangObservation, GangSpec, Node, Placement, ReplicaObservation
from trigpoint.runtime.nursery import Nursery, agent_command

_UID = re.compile(r"[a-zA-Z0-9-]{1,63}")
_REPLICA = re.compile(r"[a-zA-Z0-9._-]{1,63}")
_SPARES = 2
"""Agents that wait for work, with a user of their own already."""
_OVERDUE_S = 20.0
"""How long after the grace an agent may still live: it is slow then, or hangs."""
_START_S = 20.0
"""An agent that has not claimed its directory for so long is started again."""


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What a local engine adds to every spec."""

    runtime: str = "auto"
    """auto, sandbox or process."""
    layers: str = ""
    uv: str = ""
    hide: tuple[str, ...] = ()
    install_env: Mapping[str, str] = field(default_factory=dict)
    """Which package index replicas ask; see `index_settings`."""
    allow: tuple[str, ...] = ()
    """Hosts that replicas may reach though their addresses are not public; those of the index come on top."""


class LocalEngine:
    """Places replicas on this machine. Everything it knows is in the directory `attempts`, so it may be killed."""

    def __init__(self, attempts: Path, options: LocalOptions) -> None:
        attempts.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._attempts = attempts
        self._options = options
        self._lock = threading.RLock()
        self._launched: dict[str, float] = {}
        self._cleaned: set[str] = set()
        self._stopping: dict[str, float] = {}
        self._runtime = options.runtime
        if options.runtime == "auto":
            self._runtime = "sandbox" if doctor.sandbox().works else "process"
        self._networks = self._runtime == "sandbox" and doctor.own_networks().works
        self._own_users = self._runtime == "sandbox" and os.geteuid() == 0
        self._nursery = Nursery(_SPARES if self._own_users else 0)
        self._nursery.warm()

    @property
    def name(self) -> str:
        """Return `local`."""
        return "local"

    @property
    def runtime(self) -> str:
        """Return what programs run in here: sandbox or process."""
        return self._runtime

    def boot(self) -> str:
        """Return the kernel's id of this boot."""
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return "unknown"

    def nodes(self) -> list[Node]:
        """Return this machine."""
        living = sum(1 for path in self._attempts.glob("*/*/lock") if _held(path))
        return [
            Node(
                os.uname().nodename,
                os.cpu_count() or 1,
                os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
                replicas=living,
            )
        ]

    def ensure(self, gang: GangSpec) -> None:
        """Write the gang's directories at once, then start the agents that have not started."""
        _check(gang)
        with self._lock:
            home = self._attempts / gang.uid
            if gang.boot and gang.boot != self.boot():
                return
            if not (home / "gang.json").exists():
                if home.exists():
                    return  # stopped before it was ensured
                self._write(home, gang)
            if (home / "stopped").exists() or self._foreign(home):
                return
            self._connect(home, len(gang.replicas))
            for directory in _replicas(home):
                self._launch(directory)

    def observe(self, uids: Collection[str]) -> dict[str, GangObservation]:
        """Read locks and statuses; what a dead agent left behind is removed on the way."""
        return {uid: self._observe(uid) for uid in uids}

    def stop(self, uid: str, grace_s: float) -> None:
        """Leave a note, then wake the agents. One that lets the grace pass by a good while is killed with its tree."""
        _check_uid(uid)
        with self._lock:
            home = self._attempts / uid
            home.mkdir(exist_ok=True, mode=0o700)
            (home / "stopped").touch()
            waited = time.monotonic() - self._stopping.setdefault(uid, time.monotonic())
            for directory in _replicas(home):
                note = directory / "stop.json"
                grace = min(grace_s, _grace(note))
                _replace(note, json.dumps({"grace_s": grace}).encode())
                pid = _agent(directory)
                if pid:
                    _signal(pid, signal.SIGTERM if waited < grace + _OVERDUE_S else signal.SIGKILL)

    def release(self, uid: str) -> None:
        """Remove the gang's network."""
        _check_uid(uid)
        self._stopping.pop(uid, None)
        if self._networks and os.path.exists(f"/run/netns/{self._namespace(uid)}"):
            _run("ip", "netns", "del", self._namespace(uid))

    def forget(self, uid: str) -> None:
        """Kill what lives, then remove processes, groups, network and files."""
        _check_uid(uid)
        with self._lock:
            home = self._attempts / uid
            if not home.exists():
                return
            (home / "stopped").touch()
            for directory in _replicas(home):
                self._kill(directory)
                self._launched.pop(str(directory), None)
                self._cleaned.discard(str(directory))
            self.release(uid)
            gone = self._attempts / f".{uid}.{secrets.token_hex(4)}.gone"
            home.rename(gone)
        remove(gone)

    def close(self) -> None:
        """End the nursery; agents go on."""
        self._nursery.close()

    def sweep(self, known: Collection[str]) -> list[str]:
        """Forget every gang that is not in `known`; return which. For the start: attempts nobody remembers."""
        strangers = [p.name for p in self._attempts.iterdir() if p.name not in known and _UID.fullmatch(p.name)]
        for uid in strangers:
            self.forget(uid)
        wanted = {self._namespace(uid) for uid in known}
        ours = self._namespace("").rpartition("-")[0]
        for name in os.listdir("/run/netns") if self._networks and os.path.isdir("/run/netns") else ():
            if name.startswith(f"{ours}-") and name not in wanted:
                _run("ip", "netns", "del", name)
        for rest in self._attempts.glob(".*"):
            remove(rest)
        return strangers

    def directory(self, uid: str, replica: str) -> Path:
        """Return where a replica's status and logs are."""
        return self._attempts / uid / replica

    def _write(self, home: Path, gang: GangSpec) -> None:
        temporary = self._attempts / f".{gang.uid}.{secrets.token_hex(4)}.new"
        for rank, spec in enumerate(gang.replicas):
            directory = temporary / spec.replica
            directory.mkdir(parents=True, mode=0o700)
            _replace(directory / "spec.json", protocol.dump(self._complete(gang, spec, rank)))
        _replace(temporary / "gang.json", json.dumps({"boot": self.boot()}).encode())
        temporary.chmod(0o700)
        temporary.rename(home)

    def _complete(self, gang: GangSpec, spec: RunSpec, rank: int) -> RunSpec:
        """Return the spec with what only this engine knows."""
        options = self._options
        indexes = _index_hosts(options.install_env)
        network = replace(spec.network, allow=(*spec.network.allow, *options.allow, *indexes))
        if len(gang.replicas) > 1:
            peers = network.peers or tuple(other.hostname for other in gang.replicas)
            namespace = self._namespace(gang.uid) if self._networks else ""
            network = replace(network, peers=peers, rank=rank, namespace=namespace)
        return replace(
            spec,
            runtime=self._runtime if spec.runtime == "auto" else spec.runtime,
            network=network,
            uid=spec.uid or (-1 if self._own_users else 0),
            layers=spec.layers or options.layers,
            uv=spec.uv or options.uv,
            install_env=spec.install_env or options.install_env,
            hide=spec.hide or options.hide or (str(self._attempts.parent),),
        )

    def _foreign(self, home: Path) -> bool:
        """Return whether the gang belongs to an earlier boot of the machine."""
        try:
            return bool(json.loads((home / "gang.json").read_bytes())["boot"] != self.boot())
        except (OSError, ValueError, KeyError):
            return True

    def _namespace(self, uid: str) -> str:
        home = hashlib.sha256(os.fsencode(self._attempts)).hexdigest()[:6]
        return f"trig-{home}-{hashlib.sha256(uid.encode()).hexdigest()[:12]}"

    def _connect(self, home: Path, replicas: int) -> None:
        """Make the gang's switch, in a network namespace of its own, out of reach of the machine's packet filters.

        A note says that it is whole: what a crash left half made is made again, for no agent was started yet.
        """
        name, note = self._namespace(home.name), home / "network"
        if replicas < 2 or not self._networks or note.exists():
            return
        if os.path.exists(f"/run/netns/{name}"):
            _run("ip", "netns", "del", name)
        commands = "link set lo up\nlink add br0 type bridge\nlink set br0 up\n"
        made = _run("ip", "netns", "add", name) and _run("ip", "-n", name, "-batch", "-", text=commands)
        if not made:
            raise Unavailable("the network of this job's replicas could not be made; try again")
        note.touch()

    def _launch(self, directory: Path) -> None:
        key = str(directory)
        recent = time.monotonic() - self._launched.get(key, float("-inf")) < _START_S
        if recent or (directory / "status.json").exists() or _held(directory / "lock"):
            return
        self._nursery.launch(directory)
        self._launched[key] = time.monotonic()

    def _observe(self, uid: str) -> GangObservation:
        home = self._attempts / uid
        if not _UID.fullmatch(uid) or not home.exists():
            return GangObservation(Placement.GONE, "this machine does not know the attempt")
        if not (home / "gang.json").exists():
            return GangObservation(Placement.GONE, "stopped before it was started")
        foreign, stopped = self._foreign(home), (home / "stopped").exists()
        node = os.uname().nodename
        seen = {d.name: replace(self._replica(d, foreign, stopped), node=node) for d in _replicas(home)}
        placements = {observation.placement for observation in seen.values()}
        if Placement.PENDING in placements:
            placement = Placement.PENDING
        else:
            placement = Placement.GONE if placements == {Placement.GONE} else Placement.PLACED
        reason = next((o.reason for o in seen.values() if o.placement is placement and o.reason), "")
        return GangObservation(placement, reason, seen)

    def _replica(self, directory: Path, foreign: bool, stopped: bool) -> ReplicaObservation:
        held = _held(directory / "lock")  # before the status: an agent writes that before it lets go
        status = _status(directory)
        if held:
            return ReplicaObservation(Placement.PLACED, status=status)
        if foreign:
            return ReplicaObservation(Placement.GONE, reason="the machine was restarted", status=status)
        if status is None:
            if stopped:
                return ReplicaObservation(Placement.GONE, reason="stopped before it was started")
            return ReplicaObservation(Placement.PENDING, reason="the agent is starting")
        if status.outcome is None:
            self._clean(directory)
            return ReplicaObservation(Placement.GONE, reason="the process that watched over it died", status=status)
        return ReplicaObservation(Placement.GONE, status=status)

    def _kill(self, directory: Path) -> None:
        deadline = time.monotonic() + 5
        while _held(directory / "lock") and time.monotonic() < deadline:
            pid = _agent(directory)
            if pid:
                _signal(pid, signal.SIGKILL)
            time.sleep(0.005)
        status = _status(directory)
        if status is not None and status.outcome is None:
            self._clean(directory)

    def _clean(self, directory: Path) -> None:
        """Let the agent's own code remove what a dead agent left: processes in plain sight, control groups."""
        key = str(directory)
        with self._lock:
            if key not in self._cleaned:
                self._cleaned.add(key)
                subprocess.run(
                    agent_command("--clean", key),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=30,
                    check=False,
                )


def index_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that say which package index to ask."""
    names = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX")
    return {name: environ[name] for name in names if name in environ}


def _index_hosts(settings: Mapping[str, str]) -> list[str]:
    """Return host and port of the package indexes: whoever runs this machine chose them, wherever they lie."""
    words = " ".join(value for name, value in settings.items() if "INDEX" in name).split()
    found = []
    for word in words:
        with contextlib.suppress(ValueError):  # no URL, or a port that is none
            url = urlsplit(word.rpartition("=")[2] if "=" in word.partition("://")[0] else word)
            if url.hostname:
                host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
                found.append(f"{host}:{url.port or (80 if url.scheme == 'http' else 443)}")
    return found


def remove(folder: Path) -> None:
    """Remove a folder that programs wrote into, however deep: Python's rmtree ends in a RecursionError there."""
    command = ["rm", "-rf", "--one-file-system", "--", str(folder)]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _check(gang: GangSpec) -> None:
    _check_uid(gang.uid)
    names = [spec.replica for spec in gang.replicas]
    if not names or len(set(names)) != len(names) or not all(_REPLICA.fullmatch(n) and n[0] != "." for n in names):
        raise InvalidArgument(f"attempt {gang.uid}: replicas must have different, plain names")
    if any(spec.attempt != gang.uid for spec in gang.replicas):
        raise InvalidArgument(f"attempt {gang.uid}: a replica belongs to another attempt")


def _check_uid(uid: str) -> None:
    if not _UID.fullmatch(uid):
        raise InvalidArgument("an attempt's id consists of letters, digits and hyphens")


def _replicas(home: Path) -> Iterator[Path]:
    if home.is_dir():
        yield from sorted(path for path in home.iterdir() if (path / "spec.json").exists())


def _held(lock: Path) -> bool:
    """Return whether an agent lives: whether somebody holds the lock."""
    try:
        fd = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _status(directory: Path) -> Status | None:
    try:
        return protocol.load_status((directory / "status.json").read_bytes())
    except (OSError, ValueError):
        return None


def _agent(directory: Path) -> int:
    """Return the pid of the living agent, or 0."""
    status = _status(directory)
    return status.pid if status is not None and _held(directory / "lock") else 0


def _grace(note: Path) -> float:
    try:
        return float(json.loads(note.read_bytes())["grace_s"])
    except (OSError, ValueError, KeyError, TypeError):
        return float("inf")


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
    temporary.rename(path)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _run(*command: str, text: str = "") -> bool:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
