"""What the pages are told, declared once: JSON answers (`tools/generate_types.py` makes TypeScript of them).

Members are camelCase on the wire. Times are microseconds since 1970, as everywhere in the house; 0 is "not yet".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

import orjson

from trigpoint.core.clock import Micros


@dataclass(frozen=True, slots=True)
class ProjectItem:
    """A project that the session may look into."""

    id: str
    number: str
    display_name: str
    tenant: str
    """Id of its tenant project."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Who looks at the pages, and where they start."""

    email: str
    role: Literal["owner", "viewer"]
    """A viewer came by a read-only link and sees one run."""
    run: str
    """The one run that a viewer sees, by its full name; empty for an owner."""
    projects: Sequence[ProjectItem]
    project: str
    """Id of the project to start in."""
    location: str
    locations: Sequence[str]
    version: str
    expires: Micros


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """A one-time link that was just made."""

    url: str
    """Where to go, the code in its fragment."""
    expires: Micros


@dataclass(frozen=True, slots=True)
class LinkInfo:
    """A read-only link to one run."""

    id: str
    run: str
    title: str
    """Display name of the run when the link was made."""
    url: str
    """Complete only in the answer that makes the link; empty later, for the secret is not kept."""
    created: Micros
    expires: Micros
    by: str
    """Who made it."""


@dataclass(frozen=True, slots=True)
class Links:
    """The read-only links of a project that have not ended."""

    links: Sequence[LinkInfo]


@dataclass(frozen=True, slots=True)
class Begun:
    """The first message of the topic `project/P`."""

    missed: bool
    """Whether lines are missing since the stream broke off: what a page knows has to be asked for again."""


@dataclass(frozen=True, slots=True)
class EventInfo:
    """One line of the narrative, as the topic `project/P` sends it."""

    seq: int
    time: Micros
    subject: str
    """Full name of the resource it happened to."""
    kind: str
    """`customJob.queued`, `replica.started`, ..."""
    where: str
    """`user`, `tenant` or `service`."""
    actor: str
    """Email of who caused it; empty for the service itself."""
    data: Mapping[str, Any] = field(default_factory=dict)


def dump(answer: object) -> bytes:
    """Return the JSON of an answer."""
    return orjson.dumps(plain(answer))


def plain(answer: object) -> Any:
    """Return an answer as JSON values: members of dataclasses in camelCase, keys of mappings as they are."""
    if is_dataclass(answer) and not isinstance(answer, type):
        return {camel(one.name): plain(getattr(answer, one.name)) for one in fields(answer)}
    if isinstance(answer, Mapping):
        return {str(key): plain(value) for key, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [plain(value) for value in answer]
    return answer


def camel(name: str) -> str:
    """Return a snake_case name in camelCase."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
