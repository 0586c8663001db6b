"""The place in the user's own code is found among the frames of launchers and libraries."""

from __future__ import annotations

import pytest

from trigpoint.console.picture import traces
from trigpoint.console.picture.traces import Frame

PACKAGED = """warming up
Traceback (most recent call last):
  File "/opt/interpreter/lib/python3.10/runpy.py", line 86, in _run_code
    exec(code, run_globals)
  File "/root/.local/lib/python3.10/site-packages/trainer/task.py", line 13, in <module>
    main()
  File "/root/.local/lib/python3.10/site-packages/trainer/data/load.py", line 6, in load
    return pd.read_csv(path)
           ^^^^^^^^^^^^^^^^^
  File "/opt/python/3.10/lib/python3.10/site-packages/pandas/io/common.py", line 873, in get_handle
    handle = open(
FileNotFoundError: [Errno 2] No such file or directory: 'x.csv'
"""
CHAINED = """Traceback (most recent call last):
  File "<string>", line 3, in <module>
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "<string>", line 5, in <module>
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
ValueError: no
"""
BROKEN = """  File "/app/train.py", line 2
    def f(:
          ^
SyntaxError: invalid syntax
"""


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        (PACKAGED, Frame("trainer/data/load.py", 6, "load", "return pd.read_csv(path)")),
        (CHAINED, Frame("<string>", 5, "<module>", "")),
        (BROKEN, Frame("/app/train.py", 2, "", "def f(:")),
        (BROKEN.replace("line 2", f"line {'9' * 20}"), None),
        (BROKEN.replace("line 2", "line \u0663"), None),
        ("Killed\n", None),
        ("", None),
    ],
)
def test_the_innermost_place_of_the_users_own_code(text: str, frame: Frame | None) -> None:
    assert traces.innermost(text) == frame
