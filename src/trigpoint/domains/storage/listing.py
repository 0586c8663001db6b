"""Lists objects page by page, folding names below a delimiter into prefixes; reads the rows only."""

import base64
import hashlib
from collections.abc import Callable

import orjson

from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.data.objects_sweep import prefix_end
from trigpoint.domains.storage import rules, sentences
from trigpoint.domains.storage.rules import Page, Query
from trigpoint.store.objects import ObjectRow

Fetch = Callable[[bytes, bytes | None, int, int], list[ObjectRow]]
"""(start, end, limit, after) -> rows, as `store.objects.select`."""
BATCH = 1000


class Listing:
    """One page being filled."""

    def __init__(self, bucket: str, query: Query, fetch: Fetch) -> None:
        self._query = query
        self._fetch = fetch
        self._scope = hashlib.sha256(
            repr(
                (bucket, query.prefix, query.delimiter, query.end, query.glob, query.versions, query.trailing)
            ).encode()
        ).digest()[:8]
        self._page = Page()
        self._batch = min(BATCH, 2 * query.limit + 14)

    def page(self) -> Page:
        """Return the page; InvalidArgument for a token of another query, or what is no glob."""
        if self._query.glob:
            rules.glob(self._query.glob)
        start, after = self._start()
        end = self._end()
        while start is not None and (end is None or start < end):
            batch = self._fetch(start, end, self._batch, after)
            following = self._take(batch)
            if following is None:
                return self._page
            start, after = following
        return self._page

    def _take(self, batch: list[ObjectRow]) -> tuple[bytes | None, int] | None:
        """Add rows to the page; return where to read on, or None when the page or the list is at its end."""
        folded = b""
        for row in batch:
            if folded and row.name.startswith(folded):
                continue
            if len(self._page.items) + len(self._page.prefixes) >= self._query.limit:
                self._page.token = self._token(row.name, row.generation - 1)
                return None
            folded = self._add(row) or folded
        if len(batch) < self._batch:
            return None
        last = batch[-1]
        if folded and last.name.startswith(folded):
            return prefix_end(folded), 0
        return last.name, last.generation

    def _add(self, row: ObjectRow) -> bytes:
        """Add a row or its prefix; return the prefix when there is one."""
        if self._query.glob and not rules.glob(self._query.glob).found_in(row.name.decode()):
            return b""
        depth, delimiter = len(self._query.prefix), self._query.delimiter
        at = row.name.find(delimiter, depth) if delimiter else -1
        if at < 0:
            self._page.items.append(row)
            return b""
        folded = row.name[: at + len(delimiter)]
        self._page.prefixes.append(folded)
        if self._query.trailing and row.name == folded:
            self._page.items.append(row)
        return folded

    def _start(self) -> tuple[bytes | None, int]:
        if not self._query.token:
            return max(self._query.prefix, self._query.start), 0
        try:
            found = base64.urlsafe_b64decode(self._query.token.encode() + b"===")
            scope, (name, after) = found[:8], orjson.loads(found[8:])
            start = base64.b64decode(name)
        except (ValueError, TypeError):
            scope, start, after = b"", b"", 0
        if scope != self._scope or not isinstance(after, int):
            raise InvalidArgument(violations=[Violation("pageToken", sentences.BAD_TOKEN)])
        return start, after

    def _end(self) -> bytes | None:
        bounds = [bound for bound in (self._query.end, prefix_end(self._query.prefix)) if bound]
        return min(bounds) if bounds else None

    def _token(self, name: bytes, after: int) -> str:
        place = orjson.dumps([base64.b64encode(name).decode(), after])
        return base64.urlsafe_b64encode(self._scope + place).decode().rstrip("=")
