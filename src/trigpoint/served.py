"""What is served here: which app answers under which name and path, and what people and programs are told of it."""

from collections.abc import Mapping
from dataclasses import asdict

from trigpoint.console import Finding, Here, Offers, Start
from trigpoint.runtime import doctor, images, machines
from trigpoint.settings import Settings
from trigpoint.surfaces.front import Table
from trigpoint.surfaces.gcs import PREFIXES

PAGES = ("/console/", "/ai/", "/agent-platform/", "/vertex-ai/", "/logs/viewer", "/storage/browser/")
"""Where the console answers beside the APIs: its own pages, and the addresses that Google's SDK prints."""


def console_address(host: str, port: int) -> str:
    """Return where a browser finds the console: in clear on this machine, over TLS where others may come in."""
    if host in ("127.0.0.1", "localhost", "::1", ""):
        return f"http://{'[::1]' if host == '::1' else '127.0.0.1'}:{port}/console/"
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"https://{shown}:{port}/console/"


def variables(port: int, proxy_port: int, metadata: str) -> Mapping[str, str]:
    """Return what points a program without a sandbox at this server; `metadata` is its own metadata server."""
    proxy = f"http://127.0.0.1:{proxy_port}"
    direct = f"https://localhost:{port}"
    return {
        **dict.fromkeys(("grpc_proxy", "https_proxy", "HTTPS_PROXY"), proxy),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), f"localhost,127.0.0.1,{metadata.partition(':')[0]}"),
        **dict.fromkeys(("FSSPEC_GS_ENDPOINT_URL", "FSSPEC_GCS_ENDPOINT_URL"), direct),
        "GCE_METADATA_HOST": metadata,
        "GCE_METADATA_IP": metadata,
    }


def here(given: Settings) -> Here:
    """Return what the console tells of this installation and its machine."""
    return Here(
        home=given.home,
        start=Start(given.project, given.location, given.locations),
        offers=Offers(
            images.offered("training"), images.offered("prediction"), sorted(machines.MACHINES), machines.ACCELERATORS
        ),
        examine=lambda: [Finding(**asdict(one)) for one in doctor.examine(given.home)],
        memory_of=lambda name: machines.MACHINES[name].memory_bytes if name in machines.MACHINES else 0,
    )


def table(apps: Mapping[str, object]) -> Table:
    """Return which app answers under which host, and the union under localhost.

    Pages come before buckets there: a bucket called `console` is reached by its own host.
    """
    app = dict(apps)
    vertex, gcs, oauth, console = app["vertex"], app["gcs"], app["oauth"], app["console"]
    storage = [(prefix.decode(), gcs) for prefix in PREFIXES]
    tokens = [("/token", oauth), ("/tokeninfo", oauth), ("/oauth2/", oauth), ("/o/oauth2", oauth)]
    public_keys = [("/robot/", oauth), ("/service_accounts/", oauth), ("/userinfo", oauth)]
    hosts = {
        "storage.googleapis.com": [("/", gcs)],
        "www.googleapis.com": [*storage, *tokens, *public_keys],
        "oauth2.googleapis.com": [("/", oauth)],
        "openidconnect.googleapis.com": [("/", oauth)],
        "iam.googleapis.com": [("/", app["iam"])],
        "iamcredentials.googleapis.com": [("/", app["credentials"])],
        "cloudresourcemanager.googleapis.com": [("/", app["projects"])],
        "logging.googleapis.com": [("/", vertex)],
        "aiplatform.googleapis.com": [("/", vertex)],
        "*-aiplatform.googleapis.com": [("/", vertex)],
        "console.cloud.google.com": [("/", console)],
    }
    api = [(f"/{version}/", vertex) for version in ("v1", "v1beta1", "ui", "v2")]
    pages = [(prefix, console) for prefix in PAGES]
    local = [*pages, *storage, *tokens, *public_keys, *api, ("/v3/projects", app["projects"]), ("/", gcs)]
    return Table(hosts=hosts, local=local)  # type: ignore[arg-type]
