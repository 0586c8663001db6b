"""oauth2.googleapis.com and its older paths on www.googleapis.com: tokens for assertions, and public keys.

Only a JWT-bearer grant yields a token; there are no people's logins here. Errors: vertex-services.md section 9.1.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any
from urllib.parse import parse_qsl

from trigpoint.core.clock import SECOND
from trigpoint.core.errors import InvalidArgument, NotFound, TrigpointError, Unauthenticated
from trigpoint.domains.identity import Identity, keys
from trigpoint.surfaces.identity.apis import prove
from trigpoint.surfaces.identity.http import Answer, App, Request, Routes, Rule, json_answer, json_body

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_ROUTES = Routes(
    [
        *((Rule("POST", path, "*"), "token") for path in ("/token", "/oauth2/v4/token", "/o/oauth2/token")),
        *((Rule(verb, "/tokeninfo"), "tokeninfo") for verb in ("GET", "POST")),
        *((Rule(verb, "/oauth2/{version}/tokeninfo"), "tokeninfo") for verb in ("GET", "POST")),
        (Rule("GET", "/oauth2/{version}/userinfo"), "userinfo"),
        (Rule("GET", "/userinfo"), "userinfo"),
        (Rule("GET", "/oauth2/v3/certs"), "jwks"),
        (Rule("GET", "/oauth2/v1/certs"), "certificates"),
        *((Rule("GET", f"/{root}/v1/metadata/x509/{{email}}"), "x509") for root in ("robot", "service_accounts")),
        *((Rule("GET", f"/{root}/v1/metadata/jwk/{{email}}"), "jwk") for root in ("robot", "service_accounts")),
        *((Rule("GET", f"/{root}/v1/jwk/{{email}}"), "jwk") for root in ("robot", "service_accounts")),
    ]
)


class OAuthApp(App):
    """The token endpoint, what tells of tokens, and the public keys of accounts and of ID tokens."""

    def __init__(self, identity: Identity, pool: Executor | None = None) -> None:
        super().__init__(pool)
        self._identity = identity

    async def answer(self, request: Request) -> Answer:
        """Answer one request; `token` and the public keys need no caller: an assertion proves itself."""
        name, _, variables = _ROUTES.find(request)
        if name == "userinfo":
            return await self._userinfo(request)
        acts: dict[str, Callable[[], Answer]] = {
            "token": lambda: self._token(request),
            "tokeninfo": lambda: self._tokeninfo(request),
            "jwks": lambda: json_answer({"keys": [keys.jwk(kid, key) for kid, _, key in self._identity.public_keys()]}),
            "certificates": lambda: json_answer({kid: pem for kid, pem, _ in self._identity.public_keys()}),
            "x509": lambda: self._of_account(variables["email"], certificates=True),
            "jwk": lambda: self._of_account(variables["email"], certificates=False),
        }
        return await asyncio.get_running_loop().run_in_executor(self._pool, acts[name])

    def _token(self, request: Request) -> Answer:
        try:
            form = _form(request)
        except InvalidArgument as error:
            return _oauth("invalid_request", error.message)
        grant = form.get("grant_type", "")
        if grant != GRANT:
            named = "Invalid grant_type: " + grant[:80] if grant else "Required parameter is missing: grant_type"
            return _oauth("unsupported_grant_type" if grant else "invalid_request", named)
        if not form.get("assertion"):
            return _oauth("invalid_request", "Required parameter is missing: assertion")
        try:
            issued = self._identity.exchange(form["assertion"])
        except Unauthenticated as error:
            return _oauth(error.reason, error.message, 401 if error.reason == "unauthorized_client" else 400)
        if issued.kind == "id_token":
            return json_answer({"id_token": issued.token})
        seconds = (issued.expires - self._identity.now()) // SECOND
        return json_answer({"access_token": issued.token, "expires_in": seconds, "token_type": "Bearer"})

    def _tokeninfo(self, request: Request) -> Answer:
        form = dict(request.query) | (_form(request) if request.verb == "POST" else {})
        token = form.get("access_token", "")
        try:
            grant = self._identity.describe(token)
        except Unauthenticated:
            return _oauth("invalid_token", "Invalid Value")
        account = self._identity.accounts.find(grant.email)
        if account is None:
            return _oauth("invalid_token", "Invalid Value")
        left = (grant.expires - self._identity.now()) // SECOND
        told = {"azp": account.unique_id, "aud": account.unique_id, "sub": account.unique_id, "scope": grant.scope}
        told |= {"exp": str(grant.expires // SECOND), "expires_in": str(left), "access_type": "online"}
        return json_answer(told | {"email": grant.email, "email_verified": "true"})

    async def _userinfo(self, request: Request) -> Answer:
        caller = await prove(self._identity, request.headers, request.replica, self._pool)
        loop = asyncio.get_running_loop()
        account = await loop.run_in_executor(self._pool, self._identity.accounts.find, caller.email)
        if account is None:
            raise NotFound("The account was deleted meanwhile.")
        told = {"sub": account.unique_id, "id": account.unique_id, "email": account.email}
        return json_answer(told | {"email_verified": True, "verified_email": True})

    def _of_account(self, email: str, *, certificates: bool) -> Answer:
        account = self._identity.accounts.find(email)
        if account is None:
            raise NotFound(f"Service account {email[:120]} does not exist.")
        living = [key for key in self._identity.accounts.keys(account) if key.enabled]
        if certificates:
            return json_answer({key.key_id: key.certificate for key in living})
        return json_answer({"keys": [keys.jwk(key.key_id, keys.public(key.public_pem)) for key in living]})

    def refuse(self, error: TrigpointError) -> Answer:
        """Return OAuth's form of an error for bad requests, Google's for the rest."""
        if isinstance(error, InvalidArgument):
            return _oauth("invalid_request", error.message)
        return super().refuse(error)


def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form or of a JSON object; InvalidArgument for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        found: dict[str, Any] = json_body(request)
        return {key: value for key, value in found.items() if isinstance(value, str)}
    try:
        return dict(parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise InvalidArgument("The body is no form: send application/x-www-form-urlencoded.") from None


def _oauth(error: str, description: str, code: int = 400) -> Answer:
    return json_answer({"error": error, "error_description": description}, code)
