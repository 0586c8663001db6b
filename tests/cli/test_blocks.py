"""YAML for people: it reads back as what it was, and several lines stay several lines."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from trigpoint.cli.blocks import written

ERROR = {
    "name": "projects/1/customJobs/2",
    "error": {"code": 3, "message": 'Traceback:\n  File "x", line 1\n\nValueError: no: rows\n'},
    "labels": {"yes": "no", "n": "007"},
    "pools": [{"args": ["--x", "a: b", "- c", "#d", "", "tab\there"], "count": "1"}, {}],
}


@pytest.mark.parametrize(
    "value",
    [
        ERROR,
        {"text": "  begins with spaces\nand goes on"},
        {"text": "\n\nbegins with lines\n   \n\n"},
        {"text": "\tbegins with a tab\n \t\nends"},
        {"text": "\ufeffmark\nline", "next": "a\u2028b\nc"},
        {"text": "ends with space \nand\ttabs"},
        {"text": "\u001b[31mred\u001b[0m\nnext", "other": "中文\n两行"},
        {"text": "a\r\nb", "long": "word " * 60},
    ],
)
def test_it_reads_back_as_it_was(value: dict[str, Any]) -> None:
    assert yaml.safe_load(written(value)) == value


def test_a_message_of_several_lines_is_a_block() -> None:
    lines = written(ERROR).splitlines()
    at = lines.index("  message: |")
    assert lines[at + 1 : at + 5] == ["    Traceback:", '      File "x", line 1', "", "    ValueError: no: rows"]
    said = written({"message": "Reason: Error. \nTraceback"})
    assert said.splitlines() == ["message: |-", "  Reason: Error. ", "  Traceback"]
