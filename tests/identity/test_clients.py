"""Google's own libraries, unmodified, get and use credentials here."""

import json
from collections.abc import Iterator
from typing import Any

import google.auth._helpers
import google.auth.crypt
import google.auth.jwt
import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import id_token, service_account

from trigpoint.core.errors import Unauthenticated

from .conftest import SCOPE, TOKEN_URL
from .serving import Served, open_served

# The library carries no types.
Credentials: Any = service_account.Credentials
IdCredentials: Any = service_account.IDTokenCredentials
Signer: Any = google.auth.crypt.RSASigner
verify: Any = id_token.verify_oauth2_token
jwt: Any = google.auth.jwt
Session: Any = AuthorizedSession
utcnow: Any = google.auth._helpers.utcnow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = open_served(tmp_path_factory.mktemp("clients"))
    yield made
    made.stop()
    made.home.store.close()


@pytest.fixture
def info(served: Served) -> dict[str, str]:
    found: dict[str, str] = json.loads(served.home.operator_file.read_bytes())
    return found


def test_a_key_file_is_exchanged_for_a_token_that_works(served: Served, info: dict[str, str]) -> None:
    credentials = Credentials.from_service_account_info(info, scopes=[SCOPE])
    session = Session(credentials, auth_request=Request(served.session))
    session.verify, session.proxies, session.trust_env = str(served.bundle), {"https": served.proxy}, False
    answer = session.get("https://cloudresourcemanager.googleapis.com/v3/projects/demo-project", timeout=20)
    assert answer.json()["name"] == served.home.project.name
    assert credentials.token.startswith("ya29.")
    assert 3500 < (credentials.expiry - utcnow()).total_seconds() <= 3600
    told = served.call("GET", f"https://oauth2.googleapis.com/tokeninfo?access_token={credentials.token}").json()
    assert (told["email"], told["scope"]) == (info["client_email"], SCOPE)
    session.close()


def test_a_self_signed_token_with_scopes_works(served: Served, info: dict[str, str]) -> None:
    credentials = Credentials.from_service_account_info(info, scopes=[SCOPE], always_use_jwt_access=True)
    credentials._create_self_signed_jwt(None)
    credentials.refresh(Request(served.session))
    assert credentials.token.count(".") == 2
    assert served.home.caller(credentials.token).operator


def test_a_self_signed_token_for_an_audience_works(served: Served, info: dict[str, str]) -> None:
    signer = Signer.from_service_account_info(info)
    audience = "https://aiplatform.googleapis.com/"
    credentials = jwt.Credentials(signer, info["client_email"], info["client_email"], audience, quota_project_id=None)
    credentials.refresh(None)
    token = credentials.token.decode() if isinstance(credentials.token, bytes) else credentials.token
    assert served.home.caller(token).operator


def test_an_id_token_is_made_and_verified_by_google_auth(served: Served, info: dict[str, str]) -> None:
    credentials = IdCredentials.from_service_account_info(info, target_audience="https://my.example")
    credentials.refresh(Request(served.session))
    told = verify(credentials.token, Request(served.session), "https://my.example")
    assert (told["email"], told["sub"]) == (info["client_email"], info["client_id"])
    with pytest.raises(Unauthenticated):
        served.home.caller(credentials.token)


def test_refusals_reach_the_library_as_it_expects_them(served: Served, info: dict[str, str]) -> None:
    unknown = {**info, "private_key_id": "0" * 40}
    credentials = Credentials.from_service_account_info(unknown, scopes=[SCOPE])
    with pytest.raises(RefreshError, match="invalid_grant: Invalid JWT Signature"):
        credentials.refresh(Request(served.session))
    nobody = {**info, "client_email": "nobody@demo-project.iam.gserviceaccount.com"}
    credentials = Credentials.from_service_account_info(nobody, scopes=[SCOPE])
    with pytest.raises(RefreshError, match="account not found"):
        credentials.refresh(Request(served.session))


_RESOURCE_MANAGER = """
import google.auth
from google.api_core import exceptions
from google.cloud import resourcemanager_v3 as rm
for transport in ("grpc", "rest"):
    client = rm.ProjectsClient(transport=transport)
    project = client.get_project(name="projects/demo-project")
    assert client.get_project(name=project.name) == project
    made = client.create_project(project=rm.Project(project_id=f"made-by-{transport}", labels={"a": "b"})).result()
    print(made.project_id, made.state.name, dict(made.labels))
    made.display_name = "Other"
    made = client.update_project(project=made, update_mask={"paths": ["display_name"]}).result()
    print(made.display_name, sorted(p.project_id for p in client.search_projects(query="id:made-*")))
    print(client.delete_project(name=made.name).result().state.name)
    for name in ("projects/nowhere-at-all", "nonsense"):
        try:
            client.get_project(name=name)
        except exceptions.GoogleAPICallError as error:
            print(int(error.code))
        except ValueError:
            print("refused by the client")
    print(list(client.test_iam_permissions(resource=project.name, permissions=["a.b.c"]).permissions))
"""


def test_resource_manager_over_both_transports(served: Served) -> None:
    key = str(served.home.operator_file)
    lines = served.python(_RESOURCE_MANAGER, GOOGLE_APPLICATION_CREDENTIALS=key)
    assert lines == [
        "made-by-grpc ACTIVE {'a': 'b'}",
        "Other ['made-by-grpc']",
        "DELETE_REQUESTED",
        "403",
        "400",
        "['a.b.c']",
        "made-by-rest ACTIVE {'a': 'b'}",
        "Other ['made-by-grpc', 'made-by-rest']",
        "DELETE_REQUESTED",
        "403",
        "refused by the client",
        "['a.b.c']",
    ]


_WORKER = """
import json, google.auth, google.auth.iam, google.auth.compute_engine as gce
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import id_token
request = Request()
credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
credentials.refresh(request)
print(type(credentials).__name__, credentials.service_account_email, project)
print(credentials.token)
token = gce.IDTokenCredentials(request, "https://my.example", use_metadata_identity_endpoint=True)
token.refresh(request)
print(id_token.verify_oauth2_token(token.token, request, "https://my.example")["aud"])
signer = google.auth.iam.Signer(request, credentials, credentials.service_account_email)
print(len(signer.sign(b"bytes")))
session = AuthorizedSession(credentials)
url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{credentials.service_account_email}"
print(session.post(url + ":generateAccessToken", json={"scope": ["a"], "lifetime": "60s"}).json()["accessToken"])
print(json.dumps(session.get(url + "/allowedLocations").json()))
print(session.post(url.rpartition("/")[0] + "/operator@demo-project.iam.gserviceaccount.com:signBlob",
    json={"payload": "YQ=="}).status_code)
print(session.post(url.replace("iamcredentials", "iam") + "/keys", json={}).status_code)
"""


def test_a_worker_without_a_key_file_acts_by_its_metadata_server(served: Served) -> None:
    replica, address = served.begin()
    environ = {"GCE_METADATA_HOST": address, "GCE_METADATA_IP": address}
    kind, token, audience, size, second, locations, foreign, keys = served.python(_WORKER, **environ)
    tenant = served.home.project.tenant
    assert kind == f"Credentials {replica.account} {tenant}"
    assert (audience, size, foreign, keys) == ("https://my.example", "256", "403", "403")
    assert json.loads(locations) == {"locations": [], "encodedLocations": "0x0"}
    for issued in (token, second):
        caller = served.home.caller(issued)
        assert (caller.replica, caller.tenant, caller.email) == (replica.name, tenant, replica.account)
    served.end(replica)
    for issued in (token, second):
        with pytest.raises(Unauthenticated):
            served.home.caller(issued)


def test_an_assertion_is_no_bearer_and_a_bearer_no_assertion(served: Served, info: dict[str, str]) -> None:
    credentials = Credentials.from_service_account_info(info, scopes=[SCOPE])
    assertion = credentials._make_authorization_grant_assertion().decode()
    answer = served.call(
        "GET", "https://cloudresourcemanager.googleapis.com/v3/projects", headers=served.bearer(assertion)
    )
    assert answer.status_code == 401
    assert "missing" not in answer.json()["error"]["message"]
    bearer = jwt.encode(Signer.from_service_account_info(info), served.home.claims(info["client_email"])).decode()
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": bearer}
    refused = served.session.post(TOKEN_URL, data=form, timeout=20)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
