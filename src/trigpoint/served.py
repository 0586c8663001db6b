"""What is served here: which app answers under which name and path, and what a new job may ask for."""

from collections.abc import Mapping

from trigpoint.console import Offers
from trigpoint.runtime import images, machines
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


def offers() -> Offers:
    """Return what the form for a new job offers."""
    return Offers(images.offered("training"), images.offered("prediction"), sorted(machines.MACHINES))


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
