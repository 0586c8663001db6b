"""Cloud Logging v2: reading entries. Writing them and the configuration of logs are not built yet."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from trigpoint.core import messages
from trigpoint.core.call import Call
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
_DEFAULT_PAGE, _MAX_PAGE, _MAX_DESCENDING = 50, 1000, 200_000
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
        size = request.page_size or _DEFAULT_PAGE
        found = self._page(projects, query, after, size + 1, descending)
        page = found[:size]
        following = (page[-1].time, page[-1].insert_id) if len(found) > size else None
        return ListLogEntriesResponse(
            entries=[messages.from_dict(LogEntry, one.entry) for one in page],
            next_page_token=self._tokens.issue(following, *bound) if following else "",
        )

    def logs(self, call: Call, request: ListLogsRequest) -> ListLogsResponse:
        """Return the names of a project's logs."""
        number = self._project(call, request.parent)
        names = {str(one.entry["logName"]) for one in self._streams.entries(number, "", "", 0)}
        return ListLogsResponse(log_names=sorted(names))

    def _page(
        self, projects: Sequence[str], query: filters.Query, after: Sequence[object] | None, size: int, descending: bool
    ) -> list[Found]:
        job_id = query.equal.get("resource.labels.job_id", "")
        task = query.equal.get("resource.labels.task_name", "")
        since = query.not_before
        start = (int(str(after[0])), str(after[1])) if after is not None else None
        if start is not None and not descending:
            since = max(since, start[0])
        matching = (
            found
            for project in projects
            for found in self._streams.entries(project, job_id, task, since)
            if query.test(found.entry)
        )
        if not descending:
            later = (found for found in matching if start is None or (found.time, found.insert_id) > start)
            return list(islice(later, size))
        earlier = [found for found in islice(matching, _MAX_DESCENDING) if start is None or _before(found, start)]
        return sorted(earlier, key=lambda found: (found.time, found.insert_id), reverse=True)[:size]

    def _project(self, call: Call, name: str) -> str:
        """Return the number of a project that the caller may read logs of; the same refusal when there is none."""
        kind, _, segment = name.partition("/")
        number = self._number_of(segment.split("/")[0]) if kind == "projects" else None
        if number is None or not call.caller.may_act_in(number):
            text = f"Permission 'logging.logEntries.list' denied on resource {name[:120]!r} (or it may not exist)."
            raise PermissionDenied(text)
        return number


def _before(found: Found, start: tuple[int, str]) -> bool:
    return (found.time, found.insert_id) < start
