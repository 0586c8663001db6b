"""Tensorboards, their experiments and runs: made, found, changed, removed, as the SDK's experiments ask for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.domains.parts import NUMBER, PREFIX, Parts

from trigpoint.core import messages
from trigpoint.core.errors import AlreadyExists, InvalidArgument, NotFound
from trigpoint.domains.tensorboard import Tensorboards

LOCATION = f"projects/{NUMBER}/locations/us-central1"


class Boards:
    """The slice, asked by its methods."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._handlers = parts, Tensorboards(parts.standard).handlers()

    def __call__(self, method: str, **fields: Any) -> Any:
        made = {key: self._message(key, value) if isinstance(value, dict) else value for key, value in fields.items()}
        return self._parts.ask("TensorboardService", self._handlers, method, made)

    def board(self, **fields: Any) -> Any:
        return self("CreateTensorboard", parent=LOCATION, tensorboard={"display_name": "b", **fields})

    def _message(self, field: str, value: dict[str, Any]) -> Any:
        kind = "google.protobuf.FieldMask" if field == "update_mask" else PREFIX + field.title().replace("_", "")
        return messages.message_class(kind)(**value)


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Boards]:
    made = Parts(tmp_path)
    yield Boards(made)
    made.close()


def names(found: Any) -> list[str]:
    return [one.name for one in found]


def listed(ask: Boards, text: str = "") -> list[str]:
    return names(ask("ListTensorboards", parent=LOCATION, filter=text).tensorboards)


def test_a_location_without_any_answers_an_empty_list(ask: Boards) -> None:
    assert listed(ask, "is_default=true") == []


def test_the_latest_default_is_the_only_one(ask: Boards) -> None:
    first, second, plain = ask.board(is_default=True), ask.board(is_default=True), ask.board()
    assert listed(ask, "is_default=true") == [second.name]
    assert set(listed(ask, "is_default=false")) == {first.name, plain.name}
    ask(
        "UpdateTensorboard", tensorboard={"name": first.name, "is_default": True}, update_mask={"paths": ["is_default"]}
    )
    assert listed(ask, "is_default = true") == [first.name]
    with pytest.raises(InvalidArgument, match="is_default=true"):
        listed(ask, "is_default>true")


def test_tensorboards_are_changed_where_the_mask_says(ask: Boards) -> None:
    made = ask.board(description="d", labels={"a": "b"})
    given = {"name": made.name, "display_name": "new", "description": "other"}
    changed = ask("UpdateTensorboard", tensorboard=given, update_mask={"paths": ["display_name"]})
    assert (changed.display_name, changed.description, changed.labels) == ("new", "d", {"a": "b"})
    assert ask("GetTensorboard", name=made.name).display_name == "new"


def test_experiments_and_runs_lie_below_and_go_with_it(ask: Boards) -> None:
    board, other = ask.board(), ask.board()
    labels = {"aiplatform.googleapis.com/source": "x", "a": "b"}
    for parent in (board.name, other.name):
        experiment = ask(
            "CreateTensorboardExperiment",
            parent=parent,
            tensorboard_experiment_id="exp-1",
            tensorboard_experiment={"labels": labels, "source": "s"},
        )
        ask(
            "CreateTensorboardRun",
            parent=experiment.name,
            tensorboard_run_id="run-1",
            tensorboard_run={"display_name": "run-1"},
        )
    assert names(ask("ListTensorboardExperiments", parent=board.name).tensorboard_experiments) == [
        f"{board.name}/experiments/exp-1"
    ]
    found = ask("GetTensorboardExperiment", name=f"{board.name}/experiments/exp-1")
    assert (found.labels, found.source) == (labels, "s")
    run = f"{board.name}/experiments/exp-1/runs/run-1"
    assert names(ask("ListTensorboardRuns", parent=found.name).tensorboard_runs) == [run]
    assert ask("ListTensorboardTimeSeries", parent=run).tensorboard_time_series == []
    changed = ask(
        "UpdateTensorboardRun",
        tensorboard_run={"name": run, "description": "d"},
        update_mask={"paths": ["description"]},
    )
    assert (changed.display_name, changed.description) == ("run-1", "d")
    ask("DeleteTensorboard", name=board.name)
    for name, method in ((run, "GetTensorboardRun"), (found.name, "GetTensorboardExperiment")):
        with pytest.raises(NotFound):
            ask(method, name=name)
    kept = f"{other.name}/experiments/exp-1"
    assert names(ask("ListTensorboardRuns", parent=kept).tensorboard_runs) == [f"{kept}/runs/run-1"]


def test_what_is_not_there_or_there_already_is_refused(ask: Boards) -> None:
    board = ask.board()
    with pytest.raises(InvalidArgument, match=r"tensorboard\.display_name"):
        ask("CreateTensorboard", parent=LOCATION, tensorboard={})
    with pytest.raises(NotFound):
        ask("CreateTensorboardExperiment", parent=f"{LOCATION}/tensorboards/7", tensorboard_experiment_id="e")
    for ident in ("", "Upper", "a" * 129, "a/b"):
        with pytest.raises(InvalidArgument, match="tensorboard_experiment_id"):
            ask("CreateTensorboardExperiment", parent=board.name, tensorboard_experiment_id=ident)
    experiment = ask("CreateTensorboardExperiment", parent=board.name, tensorboard_experiment_id="e")
    with pytest.raises(AlreadyExists):
        ask("CreateTensorboardExperiment", parent=board.name, tensorboard_experiment_id="e")
    run = {"parent": experiment.name, "tensorboard_run": {"display_name": "same"}}
    ask("CreateTensorboardRun", tensorboard_run_id="one", **run)
    with pytest.raises(AlreadyExists, match="display name 'same'"):
        ask("CreateTensorboardRun", tensorboard_run_id="two", **run)
    with pytest.raises(InvalidArgument, match=r"tensorboard_run\.display_name"):
        ask("CreateTensorboardRun", parent=experiment.name, tensorboard_run_id="two")
