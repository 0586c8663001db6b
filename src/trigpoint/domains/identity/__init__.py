"""Who calls: service accounts, keys, tokens, replicas. Serves IAM v1 and IAM Credentials v1; `authenticate` is for all.

`Identity` proves callers and issues tokens; `rpc` holds the two APIs. Projects are handed in (`ProjectBook`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import rsa

from trigpoint.core.call import Caller
from trigpoint.core.clock import SECOND, Clock, Ids, Micros
from trigpoint.core.errors import Aborted, NotFound, PermissionDenied, Unauthenticated
from trigpoint.domains.identity import keys, rules, sentences
from trigpoint.domains.identity.accounts import SYSTEM_MANAGED, Account, Accounts, Key, ProjectBook, ProjectFacts
from trigpoint.domains.identity.proofs import Proof, Proofs
from trigpoint.domains.identity.replicas import Replica, Replicas
from trigpoint.domains.identity.tokens import PREFIX, Grant, Sealer
from trigpoint.domains.identity.vault import Vault
from trigpoint.store import Store, Tx

__all__ = ["Account", "Identity", "Issued", "Key", "ProjectBook", "Replica"]

OPERATOR_FILE = "operator.json"
_STEP = 300 * SECOND
"""A replica's tokens are renewed in steps, so that a program that asks at each call gets the same one."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was just issued; never log it."""

    token: str
    expires: Micros
    kind: str = "access_token"
    """`access_token` or `id_token`."""


class Identity:
    """Proves who calls and issues tokens. Thread-safe; `folder` is the home's folder of keys."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, projects: ProjectBook, folder: Path) -> None:
        self._store, self._clock, self._ids, self._projects = store, clock, ids, projects
        self._vault = Vault(folder)
        self._proofs = Proofs()
        self._sealer = Sealer(self._vault.secret("tokens.secret"))
        self.accounts = Accounts(store, clock, ids, projects, self._proofs.forget)
        self.replicas = Replicas(store, clock)

    # -- at start

    def prepare(self, project: str) -> None:
        """Make the accounts that every project has: the Custom Code Service Agent and Compute's default. Idempotent."""
        self.accounts.ensure(
            project, rules.custom_code_agent(project), display_name="Vertex AI Custom Code Service Agent"
        )
        self.accounts.ensure(
            project, rules.compute_default(project), display_name="Compute Engine default service account"
        )

    def prepare_operator(self, project_id: str) -> Path:
        """Return the operator's key file, made or renewed when there is no living key in it. Idempotent.

        The operator belongs to the default project and may act in all; the file is 0600 in the folder of keys.
        """
        project = self._project(project_id)
        self.prepare(project.number)
        email = rules.account_email("operator", project.id)
        account = self.accounts.ensure(project.number, email, display_name="Operator", operator=True)
        if not self._alive_file(account):
            pair = keys.generate()
            self.accounts.add_key(account, pair)
            document = keys.key_file(pair, email=email, unique_id=account.unique_id, project_id=project.id)
            self._vault.write(OPERATOR_FILE, document)
        return self._vault.path(OPERATOR_FILE)

    # -- on every request

    def authenticate(self, headers: Mapping[str, str], replica: str | None = None) -> Caller:
        """Return who sent a request, by its headers (lower-case names); Unauthenticated with Google's texts otherwise.

        `replica` is the replica whose own socket the request came through, if any: another replica's token is
        refused there. Microseconds for a token seen before, else one read of the database: call it in a thread.
        """
        return self.recall(headers, replica) or self._admitted(self._prove(_bearer(headers)), replica)

    def recall(self, headers: Mapping[str, str], replica: str | None = None) -> Caller | None:
        """Return who sent a request if its token was verified before, without touching the database; None if not.

        Unauthenticated when there is no token at all, or when it has died since. Fit for the event loop.
        """
        proof = self._proofs.get(_bearer(headers))
        return self._admitted(proof, replica) if proof is not None else None

    # -- tokens

    def exchange(self, assertion: str) -> Issued:
        """Return the token for a JWT-bearer assertion; Unauthenticated with OAuth's error word as reason otherwise."""
        found = keys.read_token(assertion)
        if found is None:
            raise Unauthenticated("Bad Request: assertion is not a valid RS256 JWT.", reason="invalid_grant")
        account, key = self.accounts.find_with_key(found.claims.issuer, found.key_id)
        if account is None or not account.enabled or not self._active(account.project):
            raise Unauthenticated("Invalid grant: account not found", reason="invalid_grant")
        if not self._holds(found, key):
            raise Unauthenticated("Invalid JWT Signature.", reason="invalid_grant")
        rules.accept_assertion(found.claims, self._clock.wall())
        if found.claims.target and not found.claims.scope.strip():
            return self.id_token(account, found.claims.target)
        return self.access_token(account, scope=found.claims.scope, key_id=found.key_id)

    def access_token(
        self,
        account: Account,
        *,
        scope: str,
        lifetime: Micros = rules.LIFETIME,
        key_id: str = "",
        by: Caller | None = None,
    ) -> Issued:
        """Return a fresh access token of an account; it dies with the key, or with the attempt of the replica `by`."""
        found = self.replicas.find(by.replica) if by is not None and by.replica else None
        if by is not None and by.replica and found is None:
            raise _refused("ACCESS_TOKEN_EXPIRED")
        expires = self._clock.wall() + lifetime
        replica, attempt = (found.name, found.attempt) if found is not None else ("", "")
        grant = Grant(account.email, expires, key_id, replica, attempt, scope[:1024], self._ids.hex(16))
        return Issued(self._sealer.seal(grant), expires)

    def id_token(self, account: Account, audience: str, *, include_email: bool = True) -> Issued:
        """Return an OpenID Connect token for an audience, signed by the key that `public_keys` shows."""
        now = self._clock.wall() // SECOND
        claims: dict[str, Any] = {
            "iss": "https://accounts.google.com",
            "aud": audience,
            "azp": account.unique_id,
            "sub": account.unique_id,
            "iat": now,
            "exp": now + rules.LIFETIME // SECOND,
        }
        if include_email:
            claims |= {"email": account.email, "email_verified": True}
        token = self._vault.pair("id-tokens.pem").sign_claims(claims)
        return Issued(token, claims["exp"] * SECOND, "id_token")

    def public_keys(self) -> list[tuple[str, str, rsa.RSAPublicKey]]:
        """Return id, certificate and public half of the keys that sign ID tokens."""
        pair = self._vault.pair("id-tokens.pem")
        return [(pair.key_id, keys.certificate(pair, "id-tokens"), pair.private.public_key())]

    def describe(self, token: str) -> Grant:
        """Return what a living access token of ours stands for; Unauthenticated otherwise."""
        proof = self._proofs.get(token) or self._prove(token)
        self._admitted(proof, None)
        grant = self._sealer.open(token)
        if grant is None:
            raise _refused("ACCESS_TOKEN_TYPE_UNSUPPORTED")
        return grant

    def now(self) -> Micros:
        """Return the instant by which tokens are judged."""
        return self._clock.wall()

    # -- signatures of accounts

    def sign_blob(self, account: Account, data: bytes) -> tuple[str, bytes]:
        """Return key id and signature by the key that we hold for an account, made at first use."""
        pair = self._own_key(account)
        return pair.key_id, pair.sign(data)

    def sign_jwt(self, account: Account, claims: dict[str, Any]) -> tuple[str, str]:
        """Return key id and JWT by that key. Such a JWT is a statement of the account's, never a credential here."""
        pair = self._own_key(account)
        return pair.key_id, pair.sign_claims(claims)

    def signer(self, email: str) -> tuple[Caller, list[rsa.RSAPublicKey]] | None:
        """Return an account as a caller and the public halves of its living keys; None unless it may act now."""
        account, caller = self.accounts.find(email), self.caller(email)
        if account is None or caller is None:
            return None
        return caller, [keys.public(key.public_pem) for key in self.accounts.keys(account) if key.enabled]

    def caller(self, email: str) -> Caller | None:
        """Return an account as a caller; None unless it may act now."""
        account = self.accounts.find(email)
        if account is None or not account.enabled or not self._active(account.project):
            return None
        return Caller(account.email, account.project, operator=account.operator)

    def verify_blob(self, email: str, data: bytes, signature: bytes) -> bool:
        """Return whether one of an enabled account's living keys made a signature (signed URLs)."""
        account = self.accounts.find(email)
        if account is None or self.caller(email) is None:
            return False
        living = [key for key in self.accounts.keys(account) if key.enabled]
        return any(keys.blob_holds(data, signature, keys.public(key.public_pem)) for key in living)

    # -- replicas

    def acts_as(self, project: str, service_account: str = "") -> Account:
        """Return the account that training code of a project (its number) runs as; empty for the default agent.

        PermissionDenied as Vertex says it when the account is absent, disabled, foreign, or the operator's.
        """
        wanted = service_account or rules.custom_code_agent(project)
        if not service_account:
            self.prepare(project)
        account = self.accounts.find(wanted)
        if account is None or not account.enabled or account.project != project or account.operator:
            raise PermissionDenied(sentences.NOT_TO_ACT_AS.format(account=wanted[:120]))
        return account

    def replica(self, name: str) -> Replica | None:
        """Return the identity of a living replica by its full name, or None."""
        return self.replicas.find(name)

    def begin_attempt(self, replica: Replica, tx: Tx | None = None) -> Replica:
        """Let a replica act for one attempt; an older attempt of the same replica ends. Idempotent.

        With `tx` it is part of the caller's transaction. Returns the identity with its tenant project filled in.
        """
        known = replace(replica, tenant=replica.tenant or self._project(replica.project).tenant)
        if tx is not None:
            self.replicas.begin(tx, known)
        else:
            self._store.write(lambda own: self.replicas.begin(own, known))
        return known

    def end_attempt(self, attempt: str, tx: Tx | None = None) -> None:
        """End all replicas of an attempt: their tokens are refused from the commit on. Idempotent."""
        if tx is not None:
            self.replicas.end(tx, attempt)
        else:
            self._store.write(lambda own: self.replicas.end(own, attempt))

    def replica_token(self, name: str, scope: str = rules.CLOUD_PLATFORM) -> Issued:
        """Return the access token of a living replica, good for 55 to 60 minutes and never beyond its attempt."""
        found = self.replicas.find(name)
        if found is None:
            raise NotFound("This replica has ended.")
        expires = self._clock.wall() // _STEP * _STEP + rules.LIFETIME
        grant = Grant(found.account, expires, "", found.name, found.attempt, scope[:1024])
        return Issued(self._sealer.seal(grant), expires)

    def surroundings(self, replica: Replica) -> ProjectFacts:
        """Return the project whose tenant project a replica runs in."""
        return self._project(replica.project)

    # -- inside

    def _prove(self, token: str) -> Proof:
        epoch = self._proofs.epoch
        proof = self._prove_sealed(token) if token.startswith(PREFIX) else self._prove_signed(token)
        self._proofs.put(token, proof, epoch)
        return proof

    def _prove_sealed(self, token: str) -> Proof:
        grant = self._sealer.open(token)
        if grant is None:
            raise _refused("ACCESS_TOKEN_TYPE_UNSUPPORTED")
        account, key = self.accounts.find_with_key(grant.email, grant.key_id)
        if account is None or (grant.key_id and (key is None or not key.enabled)):
            raise _refused("ACCOUNT_STATE_INVALID")
        return self._proof(account, grant.expires, grant.key_id, grant.replica, grant.attempt)

    def _prove_signed(self, token: str) -> Proof:
        found = keys.read_token(token)
        if found is None:
            raise _refused("ACCESS_TOKEN_TYPE_UNSUPPORTED")
        account, key = self.accounts.find_with_key(found.claims.issuer, found.key_id)
        if account is None or not self._holds(found, key):
            raise _refused("ACCESS_TOKEN_TYPE_UNSUPPORTED")
        rules.accept_bearer(found.claims, self._clock.wall())
        return self._proof(account, found.claims.expires + rules.SKEW, found.key_id)

    def _proof(self, account: Account, until: Micros, key_id: str, replica: str = "", attempt: str = "") -> Proof:
        if not account.enabled:
            raise _refused("ACCOUNT_STATE_INVALID")
        caller = Caller(account.email, account.project, operator=account.operator, replica=replica, key=key_id)
        known = self.replicas.find(replica) if replica else None
        if known is not None:
            caller = replace(caller, tenant=known.tenant)
        return Proof(caller, until, attempt)

    def _admitted(self, proof: Proof, replica: str | None) -> Caller:
        """Return the caller of a proof if it still holds and fits the socket that the request came through."""
        caller = proof.caller
        if self._clock.wall() >= proof.until:
            raise _refused("ACCESS_TOKEN_EXPIRED")
        if not self._active(caller.project):
            raise _refused("ACCOUNT_STATE_INVALID")
        if caller.replica and not self.replicas.alive(caller.replica, proof.attempt):
            raise _refused("ACCESS_TOKEN_EXPIRED")
        if not replica or replica == caller.replica:
            return caller
        through = self.replicas.find(replica)
        if through is None or caller.replica:
            raise _refused("ACCESS_TOKEN_TYPE_UNSUPPORTED")
        # A program in a replica may use a key of its own; what it does is still done in that replica.
        return replace(caller, replica=through.name, tenant=through.tenant)

    def _holds(self, found: keys.Unverified, key: Key | None) -> bool:
        """Return whether a key that people hold signed a token; the ones that we hold prove nobody."""
        if key is None or not key.enabled or key.type == SYSTEM_MANAGED:
            return False
        return keys.token_holds(found.token, keys.public(key.public_pem))

    def _own_key(self, account: Account) -> keys.Pair:
        pair = self._vault.pair(f"accounts/{account.unique_id}.pem")
        self.accounts.add_key(account, pair, SYSTEM_MANAGED)
        return pair

    def _alive_file(self, account: Account) -> bool:
        """Return whether the operator's file holds a living key of this account."""
        try:
            document = orjson.loads(self._vault.read(OPERATOR_FILE) or b"")
            pair = keys.load(document["private_key"].encode())
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        _, key = self.accounts.find_with_key(account.email, pair.key_id)
        return document.get("client_email") == account.email and key is not None and key.enabled

    def _project(self, segment: str) -> ProjectFacts:
        found = self._projects.find(segment)
        if found is None:
            raise Aborted(f"Project {segment[:80]} does not exist any more: read again and retry.")
        return found

    def _active(self, number: str) -> bool:
        found = self._projects.find(number)
        return found is not None and found.active


def _bearer(headers: Mapping[str, str]) -> str:
    """Return the bearer token of a request; Unauthenticated when there is none."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(rules.MISSING, reason="CREDENTIALS_MISSING")
    return token.strip()


def _refused(reason: str) -> Unauthenticated:
    return Unauthenticated(rules.INVALID, reason=reason)
