"""What the agent and the rest agree on: the spec of one replica, the files of its directory, and what it reports.

One replica of one attempt has one directory, `attempts/ATTEMPT/REPLICA/`, which is the durable truth:

    spec.json     RunSpec, written by the engine before the agent starts; 0600, for it holds the replica's token
    lock          flock'ed by the living agent: free means that no agent lives
    status.json   Status, replaced atomically by the agent at every change of state
    spool.jsonl   every report except heartbeats, one JSON object per line, in order of `seq`
    stop.json     {"grace_s": n}, written by the engine before it sends SIGTERM to the agent
    logs/         segments (see `frame`)
    agent.log     what the agent itself had to say; for operators, never shown to users
    root/ work/   the program's file system and its scratch space

The agent posts reports to the server's unix socket (`RunSpec.reports`), as HTTP/1.1:

    POST /v1/attempts/ATTEMPT/replicas/REPLICA/reports      Authorization: Bearer TOKEN
    {"fence": 1, "wait_s": 20, "reports": [Report, ...]}
    200 {"ack": 7, "commands": [Command, ...]}

`seq` counts from 1, and goes on when another agent takes the attempt over (with the next fence), which repeats the
spool first. `ack` is the highest `seq` that is durable with the server: the agent forgets what is acknowledged and
repeats the rest, so reports arrive at least once and in order. `wait_s` > 0 allows the server to hold the answer until
it has a command; it gives a command until it sees the effect, and the agent obeys it once. 409 means that a newer agent
holds the attempt (a stale fence), or that the attempt is over: the agent kills its program and goes. Every other
failure means "later": it retries with back-off, for as long as it lives.
"""

from __future__ import annotations

import json
import mmap
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Iterator, Mapping, TypeVar

VERSION = 1
"""Of everything in this file. An agent refuses a spec of another version."""

CLAIMED, PREPARED, RUNNING, ENDED = "CLAIMED", "PREPARED", "RUNNING", "ENDED"
"""States of a replica's agent, in order; RUNNING is durable *before* the program's first instruction."""

SUCCEEDED, FAILED, OUT_OF_MEMORY, STOPPED = "SUCCEEDED", "FAILED", "OUT_OF_MEMORY", "STOPPED"
START_ERROR, PREPARE_ERROR, LOST = "START_ERROR", "PREPARE_ERROR", "LOST"
"""Reasons of an outcome. STOPPED: ended after a stop was asked for, whatever its exit code. START_ERROR: the program
could not be started. PREPARE_ERROR: a package could not be fetched or installed. LOST: an earlier agent of this
attempt died after the program may have started; nothing ran this time."""

MARK = "TRIGPOINT_REPLICA"
"""Variable in the environment of every program: ATTEMPT/REPLICA. It finds orphans of a killed agent."""

RUNNER, STDOUT, STDERR = "runner", "stdout", "stderr"
STREAMS = (RUNNER, STDOUT, STDERR)
"""Log streams of a replica; `runner` is what Vertex's images print around the program (vertex-training.md 3.4)."""

OPENED, SAVED = "open", "save"
"""What a program did to a file below /gcs: opened it to read, or wrote it."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Program:
    """What to run: a Python module of the environment, or a command line."""

    module: str = ""
    args: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    """Given instead of `module`: the whole command line."""
    cluster: str = ""
    """For the runner's line 3 only: JSON of the cluster, as Vertex prints it."""
    task: str = ""
    """For the runner's line 3 only: JSON of the task."""


@dataclass(frozen=True)
class Environment:
    """A built Python environment (`runtime.environments`)."""

    path: str = ""
    """Directory with bin/python3; empty: the machine's own python3."""
    base: str = ""
    """Directory of the interpreter's installation, made visible read-only in the sandbox."""
    library: str = ""
    """A shared library that the interpreter looks for at just this place; empty when it goes by its own place."""
    python: str = "3"
    """Version such as 3.10."""
    key: str = ""
    """Content address."""
    installed: Mapping[str, str] = field(default_factory=dict)
    """Normalised package name -> version."""
    index_hosts: tuple[str, ...] = ()
    """Where its installer gets packages; outbound traffic may go there wherever that is."""


@dataclass(frozen=True)
class Package:
    """A user's package: a URI that is fetched with the replica's own identity, or a file of this machine."""

    uri: str = ""
    path: str = ""


@dataclass(frozen=True)
class Network:
    """How the replica reaches the world and its peers."""

    socket: str = ""
    """Unix socket of the server for this replica; what arrives there *is* this replica. Empty: none."""
    hosts: tuple[str, ...] = ()
    """Host names that the server stands in for; they resolve to the relay."""
    peers: tuple[str, ...] = ()
    """Host names of all replicas of the gang, this one's included, in order of the rank."""
    namespace: str = ""
    """Name of the gang's network namespace, set by the engine when replicas get a network of their own."""
    rank: int = 0
    """Index of this replica in `peers`."""
    ports: tuple[int, ...] = (2222, 3333)
    """Ports that peers expect; kept in a network of one's own, else replaced by free ones."""
    outbound: bool = True
    """Whether the program may reach the internet."""
    allow: tuple[str, ...] = ()
    """Hosts that it may reach even when their addresses are not public, at any port or, as `HOST:PORT`, at that one:
    a package index of one's own does not open what else listens beside it."""


@dataclass(frozen=True)
class Limits:
    """What the program may use; 0 means no limit. What cannot be enforced is recorded as lost."""

    cpus: float = 0
    memory_bytes: int = 0
    processes: int = 0
    log_bytes: int = 4 << 30
    nice: int = 5


@dataclass(frozen=True)
class RunSpec:
    """One replica of one attempt. Paths are of this machine; JSON in spec.json (`dump`, `load_spec`)."""

    attempt: str
    replica: str
    """Task name such as workerpool0-0."""
    token: str = ""
    """Bearer token of this attempt's replica for the report socket; dies with the attempt."""
    hostname: str = "localhost"
    program: Program = Program()
    env: Mapping[str, str] = field(default_factory=dict)
    """The program's variables; the agent adds PATH, HOME and the like where they are not given."""
    environment: Environment = Environment()
    packages: tuple[Package, ...] = ()
    layers: str = ""
    """Directory of the cache of unpacked packages; empty: none."""
    uv: str = ""
    """The installer for packages that need one."""
    install_env: Mapping[str, str] = field(default_factory=dict)
    """Variables for the installer only: which package index to ask."""
    buckets: Mapping[str, str] = field(default_factory=dict)
    """Bucket -> directory, shown as /gcs/BUCKET."""
    hide: tuple[str, ...] = ()
    """Directories that must never be visible, even below one that is."""
    network: Network = Network()
    limits: Limits = Limits()
    image: str = ""
    """Name of the image that the environment stands for, for messages."""
    runtime: str = "auto"
    """auto, sandbox or process. sandbox: never run without one."""
    uid: int = 0
    """The user to run as when the agent is root; 0: the agent's own; -1: one that the agent chooses for it alone."""
    barrier: bool = False
    """Wait for the command `go` after PREPARED; replicas of gangs larger than one."""
    grace_s: float = 30.0
    """Between TERM and KILL when a stop names none."""
    ca_file: str = ""
    """Certificates to trust, PEM; also given to the program (CA_VARIABLES)."""
    reports: str = ""
    """The server's report socket; empty: the directory is the only transport."""
    heartbeat_s: float = 5.0
    version: int = VERSION


CA_VARIABLES = (
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "CURL_CA_BUNDLE",
    "HTTPLIB2_CA_CERTS",
)
"""Set to the spec's certificates unless the program's own variables say otherwise."""


@dataclass(frozen=True)
class Address:
    """Where a replica's peers reach it: known from PREPARED on."""

    host: str
    ip: str
    ports: Mapping[str, int]
    """Asked port (as text) -> the port to use."""


@dataclass(frozen=True)
class Outcome:
    """How a replica ended; reported exactly once per attempt."""

    reason: str
    exit_code: int = 0
    """As a shell counts: 128 + signal when killed by one."""
    signal: int = 0
    message: str = ""
    """One line for people: of a Python program the last line of its traceback; no path of ours."""
    tail: str = ""
    """The end of what the program wrote to stderr, at most 8 KiB."""


@dataclass(frozen=True)
class Status:
    """status.json: what the agent knows, readable without the server."""

    state: str
    fence: int
    """How many agents have claimed this attempt so far, this one included."""
    pid: int = 0
    started: int = 0
    """Start time of process `pid` in clock ticks since boot; with it a pid is never confused with a later one."""
    boot: str = ""
    runtime: str = ""
    """What it runs in: sandbox or process."""
    lost: tuple[str, ...] = ()
    """What was asked for and is not enforced or not there, each a sentence for people."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What it ran with: interpreter, install path taken, package hashes."""
    address: Address | None = None
    outcome: Outcome | None = None
    times: Mapping[str, int] = field(default_factory=dict)
    """State -> microseconds since the epoch."""


@dataclass(frozen=True)
class Report:
    """One thing that happened. `kind` is one of:

    hello      the agent lives: first thing, and again whenever the server was away; body: Status as JSON
    prepared   body: {"address": Address, "runtime", "lost", "facts"}
    started    the program runs; body: {"pid": n, "argv": [...], "env": its whole environment, secret addresses hidden,
               "watched": whether all is heard that it does to files below /gcs}
    files      what it did to them; body: {"files": [[OPENED or SAVED, `gs://` URI, bytes, count, first time, last
               time], ...]}: totals of what changed. A URI with a slash at its end is a folder, whose files are not
               told apart; 0 and 0 is for what has another name now
    logs       there is more to read; body: {"logs": {stream: bytes so far}, "lines": {stream: lines so far}}
    heartbeat  body: {"cpu_s", "memory_bytes", "memory_peak_bytes", "processes", "read_bytes", "write_bytes",
               "net_in_bytes", "net_out_bytes", "logs", "lines"}; all but memory and processes are totals
    outcome    the last one; body: Outcome, with the final "logs" and "lines", all "files", and "watched"

    `logs`, `files` and heartbeats have seq 0: they are not repeated as they were and not acknowledged.
    """

    seq: int
    kind: str
    time: int
    """Microseconds since the epoch."""
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Command:
    """What the server wants. `kind` is go (`env`: variables to add; `hosts`: name -> address) or stop (`grace_s`)."""

    kind: str
    env: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    grace_s: float = 30.0


def dump(value: Any) -> bytes:
    """Return any dataclass of this module as JSON."""
    return json.dumps(asdict(value), separators=(",", ":")).encode()


def load_spec(data: bytes) -> RunSpec:
    """Return the spec; ValueError when it is of another version or not a spec."""
    raw = _object(data)
    if raw.get("version") != VERSION:
        raise ValueError("the spec has version {!r}, this agent reads {}".format(raw.get("version"), VERSION))
    parts: dict[str, Any] = {
        "program": _load(Program, raw.get("program")),
        "environment": _load(Environment, raw.get("environment")),
        "network": _load(Network, raw.get("network")),
        "limits": _load(Limits, raw.get("limits")),
        "packages": tuple(_load(Package, p) for p in raw.get("packages") or ()),
    }
    return _load(RunSpec, {**raw, **parts})


def load_status(data: bytes) -> Status:
    """Return the status; ValueError when it is none."""
    raw = _object(data)
    for name, cls in (("address", Address), ("outcome", Outcome)):
        raw[name] = _load(cls, raw[name]) if raw.get(name) else None
    return _load(Status, raw)


def load_report(raw: Mapping[str, Any]) -> Report:
    """Return a report from its JSON object; ValueError when it is none."""
    return _load(Report, raw)


def load_address(raw: Mapping[str, Any]) -> Address:
    """Return an address from its JSON object, as in a `prepared` report."""
    return _load(Address, raw)


def load_outcome(raw: Mapping[str, Any]) -> Outcome:
    """Return an outcome from its JSON object, as in an `outcome` report."""
    return _load(Outcome, raw)


def load_command(raw: Mapping[str, Any]) -> Command:
    """Return a command from its JSON object."""
    return _load(Command, raw)


HEADER = re.compile(rb"@(\d{1,20}) (\d{1,10})\n")
"""Starts a frame of a log segment."""
MAX_FRAME = 1 << 20
"""Bytes of a frame's payload, at most."""
SEGMENT_BYTES = 64 << 20
"""A segment is closed once it is this long."""


def segment_name(stream: str, number: int) -> str:
    """Return the file name of a segment. Numbers start at 0; a new agent of the attempt starts a new one."""
    return f"{stream}.{number:06d}.log"


def frame(time: int, payload_bytes: int) -> bytes:
    """Return the header of a frame: `@MICROSECONDS LENGTH` and a newline; LENGTH raw bytes follow.

    The payloads of a stream's segments, put together, are exactly what the program wrote, in order: frames end
    anywhere, also inside a line. The time is when the agent read the bytes. A frame that is cut off at the end of
    the last segment is still being written.
    """
    return b"@%d %d\n" % (time, payload_bytes)


def frames(data: bytes | mmap.mmap, offset: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yield (time, start, end) of the payload of each whole frame of `data` from `offset`, which starts one."""
    while True:
        header = HEADER.match(data, offset)
        if header is None:
            return
        start = header.end()
        offset = start + int(header.group(2))
        if offset > len(data):
            return
        yield int(header.group(1)), start, offset


def expand(value: str, env: Mapping[str, str]) -> str:
    """Return `value` with $(NAME) replaced from `env`; $$(NAME) is an escape, unknown names stay.

    Source: vertex-training.md section 3.4, containerSpec.
    """

    def replace(match: Any) -> str:
        if match.group(0).startswith("$$"):
            return str(match.group(0)[1:])
        return env.get(match.group(1), match.group(0))

    return re.sub(r"\$?\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)", replace, value)


def _object(data: bytes) -> dict[str, Any]:
    raw = json.loads(data)
    if not isinstance(raw, dict):
        raise ValueError("not a JSON object")
    return raw


def _load(cls: type[_T], raw: Any) -> _T:
    """Return a dataclass from its JSON object: lists become tuples, unknown members are ignored."""
    if raw is None:
        raw = {}
    if isinstance(raw, cls):
        return raw
    if not isinstance(raw, Mapping):
        raise ValueError(f"{cls.__name__} must be a JSON object")
    known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    try:
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items() if k in known})
    except TypeError as error:
        raise ValueError(f"{cls.__name__}: {error}") from error
