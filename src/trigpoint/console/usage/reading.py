"""Reads what replicas reported of themselves (store.telemetry) as series for plots."""

from collections.abc import Callable, Mapping
from typing import Any

from trigpoint.console.usage.series import MOST, levels, rates
from trigpoint.console.usage.wire import Metric, ReplicaUsage, Series, Usage
from trigpoint.console.wire import camel
from trigpoint.core.clock import Micros
from trigpoint.domains.jobs import Replica
from trigpoint.store import Store, Tx, telemetry

_COUNTERS: Mapping[str, Metric] = {
    "cpu_seconds": "cpu",
    "disk_read_bytes": "diskRead",
    "disk_written_bytes": "diskWritten",
    "network_received_bytes": "received",
    "network_sent_bytes": "sent",
}
_SAMPLES = 240
"""What a replica told of itself is looked at this many times at most."""
_GAUGES: Mapping[str, Metric] = {"memory_bytes": "memory", "processes": "processes"}


def usage(store: Store, replicas: list[Replica], since: Micros, memory_of: Callable[[str], int]) -> Usage:
    """Return the series of these replicas from an instant on. `memory_of`: bytes of a machine type."""

    def read(tx: Tx) -> list[ReplicaUsage]:
        return [
            ReplicaUsage(replica.name, replica.task, int(replica.uid.rsplit("-", 1)[-1]), _series(tx, replica, since))
            for replica in replicas
        ]

    limit = max((memory_of(replica.machine_type) for replica in replicas), default=0)
    return Usage(store.telemetry.read(read), limit)


def samples(tx: Tx, key: str) -> list[dict[str, Any]]:
    """Return what a replica (`UID/TASK`) told of itself, each time with all that was known by then."""
    told: dict[Micros, dict[str, Any]] = {}
    for metric in telemetry.metrics(tx, key):
        for one in telemetry.stretches(tx, key, metric, 0, _SAMPLES):
            told.setdefault(one.last, {})[camel(metric)] = one.high
    found: list[dict[str, Any]] = []
    for time, values in sorted(told.items()):
        found.append({**(found[-1] if found else {}), **values, "time": time})
    return found


def _series(tx: Tx, replica: Replica, since: Micros) -> list[Series]:
    key = f"{replica.uid}/{replica.task}"
    found = []
    for metric in telemetry.metrics(tx, key):
        name = _COUNTERS.get(metric) or _GAUGES.get(metric)
        if name is None:
            continue
        if metric in _COUNTERS:
            shown = rates(telemetry.stretches(tx, key, metric, since, MOST))
        else:
            shown = levels(telemetry.stretches(tx, key, metric, since, MOST // 2))
        if shown:
            found.append(Series(name, [time for time, _ in shown], [value for _, value in shown]))
    return found
