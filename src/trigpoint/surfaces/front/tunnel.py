"""Where the proxy may connect to: names resolved once, to public addresses only, or to what the settings list.

The address that was judged is the address that is connected to, so a name that resolves differently the second time
(DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses as text; raises OSError when the name is unknown."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_DIAL_SECONDS = 10.0


class RefusedError(Exception):
    """The proxy will not connect there. `status` is the HTTP status of the answer, the text is for the user."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Outbound:
    """What may be reached besides public addresses: host names (lower case) and networks, from the settings."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def parse(cls, entries: Sequence[str]) -> "Outbound":
        """Read entries such as `10.1.0.0/16`, `192.168.1.9` and `pypi.internal`."""
        names, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                names.add(entry.strip().lower().rstrip("."))
        return cls(frozenset(names), tuple(networks))

    def allows(self, host: str, address: Address) -> bool:
        """Return whether the proxy may connect to this address for this host."""
        if host in self.hosts or any(address in network for network in self.networks):
            return True
        return is_public(address) and not is_own(address)


def is_own(address: Address) -> bool:
    """Return whether an address is this machine's: what listens there may be closed to the internet, not to us."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))  # sends nothing: it only has the kernel choose where from
        except OSError:
            return False
        return ipaddress.ip_address(probe.getsockname()[0].partition("%")[0]) == address


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet, whatever it is wrapped in (mapped, NAT64, 6to4, Teredo)."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.sixtofour is not None or address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def resolve(host: str, port: int) -> Sequence[str]:
    """Resolve with the machine's resolver, in its order of preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def dial(
    host: str, port: int, outbound: Outbound, resolver: Resolver, protocol: Callable[[], asyncio.Protocol]
) -> asyncio.Protocol:
    """Connect to the first allowed address of `host` that answers; RefusedError says why nothing was connected."""
    try:
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in await resolver(host, port)]
    except (OSError, UnicodeError):
        raise RefusedError(502, f"The host {host!r} could not be found.") from None
    allowed = [address for address in addresses if outbound.allows(host, address)]
    if not allowed:
        raise RefusedError(
            403,
            f"The host {host!r} is not on the public internet. List it in the setting `tunnel_allow`.",
        )
    loop = asyncio.get_running_loop()
    for address in allowed:
        try:
            async with asyncio.timeout(_DIAL_SECONDS):
                _, made = await loop.create_connection(protocol, str(address), port)
                return made
        except OSError:
            continue
    raise RefusedError(502, f"The host {host!r} did not answer on port {port}.")
