"""What a replica uses: CPU, memory, disk and network, from its control groups where it has them, else from /proc."""

from __future__ import annotations

import contextlib
import os
from typing import Mapping

from . import tree
from .room import Room

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage:
    """Reads counters; totals never fall, also when processes of the tree end."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._cpu: dict[tuple[int, int], float] = {}
        self._read: dict[tuple[int, int], int] = {}
        self._written: dict[tuple[int, int], int] = {}
        self._peak = 0

    def measure(self, logs: Mapping[str, Mapping[str, int]]) -> dict[str, object]:
        """Return the body of a heartbeat; `logs` are the log's counts."""
        processes = tree.descendants(os.getpid())
        memory = 0
        for process in processes:
            key = (process.pid, process.started)
            memory += process.resident_pages * _PAGE
            self._cpu[key] = process.cpu_ticks / _TICK
            self._count_io(key)
        used, peak = self._room.group.memory()
        self._peak = max(self._peak, memory, peak)
        received, sent = self._room.network.bytes()
        return {
            "cpu_s": round(self._room.group.cpu_seconds() or sum(self._cpu.values()), 3),
            "memory_bytes": used or memory,
            "memory_peak_bytes": self._peak,
            "processes": len(processes),
            "read_bytes": sum(self._read.values()),
            "write_bytes": sum(self._written.values()),
            "net_in_bytes": received,
            "net_out_bytes": sent,
            **logs,
        }

    def _count_io(self, key: tuple[int, int]) -> None:
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{key[0]}/io") as file:
            numbers = dict(line.split(": ") for line in file)
            self._read[key] = int(numbers["read_bytes"])
            self._written[key] = int(numbers["write_bytes"])
