"""The Python that runs the tests, as replicas are given one: bare, without an environment."""

from __future__ import annotations

import os
import sys
import sysconfig

from trigpoint.agent.protocol import Environment

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def bare() -> Environment:
    """Return the interpreter of the tests as an environment of nothing else."""
    words = [str(sysconfig.get_config_var(name) or "") for name in ("LIBDIR", "INSTSONAME")]
    library = os.path.join(*words)
    own = library if words[1].find(".so") > 0 and os.path.exists(library) else ""
    return Environment(base=sys.base_prefix, python=VERSION, library=own)
