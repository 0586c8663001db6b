"""Brings the user's packages into a replica, step by step as Vertex's images do, and says so in the log."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from typing import Callable

from . import archive, purelib, sentences
from .fetch import Fetcher, FetchError
from .logs import LogWriter, Pump
from .protocol import RUNNER, STDERR, STDOUT, Package, RunSpec
from .room import Room, Running

_MOST_HELD = 1 << 20

Started = Callable[[Running], None]


class PackageError(Exception):
    """A package could not be fetched or installed; the message is for people."""


class Packages:
    """The packages of one replica."""

    def __init__(
        self, spec: RunSpec, room: Room, log: LogWriter, started: Started, given_up: Callable[[], bool]
    ) -> None:
        self._spec = spec
        self._room = room
        self._log = log
        self._started = started
        self._given_up = given_up
        self.facts: dict[str, object] = {}

    def prepare(self) -> None:
        """Fetch and install every package, in order. PackageError when one cannot be."""
        paths = [self._fetch(package, index) for index, package in enumerate(self._spec.packages)]
        if not paths:
            return
        digests = [_sha256(path) for path in paths]
        self.facts["packages"] = [
            {"uri": package.uri or os.path.basename(package.path), "sha256": digest}
            for package, digest in zip(self._spec.packages, digests)
        ]
        layer = self._layer(paths, digests)
        self.facts["install"] = "unpacked" if layer else "installed"
        if layer:
            self._room.show_packages(layer)
        else:
            self._install(paths)

    def _fetch(self, package: Package, index: int) -> str:
        folder = self._room.shelf(f"packages/{index}")
        name = os.path.basename(package.uri or package.path)
        path = os.path.join(folder, name)
        shown = package.uri or name
        self._log.line(f"Downloading the package: {shown}")
        self._log.line(f"Running command: gsutil -q cp {shown} {name}")
        try:
            if package.path:
                shutil.copyfile(package.path, path)
            else:
                self._fetcher().fetch(package.uri, path)
        except FetchError as error:
            raise PackageError(str(error)) from error
        except OSError as error:
            raise PackageError(sentences.NOT_STORED.format(package=shown, problem=error.strerror)) from error
        return path

    def _fetcher(self) -> Fetcher:
        return Fetcher(self._room.network.relay.connect, self._given_up)

    def _layer(self, paths: list[str], digests: list[str]) -> str:
        """Return a directory with all packages unpacked, cached or made now; empty when they need installing."""
        if not self._spec.layers:
            return ""
        key = hashlib.sha256(("1 " + " ".join(digests) + " " + self._spec.environment.key).encode()).hexdigest()[:32]
        ready = os.path.join(self._spec.layers, key)
        lines = [f"Reusing the unpacked package {os.path.basename(path)}" for path in paths]
        if not os.path.isdir(ready):
            made = self._unpack(paths, f"{ready}.{secrets.token_hex(4)}")
            if made is None:
                return ""
            temporary, lines = made
            try:
                os.rename(temporary, ready)
            except OSError:  # another replica was faster
                shutil.rmtree(temporary, ignore_errors=True)
        os.utime(ready)
        for package, path, line in zip(self._spec.packages, paths, lines):
            self._announce(package, path)
            self._log.line(line)
        return ready

    def _unpack(self, paths: list[str], target: str) -> tuple[str, list[str]] | None:
        """Return the directory with the packages' importable content, and a line on each."""
        os.makedirs(target)
        lines = []
        installed = dict(self._spec.environment.installed)
        for index, path in enumerate(paths):
            folder = f"{target}.{index}"
            try:
                archive.extract(path, folder)
                found = purelib.recognise(folder, installed)
                if found is None:
                    shutil.rmtree(target, ignore_errors=True)
                    return None
                purelib.place(folder, found, target)
            except archive.BadArchive as error:
                shutil.rmtree(target, ignore_errors=True)
                shown = _shown(self._spec.packages[index])
                raise PackageError(sentences.NOT_USABLE.format(package=shown, problem=error)) from error
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            installed[purelib.normalised(found.name)] = found.version
            lines.append(f"Successfully installed {found.name}-{found.version}")
        return target, lines

    def _announce(self, package: Package, path: str) -> None:
        name = os.path.basename(path)
        self._log.line(f"Installing the package: {_shown(package)}")
        self._log.line(f"Running command: pip3 install --user --upgrade --force-reinstall --no-deps {name}")

    def _install(self, paths: list[str]) -> None:
        """Install in two passes, as Vertex does: the packages alone, then what they require."""
        if not self._spec.uv or not self._spec.environment.path:
            raise PackageError(sentences.NO_INSTALLER)
        self._room.own_environment()
        for package, path in zip(self._spec.packages, paths):
            self._announce(package, path)
            self._run(package, path, ["--reinstall", "--no-deps"])
            self._log.line(f"Running command: pip3 install --user {os.path.basename(path)}")
            self._run(package, path, [])

    def _run(self, package: Package, path: str, options: list[str]) -> None:
        """Run uv where the program will run, as its user: building a package is running its author's code."""
        room = self._room
        source = _canonical(path)
        scratch = room.inside(room.workplace("installer"))
        env = {**self._spec.install_env, **room.variables({})}
        env.update(UV_CACHE_DIR=scratch, UV_NO_CONFIG="1", UV_LINK_MODE="copy", UV_PYTHON_DOWNLOADS="never")
        argv = [room.installer(), "pip", "install", "--python", room.python(), "--no-progress", *options]
        out, write_out = os.pipe()
        error, write_error = os.pipe()
        said = _Said(self._log)
        pump = Pump(said, {out: STDOUT, error: STDERR})
        try:
            running = room.start([*argv, room.inside(source)], env, write_out, write_error)
        finally:
            os.close(write_out)
            os.close(write_error)
        self._started(running)
        pump.start()
        code = running.wait()
        pump.finish(5)
        said.tell(STDERR if code else RUNNER)
        if code:
            raise PackageError(sentences.NOT_INSTALLED.format(package=_shown(package), code=code))


class _Said:
    """What an installer prints to stderr, kept until it is known whether that is its progress or its complaint."""

    def __init__(self, log: LogWriter) -> None:
        self._log = log
        self._held = b""

    def write(self, stream: str, data: bytes) -> None:
        """Take bytes; what is more than 1 MiB is told as progress."""
        if stream != STDERR:
            self._log.write(stream, data)
            return
        self._held += data
        if len(self._held) > _MOST_HELD:
            self.tell(RUNNER)

    def tell(self, stream: str) -> None:
        """Write what is held to a stream of the log."""
        held, self._held = self._held, b""
        if held:
            self._log.write(stream, held if held.endswith(b"\n") else held + b"\n")


def _canonical(path: str) -> str:
    """Return a copy of a package under a name that installers understand: uploads carry time stamps and colons.

    A source distribution's says nothing: uv would believe it, where pip reads what the package says of itself.
    """
    folder, name = os.path.split(path)
    plain = name.rpartition(":")[2]
    if plain.endswith(".whl"):
        start = next((i for i, c in enumerate(plain) if c.isalpha()), 0)
        plain = plain[start:]
    else:
        ending = next((e for e in (".zip", ".tar.bz2", ".tar.xz") if plain.endswith(e)), ".tar.gz")
        plain = "package" + ending
    target = os.path.join(folder, plain)
    if target != path:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)
        shutil.copyfile(path, target)
    os.chmod(target, 0o644)
    return target


def _shown(package: Package) -> str:
    return package.uri or os.path.basename(package.path)


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            data = file.read(1 << 20)
            if not data:
                return digest.hexdigest()
            digest.update(data)
