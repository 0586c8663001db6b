"""What is kept back from read-only links: secrets in variables, arguments and addresses. Pure.

Secrets are known by the names that they are given under, and passwords in addresses by their place. What a program is
given without a name, or prints, is not recognized: who shares a run is told so.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

HIDDEN = "***"
_PARTS = r"key|token|secret|passw|passphrase|credential|auth|cookie|private|webhook|signature"
_WORDS = r"(?<![a-z])(?:dsn|sas|sig)(?![a-z])|(?<!com)(?<!by)(?<!tres)(?<!sur)(?<!over)pass(?![a-z])|pwd(?![a-z])"
_SECRET = re.compile(f"{_PARTS}|{_WORDS}")
_GIVEN = re.compile(f"(?:keys?|token|secrets?|passw(?:or)?ds?|passphrase|credentials?|auth)(?![a-z])|{_WORDS}")
"""What names of arguments and parameters have in them: `--tokenizer` and `--max-tokens` are everybody's."""
_PLAIN = frozenset({"PWD", "OLDPWD"})
"""Names of folders, in every shell."""
_LINES = frozenset({"args", "command", "job_args"})
"""Members that hold a command line or the end of one."""
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_LOGIN = re.compile(r"(?<=://)[^/?#\s\"']+@")
_ASSIGNED = re.compile(r"(?<![\w.-])(-{0,2}[A-Za-z_][\w.-]*)=(?=\S)")
_FOLLOWED = re.compile(r"(?<![\w.-])(--?[A-Za-z][\w.-]*)\s+(?![\s-])")
_VALUE = re.compile(r"(?:\"[^\"]*\"|'[^']*'|\S)*")
_OPTION = re.compile(r"--?[A-Za-z][\w.-]*")


def secret(name: str) -> bool:
    """Return whether a variable is a secret by its name."""
    return name not in _PLAIN and bool(_SECRET.search(_spread(name)))


def address(text: str) -> str:
    """Return a text without the users and passwords of addresses in it."""
    return _LOGIN.sub(f"{HIDDEN}@", text)


def words(text: str) -> str:
    """Return an argument, a command line or a variable's value without what it gives to secrets' names."""
    for pattern in (_ASSIGNED, _FOLLOWED):
        text = _without(text, pattern)
    return address(text)


def command(line: Sequence[str]) -> list[str]:
    """Return the words of a command line without secrets: those after an option that is one by its name, too."""
    found: list[str] = []
    for before, word in zip(["", *line], line, strict=False):
        follows = _OPTION.fullmatch(before) and not word.startswith("-") and _given(before)
        found.append(HIDDEN if follows else words(word))
    return found


def value(text: str) -> str:
    """Return a variable's value without secrets; one that is JSON is looked through as what it says."""
    if not text.startswith(("{", "[")):
        return words(text)
    try:
        read = orjson.loads(text)
        told = guarded(read)
    except ValueError:
        return words(text)
    except RecursionError:
        return HIDDEN
    return text if told == read else orjson.dumps(told).decode()


def guarded(message: Any) -> Any:
    """Return a resource's JSON without secrets."""
    match message:
        case {"name": name, "value": str(given)}:
            return {**message, "value": "" if secret(str(name)) else value(given)}
        case Mapping():
            return {key: _member(key, inner) for key, inner in message.items()}
        case list():
            return [guarded(one) for one in message]
        case str():
            return value(message) if message.startswith("{") else address(message)
    return message


def _member(key: str, inner: Any) -> Any:
    if key in _LINES and isinstance(inner, list):
        return command([str(word) for word in inner])
    return HIDDEN if inner and isinstance(inner, str) and _given(key) else guarded(inner)


def _given(name: str) -> bool:
    return name not in _PLAIN and bool(_GIVEN.search(_spread(name)))


def _without(text: str, names: re.Pattern[str]) -> str:
    """Return a text with a mask for every value that stands behind the name of a secret."""
    kept, at = [], 0
    for found in names.finditer(text):
        if found.start() >= at and _given(found[1]):
            kept += [text[at : found.end()], HIDDEN]
            value = _VALUE.match(text, found.end())
            at = value.end() if value else found.end()
    return "".join([*kept, text[at:]])


def _spread(name: str) -> str:
    return _HUMP.sub("_", name).lower()
