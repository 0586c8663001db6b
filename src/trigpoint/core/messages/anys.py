"""Messages inside `google.protobuf.Any`, and the passage between API versions that rewrites their type urls."""

from protobuf import Message
from protobuf.wkt import Any

from trigpoint.core.errors import InvalidArgument
from trigpoint.core.messages.codec import decode, encode
from trigpoint.core.messages.shapes import per_class, reachable, walk
from trigpoint.core.messages.types import M, find, full_name, message_class

_PREFIX = "type.googleapis.com/"
_VERTEX = "google.cloud.aiplatform."


def pack(message: Message) -> Any:
    """Return the message inside an Any."""
    return Any(type_url=_PREFIX + full_name(message), value=encode(message))


def unpack(packed: Any) -> Message:
    """Return the message inside an Any; InvalidArgument when its type is not known here or its bytes are none."""
    return decode(message_class(_inner(packed)), packed.value)


def recast(message: Message, cls: type[M], *, version: str = "") -> M:
    """Return the message as one of another version's class, through its bytes: fields unknown there are kept.

    Type urls inside are rewritten to `version` (`v1` or `v1beta1`; by default that of `cls`), so that a client of
    one version can open what the other wrote. The versions are wire compatible (sdk-contract.md section 2.1).
    """
    # The bytes are read anew even for the same class: the caller may change what it gets.
    result = decode(cls, encode(message))
    towards = version or _version(full_name(cls))
    if towards and _holds_any(cls):
        for _, inner in walk(result):
            if isinstance(inner, Any):
                _turn(inner, towards)
    return result


def _turn(packed: Any, version: str) -> None:
    name = _inner(packed)
    old = _version(name)
    target = find(name.replace(f"{_VERTEX}{old}.", f"{_VERTEX}{version}.", 1)) if old else find(name)
    if target is None or not (old or _holds_any(target)):
        return
    packed.value = encode(recast(decode(target, packed.value), target, version=version))
    packed.type_url = _PREFIX + full_name(target)


def _inner(packed: Any) -> str:
    name = packed.type_url.rpartition("/")[2]
    if not name:
        raise InvalidArgument("an Any without a type url holds no message")
    return name


def _version(name: str) -> str:
    """Return the Vertex API version that a full name is of, or an empty string."""
    return name.removeprefix(_VERTEX).partition(".")[0] if name.startswith(_VERTEX) else ""


@per_class
def _holds_any(cls: type[Message]) -> bool:
    return Any in reachable(cls)
