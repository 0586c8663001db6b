"""The start page: the machine as it is now, and the runs that somebody should know of."""

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import structlog

from trigpoint.console.machine.wire import Capacity, Finding, HomeInfo
from trigpoint.console.runs.listing import Runs
from trigpoint.domains.jobs import Load
from trigpoint.store import Store, resources
from trigpoint.store.objects import list_buckets

log = structlog.get_logger(__name__)

_LATELY = 6
_ACTIVE = 50


class CpuShare:
    """Measures how busy all CPUs together are. Thread-safe; `psutil.cpu_percent` compares within one thread only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last, self._share = _cpu_seconds(), 0.0

    def now(self) -> float:
        """Return the share, 0 to 1, since the last question, over a second at least."""
        with self._lock:
            (idle, all_), (idle_before, all_before) = _cpu_seconds(), self._last
            if all_ - all_before >= (os.cpu_count() or 1):
                self._share = min(1.0, max(0.0, 1 - (idle - idle_before) / (all_ - all_before)))
                self._last = idle, all_
            return self._share


def _cpu_seconds() -> tuple[float, float]:
    times = psutil.cpu_times()
    return times.idle + getattr(times, "iowait", 0.0), sum(times[:8])  # guests are counted as users already


class Home:
    """Answers the start page. Thread-safe."""

    def __init__(
        self, store: Store, runs: Runs, load: Callable[[], Load], examine: Callable[[], Sequence[Finding]], home: Path
    ) -> None:
        self._store, self._runs, self._load, self._home = store, runs, load, home
        self._findings: Sequence[Finding] = ()
        self._examine = examine
        self._lock = threading.Lock()
        self._begun = False
        self._cpu = CpuShare()

    def info(self, project: str) -> HomeInfo:
        """Return the start page of a project. The first to ask has the machine examined; the page shows it later."""
        self._begin()
        active = self._runs.page(project, {"state": "QUEUED,PENDING,RUNNING,CANCELLING", "size": str(_ACTIVE)})
        failed = self._runs.page(project, {"state": "FAILED", "size": str(_LATELY), "order": "changed desc"})
        recent = self._runs.page(project, {"state": "SUCCEEDED", "size": str(_LATELY), "order": "changed desc"})
        prefix = f"projects/{project}/"
        counts = {
            kind: self._store.read(lambda tx, kind=kind: resources.count(tx, kind, prefix))  # type: ignore[misc]
            for kind in ("datasets", "models")
        }
        buckets = self._store.read(lambda tx: list_buckets(tx, project, "", "", 1000))
        return HomeInfo(
            active=active.runs,
            failed=failed.runs,
            recent=recent.runs,
            capacity=self.capacity(),
            findings=self._findings,
            runs=self._runs.page(project, {"size": "1"}).total,
            datasets=counts["datasets"],
            models=counts["models"],
            buckets=len(buckets),
        )

    def capacity(self) -> Capacity:
        """Return what the machine has and uses now."""
        load, memory, disk = self._load(), psutil.virtual_memory(), shutil.disk_usage(self._home)
        return Capacity(
            cpus=os.cpu_count() or 1,
            cpu_share=self._cpu.now(),
            load=os.getloadavg()[0],
            memory_bytes=memory.total,
            memory_used=memory.total - memory.available,
            disk_bytes=disk.total,
            disk_used=disk.used,
            replicas=load.replicas,
            replicas_at_once=load.replicas_at_once,
            vcpus=load.vcpus,
            vcpu_quota=load.vcpu_quota,
            waiting=load.waiting,
        )

    def _begin(self) -> None:
        """Begin to find out what the machine can do. Not at the server's start: it takes processes and seconds."""
        with self._lock:
            begun, self._begun = self._begun, True
        if not begun:
            threading.Thread(target=self._look, name="doctor", daemon=True).start()

    def _look(self) -> None:
        try:
            self._findings = list(self._examine())
        except OSError as error:
            log.warning("console.examine", problem=error.strerror)
