"""One way for a call of either transport and version: who, where, may they, which handler; encoding is left to those.

The order is fixed: identity first, so that nothing is answered without one; then whether the method is built, so that
an empty request tells (tools/coverage.py asks so); then project and location of the address; then the handler, on a
pool thread unless it is quick.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import structlog

from trigpoint.core import errors, messages
from trigpoint.core.call import Call, Caller
from trigpoint.core.errors import InvalidArgument, PermissionDenied, Unimplemented, Violation
from trigpoint.core.messages.shapes import shape
from trigpoint.core.names import location_of, with_project
from trigpoint.core.sentences import INTERNAL
from trigpoint.kernel.resource import Rendered
from trigpoint.surfaces.vertex import facts, naming, sentences
from trigpoint.surfaces.vertex.holds import Holds
from trigpoint.surfaces.vertex.parts import Arrival, Entry, Handler, Parts

_log = structlog.get_logger(__name__)
_REGIONAL = re.compile(r"([a-z0-9-]+)-aiplatform\.googleapis\.com")
_END = object()
_WAIT_OPERATION = "google.longrunning.Operations.WaitOperation"
_LONGEST_WAIT = 60.0
HELD = frozenset(
    {
        "GetCustomJob",
        "GetTrainingPipeline",
        "GetHyperparameterTuningJob",
        "GetBatchPredictionJob",
        "GetPipelineJob",
        "GetNasJob",
    }
)
"""Reads of work that ends by itself."""
_CREATES = frozenset("Create" + name.removeprefix("Get") for name in HELD)
_SETTLED = ("_SUCCEEDED", "_FAILED", "_CANCELLED", "_EXPIRED", "_PAUSED")


class Dispatcher:
    """Runs calls. For one event loop."""

    def __init__(self, parts: Parts, handlers: Mapping[str, Handler]) -> None:
        self._parts, self._handlers = parts, handlers
        self._pool = ThreadPoolExecutor(parts.threads, thread_name_prefix="vertex")
        self._holds = Holds(parts.store.notifier, parts.clock, enabled=parts.held_reads)

    def drain(self) -> None:
        """Let held reads go within a second, and hold no other."""
        self._holds.close()

    def close(self) -> None:
        """Stop the pool; handlers under way end."""
        self._holds.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def admit(self, arrival: Arrival) -> Caller:
        """Return who calls; Unauthenticated otherwise. A token seen before costs no database and no thread."""
        prover, replica = self._parts.prover, arrival.replica or None
        caller = prover.recall(arrival.headers, replica)
        if caller is not None:
            return caller
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, prover.authenticate, arrival.headers, replica)

    async def call(self, entry: Entry, caller: Caller, request: Any, arrival: Arrival) -> Any:
        """Return what the handler answers to a v1 request message, which this may change (project ids to numbers)."""
        handler = self._handler(entry)
        call = self._address(entry, caller, request, arrival)

        async def run() -> Any:
            if entry.name in self._parts.inline:
                return handler(call, request)
            return await asyncio.get_running_loop().run_in_executor(self._pool, handler, call, request)

        if entry.short in HELD and not call.client.library.startswith(facts.CONSOLE):
            key = (caller.email, request.name)
            return await self._holds.read(key, run, _settled, version=entry.version, seconds_left=arrival.seconds_left)
        if entry.name == _WAIT_OPERATION:
            return await self._holds.wait(
                request.name, _patience(request, arrival), run, lambda found: bool(found.done)
            )
        answer = await run()
        if entry.short in _CREATES and not call.client.library.startswith(facts.CONSOLE):
            self._holds.created((caller.email, _name(answer)))
        return answer

    async def stream(self, entry: Entry, caller: Caller, request: Any, arrival: Arrival) -> AsyncIterator[Any]:
        """Yield what a server-streaming handler yields; its iterator runs on pool threads."""
        handler = self._handler(entry)
        call = self._address(entry, caller, request, arrival)
        loop = asyncio.get_running_loop()
        answers: Iterator[Any] = iter(await loop.run_in_executor(self._pool, handler, call, request))
        while (answer := await loop.run_in_executor(self._pool, next, answers, _END)) is not _END:
            yield answer

    def _handler(self, entry: Entry) -> Handler:
        handler = self._handlers.get(entry.name)
        if handler is None:
            short = ".".join(entry.name.rsplit(".", 2)[-2:])
            raise Unimplemented(sentences.NOT_BUILT.format(method=short))
        return handler

    def _address(self, entry: Entry, caller: Caller, request: Any, arrival: Arrival) -> Call:
        """Find the project and location that a request addresses; check them and put the project's number in."""
        project = location = ""
        for path in entry.routing:
            holder, name = _field(request, path)
            if not isinstance(name, str) or not name.startswith("projects/"):
                continue
            number = self._project(entry, caller, name)
            setattr(holder, path.rpartition(".")[2], with_project(name, number))
            project = project or number
            location = location or location_of(name)
            self._check_location(entry, path, location_of(name), arrival.host)
        if not project and entry.routing:
            raise _unaddressed(entry)
        naming.number(request, lambda segment: self._own(caller, segment))
        return Call(
            caller, project, location, entry.version, arrival.transport, entry.name, facts.client(arrival.headers)
        )

    def _project(self, entry: Entry, caller: Caller, name: str) -> str:
        number = self._own(caller, name.split("/", 2)[1])
        if number is None:
            text = sentences.DENIED.format(permission=entry.permission, name=name[:300])
            raise PermissionDenied(text, reason="IAM_PERMISSION_DENIED")
        return number

    def _own(self, caller: Caller, segment: str) -> str | None:
        number = self._parts.projects(segment)
        return number if number is not None and caller.may_act_in(number) else None

    def _check_location(self, entry: Entry, path: str, location: str, host: str) -> None:
        if not location or (location == "-" and entry.short.startswith("List")):
            return
        if location not in self._parts.locations:
            served = ", ".join(self._parts.locations)
            raise InvalidArgument(
                sentences.NO_LOCATION.format(location=repr(location[:80]), served=served),
                violations=[Violation(path, sentences.UNKNOWN_LOCATION.format(location=repr(location[:80])))],
            )
        regional = _REGIONAL.fullmatch(host)
        if regional is not None and regional[1] != location:
            endpoint = f"{location}-aiplatform.googleapis.com"
            text = sentences.OTHER_ENDPOINT.format(location=repr(location), host=host, endpoint=endpoint)
            violation = Violation(path, sentences.OTHER_LOCATION.format(location=repr(location)))
            raise InvalidArgument(text, violations=[violation])


def hidden(error: Exception, method: str) -> errors.TrigpointError:
    """Return the error to show: an expected one as it is, anything else as INTERNAL, logged and without its text."""
    if isinstance(error, errors.TrigpointError):
        return error
    _log.error("vertex.failed", method=method, exc_info=error)
    return errors.Internal(INTERNAL)


def _field(message: Any, path: str) -> tuple[Any, Any]:
    """Return the message that holds the last part of a dotted path, and the value; (None, None) when there is none."""
    holder, value = None, message
    for part in path.split("."):
        if value is None:
            return None, None
        holder = value
        value = shape(type(holder)).by_name[part].read(holder)
    return holder, value


def _unaddressed(entry: Entry) -> InvalidArgument:
    path = entry.routing[0]
    return InvalidArgument(violations=[Violation(path, sentences.NO_NAME)])


def _settled(answer: Any) -> bool:
    """Return whether the state in an answer is one that Google's SDK stops at."""
    if isinstance(answer, Rendered):
        state = orjson.loads(answer.json).get("state", "")
    else:
        state = getattr(answer.state, "name", "") or messages.to_dict(answer).get("state", "")
    return str(state).endswith(_SETTLED)


def _name(answer: Any) -> str:
    if isinstance(answer, Rendered):
        return str(orjson.loads(answer.json).get("name", ""))
    return str(getattr(answer, "name", ""))


def _patience(request: Any, arrival: Arrival) -> float:
    asked = messages.seconds(request.timeout) if request.timeout is not None else _LONGEST_WAIT
    limits = [asked, _LONGEST_WAIT]
    if arrival.seconds_left is not None:
        limits.append(arrival.seconds_left - 1)
    return max(0.0, min(limits))
