"""Reads what replicas reported of themselves (store.telemetry) as series for plots."""

from trigpoint.console.usage.series import rates, thinned
from trigpoint.console.usage.wire import ReplicaUsage, Series, Usage
from trigpoint.core.clock import Micros
from trigpoint.domains.jobs import Replica
from trigpoint.store import Store, Tx, telemetry

_COUNTERS = {
    "cpu_seconds": "cpu",
    "disk_read_bytes": "diskRead",
    "disk_written_bytes": "diskWritten",
    "network_received_bytes": "received",
    "network_sent_bytes": "sent",
}
_GAUGES = {"memory_bytes": "memory", "processes": "processes"}


def usage(store: Store, replicas: list[Replica], since: Micros, memory_limit: int) -> Usage:
    """Return the series of these replicas from an instant on."""

    def read(tx: Tx) -> list[ReplicaUsage]:
        return [
            ReplicaUsage(replica.name, replica.task, int(replica.uid.rsplit("-", 1)[-1]), _series(tx, replica, since))
            for replica in replicas
        ]

    return Usage(store.telemetry.read(read), memory_limit)


def _series(tx: Tx, replica: Replica, since: Micros) -> list[Series]:
    key = f"{replica.uid}/{replica.task}"
    found = []
    for metric in telemetry.metrics(tx, key):
        points = [(point.time, point.value) for point in telemetry.points(tx, key, metric, since)]
        shown = thinned(rates(points) if metric in _COUNTERS else points)
        name = _COUNTERS.get(metric) or _GAUGES.get(metric)
        if name and shown:
            found.append(Series(name, [time for time, _ in shown], [value for _, value in shown]))  # type: ignore[arg-type]
    return found
