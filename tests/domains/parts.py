"""What slices are built of, over a real SQLite store in the test's own folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trigpoint.core import messages
from trigpoint.core.call import Call, Caller
from trigpoint.core.clock import SystemClock, SystemIds
from trigpoint.core.paging import Tokens
from trigpoint.domains.lineage import Lineage
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Queries
from trigpoint.kernel.resource import Kernel, Rendered
from trigpoint.kernel.schedule import Schedule
from trigpoint.kernel.standard import Handler, Standard
from trigpoint.store import Store

NUMBER = "123456789012"
PREFIX = "google.cloud.aiplatform.v1."
Ask = Callable[..., Any]


class Parts:
    """The rails, the lineage slice that others write to, and a caller."""

    def __init__(self, home: Path) -> None:
        self.home = home
        clock, ids = SystemClock(), SystemIds()
        self.store = Store.open(f"sqlite:///{home}/main.db", f"sqlite:///{home}/telemetry.db")
        self.kernel = Kernel(self.store, clock, ids, Schedule())
        tokens = Tokens(b"k" * 32)
        self.operations = Operations(self.kernel, tokens)
        self.queries = Queries(self.kernel, tokens)
        self.standard = Standard(self.kernel, self.operations, self.queries)
        self.lineage = Lineage(self.kernel, self.operations, self.queries)
        self.caller = Caller("me@x", NUMBER)
        self.call = Call(self.caller, NUMBER, "us-central1", method=PREFIX + "Test")

    def close(self) -> None:
        """Close what was opened."""
        self.store.close()

    def ask(self, service: str, handlers: Mapping[str, Handler], method: str, fields: Mapping[str, Any]) -> Any:
        """Call a method with its request given as fields; operations answer with their response."""
        request = messages.message_class(f"{PREFIX}{method}Request")(**fields)
        found = handlers[f"{PREFIX}{service}.{method}"](self.call, request)
        if isinstance(found, Rendered):
            return messages.decode(messages.message_class(PREFIX + method.removeprefix("Get")), found.message)
        if messages.full_name(found) == "google.longrunning.Operation":
            assert found.done
            return messages.unpack(found.result.value)
        return found
