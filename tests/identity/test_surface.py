"""The wires of identity: nothing without a valid identity, Google's shapes, and no answer of the 500s to bad input."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from trigpoint.domains.identity import keys
from trigpoint.domains.projects.rpc import ProjectsApi
from trigpoint.store import steps
from trigpoint.surfaces.identity import apis

from .conftest import TOKEN_URL
from .serving import REPLICA, Served, open_served

IAM = "https://iam.googleapis.com/v1"
CREDENTIALS = "https://iamcredentials.googleapis.com/v1"
RM = "https://cloudresourcemanager.googleapis.com/v3"
ME = "projects/-/serviceAccounts/someone@demo-project.iam.gserviceaccount.com"
OPERATOR = "projects/-/serviceAccounts/operator@demo-project.iam.gserviceaccount.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = open_served(tmp_path_factory.mktemp("surface"))
    yield made
    made.stop()
    made.home.store.close()


@pytest.fixture(scope="module")
def someone(served: Served) -> dict[str, str]:
    """An account of the default project that is not the operator."""
    account = served.home.account("someone")
    return served.bearer(served.home.identity.access_token(account, scope="x").token)


@pytest.fixture(scope="module")
def outsider(served: Served) -> dict[str, str]:
    """An account of another project."""
    account = served.home.account("outsider", served.home.projects.create("other-project", "", {}))
    return served.bearer(served.home.identity.access_token(account, scope="x").token)


def methods() -> list[tuple[str, str]]:
    """Return every method of the three APIs with a plausible URL."""
    roots = {IAM[:-3]: apis._IAM, CREDENTIALS[:-3]: apis._CREDENTIALS, RM[:-3]: apis._PROJECTS}
    found = []
    for root, rules in roots.items():
        for rule, _ in rules:
            path = rule.template.replace("{name=projects/*}", "projects/demo-project")
            path = path.replace("{resource=projects/*}", "projects/demo-project")
            path = path.replace("{project.name=projects/*}", "projects/demo-project")
            path = path.replace("{name=operations/*}", "operations/cp.1")
            path = path.replace("{name=projects/*/serviceAccounts/*}", OPERATOR)
            path = path.replace("{name=projects/*/serviceAccounts/*/keys/*}", f"{OPERATOR}/keys/{'0' * 40}")
            found.append((rule.verb, root + path))
    return [*found, ("GET", "https://www.googleapis.com/oauth2/v3/userinfo"), ("GET", f"{RM}/nowhere")]


@pytest.mark.parametrize(("verb", "url"), methods())
def test_nobody_gets_anything(served: Served, verb: str, url: str, pair: keys.Pair) -> None:
    email = "operator@demo-project.iam.gserviceaccount.com"
    stranger = pair.sign_claims(served.home.claims(email))
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic eDp5"}, served.bearer(stranger)):
        answer = served.call(verb, url, {}, headers)
        assert answer.status_code == 401, answer.text
        error = answer.json()["error"]
        assert (error["status"], error["code"]) == ("UNAUTHENTICATED", 401)
        assert "Bearer" in answer.headers["www-authenticate"]


def test_accounts_and_keys_over_rest(served: Served) -> None:
    root = f"{IAM}/projects/demo-project/serviceAccounts"
    made = served.call("POST", root, {"accountId": "builder", "serviceAccount": {"displayName": "B"}}).json()
    email = made["email"]
    assert made["name"] == f"projects/demo-project/serviceAccounts/{email}"
    again = served.call("POST", root, {"accountId": "builder"})
    assert (again.status_code, again.json()["error"]["status"]) == (409, "ALREADY_EXISTS")
    account = f"{IAM}/projects/-/serviceAccounts/{email}"
    assert served.call("GET", f"{IAM}/projects/-/serviceAccounts/{made['uniqueId']}").json()["email"] == email
    patched = served.call(
        "PATCH", account, {"serviceAccount": {"description": "d"}, "updateMask": "description"}
    ).json()
    assert (patched["displayName"], patched["description"]) == ("B", "d")
    key = served.call("POST", f"{account}/keys", {}).json()
    document = json.loads(base64.b64decode(key["privateKeyData"]))
    assert document["token_uri"] == TOKEN_URL
    token = keys.load(document["private_key"].encode()).sign_claims(served.home.claims(email))
    mine = f"{RM}/projects/demo-project"
    assert served.call("GET", mine, headers=served.bearer(token)).status_code == 200
    listed = served.call("GET", f"{account}/keys?keyTypes=USER_MANAGED").json()["keys"]
    assert [one["name"] for one in listed] == [key["name"]]
    assert "PRIVATE" not in json.dumps(listed)
    public = served.call("GET", f"{IAM}/{key['name']}?publicKeyType=TYPE_X509_PEM_FILE").json()
    assert b"CERTIFICATE" in base64.b64decode(public["publicKeyData"])
    assert served.call("POST", f"{account}:disable", {}).json() == {}
    assert served.call("GET", mine, headers=served.bearer(token)).status_code == 401
    served.call("POST", f"{account}:enable", {})
    assert served.call("GET", mine, headers=served.bearer(token)).status_code == 200
    served.call("POST", f"{IAM}/{key['name']}:disable", {})
    assert served.call("GET", mine, headers=served.bearer(token)).status_code == 401
    served.call("POST", f"{IAM}/{key['name']}:enable", {})
    served.call("DELETE", f"{IAM}/{key['name']}")
    assert served.call("GET", mine, headers=served.bearer(token)).status_code == 401
    served.call("DELETE", account)
    assert served.call("GET", account).status_code == 404


def test_pages_of_accounts(served: Served) -> None:
    for i in range(5):
        served.home.account(f"page-{i}-x")
    root = f"{IAM}/projects/demo-project/serviceAccounts"
    seen: list[str] = []
    token = ""
    while True:
        page = served.call("GET", root, params={"pageSize": "2", "pageToken": token}).json()
        seen += [one["email"] for one in page["accounts"]]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert len(seen) == len(set(seen)) >= 8


def test_one_account_is_not_another(served: Served, someone: dict[str, str], outsider: dict[str, str]) -> None:
    victim = "projects/-/serviceAccounts/trainer@demo-project.iam.gserviceaccount.com"
    served.home.account("trainer")
    body = {"scope": ["a"], "payload": "YQ==", "audience": "b"}
    for verb in ("generateAccessToken", "signBlob", "signJwt", "generateIdToken"):
        refusals = [
            served.call("POST", f"{CREDENTIALS}/{victim}:{verb}", body, someone),
            served.call("POST", f"{CREDENTIALS}/{victim.replace('trainer', 'absent')}:{verb}", body, someone),
            served.call("POST", f"{CREDENTIALS}/{OPERATOR}:{verb}", body, someone),
            served.call("POST", f"{CREDENTIALS}/{victim}:{verb}", body, outsider),
        ]
        assert {answer.status_code for answer in refusals} == {403}
        assert len({answer.json()["error"]["message"] for answer in refusals}) == 1
    for verb, url in (
        ("POST", f"{IAM}/{OPERATOR}/keys"),
        ("DELETE", f"{IAM}/{OPERATOR}"),
        ("POST", f"{IAM}/{OPERATOR}:disable"),
        ("POST", f"{RM}/projects?x=y"),
    ):
        assert served.call(verb, url.partition("?")[0], {}, someone).status_code == 403
    for verb, path in (("GET", victim), ("GET", victim.replace("trainer", "absent")), ("POST", f"{victim}/keys")):
        assert served.call(verb, f"{IAM}/{path}", headers=outsider).status_code == 403
    own = {"scope": ["a"], "lifetime": "60s"}
    issued = served.call("POST", f"{CREDENTIALS}/{ME}:generateAccessToken", own, someone).json()
    assert served.home.caller(issued["accessToken"]).email.startswith("someone@")
    as_victim = served.call("POST", f"{CREDENTIALS}/{victim}:generateAccessToken", own).json()["accessToken"]
    assert served.home.caller(as_victim).email.startswith("trainer@")


def test_signatures_verify_with_the_published_keys(served: Served, someone: dict[str, str]) -> None:
    payload = base64.b64encode(b"some bytes").decode()
    signed = served.call("POST", f"{CREDENTIALS}/{ME}:signBlob", {"payload": payload}, someone).json()
    email = ME.rpartition("/")[2]
    published = served.call("GET", f"https://www.googleapis.com/service_accounts/v1/metadata/x509/{email}", headers={})
    assert "BEGIN CERTIFICATE" in published.json()[signed["keyId"]]
    blob = base64.b64decode(signed["signedBlob"])
    assert served.home.identity.verify_blob(email, b"some bytes", blob)
    assert not served.home.identity.verify_blob(email, b"other bytes", blob)
    assert not served.home.identity.verify_blob("trainer@demo-project.iam.gserviceaccount.com", b"some bytes", blob)
    jwt = served.call("POST", f"{CREDENTIALS}/{ME}:signJwt", {"payload": '{"iss": 7}'}, someone).json()["signedJwt"]
    assert json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))["iss"] == 7


BAD: list[tuple[str, str, Any, int]] = [
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", b"{", 400),
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", b"[1]", 400),
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", b"\xff\xfe", 400),
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", b"[" * 100_000, 400),
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", b"x" * 2_000_000, 400),
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", {"accountId": "short"}, 400),
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", {"accountId": ["abcdef"]}, 400),
    ("POST", f"{IAM}/projects/demo-project/serviceAccounts", {"accountId": "abcdef", "serviceAccount": 3}, 400),
    (
        "POST",
        f"{IAM}/projects/demo-project/serviceAccounts",
        {"accountId": "abcdef", "serviceAccount": {"displayName": "\x00"}},
        400,
    ),
    ("GET", f"{IAM}/projects/demo-project/serviceAccounts?pageSize=-1", None, 400),
    ("GET", f"{IAM}/projects/demo-project/serviceAccounts?pageToken=%FF", None, 400),
    ("GET", f"{IAM}/projects/demo-project/serviceAccounts?pageToken=abc", None, 400),
    ("GET", f"{IAM}/projects/nowhere-at-all/serviceAccounts", None, 403),
    ("GET", f"{IAM}/projects/demo-project/serviceAccounts/..%2f..%2fx", None, 404),
    ("GET", f"{IAM}/projects/demo-project/serviceAccounts/%00", None, 404),
    ("GET", f"{IAM}/projects/demo-project/serviceAccounts/a@b", None, 404),
    ("GET", f"{IAM}/{OPERATOR}/keys/%2e%2e", None, 404),
    ("POST", f"{IAM}/{OPERATOR}/keys", {"privateKeyType": "TYPE_PKCS12_FILE"}, 400),
    ("POST", f"{IAM}/{OPERATOR}/keys", {"keyAlgorithm": "KEY_ALG_RSA_1024"}, 400),
    ("POST", f"{IAM}/{OPERATOR}:disable", {}, 400),
    ("DELETE", f"{IAM}/{OPERATOR}", None, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:generateAccessToken", {}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:generateAccessToken", {"scope": "a"}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:generateAccessToken", {"scope": ["a"], "lifetime": "4000s"}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:generateAccessToken", {"scope": ["a"], "delegates": ["b"]}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:generateAccessToken", {"scope": ["a"], "lifetime": 7}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:signBlob", {"payload": "é"}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:signJwt", {"payload": "[]"}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:signJwt", {"payload": '{"a":' * 400 + "1" + "}" * 400}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:signJwt", {"payload": '{"exp": 1e300}'}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:generateIdToken", {}, 400),
    ("POST", f"{CREDENTIALS}/{OPERATOR}:nothing", {}, 404),
    ("POST", f"{RM}/projects", {"projectId": "x"}, 400),
    ("POST", f"{RM}/projects", {"nonsense": "x"}, 400),
    ("POST", f"{RM}/projects", {"projectId": "demo-project"}, 409),
    ("GET", f"{RM}/projects/nowhere-at-all", None, 403),
    ("GET", f"{RM}/projects?pageSize=x", None, 400),
    ("PATCH", f"{RM}/projects/demo-project?updateMask=state", {}, 400),
    ("DELETE", f"{RM}/projects/demo-project", None, 400),
    ("GET", f"{RM}/projects:search?query=nonsense", None, 400),
]


@pytest.mark.parametrize(("verb", "url", "body", "code"), BAD)
def test_bad_requests_get_googles_errors(served: Served, verb: str, url: str, body: Any, code: int) -> None:
    answer = served.call(verb, url, body)
    assert answer.status_code == code, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert "/home" not in answer.text
    assert "Traceback" not in answer.text


def test_the_whole_handler_tables_are_served(served: Served) -> None:
    assert {name for _, name in apis._PROJECTS} == set(ProjectsApi(served.home.projects).handlers())


TOKEN_BAD: list[tuple[Any, str]] = [
    ({}, "invalid_request"),
    (b"\xff\xfe=%ZZ", "invalid_request"),
    (b"a=b&" * 1000, "invalid_request"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": GRANT}, "invalid_request"),
    ({"grant_type": GRANT, "assertion": "x.y.z"}, "invalid_grant"),
    ({"grant_type": GRANT, "assertion": "é" * 5000}, "invalid_grant"),
]


@pytest.mark.parametrize(("form", "word"), TOKEN_BAD)
def test_bad_token_requests(served: Served, form: Any, word: str) -> None:
    for path in ("https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"):
        answer = served.session.post(path, data=form, timeout=20)
        assert (answer.status_code, answer.json()["error"]) == (400, word)
        assert answer.json()["error_description"]


ASSERTIONS: list[tuple[dict[str, Any], int, str]] = [
    ({}, 200, ""),
    ({"sub": None}, 200, ""),
    ({"scope": ""}, 400, "invalid_scope"),
    ({"aud": "https://example.com"}, 400, "invalid_grant"),
    ({"exp": 1 << 40}, 400, "invalid_grant"),
    ({"iat": 1, "exp": 2}, 400, "invalid_grant"),
    ({"sub": "person@example.com"}, 401, "unauthorized_client"),
]


@pytest.mark.parametrize(("change", "code", "word"), ASSERTIONS)
def test_assertions(served: Served, change: dict[str, Any], code: int, word: str) -> None:
    document = json.loads(served.home.operator_file.read_bytes())
    claims = served.home.claims(document["client_email"], **({"aud": TOKEN_URL} | change))
    assertion = keys.load(document["private_key"].encode()).sign_claims(claims)
    answer = served.session.post(TOKEN_URL, data={"grant_type": GRANT, "assertion": assertion}, timeout=20)
    assert answer.status_code == code, answer.text
    assert answer.json().get("error", "") == word
    assert "no-store" in answer.headers["cache-control"]


def test_the_metadata_tree(served: Served) -> None:
    replica, address = served.begin()
    tenant = served.home.project.tenant
    root = f"http://{address}/computeMetadata/v1"

    def get(path: str, **more: Any) -> requests.Response:
        headers = {"Metadata-Flavor": "Google"} | more.pop("headers", {})
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{root}{path}", headers=headers, timeout=20, allow_redirects=False, **more)

    assert requests.get(f"http://{address}/", timeout=20).headers["Metadata-Flavor"] == "Google"
    assert get("/project/project-id").text == tenant
    assert get("/project/numeric-project-id").text == served.home.project.tenant_number
    assert get("/universe/universe-domain").text == "googleapis.com"
    assert get("/instance/service-accounts/").text == f"default/\n{replica.account}/\n"
    assert get("/instance/service-accounts/default/email").text == replica.account
    assert "cloud-platform" in get("/instance/service-accounts/default/scopes").text
    default = get("/instance/service-accounts/default/?recursive=true").json()
    assert (default["email"], default["aliases"]) == (replica.account, ["default"])
    assert set(default) == {"aliases", "email", "scopes"}
    assert get("/instance/zone").text == f"projects/{served.home.project.tenant_number}/zones/us-central1-a"
    assert get("/instance/id").text.isdigit()
    assert get("/instance/hostname").text.endswith(f".c.{tenant}.internal")
    assert get("/instance/name").text
    assert get("/instance/attributes/").text == ""
    whole = get("/?recursive=true").json()
    assert (whole["project"]["projectId"], whole["universe"]["universeDomain"]) == (tenant, "googleapis.com")
    assert "token" not in json.dumps(whole)
    first, again = (get("/instance/service-accounts/default/token").json() for _ in range(2))
    assert (first["token_type"], first["access_token"]) == ("Bearer", again["access_token"])
    assert 3300 <= first["expires_in"] <= 3600
    by_mail = get(f"/instance/service-accounts/{replica.account.replace('@', '%40')}/token?scopes=a,b").json()
    assert served.home.identity.describe(by_mail["access_token"]).scope == "a b"
    assert get("/instance/service-accounts/default").status_code == 301
    for path in ("/nothing", "/instance/disks/", "/project/project-id/", "/../x", "/instance/service-accounts/x@y/"):
        assert get(path).status_code == 404
    assert get("/instance/service-accounts/default/identity").status_code == 400
    assert get("/project/project-id", headers={"Metadata-Flavor": "no"}).status_code == 403
    assert get("/project/project-id", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 403
    assert requests.post(f"{root}/project/project-id", timeout=20).status_code == 405
    served.home.identity.end_attempt(replica.attempt)
    assert get("/instance/service-accounts/default/token").status_code == 403
    assert served.home.identity.replica(REPLICA) is None
    served.end(replica)


def test_what_a_replica_asks_its_metadata_server_is_counted(served: Served) -> None:
    replica, address = served.begin(REPLICA.replace("0-0", "0-1"), "attempt-2")
    account = f"http://{address}/computeMetadata/v1/instance/service-accounts/default"
    paths = ("/token", "/token", "/identity?audience=x", "/identity", "/email", "/nothing")
    for path in paths:
        requests.get(f"{account}{path}", headers={"Metadata-Flavor": "Google"}, timeout=20)
    requests.get(f"{account}/token", timeout=20)  # refused: it asks as no client of Google's does
    served.recorder.flush()
    found = served.home.store.telemetry.read(lambda tx: steps.of_replica(tx, replica.name))
    newest = {step.thing: step.count for step in found}
    assert newest == {"token": 2, "identity": 1, "other": 1}
    assert {step.what for step in found} == {"ask"}
    served.end(replica)
