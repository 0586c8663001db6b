"""Replicas: their tokens name the attempt, fit their own socket only, survive a restart and die with the attempt."""

import pytest

from trigpoint.core.errors import NotFound, PermissionDenied, Unauthenticated
from trigpoint.domains.identity import Replica, keys

from .conftest import Home

ONE = "projects/1/locations/us-central1/customJobs/7/replicas/workerpool0-0"
TWO = "projects/1/locations/us-central1/customJobs/7/replicas/workerpool0-1"


def begin(home: Home, name: str = ONE, attempt: str = "a1") -> Replica:
    account = home.identity.acts_as(home.project.number)
    return home.identity.begin_attempt(Replica(name, attempt, home.project.number, account.email))


def test_a_token_names_its_replica_and_dies_with_the_attempt(home: Home) -> None:
    replica = begin(home)
    begin(home, TWO)
    token = home.identity.replica_token(ONE).token
    caller = home.caller(token)
    assert (caller.replica, caller.tenant) == (ONE, home.project.tenant)
    assert caller.email == f"service-{home.project.number}@gcp-sa-aiplatform-cc.iam.gserviceaccount.com"
    assert home.caller(token, ONE) == caller
    with pytest.raises(Unauthenticated):
        home.caller(token, TWO)
    home.restart()
    assert home.caller(token, ONE) == caller
    home.identity.end_attempt(replica.attempt)
    with pytest.raises(Unauthenticated):
        home.caller(token)
    with pytest.raises(NotFound):
        home.identity.replica_token(ONE)
    home.restart()
    assert home.identity.replica(ONE) is None
    home.identity.end_attempt(replica.attempt)


def test_a_new_attempt_ends_the_old_one(home: Home) -> None:
    begin(home)
    old = home.identity.replica_token(ONE).token
    assert begin(home) == home.identity.replica(ONE)
    assert home.caller(old).replica == ONE
    begin(home, attempt="a2")
    with pytest.raises(Unauthenticated):
        home.caller(old)
    home.identity.end_attempt("a1")
    assert home.caller(home.identity.replica_token(ONE).token).replica == ONE


def test_beginning_is_part_of_the_callers_transaction(home: Home) -> None:
    account = home.identity.acts_as(home.project.number)
    replica = Replica(ONE, "a1", home.project.number, account.email)

    def unit(tx: object) -> None:
        home.identity.begin_attempt(replica, tx)  # type: ignore[arg-type]
        raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError):
        home.store.write(unit)
    assert home.identity.replica(ONE) is None


def test_a_program_in_a_replica_may_bring_a_key_of_its_own(home: Home, pair: keys.Pair) -> None:
    begin(home)
    account = home.account("trainer")
    home.identity.accounts.add_key(account, pair)
    token = pair.sign_claims(home.claims(account.email))
    assert home.caller(token).replica == ""
    inside = home.caller(token, ONE)
    assert (inside.email, inside.replica, inside.tenant) == (account.email, ONE, home.project.tenant)
    with pytest.raises(Unauthenticated):
        home.caller(token, "projects/1/locations/us-central1/customJobs/7/replicas/gone")


def test_a_disabled_account_stops_its_replicas(home: Home) -> None:
    replica = begin(home)
    token = home.identity.replica_token(ONE).token
    assert home.caller(token)
    home.identity.accounts.set_enabled(replica.account, False)
    with pytest.raises(Unauthenticated):
        home.caller(token)


def test_training_code_runs_as_an_account_of_its_own_project_only(home: Home) -> None:
    number = home.project.number
    own = home.account("trainer")
    assert home.identity.acts_as(number, own.email) == own
    foreign = home.account("trainer", home.projects.create("other-project", "", {}))
    home.identity.accounts.set_enabled(home.account("disabled").email, False)
    for email in (
        foreign.email,
        "absent@demo-project.iam.gserviceaccount.com",
        "operator@demo-project.iam.gserviceaccount.com",
        "disabled@demo-project.iam.gserviceaccount.com",
        "nonsense",
        "x" * 10_000,
    ):
        with pytest.raises(PermissionDenied, match="do not have permission to act as service_account"):
            home.identity.acts_as(number, email)
