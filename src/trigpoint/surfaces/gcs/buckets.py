"""The bucket methods of the JSON API, and the few others that stand beside them."""

import base64
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.domains.storage import Storage, rules
from trigpoint.surfaces.gcs import sentences
from trigpoint.surfaces.gcs.asking import Ask, Threads
from trigpoint.surfaces.gcs.resources import answer, bucket_resource

PAGE = 1000


class BucketMethods:
    """Handlers named after the API's methods; path parameters come by position."""

    def __init__(self, storage: Storage, threads: Threads) -> None:
        self._storage = storage
        self._buckets = storage.buckets
        self._run = threads.run

    async def insert(self, ask: Ask) -> Response:
        """Make a bucket."""
        given = await ask.json()
        name = given.get("name")
        if not isinstance(name, str) or not name:
            raise InvalidArgument(violations=[Violation("name", sentences.NO_BUCKET)])
        row = await self._run(self._buckets.create, ask.caller, ask.query.get("project", ""), name, given)
        return answer(bucket_resource(row, ask.base))

    async def get(self, ask: Ask, bucket: str) -> Response:
        """Return a bucket."""
        row = await self._run(self._buckets.open, ask.caller, bucket)
        ask.conditions().check(row)
        return answer(bucket_resource(row, ask.base))

    async def list(self, ask: Ask) -> Response:
        """Return one page of a project's buckets."""
        limit = min(PAGE, ask.number("maxResults") or PAGE)
        after = _token(ask.query.get("pageToken", ""))
        prefix, project = ask.query.get("prefix", ""), ask.query.get("project", "")
        found = await self._run(self._buckets.list, ask.caller, project, prefix, after, max(1, limit) + 1)
        shown = found[: max(1, limit)]
        page: dict[str, Any] = {
            "kind": "storage#buckets",
            "items": [bucket_resource(row, ask.base) for row in shown],
        }
        if len(found) > len(shown):
            page["nextPageToken"] = base64.urlsafe_b64encode(shown[-1].name.encode()).decode()
        return answer(page)

    async def patch(self, ask: Ask, bucket: str) -> Response:
        """Change some settings, or with PUT all."""
        given, whole = await ask.json(), ask.method == "PUT"
        row = await self._run(lambda: self._buckets.change(ask.caller, bucket, given, ask.conditions(), whole=whole))
        return answer(bucket_resource(row, ask.base))

    async def delete(self, ask: Ask, bucket: str) -> Response:
        """Remove an empty bucket."""
        await self._run(self._buckets.delete, ask.caller, bucket, ask.conditions())
        return answer(None, 204)

    async def get_policy(self, ask: Ask, bucket: str) -> Response:
        """Return the IAM policy."""
        found = await self._run(self._buckets.policy, ask.caller, bucket)
        return answer({"kind": "storage#policy", "resourceId": f"projects/_/buckets/{bucket}", **found})

    async def set_policy(self, ask: Ask, bucket: str) -> Response:
        """Keep an IAM policy."""
        given = await ask.json()
        found = await self._run(self._buckets.set_policy, ask.caller, bucket, given)
        return answer({"kind": "storage#policy", "resourceId": f"projects/_/buckets/{bucket}", **found})

    async def test_permissions(self, ask: Ask, bucket: str) -> Response:
        """Return which of the permissions asked for the caller has."""
        await self._run(self._buckets.open, ask.caller, bucket)
        asked = _all(ask, "permissions")
        return answer({"kind": "storage#testIamPermissionsResponse", "permissions": rules.granted(asked)})

    async def layout(self, ask: Ask, bucket: str) -> Response:
        """Return where and how the bucket's objects lie: flat, in one region."""
        row = await self._run(self._buckets.open, ask.caller, bucket)
        shown = bucket_resource(row, ask.base)
        return answer(
            {
                "kind": "storage#storageLayout",
                "bucket": bucket,
                "location": shown["location"],
                "locationType": shown["locationType"],
                "hierarchicalNamespace": {"enabled": False},
            }
        )

    async def nothing(self, ask: Ask, bucket: str) -> Response:
        """Return an empty list for what no bucket here has: notifications, access control lists."""
        await self._run(self._buckets.open, ask.caller, bucket)
        return answer({"kind": f"storage#{ask.segments()[-1]}", "items": []})

    async def service_account(self, ask: Ask, project: str) -> Response:
        """Return the account in whose name Cloud Storage works for a project."""
        number = await self._run(self._buckets.project, ask.caller, project)
        email = f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
        return answer({"kind": "storage#serviceAccount", "email_address": email})


def _token(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text.encode()).decode()
    except ValueError:
        raise InvalidArgument(violations=[Violation("pageToken", sentences.BAD_TOKEN)]) from None


def _all(ask: Ask, name: str) -> list[str]:
    return [value for key, value in parse_qsl(ask.raw_query.decode("latin-1")) if key == name]
