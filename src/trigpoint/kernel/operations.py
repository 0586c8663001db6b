"""Long-running operations: begun and ended in the caller's transaction; finished work is answered done at once.

The operation's name is nested under the resource it is about, or under its location where Google's clients cannot
poll the nested form (sdk-contract.md section 2.2). A done operation with a response is what a client sees first
whenever the work took less than the call itself.
"""

from dataclasses import replace

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.clock import Micros
from trigpoint.core.errors import FailedPrecondition, NotFound, TrigpointError
from trigpoint.core.messages import Message, Oneof
from trigpoint.core.names import LOCATION, mapping
from trigpoint.core.paging import Tokens
from trigpoint.core.paging import page_size as bounded
from trigpoint.core.pb.google.cloud.aiplatform.v1.operation_pb import DeleteOperationMetadata, GenericOperationMetadata
from trigpoint.core.pb.google.longrunning.operations_pb import Operation
from trigpoint.core.pb.google.rpc.status_pb import Status
from trigpoint.kernel import sentences
from trigpoint.kernel.resource import Kernel
from trigpoint.store import Tx, operations
from trigpoint.store.operations import Operation as Kept

_UNPOLLABLE = frozenset({"batchPredictionJobs", "nasJobs", "datasetVersions"})


class Operations:
    """Begins, ends and answers operations. Thread-safe."""

    def __init__(self, kernel: Kernel, tokens: Tokens) -> None:
        self._kernel = kernel
        self._tokens = tokens

    def done(
        self, tx: Tx, call: Call, target: str, response: Message, metadata: type[Message] = DeleteOperationMetadata
    ) -> Operation:
        """Store and return an operation that is over already, with its response."""
        begun = self._blank(target, metadata)
        begun.done = True
        begun.result = Oneof(field="response", value=messages.pack(response))
        self._add(tx, call, target, begun)
        return begun

    def begin(self, tx: Tx, call: Call, target: str, metadata: type[Message]) -> Operation:
        """Store and return an operation that is not over; `end` it in the transaction that ends the work."""
        begun = self._blank(target, metadata)
        self._add(tx, call, target, begun)
        return begun

    def end(self, tx: Tx, name: str, result: Message | TrigpointError) -> None:
        """End an operation with its response or its error; nothing happens when it is over or forgotten."""
        kept = operations.get(tx, name)
        if kept is None or kept.done:
            return
        operation = messages.decode(Operation, kept.message)
        operation.done = True
        if isinstance(result, TrigpointError):
            operation.result = Oneof(field="error", value=Status(code=result.code, message=result.message))
        else:
            operation.result = Oneof(field="response", value=messages.pack(result))
        now = self._kernel.clock.now()
        self._touch(operation, now)
        message, json = _stored(operation)
        operations.save(tx, replace(kept, message=message, json=json, done=True, update_time=now))

    def get(self, name: str) -> Operation:
        """Return an operation; NotFound when there is none of that name."""
        return messages.decode(Operation, self._kernel.store.read(lambda tx: _kept(tx, name)).message)

    def list(self, parent: str, page_size: int, page_token: str) -> tuple[list[Operation], str]:
        """Return one page of a parent's operations, newest first, with the token of the next."""
        after = self._tokens.read(page_token, "operations", parent)
        limit = bounded(page_size)
        kept, following = self._kernel.store.read(
            lambda tx: operations.select_page(tx, parent, after=after, limit=limit)
        )
        found = [messages.decode(Operation, one.message) for one in kept]
        return found, self._tokens.issue(following, "operations", parent) if following else ""

    def delete(self, name: str) -> None:
        """Forget an operation; its work goes on. NotFound when there is none."""

        def unit(tx: Tx) -> None:
            _kept(tx, name)
            operations.remove(tx, name)

        self._kernel.store.write(unit)

    def cancel(self, name: str) -> None:
        """Refuse: no operation that is built so far can be cancelled (vertex-training.md section 3.11)."""
        self._kernel.store.read(lambda tx: _kept(tx, name))
        raise FailedPrecondition(sentences.NOT_CANCELLABLE.format(name=name))

    def _blank(self, target: str, metadata: type[Message]) -> Operation:
        ident = self._kernel.ids.number()
        found = mapping(target)
        parent = target
        if _UNPOLLABLE.intersection(found):
            parent = LOCATION.build(project=found["projects"], location=found["locations"])
        now = self._kernel.clock.now()
        stamp = messages.timestamp(now)
        facts = metadata(generic_metadata=GenericOperationMetadata(create_time=stamp, update_time=stamp))
        return Operation(name=f"{parent}/operations/{ident}", metadata=messages.pack(facts))

    def _add(self, tx: Tx, call: Call, target: str, operation: Operation) -> None:
        now = self._kernel.clock.now()
        message, json = _stored(operation)
        kept = Kept(
            name=operation.name,
            parent=operation.name.rsplit("/operations/", 1)[0],
            target=target,
            # In the caller's version: a poll names none, and must answer with the types of the call that began it.
            method=call.method.replace(".v1.", f".{call.version}.", 1),
            owner=call.caller.email,
            done=operation.done,
            create_time=now,
            update_time=now,
            message=message,
            json=json,
        )
        operations.add(tx, kept)

    def _touch(self, operation: Operation, now: Micros) -> None:
        assert operation.metadata is not None
        facts = messages.unpack(operation.metadata)
        generic = getattr(facts, "generic_metadata", None)
        if isinstance(generic, GenericOperationMetadata):
            generic.update_time = messages.timestamp(now)
            operation.metadata = messages.pack(facts)


def _stored(operation: Operation) -> tuple[bytes, bytes]:
    return messages.encode(operation), messages.to_json(operation)


def _kept(tx: Tx, name: str) -> Kept:
    kept = operations.get(tx, name)
    if kept is None:
        raise NotFound(sentences.NO_OPERATION.format(name=repr(name)))
    return kept
