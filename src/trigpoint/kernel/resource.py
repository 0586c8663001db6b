"""Declare a resource of the API once; get its rows, its stored form and its life from the declaration.

A row's bytes are the API message in v1; its JSON is rendered once when it is stored. Times, etag and name are filled
here and nowhere else. What a state means and when it changes is left to the slices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import orjson

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.clock import Clock, Ids, Micros
from trigpoint.core.errors import Aborted, AlreadyExists, InvalidArgument, NotFound
from trigpoint.core.names import Pattern, id_of, parent_of, project_of
from trigpoint.kernel import sentences
from trigpoint.kernel.schedule import Schedule
from trigpoint.store import Store, Tx, events, resources, work
from trigpoint.store.resources import Row

_LARGEST = 4 << 20
"""Bytes of a resource: what clients of gRPC take in one message."""
M = TypeVar("M", bound=messages.Message)
T = TypeVar("T")


@dataclass(frozen=True)
class Kind(Generic[M]):
    """The declaration of one resource."""

    noun: str
    """The API's word for it: `CustomJob`. Requests carry it as a snake_case field of that name."""
    message: type[M]
    pattern: Pattern
    several: str = ""
    """The noun in the plural as method names have it, where it does not follow from the collection."""
    mutable: frozenset[str] = frozenset()
    """Top-level snake_case fields that an update may change; empty for resources without an update."""
    order: tuple[str, ...] = ("create_time", "update_time", "display_name")
    """Fields that `orderBy` may name."""
    newest_first: bool = True
    """The natural order of lists: by create time, newest first or oldest first."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Filter field -> dotted path in the stored JSON, for fields that are neither columns nor labels."""
    open_filters: tuple[str, ...] = ()
    """Prefixes under which any path may be filtered, such as `metadata`."""
    input_only: frozenset[str] = frozenset()
    """Fields that are stored and never shown."""

    @property
    def collection(self) -> str:
        """The collection id, which is also the kind of its rows and work items: `customJobs`."""
        return self.pattern.collection


@dataclass(frozen=True, slots=True)
class Stored(Generic[M]):
    """A row and the message that its bytes hold."""

    row: Row
    message: M

    @property
    def notes(self) -> dict[str, Any]:
        """A copy of the slice's private bookkeeping, saved together with the row."""
        return dict(self.row.notes)


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer that needs no conversion: the stored bytes and JSON of one v1 message."""

    message: bytes
    json: bytes


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the narrative, kept with the change that it tells of (store.events)."""

    kind: str
    """Dotted, past tense: `customJob.queued`."""
    data: Mapping[str, Any] = field(default_factory=dict)
    where: str = "service"
    """`user`, `tenant` or `service`: in whose project it happened."""
    log: str = ""
    """What the service's own log says of it, one line; empty for nothing."""
    severity: str = "INFO"
    """Of that line, as Cloud Logging spells it."""


class Kernel:
    """Creates, reads and changes resources. Thread-safe; every change is one call of `store.write`."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, schedule: Schedule) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self._schedule = schedule

    def load(self, kind: Kind[M], name: str) -> Stored[M]:
        """Return a resource; NotFound when there is none of that name."""
        return self.store.read(lambda tx: self.load_in(tx, kind, name))

    def load_in(self, tx: Tx, kind: Kind[M], name: str) -> Stored[M]:
        """Return a resource as one transaction sees it; NotFound when there is none."""
        row = resources.get(tx, name)
        if row is None or row.kind != kind.collection:
            raise missing(kind, name)
        return Stored(row, messages.decode(kind.message, row.message))

    def find(self, kind: Kind[M], name: str) -> Stored[M] | None:
        """Return a resource or None."""
        try:
            return self.load(kind, name)
        except NotFound:
            return None

    def rendered(self, kind: Kind[Any], name: str) -> Rendered:
        """Return a resource's stored answer without decoding it; NotFound when there is none."""
        row = self.store.read(lambda tx: resources.get(tx, name))
        if row is None or row.kind != kind.collection:
            raise missing(kind, name)
        return Rendered(row.message, row.json)

    def insert(
        self,
        tx: Tx,
        kind: Kind[M],
        name: str,
        message: M,
        *,
        notes: Mapping[str, Any] | None = None,
        wake: bool = False,
        facts: tuple[Fact, ...] = (),
        call: Call | None = None,
    ) -> Stored[M]:
        """Store a new resource in the caller's transaction, with its work item and facts; AlreadyExists if present."""
        now = self.clock.now()
        fresh = messages.copy(message)
        _fill(fresh, name=name, create_time=now, update_time=now)
        try:
            row = resources.insert(tx, self._row(kind, name, fresh, now, now, notes or {}))
        except AlreadyExists:
            raise AlreadyExists(sentences.EXISTS.format(noun=kind.noun, name=name)) from None
        self._after(tx, kind, name, wake, facts, call)
        return Stored(row, fresh)

    def save(
        self,
        tx: Tx,
        kind: Kind[M],
        stored: Stored[M],
        message: M,
        *,
        notes: Mapping[str, Any] | None = None,
        wake: bool = False,
        facts: tuple[Fact, ...] = (),
        call: Call | None = None,
    ) -> Stored[M]:
        """Replace a resource that is still as `stored` read it; Aborted otherwise. None for notes keeps them."""
        now = self.clock.now()
        fresh = messages.copy(message)
        _fill(fresh, update_time=now)
        kept = stored.row.notes if notes is None else notes
        row = self._row(kind, stored.row.name, fresh, stored.row.create_time, now, kept)
        saved = resources.update(tx, replace(row, version=stored.row.version))
        self._after(tx, kind, stored.row.name, wake, facts, call)
        return Stored(saved, fresh)

    def drop(
        self, tx: Tx, kind: Kind[M], stored: Stored[M], *, facts: tuple[Fact, ...] = (), call: Call | None = None
    ) -> None:
        """Remove a resource that is still as read; Aborted otherwise. Its history keeps the last bytes."""
        resources.delete(tx, stored.row)
        self._after(tx, kind, stored.row.name, False, facts, call)

    def create(
        self,
        kind: Kind[M],
        parent: str,
        message: M,
        *,
        ident: str = "",
        notes: Mapping[str, Any] | None = None,
        wake: bool = False,
        facts: tuple[Fact, ...] = (),
        call: Call | None = None,
    ) -> Stored[M]:
        """Store a new resource under a parent with a given id, or one of 19 digits."""
        name = f"{parent}/{kind.collection}/{ident or self.ids.number()}"
        return self.store.write(
            lambda tx: self.insert(tx, kind, name, message, notes=notes, wake=wake, facts=facts, call=call)
        )

    def change(
        self,
        kind: Kind[M],
        name: str,
        edit: Callable[[Tx, Stored[M]], Stored[M] | None],
    ) -> Stored[M]:
        """Load, edit and save in one transaction. `edit` calls `save` itself and returns it, or None for no change."""

        def unit(tx: Tx) -> Stored[M]:
            stored = self.load_in(tx, kind, name)
            return edit(tx, stored) or stored

        return self.store.write(unit)

    def narrate(self, tx: Tx, subject: str, fact: Fact, call: Call | None = None) -> None:
        """Append one fact about a resource to the narrative in the caller's transaction, with who called and how."""
        data = dict(fact.data)
        if fact.log:
            data |= {"log": fact.log, "severity": fact.severity}
        if call is not None:
            data["client"] = call.told()
        events.append(
            tx,
            time=self.clock.now(),
            project=project_of(subject),
            subject=subject,
            kind=fact.kind,
            where=fact.where,
            actor=call.caller.email if call else "",
            data=data,
        )

    def wake(self, tx: Tx, kind: str, name: str) -> None:
        """Make a resource's work item due now, in the caller's transaction; it is looked at right after the commit."""
        now = self.clock.now()
        work.put(tx, kind, name, now, stamp=now)
        tx.after_commit(lambda: self._schedule.wake(kind, name, now, stamp=now))

    def _after(
        self, tx: Tx, kind: Kind[Any], name: str, wake: bool, facts: tuple[Fact, ...], call: Call | None
    ) -> None:
        if wake:
            self.wake(tx, kind.collection, name)
        for fact in facts:
            self.narrate(tx, name, fact, call)

    def _row(
        self, kind: Kind[M], name: str, message: M, created: Micros, updated: Micros, notes: Mapping[str, Any]
    ) -> Row:
        json, encoded = messages.to_json(message), messages.encode(message)
        if len(encoded) > _LARGEST:
            text = sentences.TOO_LARGE.format(noun=kind.noun, size=len(encoded), most=_LARGEST)
            raise InvalidArgument(text)
        return Row(
            name=name,
            kind=kind.collection,
            parent=parent_of(name),
            message=encoded,
            json=json,
            state=str(orjson.loads(json).get("state", "")) if hasattr(message, "state") else "",
            display_name=getattr(message, "display_name", ""),
            labels=dict(getattr(message, "labels", {})),
            create_time=created,
            update_time=updated,
            notes=notes,
        )


def missing(kind: Kind[Any], name: str) -> NotFound:
    """Return the error for a resource that is not there (or that the caller may not know of)."""
    return NotFound(sentences.MISSING.format(noun=kind.noun, name=repr(name), id=id_of(name)))


def check_etag(kind: Kind[Any], given: str, current: str) -> None:
    """Raise Aborted when a given etag is not the current one; an empty one matches (services spec section 1.6)."""
    if given and given != current:
        raise Aborted(sentences.OTHER_ETAG.format(noun=kind.noun, given=given, current=current))


def _fill(message: Any, **values: Any) -> None:
    """Set name, times and etag where the message has such fields. Etags are decimal and of constant length."""
    for key in ("create_time", "update_time"):
        if key in values and hasattr(message, key):
            setattr(message, key, messages.timestamp(values[key]))
    if "name" in values and hasattr(message, "name"):
        message.name = values["name"]
    if hasattr(message, "etag"):
        message.etag = f"{values['update_time']:016d}"
