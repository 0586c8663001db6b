"""Who is let in: the matrix of credentials, and what takes them away again."""

import json
import os
import stat
from collections.abc import Callable
from typing import Any

import pytest

from trigpoint.core.errors import Unauthenticated
from trigpoint.domains.identity import keys

from .conftest import SCOPE, TOKEN_URL, Home, hs256, segment

EMAIL = "trainer@demo-project.iam.gserviceaccount.com"
Make = Callable[[Home, keys.Pair, keys.Pair], str]


def signed(**more: Any) -> Make:
    return lambda home, pair, _other: pair.sign_claims(home.claims(EMAIL, **more))


def headed(header: dict[str, Any], signature: str = "AAAA") -> Make:
    return lambda home, pair, _other: ".".join(
        [segment({"alg": "RS256", "kid": pair.key_id, **header}), segment(home.claims(EMAIL)), signature]
    )


def tampered(home: Home, pair: keys.Pair, _other: keys.Pair) -> str:
    head, _, signature = pair.sign_claims(home.claims(EMAIL)).split(".")
    return f"{head}.{segment(home.claims('operator@demo-project.iam.gserviceaccount.com'))}.{signature}"


def wrong_issuer(home: Home, pair: keys.Pair, _other: keys.Pair) -> str:
    claims = home.claims(EMAIL) | {"iss": [EMAIL]}
    return f"{segment({'alg': 'RS256', 'kid': pair.key_id})}.{segment(claims)}.AAAA"


def from_public_key(home: Home, pair: keys.Pair, _other: keys.Pair) -> str:
    return hs256({"alg": "HS256", "kid": pair.key_id}, home.claims(EMAIL), pair.public_pem.encode())


def of_another_key(home: Home, pair: keys.Pair, other: keys.Pair) -> str:
    return keys.Pair(other.private, pair.key_id).sign_claims(home.claims(EMAIL))


def sealed_by_another(home: Home, _pair: keys.Pair, _other: keys.Pair) -> str:
    token = home.identity.access_token(home.account("second"), scope=SCOPE).token
    return token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")


OTHER_APIS = "https://us-central1-aiplatform.googleapis.com/google.cloud.aiplatform.v1.JobService"

ACCEPTED: list[tuple[str, Make]] = [
    ("scope without audience", signed()),
    ("audience of the API", signed(scope=None, aud="https://aiplatform.googleapis.com/")),
    ("audience of a service", signed(scope=None, aud=OTHER_APIS)),
    ("clock 50 s ahead", lambda h, p, _o: p.sign_claims(shifted(h, 50))),
    ("expired 50 s ago", lambda h, p, _o: p.sign_claims(shifted(h, -3650))),
]
REFUSED: list[tuple[str, Make, str]] = [
    ("malformed", lambda *_: "not-a-token", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("not text", lambda *_: "\udcff\x00é.é.é", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("two parts", lambda *_: "eyJhbGciOiJSUzI1NiJ9.e30", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("deep JSON", lambda *_: f"{segment(b'[' * 700)}.{segment(b'[' * 9000)}.AA", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("far too long", lambda *_: "a." + "b" * 200_000 + ".c", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("expired", lambda h, p, _o: p.sign_claims(shifted(h, -3670)), "ACCESS_TOKEN_EXPIRED"),
    ("not yet valid", lambda h, p, _o: p.sign_claims(shifted(h, 70)), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("long-lived", signed(exp=1 << 40), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("no exp", signed(exp=None), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("exp of a wrong type", signed(exp="tomorrow"), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("exp of infinite size", signed(exp=1e308), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("audience elsewhere", signed(scope=None, aud="https://example.com/"), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    (
        "audience that ends alike",
        signed(scope=None, aud="https://evilgoogleapis.com/"),
        "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    ),
    ("an assertion", signed(aud=TOKEN_URL), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("neither scope nor audience", signed(scope=None), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("another subject", signed(sub="a@demo-project.iam.gserviceaccount.com"), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("issuer of a wrong type", wrong_issuer, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("issuer unknown", signed(iss="x@y", sub="x@y"), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("changed claims", tampered, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("signed by another key", of_another_key, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("unknown kid", lambda h, _p, o: o.sign_claims(h.claims(EMAIL)), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("kid of a wrong type", headed({"kid": 7}), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("kid that climbs", headed({"kid": "../" * 13 + "a"}), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("alg none", headed({"alg": "none"}, ""), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("alg None", headed({"alg": "None"}, ""), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("no signature", headed({}, ""), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("critical extension", headed({"crit": ["exp"]}), "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("HS256 with the public key", from_public_key, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("sealed by another home", sealed_by_another, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    ("sealed nonsense", lambda *_: "ya29..", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
]


def shifted(home: Home, seconds: int) -> dict[str, Any]:
    made = home.claims(EMAIL)
    return {**made, "iat": made["iat"] + seconds, "exp": made["exp"] + seconds}


@pytest.fixture
def robot(home: Home, pair: keys.Pair) -> Home:
    home.identity.accounts.add_key(home.account("trainer"), pair)
    return home


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in ACCEPTED])
def test_accepted(robot: Home, pair: keys.Pair, other_pair: keys.Pair, make: Make) -> None:
    token = make(robot, pair, other_pair)
    for _ in range(2):
        caller = robot.caller(token)
        assert (caller.email, caller.project, caller.operator) == (EMAIL, robot.project.number, False)
    assert robot.identity.recall({"authorization": f"bearer  {token}"}) == caller


@pytest.mark.parametrize(("make", "reason"), [pytest.param(make, why, id=name) for name, make, why in REFUSED])
def test_refused(robot: Home, pair: keys.Pair, other_pair: keys.Pair, make: Make, reason: str) -> None:
    token = make(robot, pair, other_pair)
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="Request had invalid authentication credentials") as refusal:
            robot.caller(token)
        assert refusal.value.reason == reason
        assert token not in refusal.value.message


def test_a_clock_that_was_wrong_for_a_while_keeps_nobody_out(robot: Home, pair: keys.Pair) -> None:
    robot.clock.advance(86_400)
    robot.clock.now()
    robot.clock.advance(-86_400)
    assert robot.caller(pair.sign_claims(robot.claims(EMAIL))).email == EMAIL
    exchanged = robot.identity.exchange(pair.sign_claims(robot.claims(EMAIL, aud=TOKEN_URL)))
    assert robot.caller(exchanged.token).email == EMAIL


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer  ", "Basic YTpi", "bearer\t"])
def test_missing(home: Home, value: str | None) -> None:
    with pytest.raises(Unauthenticated, match="missing required authentication credential") as refusal:
        home.identity.authenticate({} if value is None else {"authorization": value})
    assert refusal.value.reason == "CREDENTIALS_MISSING"


def disable_key(home: Home, pair: keys.Pair) -> None:
    account = home.identity.accounts.find(EMAIL)
    assert account is not None
    home.identity.accounts.change_key(account, pair.key_id, enabled=False)


def delete_key(home: Home, pair: keys.Pair) -> None:
    account = home.identity.accounts.find(EMAIL)
    assert account is not None
    home.identity.accounts.delete_key(account, pair.key_id)


def recreate(home: Home, _pair: keys.Pair) -> None:
    home.identity.accounts.delete(EMAIL)
    home.account("trainer")


REVOCATIONS: list[tuple[str, Callable[[Home, keys.Pair], Any]]] = [
    ("key disabled", disable_key),
    ("key deleted", delete_key),
    ("account disabled", lambda home, _pair: home.identity.accounts.set_enabled(EMAIL, False)),
    ("account deleted", lambda home, _pair: home.identity.accounts.delete(EMAIL)),
    ("account deleted and made again", recreate),
    ("an hour later", lambda home, _pair: home.clock.advance(3661)),
]


@pytest.mark.parametrize("revoke", [pytest.param(revoke, id=name) for name, revoke in REVOCATIONS])
def test_what_takes_credentials_away(robot: Home, pair: keys.Pair, revoke: Callable[[Home, keys.Pair], Any]) -> None:
    signed_itself = pair.sign_claims(robot.claims(EMAIL))
    exchanged = robot.identity.exchange(pair.sign_claims(robot.claims(EMAIL, sub=None, aud=TOKEN_URL))).token
    assert robot.caller(signed_itself) == robot.caller(exchanged)
    assert robot.caller(exchanged).key == pair.key_id
    revoke(robot, pair)
    for token in (signed_itself, exchanged):
        with pytest.raises(Unauthenticated):
            robot.caller(token)


def test_a_deleted_project_authenticates_nobody_until_it_is_back(home: Home, pair: keys.Pair) -> None:
    project = home.projects.create("other-project", "", {})
    account = home.account("trainer", project)
    home.identity.accounts.add_key(account, pair)
    token = pair.sign_claims(home.claims(account.email))
    caller = home.caller(token)
    assert caller.may_act_in(project.number)
    assert not caller.may_act_in(home.project.number)
    home.projects.delete(project.number)
    with pytest.raises(Unauthenticated):
        home.caller(token)
    with pytest.raises(Unauthenticated, match="account not found"):
        home.identity.exchange(pair.sign_claims(home.claims(account.email, aud=TOKEN_URL)))
    home.projects.undelete(project.number)
    assert home.caller(token) == caller


def test_tokens_and_the_operator_survive_a_restart(home: Home) -> None:
    document = json.loads(home.operator_file.read_bytes())
    operator = keys.load(document["private_key"].encode())
    email = document["client_email"]
    token = home.identity.exchange(operator.sign_claims(home.claims(email, aud=TOKEN_URL))).token
    assert home.caller(token).operator
    assert home.caller(token).may_act_in("1")
    home.restart()
    assert home.caller(token).operator
    assert json.loads(home.operator_file.read_bytes()) == document
    assert stat.S_IMODE(os.stat(home.operator_file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(home.operator_file.parent).st_mode) == 0o700


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"private_key": 1}', None])
def test_a_lost_operator_file_is_made_again(home: Home, damage: bytes | None) -> None:
    if damage is None:
        home.operator_file.unlink()
    else:
        home.operator_file.write_bytes(damage)
    home.restart()
    document = json.loads(home.operator_file.read_bytes())
    operator = keys.load(document["private_key"].encode())
    assert home.caller(operator.sign_claims(home.claims(document["client_email"]))).operator


def test_a_key_that_we_hold_proves_nobody(home: Home) -> None:
    account = home.account("trainer")
    _, token = home.identity.sign_jwt(account, home.claims(account.email))
    with pytest.raises(Unauthenticated):
        home.caller(token)
    _, assertion = home.identity.sign_jwt(account, home.claims(account.email, aud=TOKEN_URL))
    with pytest.raises(Unauthenticated, match="Signature"):
        home.identity.exchange(assertion)
