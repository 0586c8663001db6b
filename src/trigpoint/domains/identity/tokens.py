"""Opaque access tokens: sealed by a secret of the home, so that they survive a restart and cost no row.

A token says for whom it was issued, by which key or for which attempt, and until when. Whether that key, account and
attempt are still alive is asked at each use by those who know.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

import orjson

from trigpoint.core.clock import SECOND, Micros

PREFIX = "ya29."
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for. `expires` is rounded up to a second."""

    email: str
    expires: Micros
    key_id: str = ""
    """The account key whose assertion it was exchanged for, if any: the token dies with it."""
    replica: str = ""
    """Full name of the replica it was issued to, if any."""
    attempt: str = ""
    """That replica's attempt: the token dies with it."""
    scope: str = ""
    nonce: str = ""
    """Makes two tokens of one second differ."""


class Sealer:
    """Seals and opens access tokens. Thread-safe; the secret never leaves it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, grant: Grant) -> str:
        """Return the token of a grant."""
        until = -(-grant.expires // SECOND)
        fields = [grant.email, until, grant.key_id, grant.replica, grant.attempt, grant.scope, grant.nonce]
        body = _text(orjson.dumps(fields))
        return f"{PREFIX}{body}.{self._mac(body)}"

    def open(self, token: str) -> Grant | None:
        """Return the grant of a token that we sealed, or None. Whether it has expired is for the caller to say."""
        body, dot, mac = token.removeprefix(PREFIX).rpartition(".")
        if not dot or len(token) > _LONGEST or not token.startswith(PREFIX) or not token.isascii():
            return None
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        email, until, key_id, replica, attempt, scope, nonce = orjson.loads(_bytes(body))
        return Grant(email, until * SECOND, key_id, replica, attempt, scope, nonce)

    def _mac(self, body: str) -> str:
        return _text(hmac.digest(self._secret, body.encode(), hashlib.sha256))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
