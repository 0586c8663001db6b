"""What a reconciler is: a function from a resource's name to what should happen next.

A reconciler loads the row, performs at most one effect outside any transaction, saves if the row is unchanged, and
returns within a second. It may be called at any time, any number of times, also while nothing has changed: each call
looks at the world and moves one step (level-triggered). A raised Aborted means that the row changed meanwhile: it is
simply called again. The only loop is `trigpoint.workers`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trigpoint.core.clock import Micros


@dataclass(frozen=True, slots=True)
class Again:
    """A step was made and the next can follow at once."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until` (or before somebody wakes the item, when None). `reason` is for people."""

    until: Micros | None
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The resource is in its final state; the item is removed."""


Outcome = Again | Wait | Done
Reconciler = Callable[[str], Outcome]
Reconcilers = Mapping[str, Reconciler]
"""By the kind of the work item, which is the collection id of the resource (`customJobs`)."""
