"""The example's trainer as a plain program: its parts on the real table, without a job around them."""

from __future__ import annotations

import importlib.metadata
import io
import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import joblib
import pandas as pd
import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "examples" / "penguins" / "package"


@pytest.fixture(scope="module")
def trainer() -> Iterator[dict[str, ModuleType]]:
    sys.path.insert(0, str(PACKAGE))
    yield {name: import_module(f"trainer.{name}") for name in ("cluster", "model", "data", "task")}
    sys.path.remove(str(PACKAGE))


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    files = importlib.metadata.files("palmerpenguins") or []
    return pd.read_csv(str(next(file for file in files if file.name == "penguins.csv").locate()))


def test_one_replica_is_the_primary_and_carries_the_name_of_its_log_entries(trainer: dict[str, ModuleType]) -> None:
    spec = {"cluster": {"chief": ["host:2222"]}, "task": {"type": "chief", "index": 0}}
    place = trainer["cluster"].place({"CLUSTER_SPEC": json.dumps(spec)})
    assert (place.name, place.primary, place.replicas) == ("workerpool0-0", True, ("workerpool0-0",))


def test_replicas_are_counted_through_the_pools(trainer: dict[str, ModuleType]) -> None:
    cluster = {"workerpool0": ["a:2222"], "workerpool1": ["b:2222", "c:2222"]}
    spec = {"cluster": cluster, "task": {"type": "workerpool1", "index": 1}}
    place = trainer["cluster"].place({"CLUSTER_SPEC": json.dumps(spec)})
    assert (place.name, place.rank, place.primary) == ("workerpool1-1", 2, False)
    assert place.replicas == ("workerpool0-0", "workerpool1-0", "workerpool1-1")


def test_the_model_tells_species_apart_and_survives_being_written(
    trainer: dict[str, ModuleType], penguins: pd.DataFrame
) -> None:
    model = trainer["model"]
    table = penguins.sample(frac=1, random_state=1)
    trained = joblib.load(io.BytesIO(model.as_bytes(model.fit(table.iloc[:250], trees=15, seed=7))))
    metrics = model.evaluate(trained, table.iloc[250:])
    assert metrics["rows"] == len(penguins) - 250
    assert metrics["accuracy"] > 0.9
    assert sum(map(sum, metrics["confusion"])) == metrics["rows"]


def test_every_fold_is_scored_alone(trainer: dict[str, ModuleType], penguins: pd.DataFrame) -> None:
    model = trainer["model"]
    scores = [model.fold_accuracy(penguins, fold, folds=3, trees=5, seed=7) for fold in range(3)]
    assert all(0.8 < score <= 1 for score in scores)


def test_mounted_shards_are_read_as_one_table(
    trainer: dict[str, ModuleType], penguins: pd.DataFrame, tmp_path: Path
) -> None:
    data, folder = trainer["data"], tmp_path / "bucket" / "out"
    folder.mkdir(parents=True)
    penguins.iloc[:100].to_csv(folder / "training-00000-of-00002.csv", index=False)
    penguins.iloc[100:].to_csv(folder / "training-00001-of-00002.csv", index=False)
    table = data.read_mounted("gs://bucket/out/training-*.csv", root=f"{tmp_path}/")
    assert table.equals(penguins)
    assert data.read_mounted("gs://bucket/out/training-*.csv", root=f"{tmp_path}/absent/") is None


def test_a_share_of_the_folds_lies_under_the_checkpoint_directory(trainer: dict[str, ModuleType]) -> None:
    uri = trainer["task"].share_uri({"AIP_CHECKPOINT_DIR": "gs://b/out/checkpoints/"}, "workerpool1-0")
    assert uri == "gs://b/out/checkpoints/folds/workerpool1-0.json"
