"""Reads the split tables that the job was given (AIP_*_DATA_URI) and writes results, both under gs:// names."""

from __future__ import annotations

import glob
import json
import os
import time
from collections.abc import Mapping
from typing import Any

import gcsfs
import pandas as pd
from google.api_core.exceptions import NotFound
from google.cloud import storage

SPLITS = ("training", "validation", "test")


def read_splits(environ: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Return the three tables, read with pandas from their gs:// names."""
    return {split: read_gs(environ[f"AIP_{split.upper()}_DATA_URI"]) for split in SPLITS}


def read_gs(pattern: str) -> pd.DataFrame:
    """Return all shards that a gs:// pattern names as one table."""
    shards = sorted(gcsfs.GCSFileSystem().glob(pattern))
    if not shards:
        raise FileNotFoundError(f"no object matches {pattern}")
    return pd.concat([pd.read_csv(f"gs://{shard}") for shard in shards], ignore_index=True)


def read_mounted(pattern: str, root: str = "/gcs/") -> pd.DataFrame | None:
    """Return the same table through the mounted buckets, or None on a machine that mounts none."""
    if not os.path.isdir(root):
        return None
    shards = sorted(glob.glob(pattern.replace("gs://", root, 1)))
    return pd.concat([pd.read_csv(shard) for shard in shards], ignore_index=True)


def write(uri: str, content: bytes | str) -> None:
    """Write one object."""
    _blob(uri).upload_from_string(content)


def write_json(uri: str, value: Any) -> None:
    """Write one object holding JSON."""
    _blob(uri).upload_from_string(json.dumps(value, indent=2), content_type="application/json")


def wait_for_json(uri: str, seconds: float) -> Any:
    """Return the JSON that another replica writes under a name; TimeoutError when it does not come."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return json.loads(_blob(uri).download_as_bytes())
        except NotFound:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{uri} was not written within {seconds:g} s") from None
            time.sleep(0.5)


def _blob(uri: str) -> storage.Blob:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return storage.Client().bucket(bucket).blob(name)
