"""What makes an e-mail, a key id and the claims of a token acceptable: pure decisions; whose key it is lies elsewhere.

Sources: vertex-services.md sections 9.1 and 9.3 (measured claims, addresses of the default accounts).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trigpoint.core.clock import SECOND, Micros
from trigpoint.core.errors import Unauthenticated, Violation

SKEW = 60 * SECOND
"""How far a client's clock may be off (reliability.md R6)."""
LIFETIME = 3600 * SECOND
"""The longest life of a self-signed token, an assertion and an access token."""
TOKEN_AUDIENCES = frozenset(
    {
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com/oauth2/v4/token",
        "https://accounts.google.com/o/oauth2/token",
    }
)
CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"

MISSING = (
    "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
INVALID = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
BAD_LIFE = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)

_ACCOUNT_ID = re.compile(r"[a-z](?:[a-z0-9-]{4,28}[a-z0-9])")
_OWN = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]@([a-z][a-z0-9-]{4,28}[a-z0-9])\.iam\.gserviceaccount\.com")
_AGENT = re.compile(r"service-(\d{1,19})@gcp-sa-[a-z-]{1,40}\.iam\.gserviceaccount\.com")
_COMPUTE = re.compile(r"(\d{1,19})-compute@developer\.gserviceaccount\.com")
_KEY_ID = re.compile(r"[0-9a-f]{40}")
_FAR = 1 << 53
"""No instant is beyond this number of seconds; larger ones are refused before arithmetic."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one JWT that mean something to us; instants in microseconds, absent texts empty."""

    issuer: str
    subject: str
    audience: str
    scope: str
    issued: Micros
    expires: Micros
    target: str = ""
    """`target_audience`: the assertion asks for an ID token for it."""


def account_email(account_id: str, project_id: str) -> str:
    """Return the address of an account that a user creates."""
    return f"{account_id}@{project_id}.iam.gserviceaccount.com"


def custom_code_agent(number: str) -> str:
    """Return the address of a project's Custom Code Service Agent, the default identity of training code."""
    return f"service-{number}@gcp-sa-aiplatform-cc.iam.gserviceaccount.com"


def compute_default(number: str) -> str:
    """Return the address of a project's Compute Engine default account."""
    return f"{number}-compute@developer.gserviceaccount.com"


def project_segment(email: str) -> str:
    """Return the id or number of the project that an address belongs to, or "" when it is no account's address."""
    found = _AGENT.fullmatch(email) or _COMPUTE.fullmatch(email) or _OWN.fullmatch(email)
    return found.group(1) if found is not None else ""


def account_id(field: str, value: str) -> list[Violation]:
    """Check the id of a new account (6 to 30 of lower-case letters, digits and hyphens)."""
    if _ACCOUNT_ID.fullmatch(value):
        return []
    text = (
        f"{value[:60]!r} is no account id: give 6 to 30 lower-case letters, digits and hyphens, "
        "starting with a letter and not ending with a hyphen."
    )
    return [Violation(field, text)]


def is_key_id(value: object) -> bool:
    """Return whether a value has the form of our key ids: 40 hexadecimal digits."""
    return isinstance(value, str) and _KEY_ID.fullmatch(value) is not None


def claims(payload: Mapping[str, Any]) -> Claims | None:
    """Return the claims of a decoded payload, or None when one of them has a wrong type."""
    texts = [payload.get(key, "") for key in ("iss", "sub", "aud", "scope", "target_audience")]
    instants = [payload.get(key) for key in ("iat", "exp")]
    if not all(isinstance(text, str) for text in texts) or not all(_instant(value) for value in instants):
        return None
    issued, expires = (int(float(value) * SECOND) for value in instants if value is not None)
    return Claims(texts[0], texts[1], texts[2], texts[3], issued, expires, texts[4])


def timely(found: Claims, now: Micros) -> bool:
    """Return whether a token is in force now and short-lived, with the clocks `SKEW` apart."""
    return (
        found.issued <= now + SKEW
        and found.expires > now - SKEW
        and found.issued < found.expires <= found.issued + LIFETIME + SKEW
    )


def accept_bearer(found: Claims, now: Micros) -> None:
    """Check a self-signed token of either form; Unauthenticated otherwise. Its signature is checked elsewhere.

    The forms: a `scope` without `aud`, or an `aud` that is a Google API host.
    """
    if found.issuer != found.subject:
        raise Unauthenticated(INVALID, reason="ACCESS_TOKEN_TYPE_UNSUPPORTED")
    if found.expires <= now - SKEW:
        raise Unauthenticated(INVALID, reason="ACCESS_TOKEN_EXPIRED")
    scoped = bool(found.scope) and not found.audience
    if not timely(found, now) or not (scoped or _api_audience(found.audience)):
        raise Unauthenticated(INVALID, reason="ACCESS_TOKEN_TYPE_UNSUPPORTED")


def accept_assertion(found: Claims, now: Micros) -> None:
    """Check the claims of a JWT-bearer grant; Unauthenticated with OAuth's error word as reason otherwise."""
    if found.audience not in TOKEN_AUDIENCES:
        text = "Invalid JWT: Failed audience check. The right audience is https://oauth2.googleapis.com/token"
        raise Unauthenticated(text, reason="invalid_grant")
    if not timely(found, now):
        raise Unauthenticated(BAD_LIFE, reason="invalid_grant")
    if found.subject not in ("", found.issuer):
        text = (
            "Client is unauthorized to retrieve access tokens using this method, "
            "or client not authorized for any of the scopes requested."
        )
        raise Unauthenticated(text, reason="unauthorized_client")
    if not found.scope.strip() and not found.target:
        raise Unauthenticated("Invalid OAuth scope or ID token audience provided.", reason="invalid_scope")


def _instant(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _FAR


def _api_audience(audience: str) -> bool:
    """Return whether an audience is an API of Google's; the token endpoint is none, its assertions are no bearers."""
    try:
        parts = urlsplit(audience)
        host = parts.hostname or ""
    except ValueError:
        return False
    served = host == "googleapis.com" or host.endswith(".googleapis.com")
    return parts.scheme == "https" and served and audience not in TOKEN_AUDIENCES
