"""The sentences of the server and the agent, and whether a text consists of them: what the page can word itself."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

SOURCE = Path(__file__).resolve().parents[2] / "src/trigpoint"
NESTED = frozenset({"problem", "hint"})
"""Fields in which a refusal holds a sentence again."""
_NAMED = re.compile(r"""(?:[A-Za-z][\w.\[\]-]*|'.*?'|".*?"): (.+)""", re.DOTALL)


def owned() -> dict[str, dict[str, str]]:
    """Return the sentences of each package by name."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(SOURCE.rglob("sentences.py")):
        values: dict[str, str] = {}
        exec(compile(path.read_text(), str(path), "exec"), {}, values)
        package = ".".join(path.parent.relative_to(SOURCE).parts)
        found[package] = {name: text for name, text in values.items() if name.isupper() and name[0] != "_"}
    return found


def unknown(text: str) -> list[str]:
    """Return the lines of a text that the page cannot word; web/src/i18n/said.ts is what does it there."""
    patterns = [_pattern(template) for names in owned().values() for template in names.values()]
    return [line for line in re.split(r"[\n\t]+", text) if line.strip() and not _known(line.strip(), patterns)]


def _known(text: str, patterns: list[re.Pattern[str]]) -> bool:
    for pattern in patterns:
        found = pattern.fullmatch(text)
        if found and all(_known(said, patterns) for name, said in found.groupdict().items() if name in NESTED):
            return True
    named = _NAMED.fullmatch(text)
    return named is not None and _known(named[1], patterns)


def _pattern(template: str) -> re.Pattern[str]:
    made, seen = "", set[str]()
    for said, field, form, _ in Formatter().parse(template):
        made += re.escape(said)
        if field is not None:
            value = r"-?[\d.]+(?:e[+-]?\d+)?" if form else ".+?"
            made += f"(?P={field})" if field in seen else f"(?P<{field}>{value})"
            seen.add(field)
    return re.compile(made, re.DOTALL)
