"""Verified tokens, remembered by hash so that a request costs microseconds; how a token is verified lies elsewhere."""

import hashlib
import threading
from dataclasses import dataclass

from trigpoint.core.call import Caller
from trigpoint.core.clock import Micros


@dataclass(frozen=True, slots=True)
class Proof:
    """What a verified token showed. Its project and attempt are looked at again at each use."""

    caller: Caller
    until: Micros
    """The instant at which it stops being one, skew included."""
    attempt: str = ""
    """The attempt that it lives and dies with, if any."""


class Proofs:
    """A bounded memory of proofs that forgets everything when an account or key changes. Thread-safe."""

    def __init__(self, most: int = 8192) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: dict[bytes, Proof] = {}
        self._epoch = 0

    @property
    def epoch(self) -> int:
        """How often everything was forgotten; read it before the rows that a proof rests on."""
        return self._epoch

    def get(self, token: str) -> Proof | None:
        """Return what a token showed, or None when it was not verified since the last change."""
        return self._found.get(_hash(token))

    def put(self, token: str, proof: Proof, epoch: int) -> None:
        """Remember a proof, unless everything was forgotten since `epoch`: then it may rest on stale rows."""
        with self._lock:
            if epoch != self._epoch:
                return
            while len(self._found) >= self._most:
                del self._found[next(iter(self._found))]
            self._found[_hash(token)] = proof

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._epoch += 1
            self._found.clear()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
