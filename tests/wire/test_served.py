"""The real server: every built method asked over REST and gRPC, in v1 and v1beta1; every surface without a key.

The requests address things that do not exist, so nothing is changed and new methods are covered by being built.
"""

import http.client
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest

from trigpoint.core import contract, messages, ready
from trigpoint.core.transcoding import Template
from trigpoint.surfaces.vertex import table

ROOT = Path(__file__).resolve().parents[2]
LOCATION = "us-central1"
HOST = f"{LOCATION}-aiplatform.googleapis.com"
SURFACES = [
    (HOST, f"/v1/projects/PROJECT/locations/{LOCATION}/customJobs"),
    ("storage.googleapis.com", "/storage/v1/b?project=PROJECT"),
    ("storage.googleapis.com", "/bucket/object"),
    ("storage.googleapis.com", "/upload/storage/v1/b/bucket/o"),
    ("cloudresourcemanager.googleapis.com", "/v3/projects/PROJECT"),
    ("iam.googleapis.com", "/v1/projects/PROJECT/serviceAccounts"),
    ("iamcredentials.googleapis.com", "/v1/projects/-/serviceAccounts/x:generateAccessToken"),
    ("logging.googleapis.com", "/v2/entries:list"),
]


@dataclass
class Client:
    """The two transports of one running server."""

    port: int
    bundle: str
    token: str
    project: str

    def __post_init__(self) -> None:
        self._context = ssl.create_default_context(cafile=self.bundle)
        credentials = grpc.ssl_channel_credentials(Path(self.bundle).read_bytes())
        self.channel = grpc.secure_channel(f"localhost:{self.port}", credentials, [("grpc.enable_http_proxy", 0)])

    def rest(
        self, verb: str, path: str, body: bytes = b"", host: str = "localhost", token: str | None = None
    ) -> tuple[int, Any]:
        token = self.token if token is None else token
        connection = http.client.HTTPSConnection("localhost", self.port, context=self._context, timeout=30)
        headers = {"Host": host, "Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        try:
            connection.request(verb, path, body, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(text or b"{}")
        except ValueError:
            return response.status, {}

    def rpc(self, full: str, message: bytes) -> Any:
        """Return the answer's bytes, or the error's name and message."""
        method = contract.methods()[full]
        path, metadata = f"/{method.service}/{method.name}", [("authorization", f"Bearer {self.token}")]
        try:
            if method.server_streaming:
                return b"".join(self.channel.unary_stream(path)(message, metadata=metadata, timeout=30))
            return self.channel.unary_unary(path)(message, metadata=metadata, timeout=30)
        except grpc.RpcError as error:
            return error.code().name, error.details()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("served")
    environment = {**os.environ, "TRIGPOINT_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "trigpoint.server", "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while (info := ready.read(home / "run")) is None:
            assert process.poll() is None, (home / "log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        made = Client(info.port, info.ca_bundle, token(Path(info.key_file)), info.project)
        yield made
        made.channel.close()
    finally:
        process.terminate()
        process.wait(30)


def token(key_file: Path) -> str:
    key = json.loads(key_file.read_text())
    now, email = int(time.time()), key["client_email"]
    claims = {"iss": email, "sub": email, "aud": "https://aiplatform.googleapis.com/", "iat": now, "exp": now + 600}
    return jwt.encode(claims, key["private_key"], algorithm="RS256", headers={"kid": key["private_key_id"]})


def _forms(full: str, project: str) -> tuple[str, str, bytes, bytes]:
    """Return verb, path and body of a request that holds its address only, and the same as bytes."""
    method = contract.methods()[full]
    binding = next(b for b in method.http if "projects" in b.template)
    template = Template.parse(binding.template)
    concrete = ["absent" if segment == "*" else segment for segment in template.segments]
    for at, segment in enumerate(template.segments[:-1]):
        concrete[at + 1] = {"projects": project, "locations": LOCATION}.get(segment, concrete[at + 1])
    data: dict[str, Any] = {}
    for name, start, stop in template.variables:
        *outer, last = name.split(".")
        node = data
        for part in outer:
            node = node.setdefault(part, {})
        node[last] = "/".join(concrete[start:stop])
    if binding.body not in ("", "*"):
        data.setdefault(binding.body, {})
    message = messages.from_dict(messages.message_class(method.input), data)
    path = "/" + "/".join(concrete) + (f":{template.custom}" if template.custom else "")
    return binding.verb, path, b"{}" if binding.body else b"", messages.encode(message)


def test_four_ways_to_the_same_refusal(client: Client) -> None:
    compared = 0
    for full, entry in table.entries().items():
        if (
            not full.startswith(f"{table.PACKAGE}v1.")
            or not entry.routing
            or client.rpc(full, b"")[0] == "UNIMPLEMENTED"
        ):
            continue
        answers = []
        beta = full.replace(".v1.", ".v1beta1.", 1)
        for name in [full, beta] if beta in contract.methods() else [full]:
            verb, path, body, raw = _forms(name, client.project)
            code, told = client.rest(verb, path, body)
            by_rpc = client.rpc(name, raw)
            if code == 200:
                assert isinstance(by_rpc, bytes) or entry.short.startswith("Create"), (name, by_rpc)
                continue
            assert (told["error"]["status"], told["error"]["message"]) == by_rpc, name
            answers.append(by_rpc)
        assert len(set(answers)) <= 1, full
        compared += len(answers)
    assert compared > 0


def test_lists_refuse_tokens_and_sizes_that_are_not_theirs(client: Client) -> None:
    for full, entry in table.entries().items():
        if not full.startswith(f"{table.PACKAGE}v1.") or not entry.short.startswith("List"):
            continue
        if client.rpc(full, b"")[0] == "UNIMPLEMENTED":
            continue
        verb, path, _, _ = _forms(full, client.project)
        for query in ("pageToken=foreign", "pageSize=-1", "filter=((((", "pageSize=many", "nothing=1"):
            code, told = client.rest(verb, f"{path}?{query}")
            assert code in (400, 404), (full, query, told)


def test_malformed_json_is_refused_by_every_method_that_takes_a_body(client: Client) -> None:
    for full, entry in table.entries().items():
        if not full.startswith(f"{table.PACKAGE}v1.") or not entry.routing:
            continue
        verb, path, body, _ = _forms(full, client.project)
        if not body or client.rpc(full, b"")[0] == "UNIMPLEMENTED":
            continue
        for bad in (b"{", b"[]", b'{"nothing": 1}', b"\xff"):
            code, told = client.rest(verb, path, bad)
            assert (code, told["error"]["status"]) == (400, "INVALID_ARGUMENT"), (full, bad, told)


@pytest.mark.parametrize(("host", "path"), SURFACES)
@pytest.mark.parametrize("bad", ["", "nonsense", "a.b.c"])
def test_no_surface_answers_without_a_key(client: Client, host: str, path: str, bad: str) -> None:
    codes = [client.rest(v, path.replace("PROJECT", client.project), b"{}", host, bad)[0] for v in ("GET", "POST")]
    assert set(codes) <= {401, 403, 404, 405}, codes
    assert {401, 403} & set(codes), codes


def test_unknown_hosts(client: Client) -> None:
    assert client.rest("GET", "/", host="rebinding.example")[0] == 421
    assert client.rest("GET", "/", host="unheard-of.googleapis.com")[0] == 404
