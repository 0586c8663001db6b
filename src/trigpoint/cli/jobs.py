"""`trig jobs` and `trig logs`: custom jobs and what their replicas print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import typer
from rich.control import strip_control_codes

from trigpoint.cli import blocks, client, server
from trigpoint.cli.client import LOGGING, Api, ApiError
from trigpoint.cli.session import Failure, Session

FOLLOW_SECONDS = 1.0
PAGE = 1000
FINAL = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Custom jobs.", no_args_is_help=True)
    group.command("list")(list_jobs)
    group.command("describe")(describe)
    group.command("cancel")(cancel)
    app.add_typer(group, name="jobs")
    app.command()(logs)


JOB = typer.Argument(help="A job's id, full name or display name; a training pipeline's id or name works too.")


def list_jobs(
    context: typer.Context,
    filter_: str = typer.Option("", "--filter", help='An API filter such as state="JOB_STATE_RUNNING".'),
    limit: int = typer.Option(50, min=1, help="How many to show, newest first."),
) -> None:
    """List custom jobs, newest first."""
    session: Session = context.obj
    api = _api(session)
    query: dict[str, str | int] = {"pageSize": min(limit, 100), **({"filter": filter_} if filter_ else {})}
    found: list[dict[str, Any]] = []
    for job in api.pages(api.vertex, f"v1/{api.parent(_project(session, api))}/customJobs", "customJobs", query):
        found.append(job)
        if len(found) >= limit:
            break
    rows = [
        {
            "JOB": job["name"].split("/")[-1],
            "STATE": job.get("state", "").removeprefix("JOB_STATE_"),
            "DISPLAY NAME": job.get("displayName", ""),
            "CREATED": _local_time(job.get("createTime", "")),
            "RAN": f"{ran_seconds(job)} s" if job.get("endTime") and job.get("startTime") else "",
        }
        for job in found
    ]
    session.show(found, lambda: session.table(rows, ["JOB", "STATE", "DISPLAY NAME", "CREATED", "RAN"]))


def describe(context: typer.Context, job: str = JOB) -> None:
    """Show everything the API says about a job."""
    session: Session = context.obj
    found = find(session, _api(session), job)
    session.show(found, blocks.written(found))


def cancel(context: typer.Context, job: str = JOB) -> None:
    """Ask a job to end."""
    session: Session = context.obj
    api = _api(session)
    name = find(session, api, job)["name"]
    api.call("POST", api.vertex, f"v1/{name}:cancel", {})
    session.show(
        {"cancelled": name}, f"Asked {name} to end; `trig jobs describe {name.split('/')[-1]}` shows its state."
    )


def logs(
    context: typer.Context,
    job: str = JOB,
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on until the job has ended."),
    replica: str = typer.Option("", "--replica", help="Only this one's, such as workerpool0-0; or `service`."),
) -> None:
    """Print what a job and its replicas logged, oldest first; with --json one entry per line."""
    session: Session = context.obj
    api = _api(session)
    name = find(session, api, job)["name"]
    shown = partial(json.dumps, ensure_ascii=False) if session.as_json else _line
    try:
        for entry in _entries(session, api, name, follow, replica):
            print(shown(entry), flush=follow)  # drawing a line would take longer than reading it
        sys.stdout.flush()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _entries(session: Session, api: Api, name: str, follow: bool, replica: str) -> Iterator[dict[str, Any]]:
    """Yield log entries once each; following ends one empty look after the job's end."""
    seen: set[tuple[str, str]] = set()
    since, ended = "", not follow
    while True:
        fresh = 0
        for entry in _read_entries(session, api, name.split("/")[-1], replica, since):
            key = (entry.get("timestamp", ""), entry.get("insertId", ""))
            if key not in seen:
                seen.add(key)
                since = max(since, key[0])
                fresh += 1
                yield entry
        if ended and not fresh:
            return
        if not ended:
            ended = api.call("GET", api.vertex, f"v1/{name}").get("state") in FINAL
            time.sleep(FOLLOW_SECONDS if not ended else 0)
        elif not follow:
            return


def _read_entries(session: Session, api: Api, job_id: str, replica: str, since: str) -> Iterator[dict[str, Any]]:
    only = f'resource.type="ml_job" AND resource.labels.job_id="{job_id}"'
    only += f" AND resource.labels.task_name={json.dumps(replica)}" if replica else ""
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{_project(session, api)}"],
        "filter": only + (f' AND timestamp>="{since}"' if since else ""),
        "orderBy": "timestamp asc",
        "pageSize": PAGE,
    }
    while True:
        page = api.call("POST", LOGGING, "v2/entries:list", body)
        yield from page.get("entries", ())
        if not page.get("nextPageToken"):
            return
        body["pageToken"] = page["nextPageToken"]


def _line(entry: dict[str, Any]) -> str:
    payload = entry.get("textPayload")
    if payload is None:
        structured = entry.get("jsonPayload", {})
        payload = structured.get("message", structured)
    task = entry.get("resource", {}).get("labels", {}).get("task_name", "")
    line = f"{entry.get('severity', 'DEFAULT'):8} {_local_time(entry.get('timestamp', ''))} {task:14} {payload}"
    return strip_control_codes(line)  # a progress bar's returns would hide what stands before them


def find(session: Session, api: Api, job: str) -> dict[str, Any]:
    """Return the custom job that a person means by an id, a name, a display name, or by its training pipeline."""
    named = find_run(session, api, job)
    if "/trainingPipelines/" not in named["name"]:
        return named
    backing = (named.get("trainingTaskMetadata") or {}).get("backingCustomJob")
    found = _get(api, f"v1/{backing}") if backing else None
    if found is None:
        raise Failure(f"Training pipeline {job} has no job yet: it is {named.get('state')}.", "Try again in a moment.")
    return found


def find_run(session: Session, api: Api, run: str) -> dict[str, Any]:
    """Return the custom job or the training pipeline that a person means by an id, a name or a display name."""
    parent = api.parent(_project(session, api))
    for collection in ("customJobs", "trainingPipelines"):
        path = run if "/" in run else f"{parent}/{collection}/{run}"
        found = _get(api, f"v1/{path}") if f"/{collection}/" in path else None
        found = found or _by_display_name(api, f"v1/{parent}", collection, run)
        if found:
            return found
    raise Failure(f"No job {run!r} in {parent}.", "`trig jobs list` shows those there are.")


def _get(api: Api, path: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = api.call("GET", api.vertex, path)
    except ApiError as error:
        if error.code in {400, 404}:
            return None
        raise
    return found


def _by_display_name(api: Api, parent: str, collection: str, job: str) -> dict[str, Any] | None:
    """Return the newest of a collection that has this display name."""
    if "/" in job or '"' in job:
        return None
    query: dict[str, str | int] = {"filter": f'display_name="{job}"', "pageSize": 1}
    page = api.call("GET", api.vertex, f"{parent}/{collection}", query=query)
    found: list[dict[str, Any]] = page.get(collection, [])
    return found[0] if found else None


def _api(session: Session) -> Api:
    return client.connect(session, server.required(session))


def _project(session: Session, api: Api) -> str:
    return session.project(api.info)


def _local_time(text: str) -> str:
    if not text:
        return ""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ran_seconds(job: dict[str, Any]) -> float | None:
    """How long an ended job ran, in seconds; None for one that did not run or end."""
    if not (job.get("startTime") and job.get("endTime")):
        return None
    start, end = (datetime.fromisoformat(job[key].replace("Z", "+00:00")) for key in ("startTime", "endTime"))
    return round((end - start).total_seconds(), 1)
