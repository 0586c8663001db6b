"""The environment of one prebuilt image, built once for this checkout and lent to every home that a test makes."""

from __future__ import annotations

from pathlib import Path

from trigpoint.runtime.environments import Environments
from trigpoint.runtime.images import prebuilt

IMAGE = "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest"


def build(cache: Path) -> Path:
    """Build the environment of `IMAGE` under `cache` unless it is there; safe between processes."""
    image = prebuilt(IMAGE)
    assert image is not None
    assert image.environment is not None
    Environments(cache).build(image.environment, lambda line: None)
    return cache


def lend(cache: Path, home: Path) -> None:
    """Show a home every environment that the cache holds; what the home builds itself stays its own."""
    own = home / "environments"
    own.mkdir(parents=True, exist_ok=True, mode=0o700)
    for about in cache.glob("*/about.json"):
        link = own / about.parent.name
        if not link.exists():
            link.symlink_to(about.parent)
