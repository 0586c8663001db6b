"""`trig projects` and `trig service-accounts`: who there is, and the keys they sign with."""

from __future__ import annotations

import base64
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import typer

from trigpoint.cli import client, server
from trigpoint.cli.client import IAM, RESOURCES, Api
from trigpoint.cli.session import Failure, Session, Status


def register(app: typer.Typer) -> None:
    """Add the commands."""
    projects = typer.Typer(help="Projects.", no_args_is_help=True)
    projects.command("list")(list_projects)
    projects.command("create")(create_project)
    projects.command("delete")(delete_project)
    projects.command("undelete")(undelete_project)
    app.add_typer(projects, name="projects")
    accounts = typer.Typer(help="Service accounts and their keys.", no_args_is_help=True)
    accounts.command("list")(list_accounts)
    accounts.command("create")(create_account)
    accounts.command("disable")(disable_account)
    accounts.command("enable")(enable_account)
    accounts.command("delete")(delete_account)
    keys = typer.Typer(help="Keys of service accounts.", no_args_is_help=True)
    keys.command("list")(list_keys)
    keys.command("create")(create_key)
    keys.command("delete")(delete_key)
    accounts.add_typer(keys, name="keys")
    app.add_typer(accounts, name="service-accounts")


PROJECT_ID = typer.Argument(help="A project id: 6 to 30 lower-case letters, digits and hyphens.")
EMAIL = typer.Argument(help="A service account: its email, or the part before the @.")
OF_ACCOUNT = typer.Option(..., "--iam-account", help="The service account: its email, or the part before the @.")


def list_projects(context: typer.Context) -> None:
    """List the projects of this home."""
    session: Session = context.obj
    found = list(_api(session).pages(RESOURCES, "v3/projects:search", "projects", {"pageSize": 100}))
    rows = [
        {
            "PROJECT": one["projectId"],
            "NUMBER": one["name"].split("/")[-1],
            "STATE": one.get("state", ""),
            "DISPLAY NAME": one.get("displayName", ""),
        }
        for one in found
    ]
    session.show(found, lambda: session.table(rows, ["PROJECT", "NUMBER", "STATE", "DISPLAY NAME"]))


def create_project(
    context: typer.Context, project_id: str = PROJECT_ID, name: str = typer.Option("", help="Its display name.")
) -> None:
    """Create a project."""
    session: Session = context.obj
    body = {"projectId": project_id, **({"displayName": name} if name else {})}
    operation = _api(session).call("POST", RESOURCES, "v3/projects", body)
    made = _result(operation)
    session.show(made, f"Created {made.get('projectId', project_id)} ({made.get('name', '').split('/')[-1]}).")


def delete_project(
    context: typer.Context,
    project_id: str = PROJECT_ID,
    yes: bool = typer.Option(False, "--yes", "-y", help="Delete it without asking."),
) -> None:
    """Disable a project: nothing in it answers any more; what it holds stays."""
    session: Session = context.obj
    if not yes:
        if not sys.stdin.isatty():
            raise Failure(
                f"Nobody is there to confirm that project {project_id} is to be deleted.",
                f"If it is: trig projects delete {shlex.quote(project_id)} --yes",
                Status.USAGE,
            )
        asked = f"Delete project {project_id}? Nothing in it will answer; `trig projects undelete` takes that back."
        typer.confirm(asked, abort=True, err=True)
    gone = _result(_api(session).call("DELETE", RESOURCES, f"v3/projects/{project_id}"))
    session.show(gone, f"Project {project_id} is {gone.get('state', 'DELETE_REQUESTED')}.")


def undelete_project(context: typer.Context, project_id: str = PROJECT_ID) -> None:
    """Enable a deleted project again."""
    session: Session = context.obj
    back = _result(_api(session).call("POST", RESOURCES, f"v3/projects/{project_id}:undelete", {}))
    session.show(back, f"Project {project_id} is {back.get('state', 'ACTIVE')}.")


def list_accounts(context: typer.Context) -> None:
    """List the service accounts of the project."""
    session: Session = context.obj
    api = _api(session)
    path = f"v1/projects/{session.project(api.info)}/serviceAccounts"
    found = list(api.pages(IAM, path, "accounts", {"pageSize": 100}))
    rows = [
        {
            "EMAIL": one["email"],
            "DISABLED": "yes" if one.get("disabled") else "",
            "DISPLAY NAME": one.get("displayName", ""),
        }
        for one in found
    ]
    session.show(found, lambda: session.table(rows, ["EMAIL", "DISABLED", "DISPLAY NAME"]))


def create_account(
    context: typer.Context,
    account: str = typer.Argument(help="The part of its email before the @."),
    display_name: str = typer.Option("", help="Its display name."),
) -> None:
    """Create a service account in the project."""
    session: Session = context.obj
    body: dict[str, Any] = {"accountId": account, "serviceAccount": {"displayName": display_name}}
    api = _api(session)
    made = api.call("POST", IAM, f"v1/projects/{session.project(api.info)}/serviceAccounts", body)
    session.show(
        made, f"Created {made['email']}; a key: trig service-accounts keys create FILE --iam-account {account}"
    )


def disable_account(context: typer.Context, email: str = EMAIL) -> None:
    """Refuse everything that this account's keys and tokens ask for, from now on."""
    _change(context.obj, email, ":disable", "Disabled")


def enable_account(context: typer.Context, email: str = EMAIL) -> None:
    """Let a disabled account act again."""
    _change(context.obj, email, ":enable", "Enabled")


def delete_account(context: typer.Context, email: str = EMAIL) -> None:
    """Delete a service account and all its keys."""
    session: Session = context.obj
    api = _api(session)
    name = _account(session, api, email)
    api.call("DELETE", IAM, f"v1/{name}")
    session.show({"deleted": name}, f"Deleted {name.split('/')[-1]}.")


def list_keys(context: typer.Context, account: str = OF_ACCOUNT) -> None:
    """List the keys of a service account."""
    session: Session = context.obj
    api = _api(session)
    found = api.call("GET", IAM, f"v1/{_account(session, api, account)}/keys").get("keys", [])
    rows = [
        {
            "KEY": one["name"].split("/")[-1],
            "CREATED": one.get("validAfterTime", ""),
            "DISABLED": "yes" if one.get("disabled") else "",
        }
        for one in found
    ]
    session.show(found, lambda: session.table(rows, ["KEY", "CREATED", "DISABLED"]))


def create_key(
    context: typer.Context, file: Path = typer.Argument(help="Where to write the key."), account: str = OF_ACCOUNT
) -> None:
    """Create a key and write it where GOOGLE_APPLICATION_CREDENTIALS can name it; readable by you alone."""
    session: Session = context.obj
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failure(f"{file} is already there.", "Name another file.", Status.USAGE) from None
    except OSError as error:
        raise Failure(f"{file} can't be written: {error.strerror}.", status=Status.USAGE) from error
    try:
        api = _api(session)
        made = api.call("POST", IAM, f"v1/{_account(session, api, account)}/keys", {})
        os.write(descriptor, base64.b64decode(made["privateKeyData"]))
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    del made["privateKeyData"]
    session.show({**made, "file": str(file)}, f"Created key {made['name'].split('/')[-1]} in {file}.")


def delete_key(
    context: typer.Context, key: str = typer.Argument(help="The key's id."), account: str = OF_ACCOUNT
) -> None:
    """Delete a key: what it signs is refused from now on."""
    session: Session = context.obj
    api = _api(session)
    api.call("DELETE", IAM, f"v1/{_account(session, api, account)}/keys/{key}")
    session.show({"deleted": key}, f"Deleted key {key}.")


def _change(session: Session, email: str, verb: str, said: str) -> None:
    api = _api(session)
    name = _account(session, api, email)
    api.call("POST", IAM, f"v1/{name}{verb}", {})
    session.show({"account": name, "state": said.lower()}, f"{said} {name.split('/')[-1]}.")


def _account(session: Session, api: Api, email: str) -> str:
    project = session.project(api.info)
    full = email if "@" in email else f"{email}@{project}.iam.gserviceaccount.com"
    return f"projects/{project}/serviceAccounts/{full}"


def _result(operation: dict[str, Any]) -> dict[str, Any]:
    """What a finished operation holds; project operations of this server are finished when they are answered."""
    if "error" in operation:
        raise Failure(operation["error"].get("message", "The operation failed."))
    result: dict[str, Any] = operation.get("response", operation)
    return result


def _api(session: Session) -> Api:
    return client.connect(session, server.required(session))
