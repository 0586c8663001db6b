"""What the metadata service accepts and how large its answers get; pure. Source: vertex-services.md 1.1-1.4."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from trigpoint.core import checks
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, Violation
from trigpoint.domains.lineage import sentences

DEFAULT_STORE = "default"
MOST_PARENTS = 10
MOST_IN_CONTEXT = 1000
"""Artifacts, executions or events that a context's subgraph may have."""
MOST_REACHED = 10_000
"""Edges that a lineage query may reach."""
LARGEST_METADATA = 204_800

_STORE_ID = re.compile(r"[a-z0-9-]{4,128}")
_NODE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Node(Protocol):
    """What artifacts, executions and contexts have in common."""

    display_name: str
    labels: dict[str, str]


class Edge(Protocol):
    """An execution read an artifact, or wrote it when `output`."""

    execution: str
    artifact: str


def store_id(value: str, field: str) -> list[Violation]:
    """Check the id of a store or schema: 4 to 128 characters `[a-z0-9-]`."""
    if _STORE_ID.fullmatch(value):
        return []
    return [Violation(field, sentences.SHORT_ID.format(value=repr(value[:80])))]


def node_id(value: str, field: str) -> list[Violation]:
    """Check the id of a node. Google's clients send short ids with capitals and underscores, so those are taken."""
    if _NODE_ID.fullmatch(value):
        return []
    return [Violation(field, sentences.BAD_ID.format(value=repr(value[:80])))]


def node(value: Node, metadata: Mapping[str, Any], field: str) -> list[Violation]:
    """Check what every node has: display name, labels, size of its metadata."""
    found = checks.display_name(f"{field}.display_name", value.display_name, required=False)
    found += checks.labels(f"{field}.labels", value.labels)
    if len(json.dumps(metadata, ensure_ascii=False).encode("utf-8", "surrogatepass")) > LARGEST_METADATA:
        found.append(Violation(f"{field}.metadata", sentences.LARGE_METADATA.format(most=LARGEST_METADATA)))
    return found


def trimmed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata with the outer spaces of its keys taken off; a later key wins over one it then equals."""
    return {key.strip(): value for key, value in metadata.items()}


def same_store(store: str, names: Iterable[str], collection: str, field: str) -> None:
    """Refuse names that are not of this collection in this store."""
    prefix = f"{store}/{collection}/"
    wrong = [name for name in names if not name.startswith(prefix) or "/" in name[len(prefix) :]]
    if wrong:
        text = sentences.OTHER_STORE.format(name=repr(wrong[0][:200]), collection=collection, prefix=prefix)
        raise InvalidArgument(violations=[Violation(field, text)])


def adoption(parent: str, child: str, above: frozenset[str], parents: Sequence[str]) -> None:
    """Refuse a child that is above its parent, or that has too many parents already.

    `above` is the parent's ancestors; `parents` the child's present parents.
    """
    if child == parent or child in above:
        text = sentences.CIRCLE.format(child=child, parent=parent)
        raise InvalidArgument(violations=[Violation("child_contexts", text)])
    if parent not in parents and len(parents) >= MOST_PARENTS:
        text = sentences.MANY_PARENTS.format(child=child, most=MOST_PARENTS)
        raise InvalidArgument(violations=[Violation("child_contexts", text)])


def hops(asked: int) -> int:
    """Return how many steps to walk: all for 0, because gRPC cannot tell 0 from absent. Negative is refused."""
    if asked < 0:
        raise InvalidArgument(violations=[Violation("max_hops", sentences.NEGATIVE_HOPS.format(asked=asked))])
    return asked or MOST_REACHED


def bounded(count: int, most: int, what: str, hint: str) -> None:
    """Refuse an answer with more than `most` of something; `hint` says what to ask instead."""
    if count > most:
        raise FailedPrecondition(sentences.TOO_MUCH.format(most=most, what=what, hint=hint))


def version_id(ident: str, version: str) -> str:
    """Return the id of the artifact of one version of a resource: `model-123-v2`."""
    return f"{ident}-v{version}"
