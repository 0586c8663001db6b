"""TensorBoards: what the SDK's experiments hang on, with their experiments and runs.

RPCs: TensorboardService, except making, writing and reading time series: one that could not be written to would be in
the way of reading everything else of its experiment.
"""

from collections.abc import Mapping

from trigpoint.domains.tensorboard.rpc import handlers
from trigpoint.kernel.reconcile import Reconcilers
from trigpoint.kernel.standard import Handler, Standard

__all__ = ["Tensorboards"]


class Tensorboards:
    """The slice, put together. Thread-safe."""

    def __init__(self, standard: Standard) -> None:
        self._handlers = handlers(standard)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by full method name."""
        return self._handlers

    def reconcilers(self) -> Reconcilers:
        """Return none: nothing here goes on after its call."""
        return {}
