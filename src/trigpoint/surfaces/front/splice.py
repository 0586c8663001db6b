"""Two connections made one: bytes pass both ways with back-pressure, and ends of stream are carried over.

TLS cannot be half-closed, so on a TLS side an end of stream closes the pair once what was written has left;
between two plain sockets each direction ends by itself.
"""

import asyncio
from typing import cast

_HIGH_WATER = 256 * 1024


class End(asyncio.Protocol):
    """One end of a splice. Bytes that come before `join` are kept for the other end."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._peer: End | None = None
        self._early: list[bytes] = []
        self._lost = False
        self._ended = False
        self.closed = asyncio.get_running_loop().create_future()

    def join(self, peer: "End") -> None:
        """Connect both ends, which have transports, and let the bytes flow."""
        self._peer, peer._peer = peer, self
        self._flush(peer)
        peer._flush(self)

    def _flush(self, peer: "End") -> None:
        if peer.transport is not None:
            for chunk in self._early:
                peer.transport.write(chunk)
        self._early.clear()
        if self._lost:
            peer.close()
        elif self._ended:
            peer.half_close()
            if peer._ended:
                peer.close()
        elif self.transport is not None and not self.transport.is_reading():
            self.transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=_HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on, or keep them until there is somebody to pass them to."""
        if self._peer is None or self._peer.transport is None:
            self._early.append(data)
            if self.transport is not None:
                self.transport.pause_reading()
            return
        self._peer.transport.write(data)

    def pause_writing(self) -> None:
        """Stop reading from the other end while this one is slow."""
        if self._peer is not None and self._peer.transport is not None and not self._peer._lost:
            self._peer.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read from the other end again."""
        if self._peer is not None and self._peer.transport is not None and not self._peer._lost:
            self._peer.transport.resume_reading()

    def eof_received(self) -> bool:
        """Carry the end of stream over; return whether this end stays open for the other direction."""
        self._ended = True
        if self._peer is not None:
            self._peer.half_close()
            if self._peer._ended:
                self._peer.close()
                self.close()
        return not self._is_tls()

    def half_close(self) -> None:
        """Write an end of stream where the transport can, else close."""
        if self.transport is None or self._lost:
            return
        if self._is_tls() or not self.transport.can_write_eof():
            self.transport.close()
        else:
            self.transport.write_eof()

    def close(self) -> None:
        """Close this end after what was written has left."""
        if self.transport is not None and not self._lost:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other end too."""
        self._lost = True
        if self._peer is not None:
            self._peer.close()
        if not self.closed.done():
            self.closed.set_result(None)

    def _is_tls(self) -> bool:
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is not None
