"""The pure parts: addresses, claims, opaque tokens, instants, and secrets that are made once."""

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.clock import SECOND, rfc3339
from trigpoint.core.errors import AlreadyExists, FailedPrecondition, Internal
from trigpoint.domains.identity import keys, rules
from trigpoint.domains.identity.tokens import Grant, Sealer
from trigpoint.domains.identity.vault import Vault

from .conftest import Home

TEXT = st.text(max_size=60)
SEALER = Sealer(b"s" * 32)


def test_every_address_leads_to_its_project() -> None:
    assert rules.project_segment(rules.account_email("trainer", "demo-project")) == "demo-project"
    assert rules.project_segment(rules.custom_code_agent("123456789012")) == "123456789012"
    assert rules.project_segment(rules.compute_default("123456789012")) == "123456789012"
    for email in ("", "a", "a@b", "person@example.com", "x@y.iam.gserviceaccount.com.evil.com", "a@b\n"):
        assert rules.project_segment(email) == ""


@given(TEXT)
def test_any_text_is_an_account_id_or_is_refused(text: str) -> None:
    if not rules.account_id("f", text):
        assert rules.project_segment(rules.account_email(text, "demo-project")) == "demo-project"


@given(st.dictionaries(st.sampled_from(["iss", "sub", "aud", "scope", "iat", "exp", "target_audience"]), st.none()))
def test_nulls_are_no_claims(payload: dict[str, Any]) -> None:
    assert rules.claims(payload | {"iat": None}) is None


@given(st.floats() | st.integers() | st.booleans() | TEXT, st.floats() | st.integers() | st.booleans() | TEXT)
def test_instants_of_any_type_never_break(issued: Any, expires: Any) -> None:
    found = rules.claims({"iss": "a", "iat": issued, "exp": expires})
    if found is not None:
        assert isinstance(rules.timely(found, 0), bool)


@given(TEXT, st.integers(0, 1 << 50), TEXT, TEXT, TEXT, TEXT)
def test_a_sealed_grant_comes_back(email: str, expires: int, key: str, replica: str, attempt: str, scope: str) -> None:
    grant = Grant(email, expires, key, replica, attempt, scope)
    opened = SEALER.open(SEALER.seal(grant))
    assert opened is not None
    assert (opened.email, opened.replica, opened.attempt, opened.scope) == (email, replica, attempt, scope)
    assert 0 <= opened.expires - expires < SECOND


@given(st.text(max_size=200), st.integers(0, 300))
def test_a_changed_token_is_never_opened(noise: str, at: int) -> None:
    token = SEALER.seal(Grant("a@b", 7 * SECOND))
    changed = token[:at] + noise + token[at + len(noise) :]
    assert changed == token or SEALER.open(changed) is None
    assert Sealer(b"t" * 32).open(token) is None


@given(st.text(max_size=300))
def test_any_text_is_no_jwt_of_ours(text: str) -> None:
    assert keys.read_token(text) is None


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000, "1970-01-01T00:00:01.500Z"),
        (1_000_001, "1970-01-01T00:00:01.000001Z"),
        (1_700_000_000_000_000, "2023-11-14T22:13:20Z"),
    ],
)
def test_instants_are_written_as_protobuf_writes_them(instant: int, text: str) -> None:
    assert rfc3339(instant) == text


def test_a_secret_is_made_once_whoever_asks(tmp_path: Path) -> None:
    found: list[bytes] = []
    vaults = [Vault(tmp_path / "keys") for _ in range(8)]
    threads = [threading.Thread(target=lambda v=vault: found.append(v.secret("s"))) for vault in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["s"]
    assert stat.S_IMODE((tmp_path / "keys/s").stat().st_mode) == 0o600


def test_a_damaged_secret_is_said_plainly(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    (tmp_path / "s").write_bytes(b"short")
    (tmp_path / "k.pem").write_bytes(b"no key")
    for ask in (lambda: vault.secret("s"), lambda: vault.pair("k.pem")):
        with pytest.raises(Internal, match="restore the home from a backup") as failure:
            ask()
        assert str(tmp_path) not in failure.value.message


def test_an_account_is_made_once_and_has_ten_keys_at_most(home: Home) -> None:
    account = home.account("trainer")
    with pytest.raises(AlreadyExists):
        home.account("trainer")
    for _ in range(10):
        home.identity.accounts.add_key(account, keys.generate())
    with pytest.raises(FailedPrecondition, match="delete one first"):
        home.identity.accounts.add_key(account, keys.generate())
