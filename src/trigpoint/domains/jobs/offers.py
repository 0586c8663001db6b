"""What this installation offers to jobs: machine types and images, as the rules and the launcher ask for them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from trigpoint.core.errors import InvalidArgument
from trigpoint.domains.jobs import sentences
from trigpoint.domains.jobs.admission import Machine
from trigpoint.runtime import images, machines
from trigpoint.runtime.environments import Environments


class Types:
    """The machine types of Vertex (`runtime.machines`)."""

    def get(self, name: str) -> Machine | None:
        """Return a machine type, or None."""
        return machines.machine(name)

    def problem(self, name: str) -> str:
        """Return an empty string, or why the type can't be used and what to do (vertex-training.md section 3.3)."""
        if machines.is_tpu(name):
            return sentences.TPU.format(machine=repr(name))
        if machines.machine(name) is not None:
            return ""
        return sentences.NO_MACHINE.format(machine=repr(name[:100]))


class Catalogue:
    """The images that become environments here. Thread-safe."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments

    def problem(self, image: str) -> str:
        """Return an empty string, or what is wrong with an image's name and what to do."""
        known = images.prebuilt(image)
        if known is not None and known.environment is not None:
            return ""
        example = "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest"
        if images.looks_prebuilt(image):
            return sentences.NOT_PREBUILT.format(image=repr(image[:200]), example=example)
        return sentences.OWN_IMAGE.format(image=repr(image[:200]), example=example)

    def provide(self, image: str) -> Mapping[str, Any] | str:
        """Return the built environment of an image, or what is being done to get it; returns at once."""
        known = images.prebuilt(image)
        if known is None or known.environment is None:
            raise InvalidArgument(self.problem(image))
        progress = self._environments.request(known.environment)
        if progress.failure:
            raise InvalidArgument(sentences.NO_IMAGE.format(image=image[:200], problem=progress.failure))
        if progress.built is None:
            return sentences.BUILDING.format(image=image[:200], step=progress.line)
        built = progress.built
        return {
            "environment": asdict(built.environment),
            "key": built.environment.key,
            "python": built.environment.python,
            "substituted": built.substituted,
            "seconds": built.seconds,
        }
