"""One port, two protocols: TLS for everything, HTTP in clear for the one app that may be spoken to so."""

import json
import socket
import ssl
import time

import pytest

from trigpoint.surfaces.front import serving

from .conftest import Running
from .test_front import drain, https


def plain(front: Running, request: bytes, *, pauses: float = 0.0) -> bytes:
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        for part in [request[:1], request[1:]] if pauses else [request]:
            time.sleep(pauses)
            connection.sendall(part)
        return drain(connection)


def get(host: str, path: str = "/console/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST:4000", "[::1]:4000", "trig.example"])
def test_names_of_ours_reach_the_plain_app_and_no_other(front: Running, host: str) -> None:
    for path in ("/console/", "/", "/v1/projects/p", "/storage/v1/b"):
        answer = json.loads(plain(front, get(host, path)).partition(b"\r\n\r\n")[2])
        assert (answer["app"], answer["scheme"], answer["path"]) == ("plain", "http", path)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4000",
        "console.cloud.google.com",
        "storage.googleapis.com",
        "10.0.0.1",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
    ],
)
def test_every_other_name_is_refused(front: Running, host: str) -> None:
    assert plain(front, get(host)).startswith(b"HTTP/1.1 421 ")


def test_two_names_are_none(front: Running) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert plain(front, request).startswith((b"HTTP/1.1 421 ", b"HTTP/1.1 400 "))


def test_the_same_port_speaks_tls(front: Running) -> None:
    answer = json.loads(https(front, b"GET /v1/x HTTP/1.1\r\nHost: localhost").partition(b"\r\n\r\n")[2])
    assert (answer["app"], answer["scheme"]) == ("vertex", "https")


@pytest.mark.parametrize("seconds", [0.3])
def test_a_slow_first_byte_is_waited_for(front: Running, seconds: float) -> None:
    assert plain(front, get("localhost"), pauses=seconds).startswith(b"HTTP/1.1 200 ")
    context = ssl.create_default_context(cafile=str(front.ca))
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        time.sleep(seconds)
        with context.wrap_socket(connection, server_hostname="localhost") as secure:
            secure.sendall(b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b"vertex" in drain(secure)


def test_who_says_nothing_is_let_go(front: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_HANDSHAKE_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        assert drain(connection) == b""
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert drain(connection) == b""


@pytest.mark.parametrize(
    ("host", "path", "location"),
    [
        ("trig.example:4000", "/console/x?a=b%20c", "https://trig.example:4000/console/x?a=b%20c"),
        ("10.1.2.3", "/", "https://10.1.2.3/"),
        ("[fe80::1]:4000", "/console/", "https://[fe80::1]:4000/console/"),
    ],
)
def test_from_another_machine_it_is_tls_or_nothing(
    front: Running, monkeypatch: pytest.MonkeyPatch, host: str, path: str, location: str
) -> None:
    monkeypatch.setattr(serving, "is_loopback", lambda peer: False)
    head, _, body = plain(front, get(host, path)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 308 ")
    assert f"location: {location}".encode() in head.lower()
    assert body == b""


@pytest.mark.parametrize("host", ["a b", "evil.example/path", "user@evil.example", "evil.example:1:2", ""])
def test_a_host_that_is_none_is_sent_nowhere(front: Running, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(serving, "is_loopback", lambda peer: False)
    head = plain(front, get(host)).partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"location" not in head.lower()


def test_what_is_neither_protocol_gets_no_answer_of_an_app(front: Running) -> None:
    for noise in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00" * 64):
        assert not plain(front, noise + b"\r\n\r\n").startswith(b"HTTP/1.1 200")
