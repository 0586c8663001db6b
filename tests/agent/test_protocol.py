import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.agent import protocol as p

SPEC = p.RunSpec(
    attempt="a1",
    replica="workerpool0-0",
    token="t",
    program=p.Program(module="trainer.task", args=("--x", "1")),
    env={"A": "b"},
    environment=p.Environment(path="/e", installed={"numpy": "1.26.4"}),
    packages=(p.Package(uri="gs://b/o.tar.gz"),),
    network=p.Network(hosts=("storage.googleapis.com",), peers=("h0", "h1"), rank=1),
    limits=p.Limits(cpus=2),
)


def test_a_spec_survives_its_file() -> None:
    assert p.load_spec(p.dump(SPEC)) == SPEC


def test_a_status_survives_its_file() -> None:
    address, outcome = p.Address("h", "10.0.0.1", {"2222": 2222}), p.Outcome(p.FAILED, 137, 9, "killed", "…")
    status = p.Status(p.ENDED, 2, lost=("a", "b"), address=address, outcome=outcome, times={p.CLAIMED: 5})
    assert p.load_status(p.dump(status)) == status


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"version":2}', b'{"version":1}', b'{"version":1,"limits":3}'])
def test_what_is_no_spec_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        p.load_spec(data)


def test_members_of_later_versions_are_ignored() -> None:
    assert p.load_command({"kind": "stop", "grace_s": 3, "later": 1}) == p.Command("stop", grace_s=3)


@given(st.lists(st.binary(max_size=300)), st.integers(0, 40))
def test_frames_give_back_the_bytes_also_when_the_last_is_torn(payloads: list[bytes], torn: int) -> None:
    data = b"".join(p.frame(i, len(payload)) + payload for i, payload in enumerate(payloads))
    read = [(time, data[start:end]) for time, start, end in p.frames(data)]
    assert read == list(enumerate(payloads))
    cut = data[: len(data) - torn]
    assert [cut[s:e] for _, s, e in p.frames(cut)] == payloads[: len(list(p.frames(cut)))]


@pytest.mark.parametrize(
    ("value", "expanded"),
    [("$(A)", "1"), ("$$(A)", "$(A)"), ("x$(A)y$(NO)", "x1y$(NO)"), ("$A", "$A"), ("$(A", "$(A")],
)
def test_variables_expand_as_in_kubernetes(value: str, expanded: str) -> None:
    assert p.expand(value, {"A": "1"}) == expanded
