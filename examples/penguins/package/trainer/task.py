"""The program of every replica: score its share of the folds; the primary then trains, gathers and writes the model."""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Mapping
from typing import Any

import pandas as pd

from trainer import cluster, data, model


def main() -> None:
    options = arguments()
    place = cluster.place(os.environ)
    seen = cluster.surroundings()
    print(
        f"{place.name}: replica {place.rank + 1} of {len(place.replicas)}, as {seen['identity']} in {seen['project']}"
    )

    tables = data.read_splits(os.environ)
    compare_mounted(tables["training"], os.environ["AIP_TRAINING_DATA_URI"])
    share = {
        fold: model.fold_accuracy(tables["training"], fold, options.folds, options.trees, options.seed)
        for fold in range(place.rank, options.folds, len(place.replicas))
    }
    for fold, accuracy in share.items():
        print(f"{place.name}: fold {fold} accuracy {accuracy:.4f}")
    data.write_json(share_uri(os.environ, place.name), {"replica": place.name, "folds": share, **seen})

    if place.primary:
        shares = [data.wait_for_json(share_uri(os.environ, name), options.patience) for name in place.replicas]
        finish(tables, shares, options, os.environ["AIP_MODEL_DIR"])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--folds", type=int, default=4, help="cross-validation folds, shared out among the replicas")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--patience", type=float, default=600, help="seconds the primary waits for the others")
    return parser.parse_args()


def compare_mounted(table: pd.DataFrame, uri: str) -> None:
    """Read the same rows through /gcs and insist that they are the same."""
    mounted = data.read_mounted(uri)
    if mounted is None:
        print("no /gcs on this machine; read through gs:// only")
    elif not mounted.equals(table):
        raise RuntimeError(f"{uri} differs between gs:// and /gcs")
    else:
        print(f"{len(table)} training rows, the same through gs:// and /gcs")


def share_uri(environ: Mapping[str, str], replica: str) -> str:
    """Where one replica leaves its share of the work."""
    return f"{environ['AIP_CHECKPOINT_DIR'].rstrip('/')}/folds/{replica}.json"


def finish(tables: dict[str, pd.DataFrame], shares: list[Any], options: argparse.Namespace, target: str) -> None:
    """Train on the whole training table and write model.joblib and metrics.json."""
    trained = model.fit(tables["training"], options.trees, options.seed)
    folds = [accuracy for share in shares for accuracy in share["folds"].values()]
    metrics = {
        "validation": model.evaluate(trained, tables["validation"]),
        "test": model.evaluate(trained, tables["test"]),
        "cross_validation": {"folds": len(folds), "mean": round(statistics.mean(folds), 4)},
        "replicas": shares,
    }
    data.write(f"{target.rstrip('/')}/model.joblib", model.as_bytes(trained))
    data.write_json(f"{target.rstrip('/')}/metrics.json", metrics)
    print(f"test accuracy {metrics['test']['accuracy']:.4f}, macro F1 {metrics['test']['macro_f1']:.4f}")
    print(f"cross-validation {metrics['cross_validation']['mean']:.4f} over {len(folds)} folds")


if __name__ == "__main__":
    main()
