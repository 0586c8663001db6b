"""What is done to a home beside serving it: backup, restore, check, collecting what retention says, rescans.

Each verb runs in a process of its own (`python -m trigpoint.server VERB`), prints one JSON value, and works whether or
not a server serves the home, except `restore`. The small helpers that `server` builds its parts with are here too.
"""

import errno
import json
import os
import resource
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import structlog
from uv import find_uv_bin

from trigpoint.console import access, links
from trigpoint.core import ready
from trigpoint.core.clock import SECOND, Micros, SystemClock, SystemIds
from trigpoint.core.errors import FailedPrecondition, InvalidArgument
from trigpoint.data import copies
from trigpoint.domains.jobs import CUSTOM_JOB, Host
from trigpoint.domains.projects import Projects
from trigpoint.domains.storage import Storage
from trigpoint.runtime import doctor
from trigpoint.runtime.environments import Environments
from trigpoint.runtime.local import remove
from trigpoint.settings import Settings
from trigpoint.store import Store, Tx, backup, check, events, history, operations, resources, steps, telemetry
from trigpoint.store.queries import COLUMNS

_DAY: Micros = 86_400 * SECOND
_BATCH = 1000
_FILES = 1 << 16
_SECRET = 32
_FOLDERS = ("buckets", "blobs", "keys")
_FINAL = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")
_GOOGLE = ("storage", "www", "oauth2", "iam", "iamcredentials", "cloudresourcemanager", "logging", "aiplatform")


def main(given: Settings, arguments: Sequence[str]) -> int:
    """Run one verb and print what it did."""
    verbs: Mapping[str, Callable[..., Any]] = {
        "backup": _backup,
        "restore": _restore,
        "accept-loss": _accept_loss,
        "check": _check,
        "gc": _collect,
        "rescan": _rescan,
        "doctor": _doctor,
        "agents": _agents,
    }
    verb, *rest = arguments
    if verb not in verbs:
        raise InvalidArgument(f"{verb!r} is not one of serve, {', '.join(verbs)}.")
    print(json.dumps(verbs[verb](given, *rest)))  # noqa: T201
    return 0


def _doctor(given: Settings) -> Any:
    """Say what programs can have on this machine; changes nothing."""
    return [asdict(finding) for finding in doctor.examine(given.home)]


def _agents(given: Settings) -> Mapping[str, list[str]]:
    """Say which replicas of which jobs have a living agent: each holds the lock of its directory."""
    found: dict[str, list[str]] = {}
    for lock in sorted(given.path("attempts").glob("*/*/lock")):
        if ready.locked(lock.parent):
            found.setdefault(lock.parts[-3].rpartition("-")[0], []).append(lock.parts[-2])
    return found


def _backup(given: Settings, target: str) -> Mapping[str, Any]:
    """Copy the databases, then objects and keys: what changes in between is newer in the files only."""
    path = Path(target)
    for name in _FOLDERS:
        if path.resolve().is_relative_to(given.path(name).resolve()):
            raise InvalidArgument(
                f"{path} is in what is to be copied, the home's folder {name}: name a path elsewhere."
            )
    store = Store.open(given.database_url, given.telemetry_url, read_only=True)
    try:
        backup.backup(store, path, lambda folder: _copy_files(given, folder))
    finally:
        store.close()
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return {"backup": str(path), "bytes": size}


def _copy_files(given: Settings, folder: Path) -> None:
    for name in _FOLDERS:
        if given.path(name).exists():
            copies.copy_folder(given.path(name), folder / name)
    if given.path("config.toml").exists():
        shutil.copy2(given.path("config.toml"), folder / "config.toml")


def _restore(given: Settings, source: str) -> Mapping[str, Any]:
    """Put a backup in the place of what the home holds, which moves aside; nothing changes when it is damaged."""
    lock = ready.take_lock(given.path("run"))
    if lock is None:
        raise FailedPrecondition(f"A server has the home {given.home}: stop it with `trig down`, then restore.")
    try:
        path = Path(source)
        aside = given.path("replaced", secrets.token_hex(4))
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        backup.verify(path)
        fresh = {name: given.path(f"{name}.restoring") for name in _FOLDERS}
        for name, folder in fresh.items():
            shutil.rmtree(folder, ignore_errors=True)
            if (path / name).exists():
                copies.copy_folder(path / name, folder)
        backup.restore(path, given.path("trigpoint.db"), given.path("telemetry.db"), aside)
        for name, folder in fresh.items():
            if given.path(name).exists():
                given.path(name).rename(aside / name)
            if folder.exists():
                folder.rename(given.path(name))
        taken = _forget_guests(given)
        return {"restored": str(path), "replaced files are in": str(aside), "read-only links taken back": taken}
    finally:
        os.close(lock)


def _forget_guests(given: Settings) -> int:
    """End all sessions and links, for some may have been ended since the backup; return how many links there were."""
    store = Store.open(given.database_url, given.telemetry_url)
    now = SystemClock().now()
    try:
        store.write(lambda tx: access.end_sessions(tx, now))
        return store.write(lambda tx: links.remove_all(tx, now))
    finally:
        store.close()


def _accept_loss(given: Settings) -> Mapping[str, Any]:
    """Let the server start on a database whose newest changes are known to be missing."""
    lock = ready.take_lock(given.path("run"))
    if lock is None:
        raise FailedPrecondition(f"A server has the home {given.home}: stop it with `trig down` first.")
    try:
        backup.accept_loss(given.path("trigpoint.db"))
    finally:
        os.close(lock)
    return {"accepted": str(given.path("trigpoint.db"))}


def _check(given: Settings) -> Mapping[str, Any]:
    """Verify the structure of both databases and every row."""
    store = Store.open(given.database_url, given.telemetry_url, read_only=True)
    try:
        report = check.check(store)
    finally:
        store.close()
    if report.damage:
        raise FailedPrecondition(f"{report.damage[0]} ({len(report.damage)} in all): `trig restore` a backup.")
    return {"rows": report.rows, "damage": 0}


def _collect(given: Settings) -> Mapping[str, Any]:
    """Remove what is older than the settings say."""
    store = Store.open(given.database_url, given.telemetry_url)
    now = SystemClock().now()
    try:
        done = {
            "history": _all(store.write, lambda tx: history.prune(tx, now - given.keep_history_days * _DAY, _BATCH)),
            "events": _all(store.write, lambda tx: events.prune(tx, now - given.keep_logs_days * _DAY, _BATCH)),
            "operations": _all(
                store.write, lambda tx: operations.prune(tx, now - given.keep_history_days * _DAY, _BATCH)
            ),
            "telemetry": _all(store.telemetry.write, lambda tx: telemetry.prune(tx, now - given.keep_logs_days * _DAY)),
            "steps": _all(store.telemetry.write, lambda tx: steps.prune(tx, now - given.keep_logs_days * _DAY, _BATCH)),
            "attempts": _attempts(given, store, now),
        }
    finally:
        store.close()
    unused = Environments(given.path("environments")).remove_unused(given.keep_environments_days * 86_400)
    return {**done, "environments": len(unused)}


def _all(run: Callable[[Callable[[Tx], int]], int], batch: Callable[[Tx], int]) -> int:
    total = 0
    while count := run(batch):
        total += count
    return total


def _attempts(given: Settings, store: Store, now: Micros) -> int:
    """Remove the working folders of attempts whose job is over or deleted, and later their logs too."""
    live = _live_jobs(store)
    removed = 0
    for folder in given.path("attempts").glob("*"):
        age = now - int(folder.stat().st_mtime * SECOND)
        if folder.name.rpartition("-")[0] in live:
            continue
        if age > given.keep_logs_days * _DAY:
            remove(folder)
            removed += 1
        elif age > given.keep_attempts_days * _DAY:
            for part in (*folder.glob("*/root"), *folder.glob("*/work")):
                remove(part)
                removed += 1
    return removed


def _live_jobs(store: Store) -> set[str]:
    found: set[str] = set()
    page = None
    while page is None or page.next is not None:
        after = page.next if page else None
        page = store.read(
            lambda tx, after=after: resources.select(  # type: ignore[misc]
                tx, CUSTOM_JOB.collection, where=COLUMNS["state"].not_in(_FINAL), after=after, limit=500
            )
        )
        found |= {row.name.rsplit("/", 1)[-1] for row in page.rows}
    return found


def _rescan(given: Settings) -> Mapping[str, Any]:
    """Bring every bucket's rows in line with its folder; name what lies beside those folders and belongs to none."""
    store = Store.open(given.database_url, given.telemetry_url)
    clock, ids = SystemClock(), SystemIds()
    try:
        projects = Projects(store, clock, ids)
        storage = Storage(store, given.home, clock, ids, lambda segment: projects.resolve(segment).number)
        buckets = [bucket for project in projects.all() for bucket in storage.files.trees(project.number)]
        swept = {bucket: storage.files.rescan(bucket) for bucket in buckets}
    finally:
        store.close()
    strange = sorted(set(os.listdir(given.path("buckets"))) - set(buckets))
    taken_up = sum(len(found.adopted) for found in swept.values())
    return {"buckets": len(swept), "taken up": taken_up, **({"no buckets": strange} if strange else {})}


def secret(path: Path) -> bytes:
    """Return the secret kept in a file of mode 0600, made at first use: 32 bytes."""
    if not path.exists():
        scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_SECRET))
            file.flush()
            os.fsync(file.fileno())
        scratch.rename(path)  # whole or not at all: a server killed meanwhile leaves no secret that is none
    found = path.read_bytes()
    if len(found) != _SECRET:
        raise FailedPrecondition(
            f"{path.name} is damaged: remove it for a new one, with which running jobs start again."
        )
    return found


def host(given: Settings) -> Host:
    """Return what this machine gives to jobs, and how many replicas it lets run at once."""
    cpus = os.cpu_count() or 1
    return Host(
        cpus=cpus,
        memory_gib=psutil.virtual_memory().total / 2**30,
        replicas_at_once=given.parallel_jobs or max(8, 4 * cpus),
        vcpu_quota=given.vcpu_quota,
        strict=given.strict,
    )


def raise_limits() -> None:
    """Take as many descriptors as the machine grants: what shells start with is too few for a server of many jobs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def plain_logs() -> None:
    """Have the server's log show faults by their lines alone: the values around them are requests, keys and tokens."""
    *processors, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, renderer], logger_factory=structlog.PrintLoggerFactory(_Log()))  # type: ignore[arg-type]


class _Log:
    """Standard output as a place that may go: a terminal is closed, a disk is full, and the server goes on."""

    def write(self, text: str) -> None:
        """Write a line, or lose it."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            if error.errno == errno.EIO:  # the terminal is gone for good: what is left unwritten would fail again
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def flush(self) -> None:
        """Nothing is left to do."""


def uv() -> str:
    """Return the path of the installer that is a dependency of ours."""
    return str(find_uv_bin())


def google_hosts(locations: Sequence[str]) -> tuple[str, ...]:
    """Return the names of Google's API hosts that stand for the server inside a replica."""
    return tuple(f"{name}.googleapis.com" for name in (*_GOOGLE, *(f"{where}-aiplatform" for where in locations)))


def last_ports(run: Path) -> Mapping[str, int]:
    """Return the ports that the last server of a home wrote down; empty when there was none."""
    try:
        found = json.loads((run / "ports.json").read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, int) and 0 < value < 65536}


def keep_ports(run: Path, ports: Mapping[str, int]) -> None:
    """Write the ports down for the next server of the home."""
    scratch = run / f"ports.{os.getpid()}.tmp"
    scratch.write_text(json.dumps(dict(ports)))
    scratch.replace(run / "ports.json")


def free_port(wanted: int) -> int:
    """Return a port if it can be bound on loopback now, else 0, which takes any."""
    if not wanted:
        return 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted
