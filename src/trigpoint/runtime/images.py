"""Google's prebuilt images by name: what Python and which packages each stands for; building them is done elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(
    r"(?:(?P<host>us|europe|asia)-docker\.pkg\.dev/vertex-ai/|(?:(?:us|eu|asia)\.)?gcr\.io/cloud-aiplatform/)"
    r"(?P<use>training|prediction)/"
    r"(?P<framework>tf2|tf|pytorch|sklearn|scikit-learn|xgboost|ray)-(?P<device>cpu|gpu|xla|tpu)\."
    r"(?P<major>\d+)-(?P<minor>\d+)(?:\.(?:py|cp)(?P<python>\d{2,3}))?(?::[\w][\w.-]{0,127})?"
)
_PREBUILT = re.compile(
    r"(?:(?:us|europe|asia)-docker\.pkg\.dev/vertex-ai/|(?:(?:us|eu|asia)\.)?gcr\.io/cloud-aiplatform/)"
)


@dataclass(frozen=True, slots=True)
class EnvSpec:
    """A Python environment to be built: the version, what it must hold, and what resolution must not choose."""

    python: str
    """Such as 3.10."""
    requirements: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    """Requirements that replace what packages ask for; a false marker drops a package."""


@dataclass(frozen=True, slots=True)
class Image:
    """A prebuilt image. `environment` is None for one whose name is known and whose content is not offered here."""

    uri: str
    use: str
    """training or prediction."""
    framework: str
    """tensorflow, pytorch, scikit-learn, xgboost or ray."""
    version: str
    device: str
    """cpu, gpu or tpu."""
    environment: EnvSpec | None


def prebuilt(uri: str) -> Image | None:
    """Return the prebuilt image of a name (with or without tag), or None when it is none.

    Names: vertex-training.md sections 5.1 and 5.2.
    """
    match = _NAME.fullmatch(uri)
    if match is None:
        return None
    framework = _FRAMEWORKS[match["framework"]]
    version = f"{match['major']}.{match['minor']}"
    python = f"{match['python'][0]}.{match['python'][1:]}" if match["python"] else ""
    device = {"xla": "cpu"}.get(match["device"], match["device"])
    return Image(uri, match["use"], framework, version, device, _environment(framework, version, python))


def looks_prebuilt(uri: str) -> bool:
    """Return whether a name is in the place of prebuilt images, known or not: the SDK's own test."""
    return _PREBUILT.match(uri) is not None


def offered(use: str) -> list[str]:
    """Return the names of a use's CPU images whose content is offered here, by framework, newest first."""
    names = _CPU_NAMES[use]
    found = [
        f"us-docker.pkg.dev/vertex-ai/{use}/{names[framework].format(version.replace('.', '-'))}:latest"
        for framework, version in _SETS
        if framework in names
    ]
    return [uri for uri in found if (image := prebuilt(uri)) is not None and image.environment is not None]


_CPU_NAMES: Mapping[str, Mapping[str, str]] = {
    "training": {
        "scikit-learn": "sklearn-cpu.{}",
        "xgboost": "xgboost-cpu.{}",
        "tensorflow": "tf-cpu.{}.py310",
        "pytorch": "pytorch-xla.{}.py310",
    },
    "prediction": {
        "scikit-learn": "sklearn-cpu.{}",
        "xgboost": "xgboost-cpu.{}",
        "tensorflow": "tf2-cpu.{}",
        "pytorch": "pytorch-cpu.{}",
    },
}
"""How the CPU images of a use are called (vertex-training.md sections 5.1 and 5.2): PyTorch trains in `xla`."""

_FRAMEWORKS: Mapping[str, str] = {
    "tf": "tensorflow",
    "tf2": "tensorflow",
    "pytorch": "pytorch",
    "sklearn": "scikit-learn",
    "scikit-learn": "scikit-learn",
    "xgboost": "xgboost",
    "ray": "ray",
}

_EVERYWHERE = (
    "cloudml-hypertune",
    "gcsfs",
    "google-cloud-aiplatform",
    "google-cloud-bigquery",
    "google-cloud-storage",
    "joblib",
    "pip",
    "setuptools",
    "wheel",
)
"""What every image holds besides its framework (section 5.1; the storage client is in all of them)."""

_MODERN = ("numpy==1.26.4", "pandas==2.2.3", "scipy==1.15.2", "sympy==1.12", "python-json-logger==3.2.1")
_OLD = ("numpy<1.24", "pandas<2", "scipy<1.11", "python-json-logger<3")

_NO_NVIDIA = ("nvidia-nccl-cu12; sys_platform == 'never'",)

_SETS: Mapping[tuple[str, str], tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    ("scikit-learn", "1.6"): ("3.10", ("scikit-learn==1.6.1", *_MODERN), ()),
    ("scikit-learn", "1.5"): ("3.10", ("scikit-learn==1.5.2", *_MODERN), ()),
    ("scikit-learn", "1.4"): ("3.10", ("scikit-learn==1.4.2", *_MODERN), ()),
    ("scikit-learn", "1.3"): ("3.10", ("scikit-learn==1.3.2", *_MODERN), ()),
    ("scikit-learn", "1.2"): ("3.10", ("scikit-learn==1.2.2", *_MODERN), ()),
    ("scikit-learn", "1.0"): ("3.8", ("scikit-learn==1.0.2", *_OLD), ()),
    ("scikit-learn", "0.24"): ("3.8", ("scikit-learn==0.24.2", *_OLD), ()),
    ("scikit-learn", "0.23"): ("3.8", ("scikit-learn==0.23.2", *_OLD), ()),
    ("xgboost", "2.1"): ("3.10", ("xgboost==2.1.3", "scikit-learn==1.6.1", *_MODERN), _NO_NVIDIA),
    ("xgboost", "2.0"): ("3.10", ("xgboost==2.0.3", "scikit-learn==1.6.1", *_MODERN), _NO_NVIDIA),
    ("xgboost", "1.7"): ("3.10", ("xgboost==1.7.6", "scikit-learn==1.2.2", *_MODERN), ()),
    ("xgboost", "1.6"): ("3.8", ("xgboost==1.6.2", "scikit-learn==1.0.2", *_OLD), ()),
    ("xgboost", "1.1"): ("3.8", ("xgboost==1.1.1", "scikit-learn==0.23.2", *_OLD), ()),
    ("tensorflow", "2.17"): (
        "3.10",
        ("tensorflow-cpu==2.17.1", "tf_keras==2.17.*", "scikit-learn==1.6.1", *_MODERN),
        (),
    ),
    ("tensorflow", "2.16"): (
        "3.10",
        ("tensorflow-cpu==2.16.2", "tf_keras==2.16.*", "scikit-learn==1.6.1", *_MODERN),
        (),
    ),
    ("tensorflow", "2.15"): ("3.10", ("tensorflow-cpu==2.15.1", "scikit-learn==1.6.1", *_MODERN), ()),
    ("tensorflow", "2.14"): ("3.10", ("tensorflow-cpu==2.14.1", "scikit-learn==1.6.1", *_MODERN), ()),
    ("tensorflow", "2.13"): ("3.10", ("tensorflow-cpu==2.13.1", "scikit-learn==1.2.2", *_OLD), ()),
    ("tensorflow", "2.12"): ("3.10", ("tensorflow-cpu==2.12.1", "scikit-learn==1.2.2", *_OLD), ()),
    ("pytorch", "2.4"): ("3.10", ("torch==2.4.1", "absl-py==2.1.0", "scikit-learn==1.6.1", *_MODERN), ()),
    ("pytorch", "2.3"): ("3.10", ("torch==2.3.1", "absl-py==2.1.0", "scikit-learn==1.6.1", *_MODERN), ()),
    ("pytorch", "2.2"): ("3.10", ("torch==2.2.2", "absl-py==2.1.0", "scikit-learn==1.6.1", *_MODERN), ()),
    ("pytorch", "2.1"): ("3.10", ("torch==2.1.2", "absl-py==2.1.0", "scikit-learn==1.6.1", *_MODERN), ()),
    ("pytorch", "2.0"): ("3.10", ("torch==2.0.1", "absl-py==2.1.0", "scikit-learn==1.6.1", *_MODERN), ()),
    ("ray", "2.47"): ("3.11", ("ray[default]==2.47.1", "pandas==2.2.3", "numpy==1.26.4"), ()),
    ("ray", "2.42"): ("3.10", ("ray[default]==2.42.0", "pandas==2.2.3", "numpy==1.26.4"), ()),
    ("ray", "2.33"): ("3.10", ("ray[default]==2.33.0", "pandas==2.2.3", "numpy==1.26.4"), ()),
    ("ray", "2.9"): ("3.10", ("ray[default]==2.9.3", "pandas==2.2.3", "numpy==1.26.4"), ()),
}
"""(framework, version) -> the image's Python, its packages, overrides. TensorFlow >= 2.16 brings tf_keras for the
multi-worker strategy (execution.md section 5). Python 3.7 images are offered with 3.8, the oldest Python that still
gets Google's clients."""

BARE = EnvSpec("3.10", ("pip", "setuptools", "wheel"))
"""An environment with nothing in it but an installer."""


def _environment(framework: str, version: str, python: str) -> EnvSpec | None:
    found = _SETS.get((framework, version))
    if found is None:
        return None
    usual, requirements, overrides = found
    return EnvSpec(python or usual, tuple(sorted((*requirements, *_EVERYWHERE))), overrides)
