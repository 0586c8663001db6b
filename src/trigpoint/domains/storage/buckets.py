"""Buckets: who owns one, how it is set, what policy it shows; what lies in one is `things`' affair."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from trigpoint.core.call import Caller
from trigpoint.core.clock import Clock
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Violation
from trigpoint.data.objects import Objects, no_bucket
from trigpoint.data.objects_sweep import Sweeper
from trigpoint.domains.storage import rules, sentences
from trigpoint.domains.storage.rules import JSON, Preconditions
from trigpoint.store import objects as rows
from trigpoint.store.objects import BucketRow
from trigpoint.store.tx import Tx

NumberOf = Callable[[str], str]
"""Returns the number of a project given by id or number; NotFound when there is none."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of all projects. Thread-safe."""

    objects: Objects
    sweeper: Sweeper
    clock: Clock
    number_of: NumberOf
    location: str

    def open(self, caller: Caller, name: str) -> BucketRow:
        """Return a bucket; NotFound when there is none, PermissionDenied when the caller may not use it."""
        return self.owned(caller, self.objects.store.read(lambda tx: rows.get_bucket(tx, name)), name)

    def owned(self, caller: Caller, row: BucketRow | None, name: str) -> BucketRow:
        """Return the row if the caller may use that bucket; errors as `open`."""
        if row is None:
            raise no_bucket(name)
        if not caller.may_act_in(row.project):
            raise foreign(caller.email, name)
        return row

    def create(self, caller: Caller, project: str, name: str, given: Mapping[str, Any]) -> BucketRow:
        """Make a bucket in a project, by its id or number; AlreadyExists when the name is taken by anybody."""
        number = self.project(caller, project)
        attributes = rules.new_bucket(name, given, self.location)
        now = self.clock.now()
        row = BucketRow(name, number, 1, now, now, rules.bucket_bytes(attributes))
        self.objects.create_bucket(row)
        return row

    def list(self, caller: Caller, project: str, prefix: str, after: str, limit: int) -> list[BucketRow]:
        """Return up to `limit` buckets of a project whose names start with `prefix` and follow `after`."""
        number = self.project(caller, project)
        return self.objects.store.read(lambda tx: rows.list_buckets(tx, number, prefix, after, limit))

    def change(
        self, caller: Caller, name: str, given: Mapping[str, Any], when: Preconditions, *, whole: bool
    ) -> BucketRow:
        """Patch a bucket's settings or, `whole`, replace them."""

        def changed(row: BucketRow) -> JSON:
            when.check(row)
            return rules.changed_bucket(attributes_of(row), given, whole=whole)

        return self._write(caller, name, changed)

    def delete(self, caller: Caller, name: str, when: Preconditions) -> None:
        """Remove an empty bucket; files left under /gcs count as objects."""
        self.open(caller, name)
        if not self.sweeper.holds_file(name):  # what is not empty is said to be at once, however much lies in it
            self.sweeper.rescan(name)

        def rule(row: BucketRow) -> None:
            self.owned(caller, row, name)
            when.check(row)

        self.objects.delete_bucket(name, rule)

    def policy(self, caller: Caller, name: str) -> JSON:
        """Return the bucket's IAM policy: what was set, or that its project owns it."""
        row = self.open(caller, name)
        bindings = attributes_of(row).get("_policy") or default_bindings(row.project)
        return {"version": 1, "bindings": bindings, "etag": _policy_etag(bindings)}

    def set_policy(self, caller: Caller, name: str, policy: Mapping[str, Any]) -> JSON:
        """Keep a policy. It is shown, not enforced: the project's members may do everything, others nothing."""
        bindings = policy.get("bindings") or []
        if not isinstance(bindings, list) or not all(isinstance(each, dict) and "role" in each for each in bindings):
            raise InvalidArgument(violations=[Violation("bindings", sentences.BAD_BINDINGS)])

        def changed(row: BucketRow) -> JSON:
            attributes = attributes_of(row)
            current = attributes.get("_policy") or default_bindings(row.project)
            if policy.get("etag") and policy["etag"] != _policy_etag(current):
                text = sentences.POLICY_CHANGED.format(bucket=name)
                raise FailedPrecondition(text, reason=rules.CONDITION)
            return {**attributes, "_policy": bindings}

        self._write(caller, name, changed)
        return {"version": 1, "bindings": bindings, "etag": _policy_etag(bindings)}

    def _write(self, caller: Caller, name: str, change: Callable[[BucketRow], JSON]) -> BucketRow:
        def unit(tx: Tx) -> BucketRow:
            row = self.owned(caller, rows.get_bucket(tx, name), name)
            new = replace(
                row,
                attributes=rules.bucket_bytes(change(row)),
                metageneration=row.metageneration + 1,
                update_time=self.clock.now(),
            )
            rows.update_bucket(tx, new, row.metageneration)
            return new

        return self.objects.store.write(unit)

    def project(self, caller: Caller, project: str) -> str:
        """Return the number of a project; one refusal for those that are absent and those that are not the caller's."""
        if not project:
            raise InvalidArgument(violations=[Violation("project", sentences.NO_PROJECT)])
        try:
            number = self.number_of(project)
        except (PermissionDenied, NotFound):
            number = ""
        if not number or not caller.may_act_in(number):
            text = sentences.FOREIGN_PROJECT.format(email=caller.email, project=project[:80])
            raise PermissionDenied(text)
        return number


def attributes_of(row: BucketRow) -> JSON:
    """Return a bucket's settings."""
    found: JSON = orjson.loads(row.attributes)
    return found


def foreign(email: str, bucket: str) -> PermissionDenied:
    """Return the one error for everything in a bucket of another project, whatever is in it."""
    return PermissionDenied(sentences.FOREIGN_BUCKET.format(email=email, bucket=bucket), reason="forbidden")


def default_bindings(project: str) -> list[JSON]:
    """Return the bindings that Cloud Storage gives a new bucket (projectEditor and so on, by project)."""
    members = [f"projectEditor:{project}", f"projectOwner:{project}"]
    return [
        {"role": "roles/storage.legacyBucketOwner", "members": members},
        {"role": "roles/storage.legacyBucketReader", "members": [f"projectViewer:{project}"]},
    ]


def _policy_etag(bindings: list[JSON]) -> str:
    return hashlib.sha256(orjson.dumps(bindings)).hexdigest()[:12]
