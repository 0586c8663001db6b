"""The resources of this slice, declared. There are no time series yet, but lists of them have to be answered."""

from dataclasses import dataclass
from typing import Any

from trigpoint.core.names import pattern
from trigpoint.core.pb.google.cloud.aiplatform.v1.tensorboard_experiment_pb import TensorboardExperiment
from trigpoint.core.pb.google.cloud.aiplatform.v1.tensorboard_pb import Tensorboard
from trigpoint.core.pb.google.cloud.aiplatform.v1.tensorboard_run_pb import TensorboardRun
from trigpoint.core.pb.google.cloud.aiplatform.v1.tensorboard_time_series_pb import TensorboardTimeSeries
from trigpoint.kernel.resource import Kind

_BOARD = "projects/{project}/locations/{location}/tensorboards/{tensorboard}"
_EXPERIMENT = _BOARD + "/experiments/{experiment}"
_RUN = _EXPERIMENT + "/runs/{run}"
_CHANGEABLE = frozenset({"display_name", "description", "labels"})

TENSORBOARD = Kind(
    "Tensorboard",
    Tensorboard,
    pattern(_BOARD),
    mutable=_CHANGEABLE | {"is_default"},
    filters={"description": "description"},
)
EXPERIMENT = Kind(
    "TensorboardExperiment",
    TensorboardExperiment,
    pattern(_EXPERIMENT),
    several="TensorboardExperiments",
    mutable=_CHANGEABLE,
    filters={"description": "description", "source": "source"},
)
RUN = Kind(
    "TensorboardRun",
    TensorboardRun,
    pattern(_RUN),
    several="TensorboardRuns",
    mutable=_CHANGEABLE,
    filters={"description": "description"},
)
TIME_SERIES = Kind(
    "TensorboardTimeSeries",
    TensorboardTimeSeries,
    pattern(_RUN + "/timeSeries/{time_series}"),
    several="TensorboardTimeSeries",
)
BELOW = (TIME_SERIES, RUN, EXPERIMENT)
"""What may lie below a resource of this slice, the deepest first."""


@dataclass(frozen=True, slots=True)
class Part:
    """A resource below a tensorboard: how requests call it, and what it is part of."""

    kind: Kind[Any]
    of: Kind[Any]
    field: str
    """Requests carry it as `tensorboard_run`, its id as `tensorboard_run_id`."""
    fixed: tuple[str, ...] = ()
    """Fields besides the changeable ones that its creator sets."""
    titled: bool = True
    """Whether it needs a display name, and one that no sibling has."""


PARTS = (
    Part(EXPERIMENT, TENSORBOARD, "tensorboard_experiment", ("source",), titled=False),
    Part(RUN, EXPERIMENT, "tensorboard_run"),
)
