"""The one gRPC method of storage that gcsfs asks for: where and how a bucket's objects lie.

The three messages' fields are all strings, so they are read and written here by hand.
"""

from collections.abc import Callable, Mapping

from trigpoint.core.call import Caller
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.wire import RpcCall, RpcTable, Unary
from trigpoint.domains.storage import Storage
from trigpoint.surfaces.gcs.asking import Threads
from trigpoint.surfaces.gcs.resources import bucket_resource

METHOD = "google.storage.control.v2.StorageControl.GetStorageLayout"
_PREFIX, _SUFFIX = "projects/_/buckets/", "/storageLayout"
Authenticate = Callable[[Mapping[str, str], str], Caller]


def rpc_table(storage: Storage, threads: Threads, authenticate: Authenticate) -> RpcTable:
    """Return the rows that the front serves beside the other gRPC methods."""

    def layout(call: RpcCall) -> bytes:
        caller = authenticate(call.headers, call.replica)
        name = fields(call.message).get(1, "")
        if not name.startswith(_PREFIX) or not name.endswith(_SUFFIX):
            text = f"{name[:120]!r} is not of the form {_PREFIX}BUCKET{_SUFFIX}"
            raise InvalidArgument(violations=[Violation("name", text)])
        row = storage.buckets.open(caller, name.removeprefix(_PREFIX).removesuffix(_SUFFIX))
        shown = bucket_resource(row, "")
        return text_field(1, name) + text_field(2, shown["location"]) + text_field(3, shown["locationType"])

    async def handle(call: RpcCall) -> bytes:
        return await threads.run(layout, call)

    return {METHOD: Unary(handle)}


def fields(message: bytes) -> dict[int, str]:
    """Return the length-delimited fields of a message as text; InvalidArgument when it is malformed."""
    found, at = {}, 0
    try:
        while at < len(message):
            tag, at = _varint(message, at)
            size, at = _varint(message, at)
            if tag & 7 == 0:
                continue
            if tag & 7 != 2 or at + size > len(message):
                raise IndexError
            found[tag >> 3] = message[at : at + size].decode()
            at += size
    except (IndexError, UnicodeDecodeError):
        raise InvalidArgument("The request message is malformed.") from None
    return found


def text_field(number: int, text: str) -> bytes:
    """Return one string field on the wire."""
    data = text.encode()
    return bytes([number << 3 | 2]) + _encoded(len(data)) + data


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise IndexError


def _encoded(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])
