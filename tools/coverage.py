"""Writes docs/api-coverage.md: which methods of the API are built, asked of a real server with empty requests.

A method without a handler answers UNIMPLEMENTED; one with a handler finds that nothing is addressed. `--check`
writes nothing and fails when the page is not current.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import grpc
import jwt

from trigpoint.core import contract, ready

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/api-coverage.md"
START_SECONDS = 60.0
INTRODUCTION = """# What is built of the API

Made by `python tools/coverage.py`, which asks a running server; a test checks that it is current. Methods that are
not built answer `UNIMPLEMENTED` (501). v1 and v1beta1 lead to the same implementation; methods that only v1beta1
has are listed by themselves. Methods that take a stream of requests are not listed.
"""


def main() -> None:
    """Write the page, or check it."""
    with tempfile.TemporaryDirectory(prefix="trigpoint-coverage-") as home:
        text = page(built(Path(home)))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        raise SystemExit(f"{PAGE.relative_to(ROOT)} is not current: run `python tools/coverage.py`.")


def names() -> dict[str, contract.Method]:
    """Return the methods to list: those of v1, those that only v1beta1 has, the mixins."""
    found = {}
    for full, method in contract.methods().items():
        beta = ".v1beta1." in full and full.replace(".v1beta1.", ".v1.") in contract.methods()
        ours = full.startswith(contract.VERTEX) or method.service in contract.MIXINS
        if ours and not beta and not method.client_streaming:
            found[full] = method
    return found


def page(known: Mapping[str, bool]) -> str:
    """Return the page for methods by full name."""
    services: dict[str, list[str]] = {}
    for full in known:
        services.setdefault(full.rpartition(".")[0], []).append(full)
    total = f"{sum(known.values())} of {len(known)} methods are built.\n"
    return "\n".join(
        [INTRODUCTION, total, *(_section(service, known, services[service]) for service in sorted(services))]
    )


def _section(service: str, known: Mapping[str, bool], methods: Iterable[str]) -> str:
    done = [full.rpartition(".")[2] for full in sorted(methods) if known[full]]
    missing = [full.rpartition(".")[2] for full in sorted(methods) if not known[full]]
    title = service.removeprefix(contract.VERTEX)
    lines = [f"## {title}", ""]
    lines += [f"- Built: {', '.join(done)}"] if done else []
    lines += [f"- Not built: {', '.join(missing)}"] if missing else []
    return "\n".join([*lines, ""])


def built(home: Path) -> dict[str, bool]:
    """Start a server on a home of its own and ask it."""
    environment = {**os.environ, "TRIGPOINT_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    log = home / "coverage.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "trigpoint.server", "serve"]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        info = _wait(home, process, log)
        return ask(f"localhost:{info.port}", Path(info.ca_bundle), Path(info.key_file))
    finally:
        process.terminate()
        process.wait(30)


def _wait(home: Path, process: subprocess.Popen[bytes], log: Path) -> ready.Ready:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        info = ready.read(home / "run")
        if info is not None:
            return info
        time.sleep(0.05)
    raise SystemExit(f"the server did not start:\n{log.read_text()[-2000:]}")


def ask(address: str, bundle: Path, key: Path) -> dict[str, bool]:
    """Return for every method whether the server at an address has a handler for it."""
    credentials = grpc.ssl_channel_credentials(bundle.read_bytes())
    metadata = [("authorization", f"Bearer {_token(json.loads(key.read_text()))}")]
    with grpc.secure_channel(address, credentials, [("grpc.enable_http_proxy", 0)]) as channel:
        return {full: _has(channel, method, metadata) for full, method in names().items()}


def _has(channel: grpc.Channel, method: contract.Method, metadata: list[tuple[str, str]]) -> bool:
    path = f"/{method.service}/{method.name}"
    try:
        if method.server_streaming:
            next(iter(channel.unary_stream(path)(b"", metadata=metadata, timeout=30)), None)
        else:
            channel.unary_unary(path)(b"", metadata=metadata, timeout=30)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNAUTHENTICATED:
            raise SystemExit(f"the server refused the operator's key: {error.details()}") from None
        return bool(error.code() is not grpc.StatusCode.UNIMPLEMENTED)
    return True


def _token(key: Mapping[str, str]) -> str:
    """Return a token that the account signs for itself, as Google's clients make them."""
    now = int(time.time())
    email = key["client_email"]
    claims = {"iss": email, "sub": email, "aud": "https://aiplatform.googleapis.com/", "iat": now, "exp": now + 600}
    return jwt.encode(claims, key["private_key"], algorithm="RS256", headers={"kid": key["private_key_id"]})


if __name__ == "__main__":
    main()
