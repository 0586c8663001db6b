"""The forms that real clients send, and what each matches."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import InvalidArgument
from trigpoint.domains.logging.filters import parse

ENTRY = {
    "logName": "projects/p/logs/workerpool0-0",
    "resource": {"type": "ml_job", "labels": {"job_id": "77", "task_name": "workerpool0-0", "project_id": "p"}},
    "timestamp": "2026-01-02T03:04:05.000006Z",
    "severity": "ERROR",
    "insertId": "a5",
    "labels": {"ml.googleapis.com/trial_id": "3"},
    "jsonPayload": {"message": "Epoch 3 done", "loss": 0.25, "tags": ["x", "y"], "ok": True},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ('resource.type="ml_job" AND resource.labels.job_id="77"', True),
        ('resource.type="ml_job" resource.labels.job_id="78"', False),
        ('resource.type="ml_job"\nresource.labels.task_name="WORKERPOOL0-0"', True),
        ('timestamp>="2026-01-02T03:04:05.000006Z"', True),
        ('timestamp>"2026-01-02T03:04:05.000006000Z"', False),
        ('timestamp<"2026-01-03"', True),
        ('(timestamp="2026-01-02T03:04:05.000006Z" AND insertId>"a4") OR timestamp>"2027-01-01T00:00:00Z"', True),
        ("severity>=WARNING", True),
        ("severity<ERROR", False),
        ("severity=(ERROR OR CRITICAL)", True),
        ('jsonPayload.message:"epoch"', True),
        ('jsonPayload.message=~"^Epoch \\\\d"', True),
        ('jsonPayload.message!~"done$"', False),
        ("jsonPayload.loss<0.5", True),
        ("jsonPayload.ok=true", True),
        ("jsonPayload.tags=y", True),
        ("jsonPayload.missing=1", False),
        ("NOT jsonPayload.missing=1", True),
        ("jsonPayload.missing!=1", False),
        ("jsonPayload.loss:*", True),
        ("-severity=ERROR", False),
        ('labels."ml.googleapis.com/trial_id"="3"', True),
        ("epoch", True),
        ('"EPOCH 3"', True),
        ("nowhere", False),
        ("severity=INFO OR severity=ERROR insertId=a5", True),
        ('log_id("workerpool0-0")', True),
    ],
)
def test_matches(text: str, expected: bool) -> None:
    assert parse(text).test(ENTRY) is expected


@pytest.mark.parametrize(
    "text",
    ["nofield=1", "severity>=", "(severity=ERROR", "a AND", "f(", 'x=~"("', "sample(a, b)"]
    + [f'textPayload=~"{text}"' for text in ("(" * 5000, "a{99999999999}", "(a{1000}){1000}", "(?=a)", "(a)\\\\1")],
)
def test_nonsense_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(text)
    assert caught.value.violations[0].field == "filter"


@pytest.mark.parametrize("text", ['severity="²"', f"severity={'9' * 5000}", "severity>=٣"])
def test_a_level_that_is_none_matches_nothing(text: str) -> None:
    assert parse(text).test(ENTRY) is False


def test_an_expression_made_to_take_for_ever_does_not() -> None:
    assert not parse('textPayload=~"^(a+)+$"').test({"textPayload": "a" * 10_000 + "!"})
    assert parse('textPayload!~"^(a+)+$"').test({"textPayload": "a" * 10_000 + "!"})


def test_a_conjunction_narrows_where_to_look() -> None:
    query = parse(
        'resource.labels.job_id="77" AND timestamp>="1970-01-01T00:00:01Z" AND (severity=INFO OR severity=ERROR)'
    )
    assert query.equal["resource.labels.job_id"] == "77"
    assert query.not_before == 1_000_000
    assert "resource.labels.job_id" not in parse('NOT resource.labels.job_id="77"').equal
    assert "resource.labels.job_id" not in parse('resource.labels.job_id="77" OR insertId="1"').equal


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        assert parse(text).test(ENTRY) in (True, False)
