"""Who may start: virtual capacity, first come first served, and the two things that are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.domains.jobs.admission import Admitted, Demand, Host, Queued, admit, possible

HOST = Host(cpus=2, memory_gib=24, replicas_at_once=8, vcpu_quota=100, strict=False)
SMALL = Demand(replicas=1, vcpus=4, memory_gib=15)


def test_more_than_the_host_runs_over_committed_and_says_so() -> None:
    verdict = admit(SMALL, HOST, [], 0)
    assert isinstance(verdict, Admitted)
    assert "asks for 4 vCPUs and 15 GiB" in verdict.overcommit


def test_what_fits_is_not_called_over_committed() -> None:
    assert admit(Demand(1, 2, 8), HOST, [], 0) == Admitted()


def test_a_full_machine_queues_with_a_reason_and_a_position() -> None:
    verdict = admit(SMALL, HOST, [SMALL] * 8, 0)
    assert isinstance(verdict, Queued)
    assert "8 replicas are running, and a job starts beside others only if they have at most 8" in verdict.reason
    behind = admit(SMALL, HOST, [], 3)
    assert isinstance(behind, Queued)
    assert behind.ahead == 3


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(1, "1 job is"), (10, "10 jobs are"), (11, "10 or more jobs are"), (99, "90 or more"), (631, "600 or more")],
)
def test_a_place_far_back_is_said_in_round_numbers(ahead: int, said: str) -> None:
    verdict = admit(SMALL, HOST, [], ahead)
    assert isinstance(verdict, Queued)
    assert verdict.reason.startswith(said)
    assert verdict.ahead == ahead


def test_a_job_larger_than_everything_starts_alone() -> None:
    huge = Demand(replicas=20, vcpus=80, memory_gib=300)
    assert isinstance(admit(huge, HOST, [], 0), Admitted)
    assert isinstance(admit(huge, HOST, [SMALL], 0), Queued)


def test_only_absent_accelerators_and_quota_refuse() -> None:
    assert possible(SMALL, HOST) is None
    over = possible(Demand(30, 120, 400), HOST)
    assert over is not None
    assert "aiplatform.googleapis.com/custom_model_training_cpus" in over.message
    gpu = possible(Demand(1, 4, 15, {"NVIDIA_TESLA_T4": 1}), HOST)
    assert gpu is not None
    assert "custom_model_training_nvidia_tesla_t4_gpus" in gpu.message
    assert "remove the accelerator" in gpu.message


def test_strict_refuses_more() -> None:
    strict = Host(2, 24, 8, 100, strict=True)
    refused = possible(SMALL, strict)
    assert refused is not None
    assert "Resources are insufficient" in refused.message


@given(st.lists(st.integers(1, 9), max_size=40))
def test_a_queue_always_moves(sizes: list[int]) -> None:
    running: list[Demand] = []
    for size in sizes:
        wanted = Demand(size, size * 2, size * 4.0)
        while not isinstance(admit(wanted, HOST, running, 0), Admitted):
            assert running
            running.pop()
        running.append(wanted)
