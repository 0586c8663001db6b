"""Certificates, host dispatch, HTTP limits, the doors of replicas."""

import asyncio
import contextlib
import json
import os
import resource
import socket
import ssl
import stat
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest

from trigpoint.core.clock import SystemClock
from trigpoint.surfaces.front import Authority, hosts, http

from .conftest import Running


def handshake(authority: Authority, ca: Path, name: str) -> Any:
    """Do a TLS handshake in memory; returns the certificate that a client of `name` sees."""
    trusting = ssl.create_default_context(cafile=str(ca))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    server = authority.server_context().wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return client.getpeercert()


@pytest.mark.parametrize(
    "name",
    [
        "storage.googleapis.com",
        "us-central1-aiplatform.googleapis.com",
        "aiplatform.us.rep.googleapis.com",
        "deep.er.googleapis.com",
        "x.notebooks.googleusercontent.com",
        "localhost",
        "127.0.0.1",
        "::1",
        "trig.example",
    ],
)
def test_every_name_we_serve_gets_a_leaf(tmp_path: Path, name: str) -> None:
    authority = Authority.open(tmp_path, SystemClock(), ["trig.example"])
    assert handshake(authority, tmp_path / "ca.pem", name)


def test_other_names_fail(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path, SystemClock())
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority, tmp_path / "ca.pem", "bank.example")


def test_the_ca_cannot_speak_for_foreign_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority.open(tmp_path, SystemClock())
    monkeypatch.setattr(hosts, "is_google", lambda host: True)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        handshake(authority, tmp_path / "ca.pem", "bank.example")


def test_the_ca_is_kept_and_its_key_is_private(tmp_path: Path) -> None:
    first = Authority.open(tmp_path, SystemClock())
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
    assert Authority.open(tmp_path, SystemClock()).pem == first.pem
    wider = Authority.open(tmp_path, SystemClock(), ["new.example"])
    assert wider.pem != first.pem, "a name it lacks makes a new one"
    (tmp_path / "ca.pem").write_bytes(first.pem)
    assert Authority.open(tmp_path, SystemClock()).pem != first.pem, "a pair that does not match is replaced"


class Later(SystemClock):
    """A clock that can be moved."""

    ahead = 0

    def wall(self) -> int:
        return super().wall() + self.ahead


def test_leaves_are_renewed(tmp_path: Path) -> None:
    clock = Later()
    clock.ahead = -50 * 86400 * 1_000_000
    authority = Authority.open(tmp_path, clock)
    first = handshake(authority, tmp_path / "ca.pem", "localhost")["notAfter"]
    clock.ahead = 0
    assert handshake(authority, tmp_path / "ca.pem", "localhost")["notAfter"] != first


def https(front: Running, head: bytes, body: bytes = b"") -> bytes:
    context = ssl.create_default_context(cafile=str(front.ca))
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=10)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
        return drain(connection)


def drain(connection: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65536):
            answer += data
    return answer


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("storage.googleapis.com", "/any", "gcs"),
        ("Storage.GoogleAPIs.com:443", "/any", "gcs"),
        ("europe-west4-aiplatform.googleapis.com", "/v1", "vertex"),
        ("www.googleapis.com", "/storage/v1", "gcs"),
        ("www.googleapis.com", "/oauth2/v4", "identity"),
        ("www.googleapis.com", "/nothing", 404),
        ("unheard-of.googleapis.com", "/", 404),
        ("localhost:1234", "/v1/x", "vertex"),
        ("127.8.9.1", "/storage/x", "gcs"),
        ("[::1]:99", "/storage/x", "gcs"),
        ("trig.example", "/storage/x", "gcs"),
        ("localhost", "/other", 404),
        ("rebinding.example", "/v1/x", 421),
        ("", "/v1/x", 421),
        ("localhost\r\nHost: storage.googleapis.com", "/v1/x", 421),
    ],
)
def test_dispatch_by_host_and_path(front: Running, host: str, path: str, expected: str | int) -> None:
    answer = https(front, f"GET {path} HTTP/1.1\r\nHost: {host}".encode())
    status, body = int(answer[9:12]), json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (status if isinstance(expected, int) else body["app"]) == expected
    assert b"\r\nserver: trigpoint\r\n" in answer
    assert b"\r\ndate: " in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"\r\n".join(b"X-%d: " % i + b"y" * 1000 for i in range(300)),
        b"nonsense",
    ],
)
def test_heads_without_end_are_refused(front: Running, head: bytes) -> None:
    assert https(front, head).startswith(b"HTTP/1.1 400 ")


def silent_after(front: Running, beginning: bytes, then: bytes = b"") -> bytes:
    """Say a beginning, then repeat something every tenth of a second; return what the server said when it closed."""
    context = ssl.create_default_context(cafile=str(front.ca))
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=10)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(beginning)
        connection.settimeout(0.1)
        answer = b""
        for _ in range(50):
            try:
                data = connection.recv(65536)
            except TimeoutError:
                with contextlib.suppress(OSError):
                    connection.sendall(then)
                continue
            except (ssl.SSLError, ConnectionError):
                return answer
            if not data:
                return answer
            answer += data
    raise AssertionError("still open after 5 s")


@pytest.mark.parametrize(
    ("beginning", "then"),
    [
        (b"", b""),
        (b"\r\n\r\n", b""),
        (b"G", b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"x"),
        (b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nfour", b""),
        (b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\nGET ", b"x"),
    ],
    ids=["nothing", "lines", "a letter", "a header without end", "half a body", "half of the second request"],
)
def test_nobody_keeps_a_connection_by_saying_little(
    front: Running, monkeypatch: pytest.MonkeyPatch, beginning: bytes, then: bytes
) -> None:
    monkeypatch.setattr(http, "_FIRST_REQUEST", 0.5)
    monkeypatch.setattr(http, "_SILENCE", 0.5)
    silent_after(front, beginning, then)


def test_a_body_may_come_slowly(front: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_FIRST_REQUEST", 0.5)
    monkeypatch.setattr(http, "_SILENCE", 0.5)
    head = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 12\r\n\r\n"
    assert b'"size": 12' in silent_after(front, head, b"x")


def test_many_connections_leave_descriptors_to_the_rest(front: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    free = os.dup(0)
    os.close(free)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (free + 100, free + 100))
    request = b"GET /v1/x HTTP/1.1\r\nHost: localhost"
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(socket.create_connection(("127.0.0.1", front.port), timeout=10))
        asked = threading.Thread(target=lambda: answers.append(https(front, request)))
        answers: list[bytes] = []
        asked.start()
        asked.join(1)
        assert not answers
    asked.join(10)
    assert b"200 OK" in answers[0]


def test_a_stop_lets_a_request_end(tmp_path: Path) -> None:
    running = Running(tmp_path, asyncio.new_event_loop())
    assert b"200 OK" in https(running, b"GET /v1/x HTTP/1.1\r\nHost: localhost")
    running.stop()
    with pytest.raises(ConnectionRefusedError):
        https(running, b"GET /v1/x HTTP/1.1\r\nHost: localhost")


class Door:
    """A replica's socket, as the relay of its network uses it."""

    def __init__(self, front: Running, folder: Path, *, outbound: bool = True) -> None:
        self.path = folder / "replica" / "net.sock"
        self.front = front
        front.run(front.front.open_replica(self.path, "replicas/7", outbound=outbound))

    def connect(self, line: bytes) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        connection.connect(str(self.path))
        connection.sendall(line)
        return connection

    def ask(self, line: bytes, host: str, path: str = "/") -> bytes:
        with self.connect(line) as connection, contextlib.suppress(BrokenPipeError):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return drain(connection)
        return b""

    def close(self) -> None:
        self.front.run(self.front.front.close_replica("replicas/7"))


def test_a_replica_is_known_by_its_socket(front: Running, tmp_path: Path) -> None:
    door = Door(front, tmp_path)
    try:
        said = json.loads(door.ask(b"metadata\n", "metadata.google.internal").partition(b"\r\n\r\n")[2])
        assert said["app"] == "metadata"
        assert said["replica"] == "replicas/7"
        assert stat.S_IMODE(door.path.parent.stat().st_mode) == 0o700
        context = ssl.create_default_context(cafile=str(front.ca))
        with context.wrap_socket(door.connect(b"tls\n"), server_hostname="storage.googleapis.com") as secure:
            secure.sendall(b"GET /b HTTP/1.1\r\nHost: storage.googleapis.com\r\nConnection: close\r\n\r\n")
            assert b'"replica": "replicas/7"' in drain(secure)
        inside = door.ask(b"proxy\n", "metadata.google.internal", "http://metadata.google.internal/x")
        assert b'"app": "metadata"' in inside
        assert b'"replica": "replicas/7"' in inside
        assert door.ask(b"metadata\x00\n", "x") == b""
    finally:
        door.close()
    assert not door.path.exists()


def test_a_replica_without_outbound_has_no_proxy(front: Running, tmp_path: Path) -> None:
    door = Door(front, tmp_path, outbound=False)
    try:
        assert door.ask(b"proxy\n", "storage.googleapis.com", "http://storage.googleapis.com/b") == b""
    finally:
        door.close()


def test_a_long_path_of_a_replica(front: Running, tmp_path: Path) -> None:
    door = Door(front, tmp_path / ("long" * 30))
    try:
        assert door.path.is_socket()
    finally:
        door.close()


def test_grpc_through_the_socket_of_a_replica(front: Running, tmp_path: Path) -> None:
    """A relay as the sandbox has it: TCP inside, the socket with its line outside."""
    door = Door(front, tmp_path)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        r, w = await asyncio.open_unix_connection(str(door.path))
        w.write(b"tls\n")

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(copy(reader, w), copy(r, writer))

    async def start() -> asyncio.Server:
        return await asyncio.start_server(relay, "127.0.0.1", 0)

    server: asyncio.Server = front.run(start())
    try:
        credentials = grpc.ssl_channel_credentials(front.ca.read_bytes())
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.secure_channel(f"localhost:{server.sockets[0].getsockname()[1]}", credentials, options) as channel:
            said = json.loads(channel.unary_unary("/test.Echo/Say")(b"", timeout=20))
        assert said["replica"] == "replicas/7"
    finally:

        async def end() -> None:
            server.close()

        front.run(end())
        door.close()


def test_a_message_of_a_stranger_is_not_taken_beyond_a_size(front: Running) -> None:
    credentials = grpc.ssl_channel_credentials(front.ca.read_bytes())
    options = [("grpc.enable_http_proxy", 0), ("grpc.max_send_message_length", -1)]
    with grpc.secure_channel(f"localhost:{front.port}", credentials, options) as channel:
        say = channel.unary_unary("/test.Echo/Say")
        assert json.loads(say(bytes(20 << 20), timeout=60))["size"] == 20 << 20
        with pytest.raises(grpc.RpcError) as caught:
            say(bytes((64 << 20) + 1), timeout=60)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_metadata_port_for_a_plain_process(front: Running) -> None:
    host, port = front.run(front.front.open_metadata("replicas/8"))
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b'"replica": "replicas/8"' in drain(connection)
    front.run(front.front.close_replica("replicas/8"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=10)


def test_the_private_grpc_socket_refuses_strangers(front: Running) -> None:
    path = front.folder / "run" / "grpc.sock"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with grpc.insecure_channel(f"unix:{path}") as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/test.Echo/Say")(b"", timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
