"""The only place that parses or builds resource names (`projects/P/locations/L/datasets/D`).

A pattern is the API's own spelling, `projects/{project}/locations/{location}/datasets/{dataset}`. `_id` is one
component, `_name` a full resource name. The project component is stored and answered as the project's number.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

from trigpoint.core import sentences
from trigpoint.core.errors import InvalidArgument, Violation

_PART = re.compile(r"\{(\w+)\}")
_COMPONENT = r"[^/\x00-\x1f\x7f]+"


class Pattern:
    """One resource pattern of the API. Immutable, hashable by its template."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.keys: tuple[str, ...] = tuple(_PART.findall(template))
        pieces = [re.escape(p) if i % 2 == 0 else f"(?P<{p}>{_COMPONENT})" for i, p in enumerate(_PART.split(template))]
        self._regex = re.compile("".join(pieces))

    @property
    def collection(self) -> str:
        """The last literal segment: `datasets`."""
        return self.template.rsplit("/", 2)[-2]

    def match(self, name: str) -> dict[str, str] | None:
        """Return the components of a full name by key, or None when the name is not of this pattern."""
        found = self._regex.fullmatch(name)
        if found is None or any(part in (".", "..") for part in found.groupdict().values()):
            return None
        return found.groupdict()

    def parse(self, name: str, field: str = "name") -> dict[str, str]:
        """Return the components of a full name; InvalidArgument naming `field` when it is not of this pattern."""
        found = self.match(name)
        if found is None:
            text = sentences.BAD_RESOURCE.format(name=_shown(name), form=self.template)
            raise InvalidArgument(violations=[Violation(field, text)])
        return found

    def build(self, **components: str) -> str:
        """Return the full name made of these components."""
        return self.template.format(**components)

    def __repr__(self) -> str:
        return f"Pattern({self.template!r})"


@cache
def pattern(template: str) -> Pattern:
    """Return the one Pattern of a template."""
    return Pattern(template)


LOCATION = pattern("projects/{project}/locations/{location}")
PROJECT = pattern("projects/{project}")


def parent_of(name: str) -> str:
    """Return the name of the parent: everything before the last collection and id (`projects/P/locations/L`)."""
    return name.rsplit("/", 2)[0]


def id_of(name: str) -> str:
    """Return the last component, without a version suffix left off: `models/7@2` gives `7@2`."""
    return name.rsplit("/", 1)[-1]


def project_of(name: str) -> str:
    """Return the project component of any name that starts with `projects/`; InvalidArgument otherwise."""
    parts = name.split("/", 2)
    if len(parts) < 2 or parts[0] != "projects" or not parts[1]:
        raise InvalidArgument(violations=[Violation("name", sentences.NO_PROJECT.format(name=_shown(name)))])
    return parts[1]


def with_project(name: str, project: str) -> str:
    """Return the name with its project component replaced."""
    head, _, rest = name.partition("/")
    return f"{head}/{project}/{rest.partition('/')[2]}".rstrip("/") if head == "projects" else name


def numbered(name: str, number_of: Callable[[str], str | None]) -> str:
    """Return the name with its project's number where it has the project's id; as it is when that is unknown."""
    head, _, rest = name.partition("/")
    segment, slash, below = rest.partition("/")
    number = number_of(segment) if head == "projects" and segment else None
    return name if number is None else f"{head}/{number}{slash}{below}"


def location_of(name: str) -> str:
    """Return the location component, or an empty string for names without one."""
    parts = name.split("/")
    return parts[3] if len(parts) > 3 and parts[2] == "locations" else ""


def join(parent: str, collection: str, ident: str) -> str:
    """Return the name of a child: `parent/collection/ident`."""
    return f"{parent}/{collection}/{ident}"


def mapping(name: str) -> Mapping[str, str]:
    """Return collection -> id pairs of any name: `{'projects': 'P', 'locations': 'L', ...}`."""
    parts = name.split("/")
    return dict(zip(parts[::2], parts[1::2], strict=False))


def _shown(name: str) -> str:
    """Return a name fit for an error message: quoted and never long."""
    return repr(name if len(name) <= 120 else name[:117] + "...")
