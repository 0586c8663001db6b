"""What read-only links are not told: by names, in addresses, in arguments, within JSON."""

import json

import pytest

from trigpoint.console import guarding

SECRETS = (
    "API_KEY PGPASS DB_PASS dbPwd PWD_DB MYSQL_PWD SENTRY_DSN DSN SAS AZURE_SAS WEBHOOK SLACK_WEBHOOK_URL SIGNATURE"
)
OTHERS = "PWD OLDPWD COMPASS BYPASS CLASS CLASS_NAME PASSES SASL_HOST EPOCHS DATABASE_URL"


def test_what_is_kept_back_is_known_by_its_name() -> None:
    given = {"env": [{"name": "API_KEY", "value": "x", "more": 1}, {"name": "N", "value": "y"}], "name": "key"}
    told = [{"name": "API_KEY", "value": "", "more": 1}, {"name": "N", "value": "y"}]
    assert guarding.guarded(given) == {"env": told, "name": "key"}


def test_names_of_secrets_are_told_from_those_that_look_alike() -> None:
    assert [name for name in SECRETS.split() if not guarding.secret(name)] == []
    assert [name for name in OTHERS.split() if guarding.secret(name)] == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("postgres://u:hush@h/db", "postgres://***@h/db"),
        ("redis://:hu@sh@h:6379", "redis://***@h:6379"),
        ("gs://b/a@b", "gs://b/a@b"),
        ("https://h/x?sv=1&sig=hush", "https://h/x?sv=1&sig=***"),
        ("host=h password=hush dbname=d", "host=h password=*** dbname=d"),
        ('{"url": "http://u:hush@h/"}', '{"url":"http://***@h/"}'),
        ('{"api_key": "hush", "n": 1}', '{"api_key":"***","n":1}'),
        (
            '{"job": "{\\"job_args\\":[\\"--token\\",\\"hush\\"]}"}',
            '{"job":"{\\"job_args\\":[\\"--token\\",\\"***\\"]}"}',
        ),
        ('{"n": 1}', '{"n": 1}'),
        ("{no json", "{no json"),
        ("[" * 900 + "]" * 900, "***"),
    ],
)
def test_values_are_told_without_the_secrets_in_them(given: str, told: str) -> None:
    assert guarding.guarded([{"name": "MINE", "value": given}]) == [{"name": "MINE", "value": told}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--api_key=hush", "--epochs=3"], ["--api_key=***", "--epochs=3"]),
        (["--api-key", "hush", "x"], ["--api-key", "***", "x"]),
        (["--use-auth", "--epochs", "3"], ["--use-auth", "--epochs", "3"]),
        (["--tokenizer=bert", "--max-tokens", "5", "--compass", "n"],) * 2,
        (["sh", "-c", "OPTIONS='--a=1 --token=hush' run"], ["sh", "-c", "OPTIONS='--a=1 --token=*** run"]),
        (["db.password=hush"], ["db.password=***"]),
        (["--db", "mysql://u:hush@h/d"], ["--db", "mysql://***@h/d"]),
        (
            ["sh", "-c", "PGPASS='hu sh' train --hf-token hush --seed 1"],
            ["sh", "-c", "PGPASS=*** train --hf-token *** --seed 1"],
        ),
    ],
)
def test_command_lines_are_told_without_the_secrets_in_them(given: list[str], told: list[str]) -> None:
    assert guarding.guarded({"args": given, "more": {"command": given}}) == {"args": told, "more": {"command": told}}


def test_long_texts_take_no_time() -> None:
    for text in (
        "a" * 200_000,
        "-" * 200_000,
        "://" * 60_000,
        "--a " * 50_000,
        "'" * 200_000,
        json.dumps(["a="] * 50_000),
    ):
        guarding.guarded({"args": [text], "env": [{"name": "N", "value": text}]})
