"""Parts of the command that need no process: moving options, drawing tables and trees, the variables."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from trigpoint.cli import client, environment, upkeep
from trigpoint.cli.app import hoisted
from trigpoint.cli.lineage import drawn, tree
from trigpoint.cli.session import Session
from trigpoint.cli.variables import UNSET, variables
from trigpoint.core.ready import Ready
from trigpoint.settings import load

INFO = Ready(1, "0.1.0", "127.0.0.1", 8443, 8444, "demo-project", "1" * 12, "us-central1", "/ca.pem", "/key.json", 5)


@pytest.mark.parametrize(
    ("given", "front", "rest"),
    [
        (["status", "--json"], ["--json"], ["status"]),
        (["jobs", "--project", "p-1", "list"], ["--project", "p-1"], ["jobs", "list"]),
        (["jobs", "list", "--home=/h"], ["--home=/h"], ["jobs", "list"]),
        (["--json", "run", "--", "x", "--json"], ["--json"], ["run", "--", "x", "--json"]),
        (["run", "x", "--json"], [], ["run", "x", "--json"]),
        (["status", "--home"], ["--home"], ["status"]),
    ],
)
def test_global_options_move_to_the_front(given: list[str], front: list[str], rest: list[str]) -> None:
    assert hoisted(given) == (front, rest)


def test_the_variables_name_proxy_bundle_and_key_and_never_what_makes_clients_anonymous() -> None:
    given = variables(INFO, "p-1")
    assert given["https_proxy"] == given["HTTPS_PROXY"] == given["grpc_proxy"] == "http://127.0.0.1:8444"
    assert {name for name, value in given.items() if value == "/ca.pem"} >= {
        "REQUESTS_CA_BUNDLE",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    }
    assert given["GOOGLE_APPLICATION_CREDENTIALS"] == "/key.json"
    assert given["GOOGLE_CLOUD_PROJECT"] == "p-1"
    assert "STORAGE_EMULATOR_HOST" in UNSET
    assert not set(UNSET) & set(given)


def test_the_default_project_is_taken_without_asking_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(*given: object) -> None:
        raise AssertionError("nobody needs to be asked")

    monkeypatch.setattr(client, "connect", refused)
    monkeypatch.setattr(upkeep, "probe", lambda session: None)
    here = replace(INFO, ca_bundle=str(tmp_path), key_file=str(tmp_path))
    for chosen in (None, INFO.project, INFO.project_number):
        session = Session(load({"home": "/h"}, {}), chosen_project=chosen)
        assert environment.checked(session, here)["GOOGLE_CLOUD_PROJECT"] == (chosen or INFO.project)


JOB = {"title": "forest", "schema": "system.CustomJobExecution", "metadata": {"customJob": "p/customJobs/7"}}
REPLICA = {"title": "workerpool0-0", "metadata": {"customJob": "p/customJobs/7", "tenantProject": "e0-tp"}}
GRAPH: dict[str, Any] = {
    "model": "model",
    "nodes": {
        "model": {"title": "penguins", "schema": "google.VertexModel", "metadata": {"resourceName": "p/models/5@1"}},
        "s/executions/job": JOB,
        "s/executions/replica": REPLICA,
        "data": {"title": "table", "schema": "google.VertexDataset", "metadata": {"resourceName": "p/datasets/3"}},
        "pattern": {"title": "train-*", "uri": "gs://b/train-*"},
        "shard": {"title": "train-0", "uri": "gs://b/train-0"},
        "file": {"title": "model.joblib", "uri": "gs://b/model.joblib"},
        "other": {"title": "of another run"},
    },
    "events": [
        ["s/executions/job", "OUTPUT", "model"],
        ["s/executions/job", "INPUT", "data"],
        ["s/executions/replica", "INPUT", "pattern"],
        ["s/executions/replica", "INPUT", "shard"],
        ["s/executions/replica", "INPUT", "file"],
        ["s/executions/replica", "OUTPUT", "file"],
    ],
}


def test_lineage_is_one_model_with_its_job_its_data_and_what_each_replica_did() -> None:
    assert list(drawn(tree(GRAPH))) == [
        "VertexModel penguins models/5@1",
        "└─ made by CustomJobExecution forest customJobs/7",
        "   ├─ from VertexDataset table datasets/3",
        "   └─ replica workerpool0-0 in e0-tp, , Python ",
        "      ├─ read train-0",
        "      └─ wrote model.joblib",
    ]


def test_a_circle_in_the_lineage_ends() -> None:
    events = [["s/executions/job", "OUTPUT", "model"], ["s/executions/job", "INPUT", "model"]]
    assert len(list(drawn(tree({**GRAPH, "events": events})))) == 3


def test_no_lineage_is_said() -> None:
    assert list(drawn(tree({}))) == ["none recorded"]


def test_a_table_is_aligned_text_where_nobody_looks() -> None:
    output = io.StringIO()
    session = Session(load({"home": "/h"}, {}), out=Console(file=output, soft_wrap=True))
    session.table([{"A": "1", "B": "x" * 200}, {"A": "333"}], ["A", "B"])
    assert output.getvalue().splitlines() == ["A    B", f"1    {'x' * 200}", "333"]
