"""Partial responses: the `fields` of Google's REST APIs (`a,b/c,d(e,f)`, `*`, and `b.c` as in masks), on JSON."""

import re
from typing import Any

from trigpoint.core.errors import InvalidArgument, Violation

_TOKEN = re.compile(r"[^,/()]+|[,/()]")
_LONGEST = 4096
_DEEPEST = 50
Tree = dict[str, Any]
"""Wanted names to what is wanted below them; an empty tree wants all."""


def cut(data: Any, fields: str) -> Any:
    """Return the parts of JSON that a selector names; InvalidArgument when it is none. Unknown names select nothing."""
    return _select(data, parsed(fields))


def parsed(fields: str) -> Tree:
    """Return what a selector wants; InvalidArgument when it is none."""
    tokens = _TOKEN.findall(fields)
    if len(fields) > _LONGEST:
        raise _invalid()
    tree, rest = _list(tokens, 0)
    if rest:
        raise _invalid()
    return tree


def _list(tokens: list[str], depth: int) -> tuple[Tree, list[str]]:
    """Read selectors up to a closing bracket or the end."""
    if depth > _DEEPEST:
        raise _invalid()
    tree: Tree = {}
    while True:
        tokens = _path(tree, tokens, depth)
        if not tokens or tokens[0] == ")":
            return tree, tokens
        if tokens[0] != ",":
            raise _invalid()
        tokens = tokens[1:]


def _path(tree: Tree, tokens: list[str], depth: int) -> list[str]:
    """Read one selector into the tree."""
    while tokens and tokens[0] not in ",/()":
        tree = _below(tree, tokens[0].strip())
        tokens = tokens[1:]
        if tokens and tokens[0] == "/":
            tokens = tokens[1:]
            continue
        if tokens and tokens[0] == "(":
            inner, tokens = _list(tokens[1:], depth + 1)
            if not tokens:
                raise _invalid()
            tree.update(inner)
            tokens = tokens[1:]
        return tokens
    raise _invalid()


def _below(tree: Tree, name: str) -> Tree:
    """Return what is wanted below a name; `a.b` is b below a, or a key that has a dot in it."""
    below = tree
    for part in name.split("."):
        below = below.setdefault(part, {})
    return tree.setdefault(name, below)  # type: ignore[no-any-return]


def _select(data: Any, tree: Tree) -> Any:
    if not tree:
        return data
    if isinstance(data, list):
        return [_select(item, tree) for item in data]
    if not isinstance(data, dict):
        return data
    every = tree.get("*")
    picked = {}
    for key, value in data.items():
        below = tree.get(key, every)
        if below is not None:
            picked[key] = _select(value, below)
    return picked


def _invalid() -> InvalidArgument:
    return InvalidArgument(violations=[Violation("fields", "It is no selector such as `nextPageToken,items(name)`.")])
