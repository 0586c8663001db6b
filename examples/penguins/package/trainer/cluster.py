"""Who this replica is: its place from CLUSTER_SPEC, its identity from the metadata server."""

from __future__ import annotations

import json
import os
import platform
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

import sklearn


@dataclass(frozen=True)
class Place:
    """One replica among all of its job; `name` is the name its log entries carry."""

    name: str
    rank: int
    replicas: tuple[str, ...]

    @property
    def primary(self) -> bool:
        return self.rank == 0


def place(environ: Mapping[str, str]) -> Place:
    """Return the place of this replica; a job of one replica calls its only pool `chief`."""
    spec = json.loads(environ.get("CLUSTER_SPEC", "{}"))
    cluster = spec.get("cluster") or {"chief": ["localhost:2222"]}
    task = spec.get("task") or {"type": "chief", "index": 0}
    replicas = tuple(_name(pool, index) for pool in sorted(cluster) for index in range(len(cluster[pool])))
    name = _name(task["type"], task["index"])
    return Place(name, replicas.index(name), replicas)


def _name(pool: str, index: int) -> str:
    return f"{'workerpool0' if pool == 'chief' else pool}-{index}"


def surroundings() -> dict[str, str]:
    """What the program can see of where it runs and as whom; "unknown" where nothing answers."""
    return {
        "project": _metadata("project/project-id"),
        "identity": _metadata("instance/service-accounts/default/email"),
        "environment": f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}",
        "host": platform.node(),
        "job": os.environ.get("CLOUD_ML_JOB_ID", "unknown"),
        "user_project_number": os.environ.get("CLOUD_ML_PROJECT_ID", "unknown"),
    }


def _metadata(path: str) -> str:
    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    request = urllib.request.Request(f"http://{host}/computeMetadata/v1/{path}", headers={"Metadata-Flavor": "Google"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return "unknown"
