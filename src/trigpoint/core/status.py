"""Errors as Google's wires show them: the google.rpc.Status of gRPC and the body of REST, with the same details."""

import json
from typing import Any

from trigpoint.core import errors, messages
from trigpoint.core.pb.google.rpc.error_details_pb import BadRequest, ErrorInfo
from trigpoint.core.pb.google.rpc.status_pb import Status

_DOMAIN = "aiplatform.googleapis.com"


def details(error: errors.TrigpointError) -> list[messages.Message]:
    """Return the detail messages of an error: field violations and the reason, where it has them."""
    found: list[messages.Message] = []
    if isinstance(error, errors.InvalidArgument) and error.violations:
        violations = [BadRequest.FieldViolation(field=v.field, description=v.description) for v in error.violations]
        found.append(BadRequest(field_violations=violations))
    if error.reason:
        found.append(ErrorInfo(reason=error.reason, domain=_DOMAIN))
    return found


def status(error: errors.TrigpointError) -> Status:
    """Return the error as google.rpc.Status: code, message, details."""
    return Status(code=error.code, message=error.message, details=[messages.pack(d) for d in details(error)])


def status_bytes(error: errors.TrigpointError) -> bytes:
    """Return what gRPC carries in `grpc-status-details-bin`."""
    return messages.encode(status(error))


def body(error: errors.TrigpointError) -> bytes:
    """Return the JSON body of a REST answer: `{"error": {"code": 404, "message": ..., "status": "NOT_FOUND"}}`."""
    told: dict[str, Any] = {"code": error.http, "message": error.message, "status": error.status}
    extra = [messages.to_dict(messages.pack(d)) for d in details(error)]
    if extra:
        told["details"] = extra
    return json.dumps({"error": told}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
