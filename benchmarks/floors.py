"""Bare servers on the stack that the real one uses: uvicorn with httptools and uvloop, grpc.aio; both over TLS.

    python -m benchmarks.floors http|grpc CERTIFICATE KEY

Each answers a fixed body, prints its port, and ends with its standard input.
"""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import grpc
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY = b'{"name":"projects/123456789012/locations/us-central1/customJobs/1234567890123456789","displayName":"x"}' * 4


async def _echo(request: Request) -> Response:
    body = await request.body()
    return Response(body or BODY, media_type="application/json")


async def _http(certificate: str, key: str) -> None:
    app = Starlette(routes=[Route("/{path:path}", _echo, methods=["GET", "POST"])])
    config = uvicorn.Config(
        app, port=0, ssl_certfile=certificate, ssl_keyfile=key, log_config=None, access_log=False, http="httptools"
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listener]))
    print(listener.getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await task


class _Echo(grpc.GenericRpcHandler):
    def service(self, handler_call_details: Any) -> Any:
        """Answer every method alike."""

        async def answer(message: bytes, context: Any) -> bytes:
            return message

        return grpc.unary_unary_rpc_method_handler(answer)


async def _grpc(certificate: bytes, key: bytes) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Echo(),))
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([(key, certificate)]))
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(0)


def main() -> None:
    """Serve."""
    kind, certificate, key = sys.argv[1:]
    if kind == "http":
        uvloop.run(_http(certificate, key))
    else:
        uvloop.run(_grpc(Path(certificate).read_bytes(), Path(key).read_bytes()))


if __name__ == "__main__":
    main()
