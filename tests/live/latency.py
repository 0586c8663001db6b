"""How long it took from what happened to the message that told of it, by what a live stream of a picture heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.live.console import Heard

MEASURED = frozenset({"reads", "writes", "fetches", "asks"})
"""Edges whose times are the server's own; what is printed carries the agent's."""


@dataclass(frozen=True)
class Delays:
    """Delays of one kind, in seconds."""

    found: Sequence[float]

    def at(self, share: float) -> float:
        """Return the delay that so large a share does not exceed; 0 for none."""
        ordered = sorted(self.found)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    def __str__(self) -> str:
        told = ", ".join(f"p{round(share * 100)} {self.at(share) * 1000:.0f} ms" for share in (0.5, 0.95, 1.0))
        return f"{told} of {len(self.found)}"


def delays(heard: Sequence[Heard]) -> Mapping[str, Delays]:
    """Return the delays of facts (lines of the narrative), of first sightings, and of what goes on (amounts)."""
    facts: list[float] = []
    firsts: list[float] = []
    goings: list[float] = []
    known: set[str] = set()
    kinds: dict[str, str] = {}
    for message in heard:
        edges = message.data.get("edges", [])
        kinds |= {edge["id"]: edge["kind"] for edge in edges}
        if message.event == "patch":
            facts += [message.at - moment["time"] / 1e6 for moment in message.data["moments"]]
            fresh = [edge for edge in edges if edge["id"] not in known and edge["kind"] in MEASURED]
            firsts += [message.at - edge["since"] / 1e6 for edge in fresh]
            grown = [one for one in message.data["grown"] if kinds.get(one["id"]) in MEASURED and one["amounts"]]
            goings += [message.at - one["amounts"][-1]["time"] / 1e6 for one in grown]
        known |= {edge["id"] for edge in edges}
    return {"facts": Delays(facts), "first sightings": Delays(firsts), "amounts": Delays(goings)}
