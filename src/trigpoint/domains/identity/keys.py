"""RSA keys of accounts and what is made of them: key files, certificates, signatures; where they lie is the caller's.

Everything here is pure computation on key material and free of storage. Private keys never appear in an error.
"""

import base64
import datetime
import hashlib
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from trigpoint.domains.identity import rules

_LONGEST_TOKEN = 16_384
_LONGEST_HEADER = 1_024
_JWS = jwt.PyJWS(algorithms=["RS256"])


@dataclass(frozen=True, slots=True)
class Unverified:
    """A JWT whose signature nobody has checked yet: what is needed to find the key that must have made it."""

    key_id: str
    claims: rules.Claims
    token: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key with its id, which is derived from the public half (40 hexadecimal digits)."""

    private: rsa.RSAPrivateKey
    key_id: str

    @property
    def public_pem(self) -> str:
        """The public half as PEM."""
        public = self.private.public_key()
        return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def private_pem(self) -> str:
        """The private half as unencrypted PKCS 8 PEM: for the key file and for our own folder of keys only."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def sign(self, data: bytes) -> bytes:
        """Return the RSA PKCS 1 v1.5 signature over SHA-256, which is what signBlob gives."""
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def sign_claims(self, claims: dict[str, Any]) -> str:
        """Return a compact RS256 JWT that names this key."""
        return _JWS.encode(orjson.dumps(claims), self.private, algorithm="RS256", headers={"kid": self.key_id})


def generate() -> Pair:
    """Return a new key of 2048 bits; takes about 50 ms of CPU."""
    return _pair(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def load(pem: bytes) -> Pair:
    """Return the key in a PEM; ValueError when it holds no RSA key."""
    private = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return _pair(private)


def public(pem: str) -> rsa.RSAPublicKey:
    """Return the public key in a PEM that `Pair.public_pem` made."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def read_token(token: str) -> Unverified | None:
    """Return what a JWT says of itself, or None when it is no RS256 JWT with a key id of ours and sound claims."""
    head, _, rest = token.partition(".")
    body = rest.partition(".")[0]
    if len(token) > _LONGEST_TOKEN or len(head) > _LONGEST_HEADER or token.count(".") != 2:
        return None
    header, payload = _object(head), _object(body)
    if header is None or payload is None or header.get("alg") != "RS256" or not rules.is_key_id(header.get("kid")):
        return None
    if "crit" in header or "b64" in header:
        return None
    found = rules.claims(payload)
    return Unverified(header["kid"], found, token) if found is not None else None


def token_holds(token: str, key: rsa.RSAPublicKey) -> bool:
    """Return whether a JWT carries a valid RS256 signature of this key. No other algorithm is ever considered."""
    try:
        _JWS.decode_complete(token, key, algorithms=["RS256"])
    except jwt.PyJWTError:
        return False
    return True


def blob_holds(data: bytes, signature: bytes, key: rsa.RSAPublicKey) -> bool:
    """Return whether a signature over these bytes is this key's."""
    try:
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def key_file(pair: Pair, *, email: str, unique_id: str, project_id: str) -> bytes:
    """Return Google's JSON key file for an account (vertex-services.md section 9.1)."""
    document = {
        "type": "service_account",
        "project_id": project_id,
        "private_key_id": pair.key_id,
        "private_key": pair.private_pem,
        "client_email": email,
        "client_id": unique_id,
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{email.replace('@', '%40')}",
        "universe_domain": "googleapis.com",
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def jwk(key_id: str, key: rsa.RSAPublicKey) -> dict[str, str]:
    """Return a public key as a JSON Web Key."""
    numbers = key.public_numbers()
    return {
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": key_id,
        "n": _base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
        "e": _base64url(numbers.e.to_bytes(3, "big")),
    }


def certificate(pair: Pair, name: str) -> str:
    """Return a self-signed X.509 certificate of a key as PEM, the form in which Google publishes public keys."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(pair.private.public_key())
        .serial_number(int(pair.key_id[:30], 16) + 1)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC))
        .sign(pair.private, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _pair(private: rsa.RSAPrivateKey) -> Pair:
    spki = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Pair(private, hashlib.sha256(spki).hexdigest()[:40])


def _object(part: str) -> dict[str, Any] | None:
    """Return the JSON object in one part of a JWT; orjson bounds its depth."""
    try:
        found = orjson.loads(base64.b64decode(part.encode("ascii") + b"=" * (-len(part) % 4), b"-_", validate=True))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
