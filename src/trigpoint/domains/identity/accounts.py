"""The rows of service accounts and their keys: make, find, list, enable, disable, delete; who may do so is rpc's.

Private keys are never among the rows. Whoever remembers what a row said hands in `changed`, called after each commit
that takes something away or changes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import orjson

from trigpoint.core.clock import Clock, Ids, Micros
from trigpoint.core.errors import AlreadyExists, FailedPrecondition, NotFound
from trigpoint.domains.identity import keys, rules
from trigpoint.domains.identity.keys import Pair
from trigpoint.store import Store, Tx, events, resources
from trigpoint.store.resources import Row

KIND = "serviceAccounts"
KEYS = "keys"
USER_MANAGED = "USER_MANAGED"
SYSTEM_MANAGED = "SYSTEM_MANAGED"
_MOST_KEYS = 10


class ProjectFacts(Protocol):
    """What identity needs to know of a project."""

    @property
    def number(self) -> str:
        """12 digits."""
        ...

    @property
    def id(self) -> str:
        """The id that people use."""
        ...

    @property
    def active(self) -> bool:
        """Whether it is in use."""
        ...

    @property
    def tenant(self) -> str:
        """Id of its tenant project."""
        ...

    @property
    def tenant_number(self) -> str:
        """Number of its tenant project."""
        ...


class ProjectBook(Protocol):
    """Who finds projects; the `projects` slice is one."""

    def find(self, segment: str) -> ProjectFacts | None:
        """Return the project of an id or number in any state, or None; without touching the database."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """One service account."""

    email: str
    project: str
    """Number of the project it belongs to."""
    unique_id: str
    """21 digits, never used again."""
    display_name: str = ""
    description: str = ""
    enabled: bool = True
    operator: bool = False
    """The home's owner."""
    create_time: Micros = 0
    version: int = 0

    @property
    def name(self) -> str:
        """The stored name, with the project's number."""
        return f"projects/{self.project}/{KIND}/{self.email}"


@dataclass(frozen=True, slots=True)
class Key:
    """The public half of one key of an account."""

    account: str
    """Stored name of the account."""
    key_id: str
    public_pem: str
    certificate: str
    """The same key in the X.509 form that Google publishes."""
    type: str = USER_MANAGED
    enabled: bool = True
    valid_after: Micros = 0
    version: int = 0

    @property
    def name(self) -> str:
        """The stored name."""
        return f"{self.account}/{KEYS}/{self.key_id}"


class Accounts:
    """Accounts and keys of all projects. Thread-safe."""

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, projects: ProjectBook, changed: Callable[[], None]
    ) -> None:
        self._store, self._clock, self._ids, self._projects, self._changed = store, clock, ids, projects, changed

    def find(self, email: str) -> Account | None:
        """Return the account of an address, or None."""
        name = self._name(email)
        return self._store.read(lambda tx: _account_in(tx, name)) if name else None

    def find_with_key(self, email: str, key_id: str) -> tuple[Account | None, Key | None]:
        """Return an account and one of its keys from one snapshot."""
        name = self._name(email)
        if not name:
            return None, None
        return self._store.read(lambda tx: (_account_in(tx, name), _key_in(tx, f"{name}/{KEYS}/{key_id}")))

    def find_unique(self, project: str, unique_id: str) -> Account | None:
        """Return the account of a unique id in a project, or None."""
        return next((one for one in self.list_(project) if one.unique_id == unique_id), None)

    def list_(self, project: str) -> list[Account]:
        """Return the accounts of a project by its number, by address."""
        rows = self._store.read(lambda tx: _rows(tx, KIND, f"projects/{project}"))
        return sorted((_account(row) for row in rows), key=lambda account: account.email)

    def create(
        self,
        project: str,
        email: str,
        *,
        display_name: str = "",
        description: str = "",
        operator: bool = False,
        by: str = "",
    ) -> Account:
        """Store a new account in a project by its number; AlreadyExists when the address is taken."""
        now = self._clock.now()
        unique_id = f"10{self._ids.number()}"
        made = Account(email, project, unique_id, display_name, description, operator=operator, create_time=now)

        def unit(tx: Tx) -> Account:
            try:
                stored = _account(resources.insert(tx, _account_row(made, now)))
            except AlreadyExists:
                text = f"Service account {email} already exists in its project: choose another account id."
                raise AlreadyExists(text) from None
            self._tell(tx, made, "serviceAccount.created", by)
            return stored

        return self._store.write(unit)

    def ensure(self, project: str, email: str, *, display_name: str, operator: bool = False) -> Account:
        """Return the account of an address, made if there is none."""
        try:
            return self.find(email) or self.create(project, email, display_name=display_name, operator=operator)
        except AlreadyExists:
            return self._must(self.find(email), email)

    def change(self, email: str, edit: Callable[[Account], Account], by: str = "") -> Account:
        """Replace an account by what `edit` makes of it; NotFound when there is none."""

        def unit(tx: Tx) -> Account:
            old = self._must(_account_in(tx, self._name(email)), email)
            new = edit(old)
            if new == old:
                return old
            tx.after_commit(self._changed)
            turned = "enabled" if new.enabled else "disabled"
            self._tell(tx, new, f"serviceAccount.{turned if new.enabled != old.enabled else 'updated'}", by)
            return _account(resources.update(tx, _account_row(new, self._clock.now())))

        return self._store.write(unit)

    def set_enabled(self, email: str, enabled: bool, by: str = "") -> Account:
        """Enable or disable an account; a disabled one proves nobody. FailedPrecondition for the operator's."""

        def edit(old: Account) -> Account:
            if old.operator and not enabled:
                raise FailedPrecondition(f"{email} is the operator's account: it can't be disabled or deleted.")
            return replace(old, enabled=enabled)

        return self.change(email, edit, by)

    def delete(self, email: str, by: str = "") -> Account:
        """Delete an account and its keys; FailedPrecondition for the operator's."""

        def unit(tx: Tx) -> Account:
            name = self._name(email)
            old = self._must(_account_in(tx, name), email)
            if old.operator:
                raise FailedPrecondition(f"{email} is the operator's account: it can't be disabled or deleted.")
            now = self._clock.now()
            for row in [*_rows(tx, KEYS, name), resources.get(tx, name)]:
                if row is not None:
                    resources.delete(tx, row, now)
            tx.after_commit(self._changed)
            self._tell(tx, old, "serviceAccount.deleted", by)
            return old

        return self._store.write(unit)

    def keys(self, account: Account) -> list[Key]:
        """Return the keys of an account, oldest first."""
        rows = self._store.read(lambda tx: _rows(tx, KEYS, account.name))
        return sorted((_key(row) for row in rows), key=lambda key: (key.valid_after, key.key_id))

    def add_key(self, account: Account, pair: Pair, type_: str = USER_MANAGED, by: str = "") -> Key:
        """Keep the public half of a key; the same key again is no error. FailedPrecondition above ten."""
        now = self._clock.now()
        certificate = keys.certificate(pair, account.unique_id)
        made = Key(account.name, pair.key_id, pair.public_pem, certificate, type_, valid_after=now)

        def unit(tx: Tx) -> Key:
            self._must(_account_in(tx, account.name), account.email)
            found = _key_in(tx, made.name)
            if found is not None:
                return found
            if type_ == USER_MANAGED and resources.count(tx, KEYS, account.name) >= _MOST_KEYS:
                raise FailedPrecondition(
                    f"Service account {account.email} has {_MOST_KEYS} keys, the most allowed: delete one first."
                )
            self._tell(tx, account, "serviceAccount.keyCreated", by, made.key_id)
            return _key(resources.insert(tx, _key_row(made, now)))

        return self._store.write(unit)

    def change_key(self, account: Account, key_id: str, *, enabled: bool, by: str = "") -> Key:
        """Enable or disable a key; NotFound when there is none."""

        def unit(tx: Tx) -> Key:
            old = _must_key(_key_in(tx, f"{account.name}/{KEYS}/{key_id}"), key_id)
            if old.enabled == enabled:
                return old
            tx.after_commit(self._changed)
            self._tell(tx, account, f"serviceAccount.key{'Enabled' if enabled else 'Disabled'}", by, key_id)
            return _key(resources.update(tx, _key_row(replace(old, enabled=enabled), self._clock.now())))

        return self._store.write(unit)

    def delete_key(self, account: Account, key_id: str, by: str = "") -> None:
        """Delete a key; NotFound when there is none, FailedPrecondition for the one that we hold ourselves."""

        def unit(tx: Tx) -> None:
            old = _must_key(_key_in(tx, f"{account.name}/{KEYS}/{key_id}"), key_id)
            if old.type == SYSTEM_MANAGED:
                raise FailedPrecondition(f"Key {key_id} is managed by the system: it can't be deleted.")
            row = resources.get(tx, old.name)
            if row is not None:
                resources.delete(tx, row, self._clock.now())
            tx.after_commit(self._changed)
            self._tell(tx, account, "serviceAccount.keyDeleted", by, key_id)

        self._store.write(unit)

    def _tell(self, tx: Tx, account: Account, kind: str, by: str, key_id: str = "") -> None:
        data = {"key": key_id} if key_id else {}
        at = self._clock.now()
        events.append(tx, time=at, project=account.project, subject=account.name, kind=kind, actor=by, data=data)

    def _name(self, email: str) -> str:
        """Return the stored name that an address must have, or "" when it belongs to no project."""
        segment = rules.project_segment(email)
        project = self._projects.find(segment) if segment else None
        return f"projects/{project.number}/{KIND}/{email}" if project is not None else ""

    def _must(self, account: Account | None, email: str) -> Account:
        if account is None:
            raise NotFound(f"Service account {email[:120]} does not exist.")
        return account


def _must_key(key: Key | None, key_id: str) -> Key:
    if key is None:
        raise NotFound(f"Service account key {key_id[:60]} does not exist.")
    return key


def _rows(tx: Tx, kind: str, parent: str) -> list[Row]:
    page = resources.select(tx, kind, parent, limit=1000)
    rows = list(page.rows)
    while page.next is not None:
        page = resources.select(tx, kind, parent, after=page.next, limit=1000)
        rows += page.rows
    return rows


def _account_in(tx: Tx, name: str) -> Account | None:
    row = resources.get(tx, name) if name else None
    return _account(row) if row is not None else None


def _key_in(tx: Tx, name: str) -> Key | None:
    row = resources.get(tx, name)
    return _key(row) if row is not None else None


def _account_row(account: Account, now: Micros) -> Row:
    more = {"uniqueId": account.unique_id, "description": account.description, "operator": account.operator}
    return Row(
        account.name,
        KIND,
        f"projects/{account.project}",
        orjson.dumps(more),
        state="ENABLED" if account.enabled else "DISABLED",
        display_name=account.display_name,
        create_time=account.create_time,
        update_time=now,
        version=account.version,
    )


def _account(row: Row) -> Account:
    more = orjson.loads(row.message)
    _, project, _, email = row.name.split("/")
    return Account(
        email,
        project,
        more["uniqueId"],
        row.display_name,
        more["description"],
        row.state == "ENABLED",
        more["operator"],
        row.create_time,
        row.version,
    )


def _key_row(key: Key, now: Micros) -> Row:
    return Row(
        key.name,
        KEYS,
        key.account,
        orjson.dumps({"publicKey": key.public_pem, "certificate": key.certificate, "type": key.type}),
        state="ENABLED" if key.enabled else "DISABLED",
        create_time=key.valid_after,
        update_time=now,
        version=key.version,
    )


def _key(row: Row) -> Key:
    more = orjson.loads(row.message)
    return Key(
        row.parent,
        row.name.rsplit("/", 1)[-1],
        more["publicKey"],
        more["certificate"],
        more["type"],
        row.state == "ENABLED",
        row.create_time,
        row.version,
    )
