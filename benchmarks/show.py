"""Prints what was measured: medians and spreads of interleaved rounds, as a ratio to their floor, beside the target."""

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which that part of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def row(what: str, values: Sequence[float], floor: Sequence[float], target: str, unit: str = "ms") -> None:
    """Print one figure: median (10th to 90th percentile), its ratio to the floor's median, and the target."""
    spread = f"({quantile(values, 0.1):.2f}-{quantile(values, 0.9):.2f})"
    ratio = f"{median(values) / median(floor):.2f}x" if floor and median(floor) else ""
    print(f"{what:<46} {median(values):>10.2f} {unit:<4} {spread:<20} {ratio:>8}   {target}", flush=True)


def heading(text: str) -> None:
    """Print what the rows below measure, and the machine's own figure that colours them."""
    load = os.getloadavg()[0]
    print(f"\n{text}   [load {load:.1f} on {os.cpu_count()} cores]", flush=True)


def sync_cost(folder: Path, count: int = 40) -> list[float]:
    """Return milliseconds of writing 4 KiB and having the disk confirm it: the floor of every durable change."""
    path = folder / "sync-probe"
    taken = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(count):
            begun = time.perf_counter()
            os.pwrite(descriptor, b"x" * 4096, 0)
            os.fdatasync(descriptor)
            taken.append((time.perf_counter() - begun) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    return taken
