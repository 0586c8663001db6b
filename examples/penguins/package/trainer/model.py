"""The model itself and how good it is; knows nothing of jobs, replicas or storage."""

from __future__ import annotations

import io
from typing import Any

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

TARGET = "species"
NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
WORDS = ["island", "sex"]


def build(trees: int, seed: int) -> Pipeline:
    """Return the untrained model: a random forest behind imputation and one-hot coding."""
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="unknown"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = ColumnTransformer([("numbers", SimpleImputer(strategy="median"), NUMBERS), ("words", words, WORDS)])
    return Pipeline([("columns", columns), ("forest", RandomForestClassifier(trees, random_state=seed))])


def fit(table: pd.DataFrame, trees: int, seed: int) -> Pipeline:
    """Return the model trained on a table."""
    return build(trees, seed).fit(features(table), table[TARGET])


def features(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the model looks at, absent words as None for the imputer."""
    chosen = table[NUMBERS + WORDS].copy()
    chosen[WORDS] = chosen[WORDS].fillna("unknown").astype(object)
    return chosen


def fold_accuracy(table: pd.DataFrame, fold: int, folds: int, trees: int, seed: int) -> float:
    """Return the accuracy on one fold of a model trained on the others."""
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    inside, outside = list(splitter.split(table, table[TARGET]))[fold]
    return evaluate(fit(table.iloc[inside], trees, seed), table.iloc[outside])["accuracy"]


def evaluate(model: Pipeline, table: pd.DataFrame) -> dict[str, Any]:
    """Return accuracy, macro F1 and the confusion matrix on a table."""
    truth, guess = table[TARGET], model.predict(features(table))
    labels = [str(label) for label in model.classes_]
    return {
        "rows": len(table),
        "accuracy": round(float(accuracy_score(truth, guess)), 4),
        "macro_f1": round(float(f1_score(truth, guess, average="macro")), 4),
        "species": labels,
        "confusion": confusion_matrix(truth, guess, labels=labels).tolist(),
    }


def as_bytes(model: Pipeline) -> bytes:
    """Return the model as the file model.joblib holds it."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()
