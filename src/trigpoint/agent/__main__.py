"""Starts the agent from its folder alone: `python -I -S .../agent DIRECTORY`, with nothing else of ours importable."""

import importlib
import os
import sys
import types

_NAME = "trigpoint_agent"


def _start() -> int:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    package = types.ModuleType(_NAME)
    package.__path__ = [here]
    sys.modules[_NAME] = package
    return int(importlib.import_module(_NAME + ".main").main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(_start())
