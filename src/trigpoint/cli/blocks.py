"""Writes values as YAML that people can read: text of several lines as a block, whatever else needs it quoted."""

import re
from typing import Any

import yaml

_PLAIN = re.compile("[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
"""Text that a block may hold as it stands."""


class _Dumper(yaml.SafeDumper):
    """A dumper of its own, so that its way with text is nobody else's."""

    def analyze_scalar(self, scalar: str) -> Any:
        """Allow blocks also where lines end with spaces or hold tabs, as YAML does and the library does not."""
        found = super().analyze_scalar(scalar)
        if "\n" in scalar and _PLAIN.fullmatch(scalar):
            found.allow_block = True
        return found


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def written(value: Any) -> str:
    """Return JSON's values as YAML, members in their order, without a newline at the end."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=float("inf")
    )
    return text.rstrip("\n")
