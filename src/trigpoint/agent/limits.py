"""Limits and counters of a replica by control groups, version 1 or 2; what cannot be enforced is said, not hidden."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Callable

from . import sentences, tree
from .protocol import Limits, RunSpec

_ROOT = "/sys/fs/cgroup"
_PERIOD = 100_000


class Group:
    """The control group of one replica: v1 (one directory per controller), v2 (one directory) or none at all."""

    def __init__(self, name: str, limits: Limits, root: str = _ROOT) -> None:
        self.lost: list[str] = []
        self._v2 = os.path.exists(os.path.join(root, "cgroup.controllers"))
        self._paths: dict[str, str] = {}
        wanted = ("memory", "cpu", "pids", "cpuacct")
        if self._v2:
            self._make_v2(os.path.join(root, "trigpoint"), name)
        else:
            for controller in wanted:
                self._make_v1(root, controller, name)
        self._limit("memory", limits.memory_bytes, self._set_memory, sentences.MEMORY)
        self._limit("cpu", limits.cpus, self._set_cpus, sentences.CPU_SHARE)
        self._limit("pids", limits.processes, self._set_processes, sentences.PROCESSES)

    def enter(self) -> None:
        """Put the calling thread into the group where that is possible (v1): what it starts is born in it.

        A thread that moves itself is cheap; moving a process makes the kernel wait for all processors, for 10 ms.
        """
        if not self._v2:
            for path in self._paths.values():
                with contextlib.suppress(OSError):
                    _write(os.path.join(path, "tasks"), "0")

    def leave(self) -> None:
        """Take the calling thread out of the group again."""
        if not self._v2:
            for path in self._paths.values():
                with contextlib.suppress(OSError):
                    _write(os.path.join(os.path.dirname(path), "tasks"), "0")

    def entrances(self) -> list[str]:
        """Return the files into which a new process must write its pid to join; none where `enter` has done it."""
        return sorted({os.path.join(path, "cgroup.procs") for path in self._paths.values()}) if self._v2 else []

    def pids(self) -> list[int]:
        """Return the processes in the group, without this one."""
        found: set[int] = set()
        for path in self._paths.values():
            with contextlib.suppress(OSError), open(os.path.join(path, "cgroup.procs")) as file:
                found.update(map(int, file.read().split()))
        return sorted(found - {os.getpid()})

    def out_of_memory_kills(self) -> int:
        """Return how often the kernel killed a process of the group for want of memory."""
        name = "memory.events" if self._v2 else "memory.oom_control"
        for line in self._read("memory", name).splitlines():
            word, _, number = line.partition(" ")
            if word == "oom_kill":
                return int(number)
        return 0

    def memory(self) -> tuple[int, int]:
        """Return bytes used now and at most; zeros when not known."""
        names = (
            ("memory.current", "memory.peak") if self._v2 else ("memory.usage_in_bytes", "memory.max_usage_in_bytes")
        )
        used, peak = (self._number("memory", name) for name in names)
        return used, peak

    def cpu_seconds(self) -> float:
        """Return the CPU time of all that ever ran in the group; 0 when not known."""
        if self._v2:
            for line in self._read("cpu", "cpu.stat").splitlines():
                if line.startswith("usage_usec "):
                    return int(line.split()[1]) / 1e6
            return 0.0
        return self._number("cpuacct", "cpuacct.usage") / 1e9

    def remove(self) -> None:
        """Kill what is left in the group and remove it."""
        deadline = time.monotonic() + 5
        paths = sorted(set(self._paths.values()))
        while paths and time.monotonic() < deadline:
            for pid in self.pids():
                tree.send(pid, signal.SIGKILL)
            for path in list(paths):
                try:
                    os.rmdir(path)
                except FileNotFoundError:
                    paths.remove(path)
                except OSError:
                    continue
                else:
                    paths.remove(path)
            if paths:
                time.sleep(0.01)

    def _make_v1(self, root: str, controller: str, name: str) -> None:
        path = os.path.join(root, controller, own_group(controller).lstrip("/"), "trigpoint", name)
        with contextlib.suppress(OSError):
            os.makedirs(path, exist_ok=True)
            if os.path.exists(os.path.join(path, "cgroup.procs")):
                self._paths[controller] = path

    def _make_v2(self, parent: str, name: str) -> None:
        path = os.path.join(parent, name)
        try:
            os.makedirs(parent, exist_ok=True)
            for above in (os.path.dirname(parent), parent):
                for controller in ("memory", "cpu", "pids"):
                    with contextlib.suppress(OSError):
                        _write(os.path.join(above, "cgroup.subtree_control"), f"+{controller}")
            os.makedirs(path, exist_ok=True)
            with open(os.path.join(path, "cgroup.controllers")) as file:
                self._paths = dict.fromkeys(file.read().split(), path)
        except OSError:
            self._paths = {}

    def _limit(self, controller: str, amount: float, apply: Callable[[float], None], words: str) -> None:
        if amount <= 0:
            return
        try:
            if controller not in self._paths:
                raise OSError("no controller")
            apply(amount)
        except OSError:
            self.lost.append(sentences.NO_LIMIT.format(what=words))

    def _set_memory(self, amount: float) -> None:
        path = self._paths["memory"]
        _write(os.path.join(path, "memory.max" if self._v2 else "memory.limit_in_bytes"), str(int(amount)))
        swap = "memory.swap.max" if self._v2 else "memory.memsw.limit_in_bytes"
        with contextlib.suppress(OSError):
            _write(os.path.join(path, swap), "0" if self._v2 else str(int(amount)))

    def _set_cpus(self, amount: float) -> None:
        quota = int(amount * _PERIOD)
        if self._v2:
            _write(os.path.join(self._paths["cpu"], "cpu.max"), f"{quota} {_PERIOD}")
        else:
            _write(os.path.join(self._paths["cpu"], "cpu.cfs_period_us"), str(_PERIOD))
            _write(os.path.join(self._paths["cpu"], "cpu.cfs_quota_us"), str(quota))

    def _set_processes(self, amount: float) -> None:
        _write(os.path.join(self._paths["pids"], "pids.max"), str(int(amount) + (not self._v2)))  # + the agent's thread

    def _read(self, controller: str, name: str) -> str:
        try:
            with open(os.path.join(self._paths[controller], name)) as file:
                return file.read()
        except (OSError, KeyError):
            return ""

    def _number(self, controller: str, name: str) -> int:
        text = self._read(controller, name).strip()
        return int(text) if text.isdigit() else 0


def name_of(spec: RunSpec) -> str:
    """Return the name of a replica's group."""
    return f"{spec.attempt}.{spec.replica}"


def own_group(controller: str) -> str:
    """Return this process's group of a v1 controller, from the root of its hierarchy."""
    with contextlib.suppress(OSError), open("/proc/self/cgroup") as file:
        for line in file:
            _, names, path = line.rstrip("\n").split(":", 2)
            if controller in names.split(","):
                marker = path.find("/trigpoint/")
                return path if marker < 0 else path[:marker]
    return "/"


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
