"""The build hook: generates the message classes before a wheel or an editable install is made."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GenerateHook(BuildHookInterface[Any]):
    """Runs tools/generate.py; a source distribution carries the descriptor set instead of what is made of it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate unless only a source distribution is asked for."""
        if self.target_name == "sdist":
            return
        sys.path.insert(0, str(Path(self.root, "tools")))
        from generate import generate

        # An installer compiles what a wheel holds; an editable install would leave it to the first start.
        generate(compiled=version == "editable")
        if not Path(self.root, "src/trigpoint/core/pb/index.json").exists():
            raise RuntimeError("src/trigpoint/core/pb was not generated")
