"""Create, get and list of a CustomJob over REST and gRPC, against bare echoes on the same stack (P5, P6, P7).

    python -m benchmarks.api [--rounds 5] [--seconds 1] [--jobs 300]

Latency at one connection, throughput at 16, both with clients in this process (so that rates are lower bounds: two
cores are shared). Created jobs stay queued: one long job occupies the only place.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import trustme
import uvloop

from benchmarks import show
from benchmarks.stand import HOST, Stand, contained
from trigpoint.core import messages
from trigpoint.core.pb.google.cloud.aiplatform.v1.custom_job_pb import CustomJob
from trigpoint.core.pb.google.cloud.aiplatform.v1.job_service_pb import CreateCustomJobRequest, GetCustomJobRequest

SERVICE = "/google.cloud.aiplatform.v1.JobService/"
CONNECTIONS = 16


@dataclass
class Asked:
    """One kind of request, and what was measured of it."""

    name: str
    run: Callable[["Asked"], None]
    floor: str = ""
    target: str = ""
    single: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=300, help="jobs that exist before the measurement")
    options = parser.parse_args()
    with Stand("api", {"parallel_jobs": "1", "runtime": "process"}) as stand, floors() as bare:
        blocker = stand.create(contained("python3", "-c", "import time; time.sleep(3600)"))
        body = contained("python3", "-c", "print()")
        jobs = [stand.create(body) for _ in range(options.jobs)]
        asked = _requests(stand, bare, jobs[-1], body, options.seconds)
        for _ in range(options.rounds):
            for each in asked:
                each.run(each)
        _print(asked, stand.home, options.jobs)
        stand.call("POST", f"/v1/{blocker}:cancel", {})
        stand.end(signal.SIGKILL)


def _print(asked: list[Asked], home: Path, jobs: int) -> None:
    by_name = {each.name: each for each in asked}
    show.heading(f"requests, {jobs} jobs queued before")
    show.row("disk: 4 KiB written and confirmed", show.sync_cost(home), [], "")
    for each in asked:
        show.row(
            each.name + ", 1 connection", each.single, by_name[each.floor].single if each.floor else [], each.target
        )
    for each in asked:
        if each.rate:
            floor = by_name[each.floor].rate if each.floor else []
            show.row(f"{each.name}, {CONNECTIONS} connections", each.rate, floor, "", "/s")


def _requests(stand: Stand, bare: "Floors", job: str, body: object, seconds: float) -> list[Asked]:
    content = json.dumps(body).encode()
    head = f"Host: {HOST}\r\nAuthorization: Bearer {stand.token}\r\nContent-Type: application/json\r\n"
    collection = f"/v1/{stand.parent}/customJobs"

    def rest(port: int, context: ssl.SSLContext, verb: str, path: str, data: bytes) -> Callable[[Asked], None]:
        request = f"{verb} {path} HTTP/1.1\r\n{head}Content-Length: {len(data)}\r\n\r\n".encode() + data
        return lambda each: uvloop.run(_drive(each, port, context, request, seconds))

    def rpc(port: int, bundle: bytes, method: str, message: bytes) -> Callable[[Asked], None]:
        return lambda each: uvloop.run(_call(each, port, bundle, method, message, stand.token, seconds))

    bundle, port = Path(stand.info.ca_bundle).read_bytes(), stand.info.port
    get = messages.encode(GetCustomJobRequest(name=job))
    create = messages.encode(
        CreateCustomJobRequest(parent=stand.parent, custom_job=messages.from_dict(CustomJob, body))
    )
    echo, create_path = "POST echo", collection
    return [
        Asked("GET echo", rest(bare.http, bare.context, "GET", "/x", b"")),
        Asked(echo, rest(bare.http, bare.context, "POST", "/x", content)),
        Asked("REST get", rest(port, stand.context, "GET", f"/v1/{job}", b""), "GET echo", "P5 <= 2.5x"),
        Asked("REST create", rest(port, stand.context, "POST", create_path, content), echo, "P6 <= 2x floor create"),
        Asked(
            "REST list of 100",
            rest(port, stand.context, "GET", f"{collection}?pageSize=100", b""),
            "GET echo",
            "P7 <= 6 ms",
        ),
        Asked("gRPC echo", rpc(bare.grpc, bare.bundle, SERVICE + "Echo", create)),
        Asked("gRPC get", rpc(port, bundle, SERVICE + "GetCustomJob", get), "gRPC echo", "P5 <= 1.5x"),
        Asked("gRPC create", rpc(port, bundle, SERVICE + "CreateCustomJob", create), "gRPC echo", "P6"),
    ]


async def _drive(each: Asked, port: int, context: ssl.SSLContext, request: bytes, seconds: float) -> None:
    """Ask over one connection, then over many at once."""
    each.single += await _loop(port, context, request, seconds / 2)
    begun = time.perf_counter()
    counts = await asyncio.gather(*(_loop(port, context, request, seconds) for _ in range(CONNECTIONS)))
    each.rate.append(sum(map(len, counts)) / (time.perf_counter() - begun))


async def _loop(port: int, context: ssl.SSLContext, request: bytes, seconds: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    taken = []
    deadline = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < deadline:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"refused: {head[:200]!r}")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        taken.append((time.perf_counter() - begun) * 1000)
    writer.close()
    return taken[1:]


async def _call(each: Asked, port: int, bundle: bytes, method: str, message: bytes, token: str, seconds: float) -> None:
    credentials = grpc.ssl_channel_credentials(bundle)
    metadata = (("authorization", f"Bearer {token}"),)
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials, [("grpc.enable_http_proxy", 0)]) as channel:
        call = channel.unary_unary(method)

        async def loop(duration: float) -> list[float]:
            taken = []
            deadline = time.perf_counter() + duration
            while (begun := time.perf_counter()) < deadline:
                await call(message, metadata=metadata)
                taken.append((time.perf_counter() - begun) * 1000)
            return taken[1:]

        each.single += await loop(seconds / 2)
        begun = time.perf_counter()
        counts = await asyncio.gather(*(loop(seconds) for _ in range(CONNECTIONS)))
        each.rate.append(sum(map(len, counts)) / (time.perf_counter() - begun))


@dataclass
class Floors:
    """The two bare servers, and how to reach them."""

    http: int
    grpc: int
    context: ssl.SSLContext
    bundle: bytes
    pids: list[int]
    seconds: list[float]
    """How long each took to say its port."""


@contextlib.contextmanager
def floors() -> Iterator[Floors]:
    """Run both bare servers."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        files = [str(Path(folder, name)) for name in ("certificate", "key")]
        for file in files:
            Path(file).touch(mode=0o600)
        Path(files[0]).write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(files[1])
        ports, pids, seconds = [], [], []
        for kind in ("http", "grpc"):
            command = [sys.executable, "-m", "benchmarks.floors", kind, *files]
            begun = time.perf_counter()
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            assert process.stdout is not None
            ports.append(int(process.stdout.readline()))
            seconds.append(time.perf_counter() - begun)
            pids.append(process.pid)
        context = ssl.create_default_context()
        authority.configure_trust(context)
        yield Floors(ports[0], ports[1], context, authority.cert_pem.bytes(), pids, seconds)


if __name__ == "__main__":
    main()
