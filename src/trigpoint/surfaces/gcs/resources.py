"""What Cloud Storage's JSON says of rows and errors (vertex-services.md sections 10.1 and 9.6)."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from trigpoint.core import errors, partial
from trigpoint.core.clock import Micros
from trigpoint.core.errors import TrigpointError
from trigpoint.domains.storage import rules
from trigpoint.domains.storage.buckets import attributes_of
from trigpoint.domains.storage.things import attributes
from trigpoint.store.objects import BucketRow, ObjectRow

JSON = dict[str, Any]
CHALLENGE = 'Bearer realm="https://accounts.google.com/"'
"""What goes with every 401."""
_REASONS: dict[type[TrigpointError], tuple[int, str]] = {
    errors.InvalidArgument: (400, "invalid"),
    errors.FailedPrecondition: (400, "failedPrecondition"),
    errors.OutOfRange: (416, "requestedRangeNotSatisfiable"),
    errors.NotFound: (404, "notFound"),
    errors.AlreadyExists: (409, "conflict"),
    errors.PermissionDenied: (403, "forbidden"),
    errors.Unauthenticated: (401, "authError"),
    errors.ResourceExhausted: (429, "rateLimitExceeded"),
    errors.Unimplemented: (501, "notImplemented"),
    # A change that lost a race is safe to repeat, and 503 is what the client repeats.
    errors.Aborted: (503, "backendError"),
    errors.Unavailable: (503, "backendError"),
    errors.DeadlineExceeded: (504, "backendError"),
}
_SPECIAL = {
    rules.CONDITION: (412, "conditionNotMet"),
    rules.NOT_MODIFIED: (304, "notModified"),
    "NOT_EMPTY": (409, "conflict"),
    "DISK_FULL": (507, "insufficientStorage"),
}


class Answer(Response):
    """JSON of our own: never an object's bytes, which may be JSON too."""

    media_type = "application/json; charset=UTF-8"


def answer(found: Mapping[str, Any] | None, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response; no body for None."""
    if found is None:
        return Response(status_code=status, headers=headers)
    return Answer(orjson.dumps(found), status, headers)


def cut(response: Response, fields: str) -> Response:
    """Return a response with the parts that the parameter `fields` names; errors and objects' bytes stay whole."""
    if not isinstance(response, Answer) or response.status_code >= HTTPStatus.BAD_REQUEST:
        return response
    return answer(partial.cut(orjson.loads(response.body), fields), response.status_code)


def bucket_resource(row: BucketRow, base: str) -> JSON:
    """Return a bucket as the API shows it."""
    shown = {key: value for key, value in attributes_of(row).items() if not key.startswith("_")}
    location = shown.get("location", "")
    uniform: JSON = {"enabled": False}
    return {
        "kind": "storage#bucket",
        "id": row.name,
        "name": row.name,
        "selfLink": f"{base}/storage/v1/b/{row.name}",
        "projectNumber": row.project,
        "metageneration": str(row.metageneration),
        "locationType": "multi-region" if location in ("US", "EU", "ASIA") else "region",
        "timeCreated": instant(row.create_time),
        "updated": instant(row.update_time),
        "generation": str(row.create_time),
        "iamConfiguration": {
            "bucketPolicyOnly": uniform,
            "uniformBucketLevelAccess": uniform,
            "publicAccessPrevention": "inherited",
        },
        "softDeletePolicy": {"retentionDurationSeconds": "0"},
        "rpo": "DEFAULT",
        **shown,
        "etag": etag(row.metageneration),
    }


def object_resource(row: ObjectRow, base: str) -> JSON:
    """Return one generation of an object as the API shows it."""
    name = row.name.decode("utf-8", "replace")
    path = f"b/{row.bucket}/o/{quote(name, safe='')}"
    shown = attributes(row)
    found: JSON = {
        "kind": "storage#object",
        "id": f"{row.bucket}/{name}/{row.generation}",
        "selfLink": f"{base}/storage/v1/{path}",
        "mediaLink": f"{base}/download/storage/v1/{path}?generation={row.generation}&alt=media",
        "name": name,
        "bucket": row.bucket,
        "generation": str(row.generation),
        "metageneration": str(row.metageneration),
        "storageClass": "STANDARD",
        "size": str(row.size),
        "crc32c": rules.crc_text(row.crc32c),
        "etag": etag(row.generation, row.metageneration),
        "timeCreated": instant(row.create_time),
        "updated": instant(row.update_time),
        "timeStorageClassUpdated": instant(row.create_time),
        "timeFinalized": instant(row.create_time),
        **shown,
    }
    if row.md5:
        found["md5Hash"] = row.md5
    if not row.live:
        found["timeDeleted"] = instant(row.delete_time)
    return found


def refusal(error: TrigpointError) -> Response:
    """Return the response for an error."""
    status, reason = place(error)
    if status == HTTPStatus.NOT_MODIFIED:
        return Response(status_code=status)
    text = message(error)
    found = {"message": text, "domain": "global", "reason": reason}
    headers = {"www-authenticate": CHALLENGE} if status == 401 else None
    return answer({"error": {"code": status, "message": text, "errors": [found]}}, status, headers)


def place(error: TrigpointError) -> tuple[int, str]:
    """Return the HTTP status and reason word of an error."""
    for kind in type(error).__mro__:
        if error.reason in _SPECIAL:
            return _SPECIAL[error.reason]
        if kind in _REASONS:
            return _REASONS[kind]
    return 500, "internalError"


def message(error: TrigpointError) -> str:
    """Return what the caller is told."""
    if isinstance(error, errors.InvalidArgument) and error.violations:
        return "; ".join(f"{violation.field}: {violation.description}" for violation in error.violations)
    return error.message


def etag(*numbers: int) -> str:
    """Return an opaque tag of a version."""
    return base64.b64encode(b"".join(number.to_bytes(8, "big") for number in numbers)).decode()


def instant(micros: Micros) -> str:
    """Return an instant in RFC 3339, milliseconds, UTC."""
    time = datetime.fromtimestamp(micros // 1_000_000, UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{micros // 1000 % 1000:03d}Z"
