"""Who calls, from where, and what for: the facts every handler and event knows of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """A proved identity. `project` is the number of the project it belongs to."""

    email: str
    project: str
    operator: bool = False
    """The home's owner: may act in every project."""
    replica: str = ""
    """Full name of the replica whose token this is; empty for people and their scripts."""
    tenant: str = ""
    """Id of the tenant project that replica runs in."""
    key: str = ""
    """Id of the account key that proved it, directly or through the token endpoint; empty when none did."""

    def may_act_in(self, project: str) -> bool:
        """Return whether this identity may touch resources of a project, by its number."""
        return self.operator or self.project == project


@dataclass(frozen=True, slots=True)
class Client:
    """What the request's headers say of the program that sent it (sdk-contract.md section 2.2, Headers)."""

    library: str = ""
    """For example `model-builder/2.7.0` or `gl-python/3.11.7`."""
    method: str = ""
    """The SDK's own method, for example `google.cloud.aiplatform.jobs.CustomJob.__init__`."""
    environment: str = ""
    """WORKBENCH_INSTANCE, COLAB_ENTERPRISE, ... when the process says so."""
    agent: str = ""
    """The raw User-Agent, cut to 256 characters."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to a handler."""

    caller: Caller
    project: str = ""
    """Number of the project that the request addresses; empty when it names none."""
    location: str = ""
    version: str = "v1"
    """The API version the caller speaks; handlers always see v1 messages."""
    transport: str = "rest"
    method: str = ""
    """Full name of the RPC, v1 spelling."""
    client: Client = field(default_factory=Client)

    def told(self) -> Mapping[str, str]:
        """Return what the narrative keeps of how somebody called, beside who it was: only what is known."""
        client = self.client
        said = {
            "rpc": ".".join(self.method.rsplit(".", 2)[-2:]),
            "transport": self.transport,
            "version": self.version,
            "method": client.method,
            "library": client.library,
            "environment": client.environment,
            "agent": client.agent,
            "replica": self.caller.replica,
        }
        return {name: value for name, value in said.items() if value}
