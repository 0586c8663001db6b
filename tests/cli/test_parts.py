"""Parts of the command that need no process: moving options, drawing tables and trees, the variables."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from trigpoint.cli.account import tree
from trigpoint.cli.app import hoisted
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


def test_lineage_is_drawn_from_the_model_down_and_forgets_nothing() -> None:
    nodes = {name: {"title": name} for name in ("model", "job", "dataset", "package", "import", "stray")}
    events = [
        ["job", "OUTPUT", "model"],
        ["job", "INPUT", "dataset"],
        ["job", "INPUT", "package"],
        ["import", "OUTPUT", "dataset"],
    ]
    model, stray = tree({"model": "model", "nodes": nodes, "events": events})
    job = model["from"][0]
    assert [one["name"] for one in job["from"]] == ["dataset", "package"]
    assert job["from"][0]["from"][0]["name"] == "import"
    assert stray["name"] == "stray"


def test_a_circle_in_the_lineage_ends() -> None:
    events = [["job", "OUTPUT", "a"], ["job", "INPUT", "a"]]
    drawn = tree({"model": "a", "nodes": {"a": {}, "job": {}}, "events": events})
    assert [one["name"] for one in drawn] == ["a"]


def test_no_lineage_is_an_empty_tree() -> None:
    assert tree({}) == []


def test_a_table_is_aligned_text_where_nobody_looks() -> None:
    output = io.StringIO()
    session = Session(load({"home": "/h"}, {}), out=Console(file=output, soft_wrap=True))
    session.table([{"A": "1", "B": "x" * 200}, {"A": "333"}], ["A", "B"])
    assert output.getvalue().splitlines() == ["A    B", f"1    {'x' * 200}", "333"]
