"""The surfaces of identity behind a real front, in a thread of its own, and how a client's program sees them."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import requests
import uvloop

from trigpoint.core import status
from trigpoint.domains.identity import Replica
from trigpoint.domains.identity.credentials import CredentialsApi
from trigpoint.domains.identity.rpc import IamApi
from trigpoint.domains.projects.rpc import ProjectsApi
from trigpoint.kernel.recorder import Recorder
from trigpoint.surfaces.front import Authority, Front, FrontOptions, Table
from trigpoint.surfaces.identity import (
    CredentialsApp,
    IamApp,
    MetadataApp,
    OAuthApp,
    ResourceManagerApp,
    resource_manager_rpcs,
)

from .conftest import Home

REPLICA = "projects/1/locations/us-central1/customJobs/7/replicas/workerpool0-0"


class Served:
    """A home whose surfaces are up."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        identity, folder = home.identity, home.folder
        self.projects_api = ProjectsApi(home.projects, identity.prepare)
        iam = IamApi(identity, home.projects)
        handlers = self.projects_api.handlers()
        oauth = OAuthApp(identity)
        table = Table(
            hosts={
                "oauth2.googleapis.com": [("/", oauth)],
                "www.googleapis.com": [("/oauth2", oauth), ("/service_accounts", oauth), ("/robot", oauth)],
                "iam.googleapis.com": [("/", IamApp(identity, iam.handlers()))],
                "iamcredentials.googleapis.com": [
                    ("/", CredentialsApp(identity, CredentialsApi(identity, iam).handlers()))
                ],
                "cloudresourcemanager.googleapis.com": [("/", ResourceManagerApp(identity, handlers))],
            }
        )
        authority = Authority.open(folder / "keys", home.clock, [])
        self.bundle = authority.write_bundle(folder / "bundle.pem")
        self.recorder = Recorder(home.store, home.clock)
        self.metadata_app = MetadataApp(identity, recorder=self.recorder)
        options = FrontOptions(run=folder / "run", grace=0.5)
        rpcs = resource_manager_rpcs(identity, handlers)
        self.front = Front(table, rpcs, authority, options, metadata=self.metadata_app, details=status.status_bytes)
        self.run(self.front.start())
        self.proxy = f"http://127.0.0.1:{self.front.proxy_address[1]}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(self.bundle)
        self.session.proxies = {"https": self.proxy}
        self.operator = self.bearer(self.operator_token())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def stop(self) -> None:
        self.session.close()
        self.run(self.front.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    def operator_token(self) -> str:
        account = self.home.identity.accounts.find("operator@demo-project.iam.gserviceaccount.com")
        assert account is not None
        return self.home.identity.access_token(account, scope="x").token

    def bearer(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    def call(
        self, verb: str, url: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        auth = self.operator if headers is None else headers
        return self.session.request(verb, url, data=data, headers=auth, timeout=20, **more)

    def begin(self, name: str = REPLICA, attempt: str = "attempt-1") -> tuple[Replica, str]:
        """Begin a replica of the default project and return it with the address of its metadata server."""
        number = self.home.project.number
        account = self.home.identity.acts_as(number)
        replica = self.home.identity.begin_attempt(Replica(name, attempt, number, account.email))
        host, port = self.run(self.front.open_metadata(name))
        return replica, f"{host}:{port}"

    def end(self, replica: Replica) -> None:
        self.home.identity.end_attempt(replica.attempt)
        self.run(self.front.close_replica(replica.name))

    def python(self, script: str, **more: str) -> list[str]:
        """Run a client's program: nothing but its environment says where we are."""
        dropped = ("proxy", "google", "gce_", "no_gce")
        kept = {k: v for k, v in os.environ.items() if not any(word in k.lower() for word in dropped)}
        bundle = dict.fromkeys(
            ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"), str(self.bundle)
        )
        env = {**kept, **bundle, "https_proxy": self.proxy, "no_proxy": "127.0.0.1", "HOME": str(self.home.folder)}
        command = [sys.executable, "-W", "ignore", "-c", script]
        done = subprocess.run(command, env=env | more, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


def open_served(folder: Path) -> Served:
    """Open a home in a folder and serve it."""
    home = Home(folder)
    home.open()
    return Served(home)
