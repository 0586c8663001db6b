"""Binds an address to listen at, and says in words why it can't be had."""

import errno
import socket

from trigpoint.core.errors import FailedPrecondition

_BACKLOG = 512
_WHY = {
    errno.EADDRINUSE: "another program has it. Choose another with --port or TRIGPOINT_PORT",
    errno.EADDRNOTAVAIL: "that host is no address of this machine. Choose one of its own with --host or "
    "TRIGPOINT_HOST: 127.0.0.1, or 0.0.0.0 for all",
    errno.EACCES: "this user may not have that port. Choose one from 1024 on with --port or TRIGPOINT_PORT",
}


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, at a free port for 0; FailedPrecondition says what to choose instead."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        if not isinstance(error, OSError) or (error.errno or 0) < 0:  # the resolver's own numbers are negative
            raise FailedPrecondition(
                f"There is no host {host[:100]!r}: choose an address of this machine with --host or TRIGPOINT_HOST."
            ) from None
        reason = (error.strerror or str(error)).partition(" (while")[0]
        why = _WHY.get(error.errno or 0, "choose another with --host and --port")
        raise FailedPrecondition(f"Can't listen at {host}:{port} ({reason}): {why}.") from error
