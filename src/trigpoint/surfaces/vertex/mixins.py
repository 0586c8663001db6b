"""The methods that every Google service has besides its own: operations, locations, IAM policies.

Operations belong to the kernel; policies are kept here, one row for each resource that was given one. What a policy
allows is not decided here: callers may do in their own project what they like until roles exist.
"""

from collections.abc import Mapping
from dataclasses import replace

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.clock import Clock
from trigpoint.core.errors import Aborted, InvalidArgument, NotFound, Violation
from trigpoint.core.pb.google.cloud.location.locations_pb import (
    GetLocationRequest,
    ListLocationsRequest,
    ListLocationsResponse,
    Location,
)
from trigpoint.core.pb.google.iam.v1.iam_policy_pb import (
    GetIamPolicyRequest,
    SetIamPolicyRequest,
    TestIamPermissionsRequest,
    TestIamPermissionsResponse,
)
from trigpoint.core.pb.google.iam.v1.policy_pb import Policy
from trigpoint.core.pb.google.longrunning.operations_pb import (
    CancelOperationRequest,
    DeleteOperationRequest,
    GetOperationRequest,
    ListOperationsRequest,
    ListOperationsResponse,
    Operation,
    WaitOperationRequest,
)
from trigpoint.store import Store, Tx, operations, resources
from trigpoint.surfaces.vertex.parts import Handler, OperationBook

_KIND = "iamPolicies"
_NO_POLICY = b"ACAB"
"""The etag that Google gives to a policy that nobody ever set."""
_PAGE = 100


class Mixins:
    """The handlers. Thread-safe."""

    def __init__(self, store: Store, book: OperationBook, clock: Clock, locations: tuple[str, ...]) -> None:
        self._store, self._book, self._clock, self._locations = store, book, clock, locations

    def handlers(self) -> Mapping[str, Handler]:
        """Return them by full method name."""
        longrunning, places, iam = (
            "google.longrunning.Operations",
            "google.cloud.location.Locations",
            "google.iam.v1.IAMPolicy",
        )
        return {
            f"{longrunning}.GetOperation": self.get_operation,
            f"{longrunning}.WaitOperation": self.get_operation,
            f"{longrunning}.ListOperations": self.list_operations,
            f"{longrunning}.DeleteOperation": self.delete_operation,
            f"{longrunning}.CancelOperation": self.cancel_operation,
            f"{places}.ListLocations": self.list_locations,
            f"{places}.GetLocation": self.get_location,
            f"{iam}.GetIamPolicy": self.get_policy,
            f"{iam}.SetIamPolicy": self.set_policy,
            f"{iam}.TestIamPermissions": self.test_permissions,
        }

    def get_operation(self, call: Call, request: GetOperationRequest | WaitOperationRequest) -> Operation:
        """Return an operation with its types in the version of the call that began it: the poll itself names none."""
        found = self._book.get(request.name)
        kept = self._store.read(lambda tx: operations.get(tx, request.name))
        if kept is None or ".v1beta1." not in kept.method:
            return found
        return messages.recast(found, Operation, version="v1beta1")

    def list_operations(self, call: Call, request: ListOperationsRequest) -> ListOperationsResponse:
        """Return a page of the operations of one resource or location."""
        found, token = self._book.list(request.name, request.page_size, request.page_token)
        return ListOperationsResponse(operations=found, next_page_token=token)

    def delete_operation(self, call: Call, request: DeleteOperationRequest) -> messages.Message:
        """Forget an operation."""
        self._book.delete(request.name)
        return messages.message_class("google.protobuf.Empty")()

    def cancel_operation(self, call: Call, request: CancelOperationRequest) -> messages.Message:
        """Ask for an operation's end."""
        self._book.cancel(request.name)
        return messages.message_class("google.protobuf.Empty")()

    def list_locations(self, call: Call, request: ListLocationsRequest) -> ListLocationsResponse:
        """Return the served locations, in the order of the settings; the token is where the next page starts."""
        try:
            start = int(request.page_token or 0)
        except ValueError:
            start = -1
        if not 0 <= start <= len(self._locations):
            raise InvalidArgument(violations=[Violation("page_token", "It is not a token of this list.")])
        size = min(request.page_size, _PAGE) if request.page_size > 0 else _PAGE
        names = self._locations[start : start + size]
        token = str(start + size) if start + size < len(self._locations) else ""
        return ListLocationsResponse(locations=[_location(call, one) for one in names], next_page_token=token)

    def get_location(self, call: Call, request: GetLocationRequest) -> Location:
        """Return one location; dispatch has refused the ones that are not served."""
        return _location(call, call.location)

    def get_policy(self, call: Call, request: GetIamPolicyRequest) -> Policy:
        """Return the policy of a resource, an empty one when none was set."""
        return self._store.read(lambda tx: self._policy(tx, request.resource)[0])

    def set_policy(self, call: Call, request: SetIamPolicyRequest) -> Policy:
        """Replace the policy of a resource; Aborted when an etag is given and is not the current one."""
        if request.policy is None:
            raise InvalidArgument(violations=[Violation("policy", "It is required.")])
        given = request.policy

        def unit(tx: Tx) -> Policy:
            current, row = self._policy(tx, request.resource)
            if given.etag and given.etag != current.etag:
                raise Aborted(f"The policy of {request.resource} has changed: read it again and repeat the change.")
            fresh = messages.copy(given)
            now = self._clock.now()
            fresh.etag = f"{now:016d}".encode()
            message, text = messages.encode(fresh), messages.to_json(fresh)
            if row is None:
                name = _policy_name(request.resource)
                made = resources.Row(name, _KIND, request.resource, message, text, create_time=now, update_time=now)
                resources.insert(tx, made)
            else:
                resources.update(tx, replace(row, message=message, json=text, update_time=now))
            return fresh

        return self._store.write(unit)

    def test_permissions(self, call: Call, request: TestIamPermissionsRequest) -> TestIamPermissionsResponse:
        """Return which of the permissions the caller has: all of them in a project where it may act."""
        if not request.permissions:
            raise InvalidArgument(violations=[Violation("permissions", "Give at least one permission.")])
        if any("*" in permission for permission in request.permissions):
            raise InvalidArgument(violations=[Violation("permissions", "Wildcards are not allowed.")])
        self._store.read(lambda tx: _check_exists(tx, request.resource))
        return TestIamPermissionsResponse(permissions=list(request.permissions))

    def _policy(self, tx: Tx, resource: str) -> tuple[Policy, resources.Row | None]:
        _check_exists(tx, resource)
        row = resources.get(tx, _policy_name(resource))
        if row is None:
            return Policy(version=1, etag=_NO_POLICY), None
        return messages.decode(Policy, row.message), row


def _check_exists(tx: Tx, resource: str) -> None:
    if resources.get(tx, resource) is None:
        raise NotFound(f"The resource {resource[:300]!r} does not exist.")


def _policy_name(resource: str) -> str:
    return f"{resource}/{_KIND}/policy"


def _location(call: Call, name: str) -> Location:
    return Location(
        name=f"projects/{call.project}/locations/{name}",
        location_id=name,
        display_name=name,
        labels={"cloud.googleapis.com/region": name},
    )
