"""Cloud Logging v2: reading entries. Writing them and the configuration of logs are not built yet."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.clock import Micros
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
from trigpoint.domains.logging.streams import Entry, Stream, Streams
from trigpoint.kernel.standard import Handler

_SERVICE = "google.logging.v2.LoggingServiceV2"
_DEFAULT_PAGE, _MAX_PAGE = 50, 1000
_LARGEST_PAGE = 8 << 20
"""Characters of the lines that a page holds, when it holds more than one."""
_MOST_EXAMINED, _MOST_READ = 200_000, 256 << 20
"""Entries, and characters of them, that a request looks at: Cloud Logging too ends such a page early, with a token."""
Place = tuple[Micros, str]
Page = tuple[list[Mapping[str, Any]], Place | None]
"""Entries as they are shown, and the place after which the next page begins, if there is one."""
NumberOf = Callable[[str], str | None]
"""A project's id or number to its number; None when there is none."""
_ORDERS = {"": False, "timestamp asc": False, "timestamp desc": True}


class Rpc:
    """The handlers. `Call.project` is not set here: the request names its projects itself."""

    def __init__(self, streams: Streams, tokens: Tokens, number_of: NumberOf) -> None:
        self._streams = streams
        self._tokens = tokens
        self._number_of = number_of

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
        entries = (self._latest if descending else self._earliest)(projects, query, start)
        page, following = self._page(entries, query, request.page_size or _DEFAULT_PAGE)
        return ListLogEntriesResponse(
            entries=[messages.from_dict(LogEntry, one) for one in page],
            next_page_token=self._tokens.issue(following, *bound) if following else "",
        )

    def logs(self, call: Call, request: ListLogsRequest) -> ListLogsResponse:
        """Return the names of a project's logs."""
        return ListLogsResponse(log_names=self._streams.names(self._project(call, request.parent)))

    def _earliest(self, projects: Sequence[str], query: filters.Query, start: Place | None) -> Iterator[Entry]:
        """Yield the entries after a place among which the matching ones are, in order of all projects together."""
        since = max(query.not_before, start[0] if start else 0)
        entries = self._streams.entries(self._find(projects, query), since)
        return (one for one in entries if start is None or one[:2] > start)

    def _latest(self, projects: Sequence[str], query: filters.Query, start: Place | None) -> Iterator[Entry]:
        """Yield those before a place, the latest first."""
        entries = self._streams.entries_back(self._find(projects, query), start[0] if start else None)
        asked = takewhile(lambda one: one.time >= query.not_before, entries)
        return (one for one in asked if start is None or one[:2] < start)

    def _find(self, projects: Sequence[str], query: filters.Query) -> list[Stream]:
        job_id = query.equal.get("resource.labels.job_id", "")
        task = query.equal.get("resource.labels.task_name", "")
        return [one for project in dict.fromkeys(projects) for one in self._streams.find(project, job_id, task)]

    def _page(self, entries: Iterator[Entry], query: filters.Query, size: int) -> Page:
        """Return the first matching entries. A page may end early, or empty, for the sake of its bounds."""
        page: list[Mapping[str, Any]] = []
        last: Place | None = None
        held = read = 0
        for examined, one in enumerate(entries, 1):
            shown = self._streams.shown(one)
            if query.test(shown):
                if len(page) == size or (page and held + len(one.text) > _LARGEST_PAGE):
                    return page, last
                page.append(shown)
                held, last = held + len(one.text), one[:2]
            read += len(one.text)
            if examined >= _MOST_EXAMINED or read >= _MOST_READ:
                return page, one[:2]
        return page, None

    def _project(self, call: Call, name: str) -> str:
        """Return the number of a project that the caller may read logs of; the same refusal when there is none."""
        kind, _, segment = name.partition("/")
        number = self._number_of(segment.split("/")[0]) if kind == "projects" else None
        if number is None or not call.caller.may_act_in(number):
            text = f"Permission 'logging.logEntries.list' denied on resource {name[:120]!r} (or it may not exist)."
            raise PermissionDenied(text)
        return number
