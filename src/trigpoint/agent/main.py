"""The agent's entry: one replica by the path of its directory, or a nursery that makes agents on demand."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback

from . import directory, limits, linux, nursery, protocol, replica, tree

_OOM_SCORE = 500
"""Half the machine's memory ahead of processes that nobody marked."""


def main(arguments: list[str]) -> int:
    """Run; 0 when a replica was lived to its end, 3 when another agent has it, 1 when something broke."""
    if arguments[:1] == ["--nursery"]:
        nursery.serve(int(arguments[1]), int(arguments[2]))
        return 0
    if arguments[:1] == ["--clean"]:
        return clean(arguments[1])
    return lead(arguments[0])


def clean(path: str) -> int:
    """Remove what an agent that died has left on the machine; 3 when it lives."""
    claimed = directory.claim(path, quiet=True)
    if claimed is None:
        return 3
    with open(claimed.file("spec.json"), "rb") as file:
        spec = protocol.load_spec(file.read())
    tree.kill_marked(f"{spec.attempt}/{spec.replica}")
    limits.Group(limits.name_of(spec), protocol.Limits()).remove()
    claimed.release()
    return 0


def lead(path: str) -> int:
    """Live one replica's life and leave a trace of what goes wrong with the agent itself."""
    os.chdir("/")
    os.umask(0o022)
    with contextlib.suppress(OSError):  # where the call is not allowed, it is not to programs either
        linux.leave_keyring()
    _go_first()
    fd = os.open(os.path.join(path, "agent.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
    try:
        return 0 if replica.live(path) else 3
    except Exception:  # noqa: BLE001 - the last line of defence: said in the agent's log, seen by the engine as GONE
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()


def _go_first() -> None:
    """Let the kernel, when the machine runs out of memory, choose among replicas before it looks at the server."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "r+") as file:
        score = int(file.read())
        if score < _OOM_SCORE:
            file.seek(0)
            file.write(str(_OOM_SCORE))
