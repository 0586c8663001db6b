"""A bare training script, no package around it: a tree of depth two as the mark that the real model has to beat."""

from __future__ import annotations

import io
import json
import os
import platform

import gcsfs
import google.auth
import google.auth.transport.requests
import joblib
import pandas as pd
import sklearn
from google.cloud import storage
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier, export_text

COLUMNS = ["bill_length_mm", "flipper_length_mm"]


def main() -> None:
    files = gcsfs.GCSFileSystem()
    tables = {
        split: pd.concat(
            [pd.read_csv(f"gs://{shard}") for shard in sorted(files.glob(os.environ[f"AIP_{split}_DATA_URI"]))]
        )
        for split in ("TRAINING", "TEST")
    }
    model = make_pipeline(SimpleImputer(), DecisionTreeClassifier(max_depth=2, random_state=7))
    model.fit(tables["TRAINING"][COLUMNS], tables["TRAINING"]["species"])
    accuracy = model.score(tables["TEST"][COLUMNS], tables["TEST"]["species"])
    print(export_text(model[-1], feature_names=COLUMNS))
    print(f"test accuracy {accuracy:.4f}")

    content = io.BytesIO()
    joblib.dump(model, content)
    bucket, _, folder = os.environ["AIP_MODEL_DIR"].removeprefix("gs://").rstrip("/").partition("/")
    target = storage.Client().bucket(bucket)
    target.blob(f"{folder}/model.joblib").upload_from_string(content.getvalue())
    metrics = {"test": {"rows": len(tables["TEST"]), "accuracy": round(accuracy, 4)}, "replicas": [surroundings()]}
    target.blob(f"{folder}/metrics.json").upload_from_string(json.dumps(metrics), content_type="application/json")


def surroundings() -> dict[str, str]:
    """As whom and where this one replica runs."""
    credentials, project = google.auth.default()
    credentials.refresh(google.auth.transport.requests.Request())
    return {
        "replica": "workerpool0-0",
        "project": project or "unknown",
        "identity": getattr(credentials, "service_account_email", "unknown"),
        "environment": f"Python {platform.python_version()}, scikit-learn {sklearn.__version__}",
    }


if __name__ == "__main__":
    main()
