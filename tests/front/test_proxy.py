"""The proxy beyond Google's hosts: what it tunnels, what it refuses, and that no early byte is lost."""

import asyncio
import base64
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.surfaces.front import tunnel
from trigpoint.surfaces.front.tunnel import Outbound, is_public

from .conftest import Running


@contextlib.contextmanager
def far_host() -> Iterator[int]:
    """A plain TCP server that answers `got:` and all it read until the end of stream."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    received = b""
                    while (data := connection.recv(65536)) and b"\r\n\r\n" not in received:
                        received += data
                        if received.startswith(b"GET ") and received.endswith(b"\r\n\r\n"):
                            break
                    connection.sendall(b"got:" + received)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def talk(front: Running, *parts: bytes, port: int = 0, end: bool = True) -> bytes:
    with socket.create_connection(("127.0.0.1", port or front.proxy_port), timeout=10) as connection:
        answer = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            for part in parts:
                connection.sendall(part)
            if end:
                with contextlib.suppress(OSError):  # reset already: what was answered is still to be read
                    connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(65536):
                answer += data
        return answer


def test_an_allowed_host_is_tunnelled_with_its_early_bytes_and_half_close(front: Running) -> None:
    front.resolved["allowed.example"] = ["127.0.0.1"]
    with far_host() as port:
        payload = b"early" + b"z" * 500_000
        answer = talk(front, f"CONNECT allowed.example:{port} HTTP/1.1\r\n\r\n".encode() + payload)
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\ngot:" + payload


def test_an_http_request_is_forwarded_in_origin_form_for_one_answer(front: Running) -> None:
    front.resolved["allowed.example"] = ["127.0.0.1"]
    with far_host() as port:
        head = f"GET http://allowed.example:{port}/a?b HTTP/1.1\r\nHost: other\r\nProxy-Authorization: Basic eA==\r\n"
        answer = talk(front, f"{head}X-Kept: 1\r\nConnection: keep-alive\r\n\r\n".encode(), end=False)
    host = f"allowed.example:{port}".encode()
    assert answer == b"got:GET /a?b HTTP/1.1\r\nHost: " + host + b"\r\nX-Kept: 1\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["192.168.1.1"],
        ["172.16.3.4"],
        ["169.254.169.254"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["::1"],
        ["fe80::1"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        [],
    ],
)
@pytest.mark.parametrize("request_line", ["CONNECT evil.example:443 HTTP/1.1", "GET http://evil.example/ HTTP/1.1"])
def test_names_that_lead_to_private_addresses_are_refused(
    front: Running, addresses: list[str], request_line: str
) -> None:
    front.resolved["evil.example"] = addresses
    answer = talk(front, f"{request_line}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"tunnel_allow" in answer


@pytest.mark.parametrize("literal", ["127.0.0.1:22", "[::1]:22", "169.254.169.254:80", "localhost:1"])
def test_literal_private_targets_are_refused(front: Running, literal: str) -> None:
    host = literal.rpartition(":")[0].strip("[]")
    front.resolved[host] = ["127.0.0.1" if host == "localhost" else host]
    assert talk(front, f"CONNECT {literal} HTTP/1.1\r\n\r\n".encode()).startswith(b"HTTP/1.1 403 ")


def test_the_metadata_name_is_refused_to_everybody_but_replicas(front: Running) -> None:
    answer = talk(front, b"GET http://metadata.google.internal/computeMetadata/v1/ HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")


def test_an_unknown_host_is_a_bad_gateway(front: Running) -> None:
    assert talk(front, b"CONNECT nowhere.example:443 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
        b"CONNECT \r\n\r\n",
        b"CONNECT storage.googleapis.com HTTP/1.1\r\n\r\n",
        b"CONNECT storage.googleapis.com:99999 HTTP/1.1\r\n\r\n",
        b"CONNECT user@storage.googleapis.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT a b:443 HTTP/1.1\r\n\r\n",
        b"GET http:///x HTTP/1.1\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
def test_what_is_no_proxy_request_gets_400(front: Running, head: bytes) -> None:
    assert talk(front, head).startswith(b"HTTP/1.1 400 ")


def test_an_endless_head_is_cut(front: Running) -> None:
    assert talk(front, b"GET http://a/ HTTP/1.1\r\n", b"X: " + b"y" * 70_000) == b""


def test_a_plain_request_inside_connect_is_served_in_clear(front: Running) -> None:
    head = b"CONNECT storage.googleapis.com:80 HTTP/1.1\r\n\r\n"
    answer = talk(
        front, head, b"GET /b HTTP/1.1\r\nHost: storage.googleapis.com\r\nConnection: close\r\n\r\n", end=False
    )
    assert b'"app": "gcs"' in answer
    assert b'"scheme": "http"' in answer


def test_credentials_are_asked_for_where_configured(tmp_path: Path) -> None:
    running = Running(tmp_path, asyncio.new_event_loop(), proxy_credentials="me:secret")
    try:
        head = b"CONNECT storage.googleapis.com:443 HTTP/1.1\r\n"
        for bad in (b"", b"Proxy-Authorization: Basic !!\r\n", b"Proxy-Authorization: Basic bWU6bm8=\r\n"):
            answer = talk(running, head + bad + b"\r\n")
            assert answer.startswith(b"HTTP/1.1 407 ")
            assert b"Proxy-Authenticate: Basic" in answer
        good = base64.b64encode(b"me:secret")
        assert talk(running, head + b"Proxy-Authorization: Basic " + good + b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        script = "import requests; print(requests.get('https://storage.googleapis.com/b').json()['app'])"
        assert running.python(script, f"http://me:secret@127.0.0.1:{running.proxy_port}").split() == ["gcs"]
        grpc = (
            "import grpc; c = grpc.secure_channel('storage.googleapis.com:443', grpc.ssl_channel_credentials());"
            "print(c.unary_unary('/test.Echo/Say')(b'', timeout=20).decode())"
        )
        assert '"size": 0' in running.python(grpc, f"http://me:secret@127.0.0.1:{running.proxy_port}")
    finally:
        running.stop()


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_never_makes_it_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for wrapped in (
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ):
        assert not is_public(wrapped) or is_public(address)
    assert Outbound.parse([f"{address}/32"]).allows("x", address)


@pytest.mark.parametrize("text", ["fec0::1", "64:ff9b:1::1", "2001:0:102:304::1", "::127.0.0.1", "100.64.0.1"])
def test_addresses_that_lead_inside_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


def test_what_listens_on_an_address_of_this_machine_is_not_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "is_public", lambda address: True)
    own = {found.address for at in psutil.net_if_addrs().values() for found in at if found.family is socket.AF_INET}
    assert not any(Outbound().allows("x", ipaddress.ip_address(address)) for address in own)
    assert Outbound().allows("x", ipaddress.ip_address("198.51.100.1"))
    assert Outbound.parse(["127.0.0.0/8"]).allows("x", ipaddress.ip_address("127.0.0.1"))
