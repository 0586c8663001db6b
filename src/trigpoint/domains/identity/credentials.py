"""IAM Credentials v1: tokens and signatures of an account, for itself and for the operator; wires are the surfaces'.

Until there are roles, an account may be used by itself only, and any account by the operator. What a replica gets
dies with its attempt. Source: google/iam/credentials/v1.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson

from trigpoint.core.call import Caller
from trigpoint.core.clock import SECOND, Micros, rfc3339
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from trigpoint.domains.identity import Identity, rules
from trigpoint.domains.identity.accounts import Account
from trigpoint.domains.identity.rpc import Handler, IamApi, Json, denied, text

_SECONDS = re.compile(r"(\d{1,6})(?:\.\d{1,9})?s")
_TWELVE_HOURS = 12 * 3600


class CredentialsApi:
    """Accepts calls of identified callers for tokens and signatures of accounts."""

    def __init__(self, identity: Identity, iam: IamApi) -> None:
        self._identity, self._iam = identity, iam

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods by name."""
        return {
            "GenerateAccessToken": self.generate_access_token,
            "GenerateIdToken": self.generate_id_token,
            "SignBlob": self.sign_blob,
            "SignJwt": self.sign_jwt,
            "GetAllowedLocations": self.allowed_locations,
        }

    def generate_access_token(self, caller: Caller, request: Json) -> Json:
        """Return an access token of at most an hour."""
        account = self._usable(caller, request, "getAccessToken")
        scopes = request.get("scope")
        if not isinstance(scopes, list) or not scopes or not all(isinstance(one, str) and one for one in scopes):
            raise InvalidArgument(violations=[Violation("scope", "give a list of at least one scope.")])
        lifetime = _lifetime(text(request, "lifetime"))
        key_id = caller.key if caller.email == account.email else ""
        issued = self._identity.access_token(
            account, scope=" ".join(scopes), lifetime=lifetime, key_id=key_id, by=caller
        )
        return {"accessToken": issued.token, "expireTime": rfc3339(issued.expires // SECOND * SECOND)}

    def generate_id_token(self, caller: Caller, request: Json) -> Json:
        """Return an OpenID Connect token for an audience."""
        account = self._usable(caller, request, "getOpenIdToken")
        audience = text(request, "audience")
        if not audience or len(audience) > 2048:
            raise InvalidArgument(violations=[Violation("audience", "give an audience of 1 to 2048 characters.")])
        wanted = request.get("includeEmail") is True
        return {"token": self._identity.id_token(account, audience, include_email=wanted).token}

    def sign_blob(self, caller: Caller, request: Json) -> Json:
        """Return the signature of bytes by the key that we hold for the account."""
        account = self._usable(caller, request, "signBlob")
        try:
            payload = text(request, "payload").replace("-", "+").replace("_", "/")
            data = base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if not data:
            raise InvalidArgument(violations=[Violation("payload", "give the bytes to sign, base64-encoded.")])
        key_id, signature = self._identity.sign_blob(account, data)
        return {"keyId": key_id, "signedBlob": base64.b64encode(signature).decode()}

    def sign_jwt(self, caller: Caller, request: Json) -> Json:
        """Return a JWT of the given claims by that key."""
        account = self._usable(caller, request, "signJwt")
        key_id, token = self._identity.sign_jwt(account, self._claims(text(request, "payload")))
        return {"keyId": key_id, "signedJwt": token}

    def allowed_locations(self, caller: Caller, request: Json) -> Json:
        """Return that no region is excluded (asked for by google-auth in the background)."""
        self._iam.account(caller, request, "get")
        return {"locations": [], "encodedLocations": "0x0"}

    def _claims(self, payload: str) -> dict[str, Any]:
        try:
            claims = orjson.loads(payload)
            orjson.dumps(claims)
        except (ValueError, TypeError):
            claims = None
        if not isinstance(claims, dict):
            raise InvalidArgument(violations=[Violation("payload", "give a JSON object of claims, as a string.")])
        now, expires = self._identity.now() // SECOND, claims.get("exp")
        if expires is None:
            return {**claims, "exp": now + 3600}
        if not isinstance(expires, int | float) or isinstance(expires, bool) or expires > now + _TWELVE_HOURS:
            said = "exp must be a number of seconds since 1970, at most 12 hours from now."
            raise InvalidArgument(violations=[Violation("payload", said)])
        return claims

    def _usable(self, caller: Caller, request: Json, verb: str) -> Account:
        """Return the account that a request names, if this caller may use it; foreign ones are as absent ones."""
        if request.get("delegates"):
            raise InvalidArgument(
                violations=[Violation("delegates", "chains of delegates are not supported: leave it out.")]
            )
        permission = f"iam.serviceAccounts.{verb}"
        try:
            account = self._iam.account(caller, request, verb)
        except NotFound:
            if caller.operator:
                raise
            raise denied(permission) from None
        if account.email != caller.email and not caller.operator:
            raise denied(permission)
        if not account.enabled:
            raise FailedPrecondition(f"Service account {account.email} is disabled: enable it first.")
        return account


def _lifetime(given: str) -> Micros:
    if not given:
        return rules.LIFETIME
    found = _SECONDS.fullmatch(given)
    if found is None or not 0 < int(found.group(1)) <= rules.LIFETIME // SECOND:
        raise InvalidArgument(violations=[Violation("lifetime", 'give 1 to 3600 seconds, such as "3600s".')])
    return int(found.group(1)) * SECOND
