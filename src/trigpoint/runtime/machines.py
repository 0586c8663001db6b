"""The machine types that Vertex accepts, with what they hold (vertex-training.md 3.3); knows no limits."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_GB = 1 << 30


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine type. `accelerator` is built in; types of the N1 family can have some attached instead."""

    name: str
    cpus: int
    memory_bytes: int
    accelerator: str = ""
    accelerators: int = 0


def machine(name: str) -> Machine | None:
    """Return a machine type, or None for one that Vertex does not support."""
    return MACHINES.get(name)


def allowed_counts(of: Machine, accelerator: str) -> tuple[int, ...]:
    """Return how many of an accelerator a machine may have; empty when they do not go together."""
    if of.accelerator:
        return (of.accelerators,) if accelerator == of.accelerator else ()
    if not of.name.startswith("n1-"):
        return ()
    least = _N1_LEAST.get(accelerator)
    if least is None:
        return ()
    return tuple(count for count, cpus in least.items() if of.cpus <= cpus)


_N1_LEAST: Mapping[str, Mapping[int, int]] = {
    "NVIDIA_TESLA_T4": {1: 16, 2: 32, 4: 96},
    "NVIDIA_TESLA_P4": {1: 16, 2: 32, 4: 96},
    "NVIDIA_TESLA_P100": {1: 16, 2: 32, 4: 96},
    "NVIDIA_TESLA_K80": {1: 16, 2: 32, 4: 96},
    "NVIDIA_TESLA_V100": {1: 8, 2: 16, 4: 32, 8: 96},
}
"""Accelerator -> count -> the most vCPUs that so many of them can serve."""

_CPU_FAMILIES: tuple[tuple[str, tuple[int, ...], float], ...] = (
    ("e2-standard", (4, 8, 16, 32), 4),
    ("e2-highmem", (2, 4, 8, 16), 8),
    ("e2-highcpu", (16, 32), 1),
    ("n1-standard", (4, 8, 16, 32, 64, 96), 3.75),
    ("n1-highmem", (2, 4, 8, 16, 32, 64, 96), 6.5),
    ("n1-highcpu", (16, 32, 64, 96), 0.9),
    ("n2-standard", (4, 8, 16, 32, 48, 64, 80), 4),
    ("n2-highmem", (2, 4, 8, 16, 32, 48, 64, 80), 8),
    ("n2-highcpu", (16, 32, 48, 64, 80), 1),
    ("n4-standard", (2, 4, 8, 16, 32, 48, 64, 80), 4),
    ("n4-highmem", (2, 4, 8, 16, 32, 48, 64, 80), 8),
    ("n4-highcpu", (2, 4, 8, 16, 32, 48, 64, 80), 2),
    ("c2-standard", (4, 8, 16, 30, 60), 4),
)

_OTHERS: tuple[tuple[str, int, float, str, int], ...] = (
    ("m1-ultramem-40", 40, 961, "", 0),
    ("m1-ultramem-80", 80, 1922, "", 0),
    ("m1-ultramem-160", 160, 3844, "", 0),
    ("m1-megamem-96", 96, 1433.6, "", 0),
    ("a2-highgpu-1g", 12, 85, "NVIDIA_TESLA_A100", 1),
    ("a2-highgpu-2g", 24, 170, "NVIDIA_TESLA_A100", 2),
    ("a2-highgpu-4g", 48, 340, "NVIDIA_TESLA_A100", 4),
    ("a2-highgpu-8g", 96, 680, "NVIDIA_TESLA_A100", 8),
    ("a2-megagpu-16g", 96, 1360, "NVIDIA_TESLA_A100", 16),
    ("a2-ultragpu-1g", 12, 170, "NVIDIA_A100_80GB", 1),
    ("a2-ultragpu-2g", 24, 340, "NVIDIA_A100_80GB", 2),
    ("a2-ultragpu-4g", 48, 680, "NVIDIA_A100_80GB", 4),
    ("a2-ultragpu-8g", 96, 1360, "NVIDIA_A100_80GB", 8),
    ("a3-highgpu-1g", 26, 234, "NVIDIA_H100_80GB", 1),
    ("a3-highgpu-2g", 52, 468, "NVIDIA_H100_80GB", 2),
    ("a3-highgpu-4g", 104, 936, "NVIDIA_H100_80GB", 4),
    ("a3-highgpu-8g", 208, 1872, "NVIDIA_H100_80GB", 8),
    ("a3-megagpu-8g", 208, 1872, "NVIDIA_H100_MEGA_80GB", 8),
    ("a3-ultragpu-8g", 224, 2952, "NVIDIA_H200_141GB", 8),
    ("a4-highgpu-8g", 224, 3968, "NVIDIA_B200", 8),
    ("a4x-highgpu-4g", 140, 884, "NVIDIA_GB200", 4),
    ("g2-standard-4", 4, 16, "NVIDIA_L4", 1),
    ("g2-standard-8", 8, 32, "NVIDIA_L4", 1),
    ("g2-standard-12", 12, 48, "NVIDIA_L4", 1),
    ("g2-standard-16", 16, 64, "NVIDIA_L4", 1),
    ("g2-standard-32", 32, 128, "NVIDIA_L4", 1),
    ("g2-standard-24", 24, 96, "NVIDIA_L4", 2),
    ("g2-standard-48", 48, 192, "NVIDIA_L4", 4),
    ("g2-standard-96", 96, 384, "NVIDIA_L4", 8),
    ("g4-standard-48", 48, 180, "NVIDIA_RTX_PRO_6000", 1),
    ("g4-standard-96", 96, 360, "NVIDIA_RTX_PRO_6000", 2),
    ("g4-standard-192", 192, 720, "NVIDIA_RTX_PRO_6000", 4),
    ("g4-standard-384", 384, 1440, "NVIDIA_RTX_PRO_6000", 8),
    ("ct5lp-hightpu-1t", 24, 48, "", 0),
    ("ct5lp-hightpu-4t", 112, 192, "", 0),
    ("ct5lp-hightpu-8t", 224, 384, "", 0),
    ("ct6e-standard-1t", 44, 176, "", 0),
    ("ct6e-standard-4t", 180, 720, "", 0),
    ("ct6e-standard-8t", 180, 1440, "", 0),
    ("tpu7x-standard-4t", 224, 960, "", 0),
    ("cloud-tpu", 96, 335, "", 0),
)
"""Name, vCPUs, GB, built-in accelerator, its count. TPU hosts count their chips by name, not here."""


def is_tpu(name: str) -> bool:
    """Return whether a machine type is a host of TPUs."""
    return re.match(r"ct\d|tpu\d|cloud-tpu$", name) is not None


def _all() -> Iterator[Machine]:
    for family, sizes, gigabytes in _CPU_FAMILIES:
        for cpus in sizes:
            yield Machine(f"{family}-{cpus}", cpus, int(cpus * gigabytes * _GB))
    for name, cpus, gigabytes, accelerator, count in _OTHERS:
        yield Machine(name, cpus, int(gigabytes * _GB), accelerator, count)


MACHINES: Mapping[str, Machine] = {found.name: found for found in _all()}
"""Every supported machine type, by name."""
ACCELERATORS: tuple[str, ...] = tuple(sorted({*_N1_LEAST, *(one.accelerator for one in MACHINES.values())} - {""}))
"""Every kind of accelerator that some machine type has or may have attached."""
