"""The clients that Google's libraries are made of, through the proxy and at the port, trusting the bundle only."""

import json
import shutil
import subprocess

import pytest

from .conftest import Running

_GRPC = """
import grpc
channel = grpc.secure_channel("{target}", grpc.ssl_channel_credentials())
say = channel.unary_unary("/test.Echo/Say")
print(say(b"x" * 6_000_000, timeout=20, metadata=[("x-tag", "t")]).decode())
print([m.decode() for m in channel.unary_stream("/test.Echo/Count")(b"5", timeout=20)])
for bad in (b"fail", b"crash"):
    try:
        say(bad, timeout=20)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
try:
    channel.unary_unary("/test.Echo/Nothing")(b"", timeout=20)
except grpc.RpcError as error:
    print(error.code().name)
"""


def _check_grpc(output: str, host: str) -> None:
    lines = output.splitlines()
    assert json.loads(lines[0]) == {"replica": "", "host": host, "size": 6_000_000, "tag": "t"}
    assert lines[1:] == [
        "['0', '1', '2', '3', '4']",
        "NOT_FOUND there is no such thing",
        "INTERNAL Internal error encountered.",
        "UNIMPLEMENTED",
    ]


def test_grpc_through_the_proxy(front: Running) -> None:
    target = "us-central1-aiplatform.googleapis.com:443"
    _check_grpc(front.python(_GRPC.format(target=target)), "us-central1-aiplatform.googleapis.com")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_grpc_at_the_port(front: Running, host: str) -> None:
    script = "import os; os.environ.pop('https_proxy')\n" + _GRPC.format(target=f"{host}:{front.port}")
    _check_grpc(front.python(script), "" if host == "127.0.0.1" else host)


def test_requests_through_the_proxy(front: Running) -> None:
    script = """
import requests, json
s = requests.Session()
for url in ("https://storage.googleapis.com/storage/v1/b", "https://www.googleapis.com/oauth2/v4/token",
            "https://us-central1-aiplatform.googleapis.com/v1/x", "http://storage.googleapis.com/b/o",
            "https://aiplatform.us.rep.googleapis.com/v1", "https://a.b.tensorboard.googleusercontent.com/"):
    r = s.post(url, data=b"y" * 3_000_000)
    print(r.status_code, json.dumps([r.json().get(k) for k in ("app", "path", "scheme", "size")]))
"""
    assert front.python(script).splitlines() == [
        '200 ["gcs", "/storage/v1/b", "https", 3000000]',
        '200 ["identity", "/oauth2/v4/token", "https", 3000000]',
        '200 ["vertex", "/v1/x", "https", 3000000]',
        '200 ["gcs", "/b/o", "http", 3000000]',
        "404 [null, null, null, null]",
        "404 [null, null, null, null]",
    ]


def test_requests_at_the_port(front: Running) -> None:
    script = f"""
import requests
for host in ("localhost", "127.0.0.1"):
    print(requests.get(f"https://{{host}}:{front.port}/storage/v1/b/x").json()["app"])
"""
    environment = f"import os; os.environ['no_proxy'] = 'localhost,127.0.0.1'\n{script}"
    assert front.python(environment).split() == ["gcs", "gcs"]
    assert front.python(script).split() == ["gcs", "gcs"], "our own port is reached through the proxy too"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_offers_both_protocols_and_gets_http_1_1(front: Running) -> None:
    def curl(*arguments: str) -> str:
        done = subprocess.run(
            ["curl", "-sS", "-w", " %{http_version} %{http_code}", *arguments],
            env=front.environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout

    proxied = curl("https://us-central1-aiplatform.googleapis.com/v1/projects")
    assert '"app": "vertex"' in proxied
    assert proxied.endswith(" 1.1 200")
    direct = curl("--noproxy", "*", "--http2", f"https://localhost:{front.port}/v1/x")
    assert direct.endswith(" 1.1 200")
    reused = curl("https://storage.googleapis.com/a/b", "https://storage.googleapis.com/a/c")
    assert reused.count(" 1.1 200") == 2


def test_the_bundle_holds_public_roots_too(front: Running) -> None:
    text = front.bundle.read_text()
    assert text.count("BEGIN CERTIFICATE") > 20
    assert front.ca.read_text() in text
