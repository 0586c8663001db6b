"""What agents of replicas speak to: JSON over HTTP on one unix socket. What a report means is the jobs slice's.

Protocol: `trigpoint.agent.protocol`. An answer may be held until there is a command for the replica.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any, Protocol

import orjson
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trigpoint.core.errors import FailedPrecondition, TrigpointError
from trigpoint.store.notifier import Notifier

log = structlog.get_logger(__name__)

_MAX_BODY = 16 << 20
_MAX_HOLD = 30.0


class Answer(Protocol):
    """What the jobs slice tells an agent."""

    @property
    def ack(self) -> int:
        """The last report that need not be repeated."""
        ...

    @property
    def commands(self) -> tuple[Mapping[str, Any], ...]:
        """What the agent has to do."""
        ...

    @property
    def watch(self) -> tuple[str, ...]:
        """Resources whose change may bring a command."""
        ...


Take = Callable[[str, str, str, Mapping[str, Any]], Answer]
"""(attempt, replica, bearer token, body) -> answer; raises core.errors."""
Hello = Callable[[str, str], Awaitable[None]]
"""Opens the doors of (attempt, replica) before its agent is answered."""


def app(take: Take, hello: Hello, notifier: Notifier, executor: Executor) -> Starlette:
    """Return the ASGI app of the report socket."""

    async def reports(request: Request) -> Response:
        attempt, replica = request.path_params["attempt"], request.path_params["replica"]
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        raw = await request.body()
        try:
            body = _body(raw)
            answer = await _answer(take, notifier, executor, (attempt, replica, bearer), body)
            if any(report.get("kind") == "hello" for report in body["reports"]):
                await hello(attempt, replica)
        except TrigpointError as error:
            status = 409 if isinstance(error, FailedPrecondition) else error.http
            return _json({"error": error.message}, status)
        except Exception as error:
            log.error("report not taken", attempt=attempt, replica=replica, exc_info=error)
            return _json({"error": "The server could not keep the report; send it again."}, 500)
        return _json({"ack": answer.ack, "commands": list(answer.commands)}, 200)

    path = "/v1/attempts/{attempt}/replicas/{replica}/reports"
    return Starlette(routes=[Route(path, reports, methods=["POST"])])


async def _answer(
    take: Take, notifier: Notifier, executor: Executor, who: tuple[str, str, str], body: Mapping[str, Any]
) -> Answer:
    """Take the reports; while there is no command and the agent allows it, wait for a change and look again."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(float(body.get("wait_s") or 0), _MAX_HOLD)
    with notifier.watch() as watch:
        answer = await loop.run_in_executor(executor, take, *who, body)
        again = {**body, "reports": []}
        while not answer.commands and (left := deadline - loop.time()) > 0:
            if await watch.changed(left):
                answer = await loop.run_in_executor(executor, take, *who, again)
    return answer


def _body(raw: bytes) -> dict[str, Any]:
    if len(raw) > _MAX_BODY:
        raise FailedPrecondition("The body is too large.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise FailedPrecondition("The body is not JSON.") from error
    if not isinstance(body, dict) or not isinstance(body.get("reports"), list):
        raise FailedPrecondition("The body is not an object with reports.")
    return {**body, "reports": [report for report in body["reports"] if isinstance(report, dict)]}


def _json(content: Mapping[str, Any], status: int) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
