"""Signed URLs: proves that an account's key signed this very request (V4, and the client's default V2)."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from trigpoint.core.call import Caller
from trigpoint.core.clock import SECOND, Clock
from trigpoint.core.errors import InvalidArgument, PermissionDenied, Violation
from trigpoint.surfaces.gcs.asking import Ask

WEEK = 604_800
SKEW = 15 * 60


class Signer(NamedTuple):
    """Whose signatures count, and the public halves of the keys that are alive."""

    caller: Caller
    keys: Sequence[RSAPublicKey]


Signers = Callable[[str], Signer | None]
"""Returns the signer with an e-mail address; None when there is none or it is disabled. May block."""


def is_signed(ask: Ask) -> bool:
    """Return whether the request carries a signature in its query."""
    return "X-Goog-Signature" in ask.query or ("Signature" in ask.query and "GoogleAccessId" in ask.query)


def verify(ask: Ask, signers: Signers, clock: Clock) -> Caller:
    """Return whose signature the request carries; PermissionDenied when it is none, is too old or too early."""
    if "X-Goog-Signature" in ask.query:
        email, text, signature = _v4(ask, clock.wall() // SECOND)
    else:
        email, text, signature = _v2(ask, clock.wall() // SECOND)
    signer = signers(email)
    for key in () if signer is None else signer.keys:
        try:
            key.verify(signature, text, PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        if signer is not None:
            return signer.caller
    raise PermissionDenied(
        "Access denied: the request signature we calculated does not match the signature you provided. "
        "Check the signing account's key, the method, the path and the signed headers."
    )


def _v4(ask: Ask, now: int) -> tuple[str, bytes, bytes]:
    query = ask.query
    if query.get("X-Goog-Algorithm") != "GOOG4-RSA-SHA256":
        raise InvalidArgument(violations=[Violation("X-Goog-Algorithm", "must be GOOG4-RSA-SHA256")])
    email, _, scope = query.get("X-Goog-Credential", "").partition("/")
    date, signed = query.get("X-Goog-Date", ""), query.get("X-Goog-SignedHeaders", "")
    try:
        begins = int(datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
        lifetime = int(query.get("X-Goog-Expires", ""))
        signature = bytes.fromhex(query["X-Goog-Signature"])
    except ValueError:
        raise InvalidArgument("The signed URL is malformed: X-Goog-Date, X-Goog-Expires or X-Goog-Signature.") from None
    if not 0 < lifetime <= WEEK or now > begins + lifetime or now < begins - SKEW:
        raise PermissionDenied("Expired token: the signed URL is past its time or not valid yet. Sign a new one.")
    if "host" not in signed.split(";"):
        raise InvalidArgument(violations=[Violation("X-Goog-SignedHeaders", "must contain host")])
    headers = "".join(f"{name}:{' '.join(ask.header(name).split())}\n" for name in signed.split(";"))
    pairs = parse_qsl(ask.raw_query.decode("latin-1"), keep_blank_values=True)
    kept = sorted((_encode(k), _encode(v)) for k, v in pairs if k != "X-Goog-Signature")
    canonical = "\n".join(
        [
            ask.method,
            ask.path.decode("latin-1"),
            "&".join(f"{key}={value}" for key, value in kept),
            headers,
            signed,
            ask.header("x-goog-content-sha256") or "UNSIGNED-PAYLOAD",
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return email, f"GOOG4-RSA-SHA256\n{date}\n{scope}\n{digest}".encode(), signature


def _v2(ask: Ask, now: int) -> tuple[str, bytes, bytes]:
    query = ask.query
    try:
        expires = int(query.get("Expires", ""))
        signature = base64.b64decode(query["Signature"])
    except ValueError:
        raise InvalidArgument("The signed URL is malformed: Expires or Signature.") from None
    if now > expires:
        raise PermissionDenied("Expired token: the signed URL is past its time. Sign a new one.")
    names = sorted(name for name in ask.headers if name.startswith("x-goog-"))
    extra = [f"{name}:{ask.header(name)}" for name in names if not name.startswith("x-goog-encryption")]
    method = "PUT" if ask.method == "RESUMABLE" else ask.method
    lines = [method, ask.header("content-md5"), ask.header("content-type"), str(expires), *extra]
    return query["GoogleAccessId"], "\n".join([*lines, ask.path.decode("latin-1")]).encode(), signature


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")
