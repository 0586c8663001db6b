"""Google's own SDK, unmodified, on datasets, the model registry and metadata, over both transports."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.domains.parts import NUMBER
from tests.domains.stored import StoredParts

from trigpoint.core import errors
from trigpoint.core.call import Caller
from trigpoint.core.clock import SystemClock
from trigpoint.core.status import status_bytes
from trigpoint.domains.datasets import Datasets
from trigpoint.domains.models import Models
from trigpoint.domains.tensorboard import Tensorboards
from trigpoint.surfaces.front import Authority, Front, FrontOptions, Table
from trigpoint.surfaces.vertex import Parts, Vertex

CLIENT = Path(__file__).with_name("registry_client.py")


class Prover:
    """Knows one token."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def recall(self, headers: Mapping[str, str], replica: str | None = None) -> Caller | None:
        return self.authenticate(headers, replica)

    def authenticate(self, headers: Mapping[str, str], replica: str | None = None) -> Caller:
        if headers.get("authorization") != "Bearer good":
            raise errors.Unauthenticated("Request had invalid authentication credentials.")
        return self._caller


class Served:
    """The three slices behind the real Vertex surface and the real front, in a thread."""

    def __init__(self, home: Path) -> None:
        self.parts = made = StoredParts(home)
        files = made.storage.files
        files.write(NUMBER, "gs://bkt/data/1.csv", b"a,b\n1,2\n")
        files.write(NUMBER, "gs://bkt/model/model.joblib", b"x")
        self.datasets = Datasets(made.kernel, made.operations, made.standard, made.lineage, files, home)
        boards = Tensorboards(made.standard)
        models = Models(made.kernel, made.operations, made.queries, made.lineage, files)
        self.vertex = Vertex(
            Parts(
                handlers={
                    **made.lineage.handlers(),
                    **self.datasets.handlers(),
                    **models.handlers(),
                    **boards.handlers(),
                },
                prover=Prover(made.caller),
                projects={"my-project": NUMBER, NUMBER: NUMBER}.get,
                locations=("us-central1",),
                store=made.store,
                operations=made.operations,
                clock=SystemClock(),
            )
        )
        authority = Authority.open(home / "keys", SystemClock(), [])
        self.bundle = authority.write_bundle(home / "bundle.pem")
        table = Table(hosts={"*-aiplatform.googleapis.com": [("/", self.vertex.app)]}, local=[], names=frozenset())
        options = FrontOptions(run=home / "run", grace=0.5)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.front = self._run(self._started(Front(table, self.vertex.rpcs, authority, options, details=status_bytes)))

    async def _started(self, front: Front) -> Front:
        await front.start()
        return front

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def environment(self) -> Mapping[str, str]:
        proxy = f"http://127.0.0.1:{self.front.proxy_address[1]}"
        variables = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")
        kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        return {**kept, "https_proxy": proxy} | dict.fromkeys(variables, str(self.bundle))

    def close(self) -> None:
        self._run(self.front.stop())
        self.vertex.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(20)
        self.loop.close()
        self.datasets.close()
        self.parts.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.close()


def client(served: Served, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CLIENT), *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=served.environment(),
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_sdk_finds_its_registry_over_grpc_and_rest(served: Served) -> None:
    done = client(served, ["grpc", "rest"])
    assert done.returncode == 0, done.stderr[-6000:]
    assert [line for line in done.stdout.splitlines() if "passed" in line] == ["grpc passed", "rest passed"]
