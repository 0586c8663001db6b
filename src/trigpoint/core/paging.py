"""Page tokens: where the next page begins, sealed to the query that it continues; reading pages is the store's.

A token is opaque to clients and holds only JSON values. It is authenticated with a key that is handed in, together
with everything that makes up the query (method, parent, filter, order, caller's project): one that was changed, or
that belongs to another query or another server, is refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from trigpoint.core import sentences
from trigpoint.core.errors import InvalidArgument, Violation

Plain = str | int | float | bool | None
"""What a keyset position is made of."""

_MAC = 16
_LONGEST = 8192


class Tokens:
    """Issues and reads page tokens. Immutable, thread-safe."""

    def __init__(self, key: bytes) -> None:
        """Seal with a secret of at least 16 bytes; tokens outlive the process as long as the key does."""
        if len(key) < 16:
            raise ValueError("a key of at least 16 bytes is needed")
        self._key = hmac.digest(key, b"page tokens", hashlib.sha256)

    def issue(self, after: Sequence[Plain], *query: str) -> str:
        """Return the token of the page that comes after this position of this query."""
        body = json.dumps(list(after), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(self._seal(body, query) + body).rstrip(b"=").decode()

    def read(self, token: str, *query: str) -> tuple[Plain, ...] | None:
        """Return the position that a token of this query holds, None for an empty token (the first page).

        InvalidArgument on `page_token` for any other.
        """
        if not token:
            return None
        raw = _unwrapped(token)
        seal, body = raw[:_MAC], raw[_MAC:]
        if not hmac.compare_digest(seal, self._seal(body, query)):
            raise _refused()
        return tuple(json.loads(body))

    def _seal(self, body: bytes, query: Sequence[str]) -> bytes:
        said = json.dumps(list(query)).encode()
        return hmac.digest(self._key, len(said).to_bytes(4) + said + body, hashlib.sha256)[:_MAC]


def page_size(asked: int, *, default: int = 100, most: int = 1000) -> int:
    """Return how many items a page holds: the default for 0, at most `most`; InvalidArgument below 0 (AIP-158)."""
    if asked < 0:
        raise InvalidArgument(violations=[Violation("page_size", sentences.NEGATIVE_SIZE.format(size=asked))])
    return min(asked or default, most)


def _unwrapped(token: str) -> bytes:
    if len(token) > _LONGEST or not token.isascii():
        raise _refused()
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise _refused() from wrong
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise _refused()
    return raw


def _refused() -> InvalidArgument:
    return InvalidArgument(violations=[Violation("page_token", sentences.BAD_TOKEN)])
