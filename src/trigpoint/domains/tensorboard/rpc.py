"""Answers TensorboardService: tensorboards, their experiments and runs. Time series are not built yet."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import and_, not_

from trigpoint.core import checks, filters, masks, messages
from trigpoint.core.call import Call
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.messages import Message
from trigpoint.core.names import LOCATION, parent_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.tensorboard_pb import Tensorboard
from trigpoint.core.pb.google.cloud.aiplatform.v1.tensorboard_service_pb import (
    CreateTensorboardOperationMetadata,
    ListTensorboardsResponse,
    UpdateTensorboardOperationMetadata,
)
from trigpoint.domains.tensorboard import rules
from trigpoint.domains.tensorboard.kinds import BELOW, PARTS, TENSORBOARD, TIME_SERIES, Part
from trigpoint.kernel.query import Condition, Extra
from trigpoint.kernel.resource import Fact, Kind, Stored, check_etag
from trigpoint.kernel.standard import Handler, Standard
from trigpoint.store import Tx, queries, resources
from trigpoint.store.queries import COLUMNS

_SERVICE = "google.cloud.aiplatform.v1.TensorboardService"
_MOST = 100
"""Tensorboards of a page."""
_MARKED = queries.json_at(["isDefault"])
_CHUNK = 500
"""Rows that one transaction of a large removal takes."""


def handlers(standard: Standard) -> Mapping[str, Handler]:
    """Return the handlers by full method name. Time series are listed, but nobody can make one yet."""
    boards, parts = Boards(standard), Parts(standard)
    found: dict[str, Handler] = {
        **standard.handlers(TENSORBOARD, _SERVICE, "get"),
        f"{_SERVICE}.CreateTensorboard": boards.create,
        f"{_SERVICE}.UpdateTensorboard": boards.update,
        f"{_SERVICE}.ListTensorboards": boards.list,
    }
    found.update(standard.handlers(TIME_SERIES, _SERVICE, "get", "list"))
    for part in PARTS:
        found.update(standard.handlers(part.kind, _SERVICE, "get", "list"))
        found[f"{_SERVICE}.Create{part.kind.noun}"] = partial(parts.create, part)
        found[f"{_SERVICE}.Update{part.kind.noun}"] = partial(parts.update, part)
    kinds: tuple[Kind[Any], ...] = (TENSORBOARD, *BELOW)
    for kind in kinds:
        found[f"{_SERVICE}.Delete{kind.noun}"] = partial(parts.delete, kind)
    return found


class Boards:
    """Tensorboards themselves. Thread-safe. At most one of a location is the default; the latest to become it is."""

    def __init__(self, standard: Standard) -> None:
        self._kernel, self._operations, self._queries = standard.kernel, standard.operations, standard.queries

    def create(self, call: Call, request: Any) -> Message:
        """CreateTensorboard: done at once."""
        LOCATION.parse(request.parent, "parent")
        given = request.tensorboard or Tensorboard()
        checks.refuse(rules.described("tensorboard", given))
        name = f"{request.parent}/{TENSORBOARD.collection}/{self._kernel.ids.number()}"
        fresh = Tensorboard(
            display_name=given.display_name,
            description=given.description,
            labels=dict(given.labels),
            is_default=given.is_default,
            encryption_spec=given.encryption_spec,
        )

        def unit(tx: Tx) -> Message:
            self._make_way(tx, name, fresh)
            fact = Fact("tensorboard.created", {"displayName": given.display_name}, where="user")
            made = self._kernel.insert(tx, TENSORBOARD, name, fresh, facts=(fact,), call=call)
            return self._operations.done(tx, call, name, made.message, CreateTensorboardOperationMetadata)

        return self._kernel.store.write(unit)

    def update(self, call: Call, request: Any) -> Message:
        """UpdateTensorboard: done at once."""
        given = request.tensorboard or Tensorboard()
        TENSORBOARD.pattern.parse(given.name, "tensorboard.name")

        def unit(tx: Tx) -> Message:
            stored = self._kernel.load_in(tx, TENSORBOARD, given.name)
            check_etag(TENSORBOARD, given.etag, stored.message.etag)
            fresh = masks.merged(stored.message, given, request.update_mask, TENSORBOARD.mutable)
            checks.refuse(rules.described("tensorboard", fresh))
            self._make_way(tx, given.name, fresh)
            saved = self._kernel.save(tx, TENSORBOARD, stored, fresh, call=call)
            return self._operations.done(tx, call, given.name, saved.message, UpdateTensorboardOperationMetadata)

        return self._kernel.store.write(unit)

    def list(self, call: Call, request: Any) -> Message:
        """ListTensorboards: the SDK asks for `is_default=true`."""
        LOCATION.parse(request.parent, "parent")
        page = self._queries.page(TENSORBOARD, request, extra=Extra(relations={"is_default": _is_default}), most=_MOST)
        mask = request.read_mask
        items = [masks.read(item, mask.paths) for item in page.items] if mask and mask.paths else page.items
        return ListTensorboardsResponse(tensorboards=items, next_page_token=page.token)

    def _make_way(self, tx: Tx, name: str, fresh: Tensorboard) -> None:
        """Take the mark of the default from the others where this one gets it."""
        if not fresh.is_default:
            return
        others = and_(_MARKED.boolean, COLUMNS["name"] != name)
        for row in resources.select(tx, TENSORBOARD.collection, parent_of(name), others).rows:
            stored = self._kernel.load_in(tx, TENSORBOARD, row.name)
            message = messages.copy(stored.message)
            message.is_default = False
            self._kernel.save(tx, TENSORBOARD, stored, message)


class Parts:
    """Experiments and runs. Thread-safe."""

    def __init__(self, standard: Standard) -> None:
        self._kernel, self._operations = standard.kernel, standard.operations

    def create(self, part: Part, call: Call, request: Any) -> Message:
        """Create a part with the given id; AlreadyExists for that, or for the display name of a sibling."""
        part.of.pattern.parse(request.parent, "parent")
        given = getattr(request, part.field) or part.kind.message()
        ident = getattr(request, f"{part.field}_id")
        wrong = rules.ident(f"{part.field}_id", ident)
        checks.refuse([*wrong, *rules.described(part.field, given, titled=part.titled)])
        name = f"{request.parent}/{part.kind.collection}/{ident}"
        fields = (*part.kind.mutable, *part.fixed)
        fresh = part.kind.message(**{field: getattr(given, field) for field in fields})

        def unit(tx: Tx) -> Message:
            self._kernel.load_in(tx, part.of, request.parent)
            self._require_own_title(tx, part, name, fresh)
            made: Message = self._kernel.insert(tx, part.kind, name, fresh, call=call).message
            return made

        return self._kernel.store.write(unit)

    def update(self, part: Part, call: Call, request: Any) -> Message:
        """Change a part: the fields of the mask, or without one every given field."""
        given = getattr(request, part.field) or part.kind.message()
        part.kind.pattern.parse(given.name, f"{part.field}.name")

        def edit(tx: Tx, stored: Stored[Any]) -> Stored[Any]:
            check_etag(part.kind, given.etag, stored.message.etag)
            fresh = masks.merged(stored.message, given, request.update_mask, part.kind.mutable)
            checks.refuse(rules.described(part.field, fresh, titled=part.titled))
            self._require_own_title(tx, part, given.name, fresh)
            return self._kernel.save(tx, part.kind, stored, fresh, call=call)

        changed: Message = self._kernel.change(part.kind, given.name, edit).message
        return changed

    def delete(self, kind: Kind[Any], call: Call, request: Any) -> Message:
        """Remove a resource with all that lies below it, in steps that leave the database free for others."""
        kind.pattern.parse(request.name)
        self._kernel.load(kind, request.name)
        for below in BELOW:
            while self._kernel.store.write(partial(self._empty, below, request.name)):
                pass

        def unit(tx: Tx) -> Message:
            self._kernel.drop(tx, kind, self._kernel.load_in(tx, kind, request.name), call=call)
            return self._operations.done(tx, call, request.name, messages.Empty())

        return self._kernel.store.write(unit)

    def _require_own_title(self, tx: Tx, part: Part, name: str, fresh: Any) -> None:
        if not part.titled:
            return
        same = and_(COLUMNS["display_name"] == fresh.display_name, COLUMNS["name"] != name)
        for row in resources.select(tx, part.kind.collection, parent_of(name), same, limit=1).rows:
            raise rules.taken(part.kind.noun, fresh.display_name, row.name)

    def _empty(self, below: Kind[Any], name: str, tx: Tx) -> int:
        """Remove some rows of a kind that lie below a resource; return how many."""
        rows = resources.select(tx, below.collection, f"{name}/", limit=_CHUNK).rows
        if below.pattern.match(f"{name}/{below.collection}/x"):
            rows += resources.select(tx, below.collection, name, limit=_CHUNK).rows
        for row in rows:
            resources.delete(tx, row, self._kernel.clock.now())
        return len(rows)


def _is_default(node: filters.Comparison) -> Condition:
    if node.operator not in ("=", ":"):
        text = f"At character {node.position}: write is_default=true or is_default=false."
        raise InvalidArgument(violations=[Violation("filter", text)])
    return _MARKED.boolean if filters.truth(node.value) else not_(_MARKED.boolean)
