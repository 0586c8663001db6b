"""IAM v1's service accounts and keys, one function per method, over JSON objects; wires are the surfaces'.

A request is the JSON body with the path's `name` and the query in it. Until there are roles, whoever belongs to a
project manages its accounts; a replica manages none, and the operator's account is the operator's alone.
Source: iam.googleapis.com v1 (names carry the project's id there, stored ones its number).
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trigpoint.core.call import Caller
from trigpoint.core.clock import rfc3339
from trigpoint.core.errors import InvalidArgument, NotFound, PermissionDenied, Violation
from trigpoint.domains.identity import Identity, keys, rules
from trigpoint.domains.identity.accounts import SYSTEM_MANAGED, USER_MANAGED, Account, Key, ProjectBook, ProjectFacts

Json = dict[str, Any]
Handler = Callable[[Caller, Json], Json]

_ACCOUNT = re.compile(r"projects/([^/]+)/serviceAccounts/([^/]+)(?:/keys/([^/]+))?")
_FOREVER = "9999-12-31T23:59:59Z"
_MUTABLE = {"displayName": "display_name", "display_name": "display_name", "description": "description"}


class IamApi:
    """Accepts calls of identified callers about accounts and keys."""

    def __init__(self, identity: Identity, projects: ProjectBook) -> None:
        self._identity, self._projects = identity, projects
        self._accounts = identity.accounts

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods by name."""
        return {
            "ListServiceAccounts": self.list_,
            "GetServiceAccount": lambda caller, request: self._shown(self.account(caller, request, "get")),
            "CreateServiceAccount": self.create,
            "PatchServiceAccount": self.patch,
            "DeleteServiceAccount": self.delete,
            "EnableServiceAccount": lambda caller, request: self._switch(caller, request, True),
            "DisableServiceAccount": lambda caller, request: self._switch(caller, request, False),
            "ListServiceAccountKeys": self.list_keys,
            "GetServiceAccountKey": self.get_key,
            "CreateServiceAccountKey": self.create_key,
            "DeleteServiceAccountKey": self.delete_key,
            "EnableServiceAccountKey": lambda caller, request: self._switch_key(caller, request, True),
            "DisableServiceAccountKey": lambda caller, request: self._switch_key(caller, request, False),
        }

    def list_(self, caller: Caller, request: Json) -> Json:
        """Return one page of a project's accounts; its token is the last address shown."""
        project = self._own(caller, text(request, "name"), "iam.serviceAccounts.list")
        size = min(number(request, "pageSize") or 100, 100)
        found = self._accounts.list_(project.number)
        token = text(request, "pageToken")
        if token:
            last = _opened(token)
            found = [account for account in found if account.email > last]
        answer: Json = {"accounts": [self._shown(account) for account in found[:size]]}
        if len(found) > size:
            answer["nextPageToken"] = base64.urlsafe_b64encode(found[size - 1].email.encode()).decode()
        return answer

    def create(self, caller: Caller, request: Json) -> Json:
        """Make an account; its address is `ID@PROJECT.iam.gserviceaccount.com`."""
        project = self._own(caller, text(request, "name"), "iam.serviceAccounts.create")
        self._no_replica(caller, "iam.serviceAccounts.create")
        account_id, given = text(request, "accountId"), _inner(request, "serviceAccount")
        display_name, description = text(given, "displayName"), text(given, "description")
        refuse(rules.account_id("account_id", account_id) + _texts(display_name, description))
        email = rules.account_email(account_id, project.id)
        made = self._accounts.create(
            project.number, email, display_name=display_name, description=description, by=caller.email
        )
        return self._shown(made)

    def patch(self, caller: Caller, request: Json) -> Json:
        """Change display name and description as the mask says; without a mask, those that are given."""
        account = self._changeable(caller, request, "update")
        given = _inner(request, "serviceAccount")
        mask = text(request, "updateMask")
        paths = [path.strip() for path in mask.split(",")] if mask else [key for key in given if key in _MUTABLE]
        unknown = sorted(set(paths) - set(_MUTABLE))
        if unknown:
            known = "display_name and description can."
            raise InvalidArgument(
                violations=[Violation("update_mask", f"{unknown[0][:60]!r} can't be changed; {known}")]
            )
        display_name, description = text(given, "displayName"), text(given, "description")
        refuse(_texts(display_name, description))
        fields = {_MUTABLE[path] for path in paths}

        def edit(old: Account) -> Account:
            new = replace(old, display_name=display_name) if "display_name" in fields else old
            return replace(new, description=description) if "description" in fields else new

        return self._shown(self._accounts.change(account.email, edit, caller.email))

    def delete(self, caller: Caller, request: Json) -> Json:
        """Delete an account and its keys."""
        self._accounts.delete(self._changeable(caller, request, "delete").email, caller.email)
        return {}

    def list_keys(self, caller: Caller, request: Json) -> Json:
        """Return the public facts of an account's keys, of the asked types."""
        account = self.account(caller, request, "get")
        wanted = request.get("keyTypes") or []
        wanted = {wanted} if isinstance(wanted, str) else set(map(str, wanted)) if isinstance(wanted, list) else set()
        found = [key for key in self._accounts.keys(account) if not wanted or key.type in wanted]
        return {"keys": [self._shown_key(account, key) for key in found]}

    def get_key(self, caller: Caller, request: Json) -> Json:
        """Return one key, with its public half when that is asked for."""
        account, key = self._key(caller, request, "get")
        shown = self._shown_key(account, key)
        form = text(request, "publicKeyType")
        if form in ("TYPE_X509_PEM_FILE", "TYPE_RAW_PUBLIC_KEY"):
            data = key.certificate if form == "TYPE_X509_PEM_FILE" else key.public_pem
            shown["publicKeyData"] = base64.b64encode(data.encode()).decode()
        return shown

    def create_key(self, caller: Caller, request: Json) -> Json:
        """Make a key and hand its key file out, this once."""
        account = self._changeable(caller, request, "createKey")
        if text(request, "privateKeyType") not in ("", "TYPE_UNSPECIFIED", "TYPE_GOOGLE_CREDENTIALS_FILE"):
            raise InvalidArgument(
                violations=[Violation("private_key_type", "only TYPE_GOOGLE_CREDENTIALS_FILE is made here.")]
            )
        if text(request, "keyAlgorithm") not in ("", "KEY_ALG_UNSPECIFIED", "KEY_ALG_RSA_2048"):
            raise InvalidArgument(violations=[Violation("key_algorithm", "only KEY_ALG_RSA_2048 is made here.")])
        pair = keys.generate()
        made = self._accounts.add_key(account, pair, by=caller.email)
        project_id = self._project_id(account)
        document = keys.key_file(pair, email=account.email, unique_id=account.unique_id, project_id=project_id)
        return {
            **self._shown_key(account, made),
            "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE",
            "privateKeyData": base64.b64encode(document).decode(),
        }

    def delete_key(self, caller: Caller, request: Json) -> Json:
        """Delete a key; what it signs is refused from now on."""
        account, key = self._key(caller, request, "deleteKey")
        self._accounts.delete_key(account, key.key_id, caller.email)
        return {}

    def account(self, caller: Caller, request: Json, verb: str) -> Account:
        """Return the account that a request names, if it is of a project of the caller's.

        The project may be `-` and the account an address or a unique id. PermissionDenied in one wording for foreign
        and absent projects; NotFound for an absent account of the caller's own.
        """
        name = text(request, "name")
        found = _ACCOUNT.fullmatch(name)
        if found is None:
            form = "projects/PROJECT/serviceAccounts/EMAIL"
            raise InvalidArgument(violations=[Violation("name", f"{name[:120]!r} is not of the form {form}.")])
        segment, who = found.group(1), found.group(2)
        if segment == "-":
            segment = rules.project_segment(who) or caller.project
        project = self._own(caller, f"projects/{segment}", f"iam.serviceAccounts.{verb}")
        known = self._accounts
        account = known.find(who) if "@" in who else known.find_unique(project.number, who)
        if account is None or account.project != project.number:
            raise NotFound(f"Service account {name[:200]} does not exist.")
        return account

    def _key(self, caller: Caller, request: Json, verb: str) -> tuple[Account, Key]:
        reading = verb == "get"
        account = self.account(caller, request, verb) if reading else self._changeable(caller, request, verb)
        found = _ACCOUNT.fullmatch(text(request, "name"))
        key_id = (found.group(3) or "") if found is not None else ""
        _, key = self._accounts.find_with_key(account.email, key_id)
        if key is None:
            raise NotFound(f"Service account key {key_id[:60]} of {account.email} does not exist.")
        return account, key

    def _switch(self, caller: Caller, request: Json, enabled: bool) -> Json:
        account = self._changeable(caller, request, "enable" if enabled else "disable")
        self._accounts.set_enabled(account.email, enabled, caller.email)
        return {}

    def _switch_key(self, caller: Caller, request: Json, enabled: bool) -> Json:
        account, key = self._key(caller, request, "enableKey" if enabled else "disableKey")
        self._accounts.change_key(account, key.key_id, enabled=enabled, by=caller.email)
        return {}

    def _changeable(self, caller: Caller, request: Json, verb: str) -> Account:
        """Return the account that a request names if this caller may change it."""
        account = self.account(caller, request, verb)
        self._no_replica(caller, f"iam.serviceAccounts.{verb}")
        if account.operator and not caller.operator:
            raise denied(f"iam.serviceAccounts.{verb}")
        return account

    def _own(self, caller: Caller, name: str, permission: str) -> ProjectFacts:
        prefix, _, segment = name.partition("/")
        if prefix != "projects" or not segment or "/" in segment:
            text_ = f"{name[:120]!r} is not of the form projects/PROJECT."
            raise InvalidArgument(violations=[Violation("name", text_)])
        project = self._projects.find(segment)
        if project is None or not project.active or not caller.may_act_in(project.number):
            raise denied(permission)
        return project

    def _no_replica(self, caller: Caller, permission: str) -> None:
        """Refuse training code: what it made would outlive its attempt."""
        if caller.replica:
            raise denied(permission)

    def _project_id(self, account: Account) -> str:
        project = self._projects.find(account.project)
        return project.id if project is not None else account.project

    def _shown(self, account: Account) -> Json:
        project_id = self._project_id(account)
        shown = {
            "name": f"projects/{project_id}/serviceAccounts/{account.email}",
            "projectId": project_id,
            "uniqueId": account.unique_id,
            "email": account.email,
            "displayName": account.display_name,
            "etag": base64.b64encode(str(account.version).encode()).decode(),
            "description": account.description,
            "oauth2ClientId": account.unique_id,
            "disabled": not account.enabled,
        }
        return {key: value for key, value in shown.items() if value}

    def _shown_key(self, account: Account, key: Key) -> Json:
        shown = {
            "name": f"projects/{self._project_id(account)}/serviceAccounts/{account.email}/keys/{key.key_id}",
            "validAfterTime": rfc3339(key.valid_after // 1_000_000 * 1_000_000),
            "validBeforeTime": _FOREVER,
            "keyAlgorithm": "KEY_ALG_RSA_2048",
            "keyOrigin": "GOOGLE_PROVIDED",
            "keyType": SYSTEM_MANAGED if key.type == SYSTEM_MANAGED else USER_MANAGED,
            "disabled": not key.enabled,
        }
        return {name: value for name, value in shown.items() if value}


def denied(permission: str) -> PermissionDenied:
    """Return IAM's refusal, which is the same for what is foreign and for what is absent."""
    text_ = f"Permission '{permission}' denied on resource (or it may not exist)."
    return PermissionDenied(text_, reason="IAM_PERMISSION_DENIED")


def text(request: Json, key: str) -> str:
    """Return a string field of a JSON request, empty when absent; InvalidArgument for another type."""
    value = request.get(key)
    if not isinstance(value, str | None):
        raise InvalidArgument(violations=[Violation(key, "give a string.")])
    return value or ""


def number(request: Json, key: str) -> int:
    """Return a whole number, also from the digits of a query, 0 when absent; InvalidArgument for anything else."""
    value = request.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value or 0
    raise InvalidArgument(violations=[Violation(key, "give a whole number that is not negative.")])


def refuse(violations: list[Violation]) -> None:
    """Raise InvalidArgument with these violations, if any."""
    if violations:
        raise InvalidArgument(violations=violations)


def _inner(request: Json, key: str) -> Json:
    value = request.get(key)
    if not isinstance(value, dict | None):
        raise InvalidArgument(violations=[Violation(key, "give an object.")])
    return value or {}


def _texts(display_name: str, description: str) -> list[Violation]:
    found = []
    if len(display_name.encode("utf-8", "replace")) > 100:
        found.append(Violation("service_account.display_name", "at most 100 UTF-8 bytes are allowed."))
    if len(description.encode("utf-8", "replace")) > 256:
        found.append(Violation("service_account.description", "at most 256 UTF-8 bytes are allowed."))
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in display_name + description):
        found.append(Violation("service_account", "control characters are not allowed in its texts."))
    return found


def _opened(token: str) -> str:
    try:
        last = base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        last = ""
    if "@" not in last:
        said = "is not a token of this list: use nextPageToken of the answer before, unchanged."
        raise InvalidArgument(violations=[Violation("page_token", said)])
    return last
