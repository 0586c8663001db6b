"""What a project is and which ids, labels and queries it takes: pure; where projects are kept lies elsewhere.

Sources: vertex-services.md section 10.5, vertex-training.md section 3.13 (tenant projects).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trigpoint.core import patterns
from trigpoint.core.clock import Micros, rfc3339
from trigpoint.core.errors import InvalidArgument, Violation

ACTIVE = "ACTIVE"
DELETE_REQUESTED = "DELETE_REQUESTED"
LONGEST_QUERY = 1000

_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_TERM = re.compile(r"([A-Za-z_]+(?:\.[a-z0-9_-]+)?)\s*[:=]\s*(\"[^\"]*\"|\S+)")
_FIELDS = {
    "id": "projectId",
    "projectid": "projectId",
    "project_id": "projectId",
    "displayname": "displayName",
    "display_name": "displayName",
    "name": "displayName",
    "state": "state",
    "lifecyclestate": "state",
}


@dataclass(frozen=True, slots=True)
class Project:
    """One project of a user, with the id and number of the tenant project that its training code runs in."""

    number: str
    """12 digits; what stored names and answers carry."""
    id: str
    display_name: str
    tenant: str
    """Id of its tenant project: a letter, 16 hexadecimal digits, `-tp`."""
    tenant_number: str
    state: str = ACTIVE
    labels: Mapping[str, str] = field(default_factory=dict)
    create_time: Micros = 0
    update_time: Micros = 0
    delete_time: Micros = 0
    version: int = 0

    @property
    def name(self) -> str:
        """The resource name, `projects/NUMBER`."""
        return f"projects/{self.number}"

    @property
    def active(self) -> bool:
        """Whether it is in use; one whose deletion was requested authenticates nobody."""
        return self.state == ACTIVE

    @property
    def etag(self) -> str:
        """What an update may send to be refused when somebody else was faster."""
        return f'W/"{hashlib.sha256(f"{self.number}/{self.version}".encode()).hexdigest()[:16]}"'


def tenant_of(number: str) -> tuple[str, str]:
    """Return id and number of the tenant project of a project: the same for one number at any time."""
    digest = hashlib.sha256(f"tenant of {number}".encode()).digest()
    return f"{chr(97 + digest[0] % 26)}{digest[1:9].hex()}-tp", twelve_digits(digest[9:17].hex())


def twelve_digits(digits: str) -> str:
    """Return a project number made of hexadecimal digits."""
    return str(100_000_000_000 + int(digits, 16) % 900_000_000_000)


def identifier(field_name: str, value: str) -> list[Violation]:
    """Check the id of a new project."""
    if _ID.fullmatch(value) and not value.endswith("-tp") and not value.startswith("gcp-sa-"):
        return []
    text = (
        f"{value[:60]!r} is no project id: give 6 to 30 lower-case letters, digits and hyphens, starting with a "
        "letter and not ending with a hyphen; names that end with -tp or start with gcp-sa- are the system's."
    )
    return [Violation(field_name, text)]


def display_name(field_name: str, value: str) -> list[Violation]:
    """Check a display name: at most 30 printable characters; empty stands for the id."""
    if len(value) <= 30 and value.isprintable():
        return []
    return [Violation(field_name, f"{value[:60]!r}: give at most 30 printable characters.")]


def labels(field_name: str, given: Mapping[str, str]) -> list[Violation]:
    """Check labels: at most 64, keys and values of lower-case letters, digits, underscores and hyphens."""
    if len(given) > 64:
        return [Violation(field_name, f"{len(given)} labels; at most 64 are allowed.")]
    bad = [key for key, value in given.items() if not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value))]
    text = (
        "keys and values take at most 63 lower-case letters, digits, underscores and hyphens; keys start with a letter"
    )
    return [Violation(field_name, f"label {bad[0][:63]!r}: {text}.")] if bad else []


def matches(project: Project, query: str) -> bool:
    """Return whether a project fulfils every term of a search query such as `id:my-* labels.color:red`.

    Comparisons ignore case and take `*`, as Resource Manager's do. InvalidArgument for what is no such query.
    """
    if len(query) > LONGEST_QUERY:
        text = f"it is {len(query)} characters long; at most {LONGEST_QUERY} are taken."
        raise InvalidArgument(violations=[Violation("query", text)])
    shown = {"projectId": project.id, "displayName": project.display_name, "state": project.state}
    rest = _TERM.sub("", query).replace("AND", "").strip()
    if rest:
        raise InvalidArgument(violations=[Violation("query", f"{rest[:60]!r} is not of the form field:value.")])
    return all(_fits(project, shown, key, value.strip('"')) for key, value in _TERM.findall(query))


def rendered(project: Project) -> dict[str, Any]:
    """Return the API's Project as JSON; unset fields are left out."""
    shown = {
        "name": project.name,
        "projectId": project.id,
        "state": project.state,
        "displayName": project.display_name,
        "createTime": rfc3339(project.create_time),
        "updateTime": rfc3339(project.update_time),
        "etag": project.etag,
        "labels": dict(project.labels),
    }
    if project.delete_time:
        shown["deleteTime"] = rfc3339(project.delete_time)
    return {key: value for key, value in shown.items() if value}


def _fits(project: Project, shown: Mapping[str, str], key: str, wanted: str) -> bool:
    head, _, label = key.partition(".")
    if head == "labels" and label:
        return label in project.labels and patterns.fits(project.labels[label].lower(), wanted.lower())
    if key.lower() not in _FIELDS:
        known = "id, displayName, state, labels.KEY"
        raise InvalidArgument(violations=[Violation("query", f"unknown field {key[:60]!r}; known are: {known}.")])
    return patterns.fits(shown[_FIELDS[key.lower()]].lower(), wanted.lower())
