"""The message codec: the only package that knows the message library; what messages mean is left to the slices.

Classes are generated (`trigpoint.core.pb`); everything done to them beyond reading and setting fields is done here.
"""

from trigpoint.core.messages.anys import pack, recast, unpack
from trigpoint.core.messages.codec import copy, decode, encode, from_dict, from_json, to_dict, to_json
from trigpoint.core.messages.types import (
    Any,
    Duration,
    Empty,
    FieldMask,
    Message,
    Oneof,
    Struct,
    Timestamp,
    Value,
    full_name,
    message_class,
)
from trigpoint.core.messages.values import duration, micros, plain, seconds, struct, timestamp, value

__all__ = [
    "Any",
    "Duration",
    "Empty",
    "FieldMask",
    "Message",
    "Oneof",
    "Struct",
    "Timestamp",
    "Value",
    "copy",
    "decode",
    "duration",
    "encode",
    "from_dict",
    "from_json",
    "full_name",
    "message_class",
    "micros",
    "pack",
    "plain",
    "recast",
    "seconds",
    "struct",
    "timestamp",
    "to_dict",
    "to_json",
    "unpack",
    "value",
]
