"""The folder of secrets under the home: 0600 in 0700, each whole or not there; what they mean lies elsewhere."""

import os
import secrets
import tempfile
from pathlib import Path

from trigpoint.core.errors import Internal
from trigpoint.domains.identity import keys


class Vault:
    """Secrets by name. Thread-safe, also between processes: the first to make one wins and all get that one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def secret(self, name: str) -> bytes:
        """Return 32 secret bytes, made at first use."""
        found = self.read(name)
        if found is None:
            found = self._first(name, secrets.token_bytes(32))
        if len(found) != 32:
            raise Internal(f"The secret {name} of this installation is damaged: restore the home from a backup.")
        return found

    def pair(self, name: str) -> keys.Pair:
        """Return an RSA key, made at first use."""
        found = self.read(name)
        if found is None:
            found = self._first(name, keys.generate().private_pem.encode())
        try:
            return keys.load(found)
        except ValueError:
            text = f"The key {name} of this installation is damaged: restore the home from a backup."
            raise Internal(text) from None

    def read(self, name: str) -> bytes | None:
        """Return what is kept under a name, or None."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Replace what is kept under a name."""
        path = self._prepared(name)
        os.replace(_written(path, data), path)
        _sync(path.parent)

    def path(self, name: str) -> Path:
        """Return where something is kept."""
        return self._folder / name

    def forget(self, name: str) -> None:
        """Remove what is kept under a name, if anything."""
        (self._folder / name).unlink(missing_ok=True)

    def _first(self, name: str, data: bytes) -> bytes:
        """Keep `data` unless somebody was faster; return what is kept."""
        path = self._prepared(name)
        written = _written(path, data)
        try:
            os.link(written, path)
        except FileExistsError:
            return path.read_bytes()
        finally:
            written.unlink()
        _sync(path.parent)
        return data

    def _prepared(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


def _written(path: Path, data: bytes) -> Path:
    """Return a file beside `path` that holds `data` durably; mkstemp makes it 0600."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
