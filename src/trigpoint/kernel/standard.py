"""The five standard methods, made from a declaration: two thirds of the API is declared, not coded.

A slice that needs more than the standard behaviour of a method writes that handler itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from trigpoint.core import masks, messages
from trigpoint.core.call import Call
from trigpoint.core.messages import Message
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Queries, snake
from trigpoint.kernel.resource import Fact, Kernel, Kind, Rendered, Stored, check_etag
from trigpoint.store import Tx

M = TypeVar("M", bound=Message)
Handler = Callable[[Call, Any], Any]
"""Takes a v1 request; returns a v1 response, `Rendered`, an Operation, or an iterator of responses."""


class Standard:
    """Makes standard handlers for declared resources."""

    def __init__(self, kernel: Kernel, operations: Operations, queries: Queries) -> None:
        self.kernel = kernel
        self.operations = operations
        self.queries = queries

    def handlers(self, kind: Kind[Any], service: str, *methods: str) -> Mapping[str, Handler]:
        """Return the handlers of some of `get`, `list`, `update`, `delete` by full method name."""
        made = {
            "get": (f"Get{kind.noun}", self.get),
            "list": (f"List{plural(kind)}", self.list),
            "update": (f"Update{kind.noun}", self.update),
            "delete": (f"Delete{kind.noun}", self.delete),
        }
        return {f"{service}.{made[method][0]}": made[method][1](kind) for method in methods}

    def get(self, kind: Kind[M]) -> Handler:
        """Return a handler that answers the stored bytes as they are, or the masked message."""

        def handler(call: Call, request: Any) -> Rendered | Message:
            mask = getattr(request, "read_mask", None)
            if mask is None or not mask.paths:
                return self.kernel.rendered(kind, request.name)
            shown: Message = masks.read(self.kernel.load(kind, request.name).message, mask.paths)
            return shown

        return handler

    def list(self, kind: Kind[M]) -> Handler:
        """Return a handler for `ListXs`: filter, order, page and read mask, on rows only."""
        response = messages.message_class(f"{_package(kind)}.List{plural(kind)}Response")
        field = snake(plural(kind))

        def handler(call: Call, request: Any) -> Message:
            page = self.queries.page(kind, request)
            mask = getattr(request, "read_mask", None)
            items = [masks.read(item, mask.paths) for item in page.items] if mask and mask.paths else page.items
            return response(**{field: items, "next_page_token": page.token})

        return handler

    def update(self, kind: Kind[M]) -> Handler:
        """Return a handler for `UpdateX`: only mutable fields change, an etag that is given must be current."""
        field = snake(kind.noun)

        def handler(call: Call, request: Any) -> Message:
            given: M = getattr(request, field) or kind.message()

            def edit(tx: Tx, stored: Stored[M]) -> Stored[M]:
                check_etag(kind, getattr(given, "etag", ""), getattr(stored.message, "etag", ""))
                message = masks.merged(stored.message, given, request.update_mask, kind.mutable)
                fact = Fact(f"{kind.noun[0].lower()}{kind.noun[1:]}.updated", where="user")
                return self.kernel.save(tx, kind, stored, message, facts=(fact,), call=call)

            return self.kernel.change(kind, given.name, edit).message  # type: ignore[attr-defined]

        return handler

    def delete(self, kind: Kind[M]) -> Handler:
        """Return a handler for `DeleteX`: gone at once, answered as a finished operation."""

        def handler(call: Call, request: Any) -> Message:
            def unit(tx: Tx) -> Message:
                stored = self.kernel.load_in(tx, kind, request.name)
                check_etag(kind, getattr(request, "etag", ""), getattr(stored.message, "etag", ""))
                fact = Fact(f"{kind.noun[0].lower()}{kind.noun[1:]}.deleted", where="user")
                self.kernel.drop(tx, kind, stored, facts=(fact,), call=call)
                return self.operations.done(tx, call, request.name, messages.Empty())

            return self.kernel.store.write(unit)

        return handler


def plural(kind: Kind[Any]) -> str:
    """Return the noun in the plural as method names have it: `CustomJobs`, `Studies`, `Indexes`."""
    return kind.several or kind.collection[0].upper() + kind.collection[1:]


def _package(kind: Kind[Any]) -> str:
    return messages.full_name(kind.message).rsplit(".", 1)[0]
