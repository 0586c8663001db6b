"""The codec agrees with Google's own library: on random messages of every Vertex class, and on damaged JSON.

The quick suite takes a sample of the classes, the slow one all of them, with more messages of each.
"""

import contextlib
import json
import random
import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from tests.core import oracle

from trigpoint.core import messages
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.messages import types


def vertex_messages() -> list[str]:
    """Return the names of all messages of v1 and v1beta1, map entries left out."""
    names = [name for name in types.index() if name.startswith(oracle.NAMES)]
    found = [name for name in names if types.find(name) is not None and not name.endswith("Entry")]
    return sorted(found)


def sample(names: list[str]) -> list[str]:
    """Return the messages that matter most, and a fixed choice of the others."""
    chosen = random.Random(1).sample(names, 120)
    usual = (
        "CustomJob",
        "TrainingPipeline",
        "Dataset",
        "Model",
        "Operation",
        "Context",
        "PipelineJob",
        "PredictRequest",
    )
    return [name for name in names if name.rsplit(".", 1)[1] in usual] + chosen


def test_a_sample_of_messages() -> None:
    for name in sample(vertex_messages()):
        for seed in range(2):
            compare(name, seed)
        damage(name, 0, 10)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_messages() -> None:
    names = vertex_messages()
    assert len(names) > 2500
    for name in names:
        for seed in range(10):
            compare(name, seed)
        damage(name, 1, 50)


def compare(name: str, seed: int) -> None:
    """Assert that both libraries see the same message in the same bytes and JSON."""
    theirs = oracle.random_message(name, seed)
    wire = theirs.SerializeToString(deterministic=True)
    ours = messages.decode(messages.message_class(name), wire)
    assert canonical(name, messages.encode(ours)) == wire, (name, seed)
    for as_ints in (False, True):
        told = oracle.to_dict(theirs, enums_as_ints=as_ints)
        assert alike(json.loads(messages.to_json(ours, enums_as_ints=as_ints)), told), (name, seed, as_ints)
        again = messages.from_json(type(ours), json.dumps(told))
        # Not the bytes: inside an Any the entries of a map keep whatever order they had.
        seen = oracle.message_class(name).FromString(messages.encode(again))
        assert alike(oracle.to_dict(seen, enums_as_ints=as_ints), told), (name, seed, as_ints)


def canonical(name: str, wire: bytes) -> bytes:
    """Return the bytes as Google's library orders them (compared as bytes, because NaN is not equal to itself)."""
    found: bytes = oracle.message_class(name).FromString(wire).SerializeToString(deterministic=True)
    return found


def alike(ours: Any, theirs: Any) -> bool:
    """Return whether two JSON values are equal.

    Numbers of 32-bit fields may be written in more digits, NullValue as null where enums are asked for as ints,
    and the host of a type url as the usual one.
    """
    match ours, theirs:
        case dict(), dict():
            return ours.keys() == theirs.keys() and all(alike(value, theirs[key]) for key, value in ours.items())
        case list(), list():
            return len(ours) == len(theirs) and all(map(alike, ours, theirs))
        case float(), float() if max(abs(ours), abs(theirs)) < 3.5e38:
            return ours == theirs or struct.pack("f", ours) == struct.pack("f", theirs)
        case str(), str() if ours.startswith("type.googleapis.com/"):
            return ours.rpartition("/")[2] == theirs.rpartition("/")[2]
        case None, 0:
            return True
        case _:
            return bool(ours == theirs)


_OTHERS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, -0.0, 2**31 - 1, 2**31, -(2**31) - 1, 2**32, 2**63 - 1, 2**63, 2**64, 10**400),
    *("", "x", "1", "1.0", "1e3", " 1", "1_0", "\u0663", "NaN", "-Infinity", "1e400", "true", "a.b", "aB,cD", "\0"),
    *("2020-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1s", "-1.5s", "999999999999s", "aGk", "a-_-", "***"),
    *([], [None], [[]], {}, {"a": 1}, {"@type": "x"}, {"@type": "type.googleapis.com/google.protobuf.Empty"}),
)


def damage(name: str, seed: int, times: int) -> None:
    """Assert that damaged JSON is refused properly, or gives what Google's library makes of it if that takes it too."""
    told = json.dumps(oracle.to_dict(oracle.random_message(name, seed)))
    cls, dice = messages.message_class(name), random.Random(f"{name} {seed} damage")
    for _ in range(times):
        text = json.dumps(damaged(json.loads(told), dice))
        if dice.random() < 0.2:
            at = dice.randrange(len(text))
            text = text[:at] + dice.choice(["", "{", "[", '"', "\\", ",", "1", "e9999", "\ud800"]) + text[at + 1 :]
        with contextlib.suppress(InvalidArgument):
            ours = messages.from_json(cls, text)
            wire = messages.encode(ours)
            with contextlib.suppress(oracle.json_format.ParseError):
                theirs = oracle.parse_json(text, name)
                assert alike(oracle.to_dict(oracle.message_class(name).FromString(wire)), oracle.to_dict(theirs)), text
        raw = bytearray(messages.encode(messages.from_json(cls, told)) or b"x")
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        with contextlib.suppress(InvalidArgument):
            messages.encode(messages.decode(cls, bytes(raw)))


def damaged(data: Any, dice: random.Random) -> Any:
    """Return the JSON with one place replaced, renamed, doubled or lost."""
    places = list(inner(data))
    if not places:
        return dice.choice(({"x": 1}, [], None, 1, "x"))
    where, key = dice.choice(places)
    match dice.randrange(8):
        case 0 if isinstance(where, dict):
            where[f"{key}x"] = where.pop(key)
        case 1 if isinstance(where, dict):
            where[re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key)] = where[key]
        case 2:
            del where[key]
        case 3 if isinstance(where, list):
            where.append(where[key])
        case _:
            where[key] = dice.choice(_OTHERS)
    return data


def inner(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a JSON value as what holds it and the key there."""
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from inner(data[key])
