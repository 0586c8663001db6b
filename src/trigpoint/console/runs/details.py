"""Tells everything about one run from its rows, its replicas and its narrative."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from trigpoint.console import guarding
from trigpoint.console.access import denied
from trigpoint.console.runs import failures
from trigpoint.console.runs.listing import JOBS, PIPELINES, find, items
from trigpoint.console.runs.wire import FailureInfo, ReplicaInfo, RunDetails
from trigpoint.console.wire import EventInfo
from trigpoint.domains.jobs import Jobs, Replica
from trigpoint.store import Store, Tx, events
from trigpoint.store.events import Event

_MOST_EVENTS = 1000


def details(store: Store, jobs: Jobs, name: str, *, guarded: bool) -> RunDetails:
    """Return what is known of the run that a name belongs to; the refusal of what is absent when there is none.

    `guarded` keeps values back that look like secrets.
    """

    def read(tx: Tx) -> RunDetails:
        found = find(tx, name)
        if found is None:
            raise denied(name)
        run, job = found
        subjects = {row.name for row in (run, job) if row is not None}
        told = [event for subject in subjects for event in events.after(tx, 0, _MOST_EVENTS, subject)]
        messages = {row.kind: orjson.loads(row.json) for row in (run, job) if row is not None}
        item = items(tx, [run])[0]
        told_as = guarding.guarded if guarded else dict
        shown = {kind: told_as(message) for kind, message in messages.items()}
        return RunDetails(
            run=replace(item, code=guarding.words(item.code)) if guarded else item,
            pipeline=shown.get(PIPELINES),
            job=shown.get(JOBS),
            timeline=[
                told_of(event) for event in sorted(told, key=lambda event: event.seq) if event.subject in subjects
            ],
            failure=_failure(messages.get(JOBS) or {}) or _failure(messages.get(PIPELINES) or {}),
            replicas=[_replica(replica) for replica in jobs.replicas(job.name)] if job is not None else [],
        )

    return store.read(read)


def told_of(event: Event) -> EventInfo:
    """Return an event as pages are told it."""
    return EventInfo(event.seq, event.time, event.subject, event.kind, event.where, event.actor, dict(event.data))


def _failure(message: Mapping[str, Any]) -> FailureInfo | None:
    text = str((message.get("error") or {}).get("message", ""))
    if not text or str(message.get("state", "")).endswith("_CANCELLED"):
        return None
    found = failures.read(text)
    return FailureInfo(found.what, found.task, found.evidence, found.line, found.printed, failures.hints(text))


def _replica(replica: Replica) -> ReplicaInfo:
    outcome = replica.outcome or {}
    return ReplicaInfo(
        name=replica.name,
        task=replica.task,
        attempt=int(replica.uid.rsplit("-", 1)[-1]),
        pool=replica.pool,
        index=replica.index,
        machine=replica.machine_type,
        host=replica.host,
        image=replica.image,
        python=str(replica.environment.get("python", "")),
        account=replica.identity,
        tenant=replica.tenant,
        runtime=replica.runtime,
        lost=list(replica.lost),
        state=replica.state,
        times=dict(replica.times),
        reason=str(outcome.get("reason", "")),
        exit_code=int(outcome.get("exit_code") or 0),
    )
