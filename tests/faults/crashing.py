"""The server, made to kill itself at a chosen durable step: `python -m tests.faults.crashing`.

Steps are commits of the main database (before and after), starts of agents and, by the interpreter's audit events,
what is about to be done to files and processes. The file HOME/arm says at which step, counted from when that file
appears; the steps taken are named in HOME/steps. The server itself knows nothing of this.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from trigpoint import server
from trigpoint.runtime.nursery import Nursery
from trigpoint.store.sqlite import SqliteDatabase

HOME = Path(os.environ["TRIGPOINT_HOME"])
ARM, STEPS = HOME / "arm", HOME / "steps"
_AUDITED = frozenset({"os.rename", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "subprocess.Popen"})
_lock = threading.Lock()
_left = -1
_inside = threading.local()


def step(what: str) -> None:
    """Count one step of an armed server, and end at the chosen one."""
    global _left
    if getattr(_inside, "step", False):
        return
    _inside.step = True
    try:
        with _lock:
            if _left < 0:
                if not ARM.exists():
                    return
                _left = int(ARM.read_text())
            _left -= 1
            with open(STEPS, "a") as file:
                file.write(what + "\n")
            if _left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
    finally:
        _inside.step = False


def audit(event: str, given: tuple[object, ...]) -> None:
    """Take an audited operation below the home for a step."""
    if event in _AUDITED and (event == "subprocess.Popen" or str(HOME) in str(given[0])):
        step(event)


def main() -> None:
    """Serve with every durable step counted."""
    end = SqliteDatabase._end

    def counted(self: SqliteDatabase, *, changed: bool) -> None:
        main_one = changed and self.path.name == "trigpoint.db"
        if main_one:
            step("before a commit")
        end(self, changed=changed)
        if main_one:
            step("after a commit")

    launch = Nursery.launch

    def launched(self: Nursery, directory: Path) -> None:
        step(f"before the start of {directory.name}")
        launch(self, directory)

    SqliteDatabase._end = counted  # type: ignore[method-assign]
    Nursery.launch = launched  # type: ignore[method-assign]
    sys.addaudithook(audit)
    sys.exit(server.main(["serve"]))


if __name__ == "__main__":
    main()
