"""Parts of the command that need no process: moving options, drawing tables and trees, the variables."""

from __future__ import annotations

import errno
import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import certifi
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console

from trigpoint.cli import client, environment, jobs, upkeep, work
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


def test_a_token_is_signed_once_for_the_many_pages_of_a_list(tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = {"client_email": "a@b.iam.gserviceaccount.com", "private_key": private.decode(), "private_key_id": "1"}
    (tmp_path / "key.json").write_text(json.dumps(key))
    api = client.Api(replace(INFO, ca_bundle=certifi.where(), key_file=str(tmp_path / "key.json")))
    first = api._token(client.LOGGING)
    assert api._token(client.LOGGING) == first != api._token(client.IAM)
    signed, _ = api._tokens[client.LOGGING]
    api._tokens[client.LOGGING] = (signed - client.TOKEN_SECONDS, "expired")
    assert api._token(client.LOGGING) != "expired"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_log_is_printed_as_it_was_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    entry = {"severity": "INFO", "textPayload": "10 %\r[bold]20 %\u00b5", "resource": {"labels": {"task_name": "w-0"}}}
    monkeypatch.setattr(jobs, "_api", lambda session: None)
    monkeypatch.setattr(jobs, "find", lambda *given: {"name": "job"})
    monkeypatch.setattr(jobs, "_entries", lambda *given: iter([entry]))
    context = SimpleNamespace(obj=Session(load({"home": "/h"}, {}), as_json))
    jobs.logs(context, "job", follow=False, replica="")  # type: ignore[arg-type]
    said = capsys.readouterr().out
    if as_json:
        assert json.loads(said) == entry
        assert "\u00b5" in said
    else:
        assert said.split(maxsplit=2)[:2] == ["INFO", "w-0"]
        assert said.endswith(" 10 %[bold]20 %\u00b5\n")


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


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_note_on_a_terminal_that_is_gone_ends_nothing() -> None:
    Session(load({"home": "/h"}, {}), err=Console(file=Gone())).note("Cancelling customJobs/7")


def test_of_many_jobs_the_first_are_named() -> None:
    assert work.named(["1", "2"]) == "1, 2"
    assert work.named([str(n) for n in range(2000)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1990 more"
