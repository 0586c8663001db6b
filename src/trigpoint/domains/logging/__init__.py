"""Logs of replicas and of the service, as Cloud Logging v2 shows them (LoggingServiceV2: ListLogEntries, ListLogs).

Facade: `Logging`. Slices that run programs `open` a stream per replica and `close` them; facts that carry a `log`
line appear as the service's own. `Logging.reading` is for the console.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from trigpoint.core.clock import Micros
from trigpoint.core.paging import Tokens
from trigpoint.domains.logging.reading import Choice, Following, Page, Place, Reading
from trigpoint.domains.logging.rpc import NumberOf, Rpc
from trigpoint.domains.logging.streams import Entry, Stream, Streams
from trigpoint.kernel.standard import Handler
from trigpoint.store import Store, Tx

__all__ = ["Choice", "Entry", "Following", "Logging", "Page", "Place", "Reading", "Stream"]


class Logging:
    """The facade. Thread-safe."""

    def __init__(
        self, store: Store, attempts: Path, tokens: Tokens, number_of: NumberOf, id_of: Callable[[str], str]
    ) -> None:
        self._streams = Streams(store, attempts, id_of)
        self._rpc = Rpc(self._streams, tokens, number_of)
        self.reading = Reading(self._streams)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of the API's methods by full name."""
        return self._rpc.handlers()

    def announce(self, tx: Tx, project: str, job: str, now: Micros) -> None:
        """Have what the service says of a job be found from this transaction on."""
        self._streams.announce(tx, project, job, now)

    def open(self, tx: Tx, stream: Stream) -> None:
        """Have a replica's log be found from this transaction on."""
        self._streams.open(tx, stream)

    def close(self, tx: Tx, attempt: str, now: Micros) -> None:
        """Say that nothing will follow in the logs of an attempt."""
        self._streams.close(tx, attempt, now)
