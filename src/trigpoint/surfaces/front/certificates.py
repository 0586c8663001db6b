"""The local certificate authority: one name-constrained CA kept in the home, leaves minted per name; trusts nobody.

A client that puts the CA into its bundle trusts it for the names in its constraints only, so a stolen key cannot
speak for a bank (RFC 5280 section 4.2.1.10; OpenSSL and BoringSSL enforce it on a root as well). Addresses are not
constrained, because gRPC would then refuse `127.0.0.1`.
"""

import datetime
import ipaddress
import os
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trigpoint.core.clock import Clock
from trigpoint.surfaces.front import hosts

_CA_LIFE = datetime.timedelta(days=3650)
_LEAF_LIFE = datetime.timedelta(days=90)
_SKEW = datetime.timedelta(days=1)
_CACHED_NAMES = 512
_NAME = "trigpoint_name"
_ALPN = ["http/1.1", "h2"]
"""Clients that offer both (curl, browsers) get HTTP/1.1; gRPC offers h2 alone (dependencies.md section 20)."""
_SYSTEM_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Authority:
    """The CA of one home. Thread-safe; leaves live in memory and are renewed at half of their life."""

    def __init__(
        self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, names: Sequence[str], clock: Clock
    ) -> None:
        self._certificate, self._key, self._clock = certificate, key, clock
        self._own = tuple(dict.fromkeys([*_default_names(), *names]))
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._contexts: dict[str, tuple[datetime.datetime, ssl.SSLContext]] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, directory: Path, clock: Clock, names: Sequence[str] = ()) -> "Authority":
        """Load the CA of `directory`, or make one there (key 0600) when there is none that covers `names`.

        `names` are our own host names and addresses besides the loopback ones. A CA that expires within a month
        or lacks a name is replaced: its clients must fetch the new bundle.
        """
        directory.mkdir(parents=True, exist_ok=True)
        found = _load(directory)
        now = _instant(clock)
        if (
            found is None
            or found[0].not_valid_after_utc < now + datetime.timedelta(days=30)
            or not _covers(found[0], names)
        ):
            found = _create(directory, now, names)
        return cls(found[0], found[1], names, clock)

    @property
    def pem(self) -> bytes:
        """The CA's certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def write_bundle(self, path: Path) -> Path:
        """Write the file for every CA variable of a client: the machine's public roots and our CA. Atomic."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(self.pem + b"\n" + public_roots())
        temporary.replace(path)
        return path

    def server_context(self) -> ssl.SSLContext:
        """Return a new context that serves the leaf of whatever name a client asks for."""
        context = self._new_context(self._own)
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        """Swap in the leaf of the name asked for; a name that is not ours keeps the default leaf and fails there."""
        wanted = hosts.host_name(name) if name else ""
        connection.__dict__[_NAME] = wanted
        connection.context = self._context_for((wanted,) if wanted and hosts.is_google(wanted) else self._own)

    def _context_for(self, names: tuple[str, ...]) -> ssl.SSLContext:
        if len(names) == 1 and names[0].endswith(".googleapis.com") and names[0].count(".") == 2:
            names = self._own
        now, key = _instant(self._clock), "\n".join(names)
        with self._lock:
            known = self._contexts.get(key)
            if known is not None and known[0] > now:
                return known[1]
            if len(self._contexts) >= _CACHED_NAMES:
                self._contexts.clear()
            context = self._new_context(names)
            self._contexts[key] = (now + _LEAF_LIFE / 2, context)
            return context

    def _new_context(self, names: Sequence[str]) -> ssl.SSLContext:
        now = _instant(self._clock)
        leaf = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Trigpoint")]))
            .issuer_name(self._certificate.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(min(now + _LEAF_LIFE, self._certificate.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return _context(leaf.public_bytes(serialization.Encoding.PEM) + self.pem, _pem(self._leaf_key))


def name_asked(connection: ssl.SSLObject) -> str:
    """Return the lower-case name that the client of a connection of ours asked for by SNI, or an empty string."""
    return str(connection.__dict__.get(_NAME, ""))


def public_roots() -> bytes:
    """Return the public roots that clients of this machine trust: the system's file (it holds an organisation's own
    CAs too), else certifi's where it is installed, else nothing."""
    candidates = [ssl.get_default_verify_paths().cafile, *_SYSTEM_ROOTS]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate).read_bytes()
    try:
        import certifi  # noqa: PLC0415  (optional)
    except ImportError:
        return b""
    return Path(certifi.where()).read_bytes()


def _default_names() -> tuple[str, ...]:
    regional = ("*.us.rep.googleapis.com", "*.eu.rep.googleapis.com")
    return ("localhost", "*.googleapis.com", *regional, "127.0.0.1", "::1")


def _create(
    directory: Path, now: datetime.datetime, names: Sequence[str]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Trigpoint"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Trigpoint local CA {x509.random_serial_number() % 10**8:08d}"),
        ]
    )
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _replace(directory / "ca.key", _pem(key), 0o600)
    _replace(directory / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate, key


def _load(directory: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    """Read the pair; None when a file is missing or they do not belong together (a kill between the two writes)."""
    try:
        certificate = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return certificate, key


def _permitted(names: Sequence[str]) -> list[x509.GeneralName]:
    """Host names only: BoringSSL (gRPC) refuses every chain with an address in the leaf and addresses constrained."""
    domains = [*hosts.GOOGLE_DOMAINS, "localhost", *(name for name in names if _address(name) is None)]
    return [x509.DNSName(domain) for domain in domains]


def _covers(certificate: x509.Certificate, names: Sequence[str]) -> bool:
    try:
        permitted = certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        return False
    return all(wanted in permitted for wanted in _permitted(names))


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _context(chain: bytes, key: bytes) -> ssl.SSLContext:
    """Make a server context; the ssl module reads certificates from files only, so they pass through a private one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    with TemporaryDirectory(prefix="trigpoint-") as folder:
        path = Path(folder, "leaf.pem")
        path.touch(0o600)
        path.write_bytes(chain + key)
        context.load_cert_chain(path)
    return context


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _replace(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _instant(clock: Clock) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(clock.wall() / 1_000_000, datetime.UTC)
