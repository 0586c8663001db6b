"""Cloud Logging v2: reading entries. Writing them and the configuration of logs are not built yet."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.clock import SECOND, Clock, Micros
from trigpoint.core.errors import InvalidArgument, PermissionDenied, Violation
from trigpoint.core.paging import Tokens
from trigpoint.core.pb.google.logging.v2.log_entry_pb import LogEntry
from trigpoint.core.pb.google.logging.v2.logging_pb import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    ListLogsRequest,
    ListLogsResponse,
)
from trigpoint.domains.logging import filters
from trigpoint.domains.logging.streams import Found, Streams
from trigpoint.kernel.standard import Handler

_SERVICE = "google.logging.v2.LoggingServiceV2"
_DEFAULT_PAGE, _MAX_PAGE = 50, 1000
_LARGEST_PAGE = 8 << 20
"""Bytes of the lines that a page holds, when it holds more than one."""
_MOST_EXAMINED, _MOST_READ = 200_000, 256 << 20
"""Entries, and bytes of them, that one request looks at: Cloud Logging too ends such a page early, with a token."""
_FIRST_STRETCH: Micros = SECOND
_LONGEST_STRETCH, _LARGEST_STRETCH = 20_000, 64 << 20
"""Entries, and bytes of them, that are read at a time for a list from the latest on."""
Place = tuple[Micros, str]
Page = tuple[list[Found], Place | None]
"""Entries, and the place after which the next page begins, if there is one."""
NumberOf = Callable[[str], str | None]
"""A project's id or number to its number; None when there is none."""
_ORDERS = {"": False, "timestamp asc": False, "timestamp desc": True}


class Rpc:
    """The handlers. `Call.project` is not set here: the request names its projects itself."""

    def __init__(self, streams: Streams, tokens: Tokens, number_of: NumberOf, clock: Clock) -> None:
        self._streams = streams
        self._tokens = tokens
        self._number_of = number_of
        self._clock = clock

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers by full method name."""
        return {f"{_SERVICE}.ListLogEntries": self.entries, f"{_SERVICE}.ListLogs": self.logs}

    def entries(self, call: Call, request: ListLogEntriesRequest) -> ListLogEntriesResponse:
        """Return one page of the entries that a filter chooses, ordered by time and insert id."""
        projects = [self._project(call, name) for name in request.resource_names]
        if not projects:
            text = "At least one resource name is required, such as projects/PROJECT."
            raise InvalidArgument(violations=[Violation("resource_names", text)])
        if request.page_size < 0 or request.page_size > _MAX_PAGE:
            text = f"The page size must be from 0 to {_MAX_PAGE}, not {request.page_size}."
            raise InvalidArgument(violations=[Violation("page_size", text)])
        descending = _ORDERS.get(request.order_by.strip())
        if descending is None:
            text = f"{request.order_by[:80]!r} is neither 'timestamp asc' nor 'timestamp desc'."
            raise InvalidArgument(violations=[Violation("order_by", text)])
        query = filters.parse(request.filter)
        bound = ("entries", ",".join(projects), request.filter, request.order_by)
        after = self._tokens.read(request.page_token, *bound)
        start = (int(str(after[0])), str(after[1])) if after is not None else None
        size = request.page_size or _DEFAULT_PAGE

        def read(since: Micros) -> Iterator[Found]:
            return self._entries(projects, query, since)

        if descending:
            page, following = _backward(read, query, start or (self._clock.now() + _FIRST_STRETCH, ""), size)
        else:
            page, following = _forward(read(start[0] if start else 0), query, start, size)
        return ListLogEntriesResponse(
            entries=[messages.from_dict(LogEntry, one.entry) for one in page],
            next_page_token=self._tokens.issue(following, *bound) if following else "",
        )

    def logs(self, call: Call, request: ListLogsRequest) -> ListLogsResponse:
        """Return the names of a project's logs."""
        return ListLogsResponse(log_names=self._streams.names(self._project(call, request.parent)))

    def _entries(self, projects: Sequence[str], query: filters.Query, since: Micros) -> Iterator[Found]:
        """Yield the entries among which the matching ones are, in order of all projects together."""
        job_id = query.equal.get("resource.labels.job_id", "")
        task = query.equal.get("resource.labels.task_name", "")
        since = max(since, query.not_before)
        each = (self._streams.entries(project, job_id, task, since) for project in dict.fromkeys(projects))
        return heapq.merge(*each, key=lambda found: found.place)

    def _project(self, call: Call, name: str) -> str:
        """Return the number of a project that the caller may read logs of; the same refusal when there is none."""
        kind, _, segment = name.partition("/")
        number = self._number_of(segment.split("/")[0]) if kind == "projects" else None
        if number is None or not call.caller.may_act_in(number):
            text = f"Permission 'logging.logEntries.list' denied on resource {name[:120]!r} (or it may not exist)."
            raise PermissionDenied(text)
        return number


def _forward(entries: Iterator[Found], query: filters.Query, start: Place | None, size: int) -> Page:
    """Return the first matching entries after a place. A page may end early, or empty, for the sake of its bounds."""
    page: list[Found] = []
    held = examined = read = 0
    for found in entries:
        if start is not None and found.place <= start:
            continue
        if query.test(found.entry):
            if len(page) == size or (page and held + found.size > _LARGEST_PAGE):
                return page, page[-1].place
            page.append(found)
            held += found.size
        examined, read = examined + 1, read + found.size
        if examined >= _MOST_EXAMINED or read >= _MOST_READ:
            return page, found.place
    return page, None


def _backward(read: Callable[[Micros], Iterator[Found]], query: filters.Query, start: Place, size: int) -> Page:
    """Return the last matching entries before a place, the latest first. A page may end early here, too.

    Logs are read forwards only. So that a long one is not read whole for its end, it is read in stretches of time from
    the last to the first: each longer than the one after it, unless there is too much in it.
    """
    page: list[Found] = []
    floor, until, examined = query.not_before, start, 0
    span, growth = _FIRST_STRETCH, 16
    while until[0] > floor and examined < _MOST_EXAMINED:
        since = max(floor, until[0] - span)
        stretch, count = _stretch(read(since), query, until, splits=until[0] - since > 1)
        examined += count
        if stretch is None:
            span, growth = max(1, (until[0] - since) // 16), 2
            continue
        page += stretch
        whole = _fitting(page, size)
        if whole < len(page):
            return page[:whole], page[whole - 1].place
        until, span = (since, ""), growth * span
    return page, until if until[0] > floor else None


def _stretch(
    entries: Iterator[Found], query: filters.Query, until: Place, *, splits: bool
) -> tuple[list[Found] | None, int]:
    """Return the matching entries before a place, the latest first, and how many were looked at.

    None in their place when there are too many to look at for one that can be split.
    """
    matching: list[Found] = []
    count = read = 0
    for found in entries:
        if found.place >= until:
            break
        count, read = count + 1, read + found.size
        if splits and (count > _LONGEST_STRETCH or read > _LARGEST_STRETCH):
            return None, count
        if query.test(found.entry):
            matching.append(found)
    return matching[::-1], count


def _fitting(page: Sequence[Found], size: int) -> int:
    """Return how many of these entries a page holds."""
    held = 0
    for count, found in enumerate(page):
        held += found.size
        if count == size or (count and held > _LARGEST_PAGE):
            return count
    return len(page)
