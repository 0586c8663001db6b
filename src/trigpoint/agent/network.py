"""How a replica reaches the server, its peers and the world: by a network of its own, or by loopback."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import threading
from typing import Mapping

from . import linux, sentences
from .protocol import Address, RunSpec
from .relay import Proxy, Relay

METADATA = "169.254.169.254"
METADATA_HOSTS = ("metadata.google.internal", "metadata")
_PROXY_PORT = 3128
_PREFIX = 20


def peer_ip(rank: int) -> str:
    """Return the address of a gang's member in the gang's own network."""
    return f"10.128.{(rank + 2) >> 8}.{(rank + 2) & 255}"


class Network:
    """The network of one replica. Opened on the stage's thread."""

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self.relay = Relay(spec.network.socket)
        self._proxy = Proxy(self.relay, spec.network, spec.environment.index_hosts)
        self._counters = ""
        self.lost: list[str] = []
        self.env: dict[str, str] = {}
        """Variables that the program needs because of how its network is made."""
        self.address = Address(spec.hostname, "127.0.0.1", {})
        self.own = False

    def open_own(self) -> None:
        """Furnish the new, empty network that this thread is in: addresses, the relay, a cable to the peers."""
        spec = self._spec.network
        linux.loopback_up()
        linux.add_address("lo:1", METADATA, 32)
        self.own = True
        self._counters = f"/proc/{os.getpid()}/task/{threading.get_native_id()}/net/dev"
        if spec.socket:
            self.relay.listen(METADATA, 80, self.relay.to_server("metadata"))
            self.relay.listen("127.0.0.1", 443, self.relay.to_server("tls"))
        self.relay.listen("127.0.0.1", _PROXY_PORT, self._proxy.handle)
        self._set_proxy(f"http://127.0.0.1:{_PROXY_PORT}", spec.hosts)
        ip = "127.0.0.1"
        if spec.namespace:
            self._join(spec.namespace)
            ip = peer_ip(spec.rank)
        self.address = Address(self._spec.hostname, ip, {str(port): port for port in spec.ports})
        if spec.outbound:
            self.lost.append(sentences.PROXY_ONLY)

    def open_shared(self) -> None:
        """Use the machine's loopback: an unguessable address, ports of its own."""
        spec = self._spec.network
        ip = _loopback_address()
        if spec.socket:
            metadata = self.relay.listen(ip, 0, self.relay.to_server("metadata"))
            tls = self.relay.listen("127.0.0.1", 0, self.relay.to_server("tls"))
            self.env.update(
                GCE_METADATA_HOST=f"{ip}:{metadata}",
                GCE_METADATA_IP=f"{ip}:{metadata}",
                FSSPEC_GS_ENDPOINT_URL=f"https://localhost:{tls}",
                FSSPEC_GCS_ENDPOINT_URL=f"https://localhost:{tls}",
            )
        proxy = self.relay.listen(ip, 0, self._proxy.handle)
        self._set_proxy(f"http://{ip}:{proxy}", ())
        self.address = Address(ip, ip, _free_ports(spec.ports))
        self.lost.append(sentences.SHARED_NETWORK)

    def hosts(self, more: Mapping[str, str]) -> str:
        """Return the hosts file; `more` names peers whose addresses became known at the barrier."""
        spec = self._spec
        lines = ["127.0.0.1 localhost"]
        names = {spec.hostname: self.address.ip}
        if self.own:
            lines.append(f"{METADATA} {' '.join(METADATA_HOSTS)}")
            lines.extend(f"127.0.0.1 {host}" for host in spec.network.hosts)
            if spec.network.namespace:
                names.update({host: peer_ip(rank) for rank, host in enumerate(spec.network.peers)})
        names.update(more)
        lines.extend(f"{ip} {host}" for host, ip in names.items())
        return "\n".join(lines) + "\n"

    def bytes(self) -> tuple[int, int]:
        """Return bytes received and sent: through the relay, and over the gang's network."""
        received, sent = self.relay.bytes_in, self.relay.bytes_out
        with contextlib.suppress(OSError, ValueError, IndexError):
            if self._counters:
                with open(self._counters) as file:
                    for line in file:
                        name, _, numbers = line.partition(":")
                        if name.strip() == "eth0":
                            received += int(numbers.split()[0])
                            sent += int(numbers.split()[8])
        return received, sent

    def close(self) -> None:
        """Stop the relay."""
        self.relay.close()

    def _join(self, namespace: str) -> None:
        """Put one end of a new cable into this network, the other into the gang's switch."""
        end = "r" + secrets.token_hex(5)
        commands = f"link add {end} type veth peer name eth0 netns {threading.get_native_id()}\n"
        commands += f"link set {end} master br0 up\n"
        subprocess.run(
            ["ip", "-n", namespace, "-batch", "-"],
            input=commands.encode(),
            check=True,
            timeout=20,
            stdout=subprocess.DEVNULL,
        )
        linux.add_address("eth0", peer_ip(self._spec.network.rank), _PREFIX)

    def _set_proxy(self, url: str, direct: tuple[str, ...]) -> None:
        local = ("localhost", "127.0.0.1", METADATA, *METADATA_HOSTS, self._spec.hostname, *self._spec.network.peers)
        exempt = ",".join((*local, *direct))
        for name, value in (("http_proxy", url), ("https_proxy", url), ("no_proxy", exempt)):
            self.env[name] = self.env[name.upper()] = value


def _loopback_address() -> str:
    """Return a random loopback address, or 127.0.0.1 where only that one exists."""
    address = "127." + ".".join(str(1 + secrets.randbelow(254)) for _ in range(3))
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return "127.0.0.1"
    return address


def _free_ports(wanted: tuple[int, ...]) -> dict[str, int]:
    """Return a free port of the machine for each wanted one; all are held until all are chosen."""
    with contextlib.ExitStack() as stack:
        found = {}
        for port in wanted:
            probe = stack.enter_context(socket.socket())
            probe.bind(("", 0))
            found[str(port)] = int(probe.getsockname()[1])
        return found
