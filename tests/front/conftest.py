"""A front in a thread of its own, before a small echo app, so that real clients can call it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvloop

from trigpoint.core import errors, wire
from trigpoint.core.clock import SystemClock
from trigpoint.surfaces.front import Authority, Front, FrontOptions, Outbound, Table


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    headers = {k.decode(): v.decode() for k, v in scope["headers"]}
    said = {
        "app": scope.get("app_name", "echo"),
        "path": scope["path"],
        "scheme": scope["scheme"],
        "host": headers.get("host"),
        "replica": scope.get(wire.REPLICA, ""),
        "size": len(body),
    }
    answer = json.dumps(said).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", str(len(answer)).encode()), (b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": answer})


def named(name: str) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await echo({**scope, "app_name": name}, receive, send)

    return app


async def rpc_echo(call: wire.RpcCall) -> bytes:
    if call.message == b"fail":
        raise errors.NotFound("there is no such thing")
    if call.message == b"crash":
        raise RuntimeError("/secret/path")
    said = {"replica": call.replica, "host": call.host, "size": len(call.message), "tag": call.headers.get("x-tag")}
    return json.dumps(said).encode()


async def rpc_count(call: wire.RpcCall) -> Any:
    for i in range(int(call.message)):
        yield str(i).encode()


TABLE = Table(
    hosts={
        "storage.googleapis.com": [("/", named("gcs"))],
        "www.googleapis.com": [("/storage", named("gcs")), ("/oauth2", named("identity"))],
        "*-aiplatform.googleapis.com": [("/", named("vertex"))],
    },
    local=[("/storage", named("gcs")), ("/v1", named("vertex"))],
    names=frozenset({"trig.example"}),
)
RPCS: wire.RpcTable = {"test.Echo.Say": wire.Unary(rpc_echo), "test.Echo.Count": wire.ServerStream(rpc_count)}


class Running:
    """A started front and what a client needs to know of it."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        self.loop = loop
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.authority = Authority.open(folder / "keys", SystemClock(), ["trig.example"])
        self.bundle = self.authority.write_bundle(folder / "bundle.pem")
        self.ca = folder / "keys" / "ca.pem"
        self.resolved: dict[str, Sequence[str]] = {}
        self.folder = folder
        self.front = self.run(self._start(options))
        self.port, self.proxy_port = self.front.address[1], self.front.proxy_address[1]

    async def _start(self, options: Any) -> Front:
        made = FrontOptions(run=self.folder / "run", grace=0.5, **options)
        front = Front(
            TABLE,
            RPCS,
            self.authority,
            made,
            metadata=named("metadata"),
            plain=named("plain"),
            resolver=self._resolve,
        )
        await front.start()
        return front

    async def _resolve(self, host: str, port: int) -> Sequence[str]:
        if host not in self.resolved:
            raise OSError("unknown")
        return self.resolved[host]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def stop(self) -> None:
        self.run(self.front.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(20)
        self.loop.close()

    def environment(self, proxy: str = "") -> dict[str, str]:
        address = proxy or f"http://127.0.0.1:{self.proxy_port}"
        variables = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "CURL_CA_BUNDLE")
        kept = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        return {**kept, "https_proxy": address, "http_proxy": address} | dict.fromkeys(variables, str(self.bundle))

    def python(self, script: str, proxy: str = "") -> str:
        """Run a client script as a user would: nothing but the environment says where we are."""
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=self.environment(proxy),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session", params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def front(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Running]:
    outbound = Outbound.parse(["allowed.example"])
    running = Running(tmp_path_factory.mktemp("front"), request.param(), outbound=outbound)
    yield running
    running.stop()
