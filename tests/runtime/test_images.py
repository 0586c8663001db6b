import pytest

from trigpoint.runtime.images import looks_prebuilt, prebuilt
from trigpoint.runtime.machines import MACHINES, allowed_counts, is_tpu, machine

PKG = "docker.pkg.dev/vertex-ai"


@pytest.mark.parametrize(
    ("uri", "framework", "version", "device", "python"),
    [
        (f"us-{PKG}/training/sklearn-cpu.1-6:latest", "scikit-learn", "1.6", "cpu", "3.10"),
        (f"europe-{PKG}/training/sklearn-cpu.1-0", "scikit-learn", "1.0", "cpu", "3.8"),
        (f"asia-{PKG}/training/scikit-learn-cpu.0-23:latest", "scikit-learn", "0.23", "cpu", "3.8"),
        (f"us-{PKG}/training/tf-gpu.2-17.py310:latest", "tensorflow", "2.17", "gpu", "3.10"),
        (f"us-{PKG}/training/pytorch-xla.2-4.py310:latest", "pytorch", "2.4", "cpu", "3.10"),
        (f"us-{PKG}/training/ray-cpu.2-47.py311:latest", "ray", "2.47", "cpu", "3.11"),
        (f"us-{PKG}/prediction/xgboost-cpu.2-1:latest", "xgboost", "2.1", "cpu", "3.10"),
        ("gcr.io/cloud-aiplatform/training/xgboost-cpu.1-1:latest", "xgboost", "1.1", "cpu", "3.8"),
        ("eu.gcr.io/cloud-aiplatform/prediction/sklearn-cpu.0-24:latest", "scikit-learn", "0.24", "cpu", "3.8"),
    ],
)
def test_names_of_prebuilt_images_say_what_is_in_them(
    uri: str, framework: str, version: str, device: str, python: str
) -> None:
    image = prebuilt(uri)
    assert image is not None
    assert image.environment is not None
    assert (image.framework, image.version, image.device) == (framework, version, device)
    assert image.environment.python == python
    assert "cloudml-hypertune" in image.environment.requirements


def test_a_known_name_whose_content_is_not_offered() -> None:
    image = prebuilt(f"us-{PKG}/training/tf-cpu.1-15:latest")
    assert image is not None
    assert image.environment is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "python:3.10",
        "us-docker.pkg.dev/mine/training/sklearn-cpu.1-6",
        f"us-{PKG}/training/sklearn-cpu.1-6:latest\n",
        f"us-{PKG}/training/sklearn-cpu.1-6/more",
        f"moon-{PKG}/training/sklearn-cpu.1-6",
        f"us-{PKG}/training/caffe-cpu.1-6",
    ],
)
def test_other_names_are_not_prebuilt(uri: str) -> None:
    assert prebuilt(uri) is None
    assert looks_prebuilt(uri) == uri.startswith(f"us-{PKG}")


def test_machine_types_hold_what_google_says() -> None:
    found = machine("n1-standard-4")
    assert found is not None
    assert (found.cpus, found.memory_bytes) == (4, 15 << 30)
    assert machine("n1-standard-1") is None
    assert len(MACHINES) == 117


@pytest.mark.parametrize(
    ("name", "accelerator", "counts"),
    [
        ("n1-standard-4", "NVIDIA_TESLA_T4", (1, 2, 4)),
        ("n1-standard-32", "NVIDIA_TESLA_T4", (2, 4)),
        ("n1-standard-96", "NVIDIA_TESLA_T4", (4,)),
        ("n1-highmem-16", "NVIDIA_TESLA_V100", (2, 4, 8)),
        ("n1-standard-4", "NVIDIA_L4", ()),
        ("n2-standard-4", "NVIDIA_TESLA_T4", ()),
        ("a2-highgpu-2g", "NVIDIA_TESLA_A100", (2,)),
        ("a2-highgpu-2g", "NVIDIA_L4", ()),
    ],
)
def test_accelerators_go_with_machines(name: str, accelerator: str, counts: tuple[int, ...]) -> None:
    assert allowed_counts(MACHINES[name], accelerator) == counts


def test_hosts_of_tpus_are_told_apart() -> None:
    assert [
        name for name in ("ct6e-standard-4t", "cloud-tpu", "tpu7x-standard-4t", "c2-standard-4") if is_tpu(name)
    ] == [
        "ct6e-standard-4t",
        "cloud-tpu",
        "tpu7x-standard-4t",
    ]
