"""Builds Python environments once and keeps them: by content, by uv in child processes, compiled, read-only."""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from uv import find_uv_bin

from trigpoint.agent.protocol import Environment
from trigpoint.core.errors import FailedPrecondition, Unavailable
from trigpoint.runtime import sentences
from trigpoint.runtime.images import EnvSpec

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_BUILDER = 4
"""Changes whenever the same specification would be built differently."""
_RETRY_S = 30.0
_NEWS = ("Resolved ", "Downloading ", "Downloaded ", "Building ", "Built ", "Prepared ", "Installed ", "Bytecode ")
"""How lines of uv begin that say what is being done; the others are of paths, or one for each of many packages."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine."""

    version: str
    """Such as 3.10."""
    path: str
    base: str
    """Its installation."""
    library: str = ""
    """A shared library that it looks for at just this place; empty when it goes by its own place."""


@dataclass(frozen=True, slots=True)
class Built:
    """An environment that is ready."""

    environment: Environment
    substituted: str
    """Empty, or a sentence that says which Python stands in for the one asked for."""
    lock: str
    """What is in it, one NAME==VERSION per line."""
    seconds: float
    """How long the build took."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a requested environment stands: built, failed (for now), or neither yet; `line` is the latest news."""

    built: Built | None
    failure: str
    line: str


class Environments:
    """The environments under one directory. Thread-safe, also between processes; a kill at any time leaves no half."""

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        root.mkdir(parents=True, exist_ok=True)
        (root / "layers").mkdir(exist_ok=True)
        self._root = root
        self._cache = cache
        self._lock = threading.Lock()
        self._interpreters: tuple[Interpreter, ...] = ()
        self._building: dict[str, _Build] = {}
        self._processes: set[subprocess.Popen[str]] = set()
        self._closed = False

    def close(self) -> None:
        """End the builds that run, and let none begin; what was half built is built again another time."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)

    @property
    def layers(self) -> Path:
        """Return the directory for unpacked user packages."""
        return self._root / "layers"

    def find(self, spec: EnvSpec) -> Built | None:
        """Return the environment if it is ready; marks it as used now."""
        interpreter, substituted = self._interpreter(spec.python)
        place = self._root / self._key(spec, interpreter)
        with contextlib.suppress(OSError):
            about = json.loads((place / "about.json").read_bytes())
            os.utime(place / "about.json")
            environment = Environment(
                path=str(place / "venv"),
                base=interpreter.base,
                library=interpreter.library,
                python=interpreter.version,
                key=place.name,
                installed=about["installed"],
                index_hosts=tuple(about["index_hosts"]),
            )
            return Built(environment, substituted, about["lock"], about["seconds"])
        return None

    def request(self, spec: EnvSpec) -> Progress:
        """Return how the environment stands, starting its build when that is needed. Returns at once.

        A failed build is tried again by a request that comes 30 s later or more.
        """
        built = self.find(spec)
        if built is not None:
            return Progress(built, "", sentences.READY)
        key = self._key(spec, self._interpreter(spec.python)[0])
        with self._lock:
            build = self._building.get(key)
            if build is None or build.may_retry():
                build = self._building[key] = _Build(lambda say: self.build(spec, say))
            return Progress(None, build.failure, build.line)

    def build(self, spec: EnvSpec, say: Say) -> Built:
        """Return the environment, built if need be; `say` hears lines of progress.

        Raises FailedPrecondition when it cannot be built from these requirements, Unavailable when the package index
        cannot be reached.
        """
        interpreter, substituted = self._interpreter(spec.python)
        key = self._key(spec, interpreter)
        if substituted:
            say(substituted)
        with self._exclusive(key, say):
            built = self.find(spec)
            if built is None:
                self._make(spec, interpreter, key, say)
                built = self.find(spec)
        if built is None:
            raise Unavailable(sentences.VANISHED)
        return built

    def remove_unused(self, older_than_s: float) -> list[str]:
        """Remove environments and layers that nobody asked for since; return their keys. None may be in use."""
        limit = time.time() - older_than_s
        removed = []
        for about in self._root.glob("*/about.json"):
            if about.stat().st_mtime < limit:
                removed.append(about.parent.name)
                about.unlink()
                _remove(about.parent)
        for layer in self.layers.iterdir():
            if layer.stat().st_mtime < limit:
                removed.append(layer.name)
                shutil.rmtree(layer, ignore_errors=True)
        return removed

    def interpreters(self) -> tuple[Interpreter, ...]:
        """Return the Pythons of this machine, one per version, found once."""
        with self._lock:
            if not self._interpreters:
                self._interpreters = tuple(discover(self._root / "interpreters.json"))
            return self._interpreters

    def _interpreter(self, wanted: str) -> tuple[Interpreter, str]:
        """Return the interpreter for a version, the nearest newer one, or the nearest at all; and what to tell."""
        found = self.interpreters()
        if not found:
            raise FailedPrecondition(sentences.NO_INTERPRETER)
        best = min(found, key=lambda i: (abs(_minor(i.version) - _minor(wanted)), _minor(i.version) < _minor(wanted)))
        if best.version == wanted:
            return best, ""
        return best, sentences.STANDS_IN.format(version=best.version, wanted=wanted)

    def _key(self, spec: EnvSpec, interpreter: Interpreter) -> str:
        content = {
            "builder": _BUILDER,
            "spec": asdict(spec),
            "python": interpreter.version,
            "base": interpreter.base,
            "platform": f"{sysconfig.get_platform()} {platform.libc_ver()[0]}",
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    @contextlib.contextmanager
    def _exclusive(self, key: str, say: Say) -> Iterator[None]:
        fd = os.open(self._root / f"{key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(sentences.WAITING)
                fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _make(self, spec: EnvSpec, interpreter: Interpreter, key: str, say: Say) -> None:
        """Build beside the final place, then move it there in one step."""
        begin = time.monotonic()
        for rest in self._root.glob(f"{key}.*.new"):
            _remove(rest)
        work = self._root / f"{key}.{secrets.token_hex(4)}.new"
        work.mkdir(mode=0o755)
        venv = work / "venv"
        try:
            say(sentences.CREATING.format(version=interpreter.version))
            self._uv(["venv", "--relocatable", "--no-python-downloads", "--python", interpreter.path, str(venv)], say)
            self._install(spec, work, venv, say)
            lock = self._uv(["pip", "freeze", "--python", str(venv / "bin" / "python3")], lambda line: None)
            about = {
                "spec": asdict(spec),
                "python": interpreter.version,
                "lock": lock,
                "installed": _installed(lock),
                "index_hosts": _index_hosts(venv),
                "seconds": round(time.monotonic() - begin, 3),
            }
            (work / "about.json").write_text(json.dumps(about))
            _protect(venv)
            work.rename(self._root / key)
        except BaseException:
            _remove(work)
            raise
        say(sentences.READY)

    def _install(self, spec: EnvSpec, work: Path, venv: Path, say: Say) -> None:
        requirements, overrides = work / "requirements.txt", work / "overrides.txt"
        requirements.write_text("".join(f"{line}\n" for line in spec.requirements))
        overrides.write_text("".join(f"{line}\n" for line in spec.overrides))
        say(sentences.INSTALLING.format(packages=", ".join(spec.requirements)))
        command = ["pip", "install", "--python", str(venv / "bin" / "python3"), "--compile-bytecode"]
        command += ["--link-mode", "copy", "--overrides", str(overrides), "--requirements", str(requirements)]
        self._uv(command, say)

    def _uv(self, arguments: list[str], say: Say) -> str:
        """Run uv; return its output. Lines of its progress go to `say`."""
        env = {**_trust(), **os.environ, "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
        env.pop("VIRTUAL_ENV", None)
        if self._cache is not None:
            env["UV_CACHE_DIR"] = str(self._cache)
        process = self._start([find_uv_bin(), *arguments], env)
        lines: list[str] = []
        listener = threading.Thread(target=_listen, args=(process, lines, say), daemon=True)
        listener.start()
        with process:
            output = process.stdout.read() if process.stdout else ""
            listener.join()
        with self._lock:
            self._processes.discard(process)
        if self._closed:
            raise Unavailable(sentences.STOPPING)
        if process.returncode:
            raise _failure(lines)
        return output

    def _start(self, command: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
        """Start a process in a group of its own, so that `close` ends it with everything it started."""
        with self._lock:
            if self._closed:
                raise Unavailable(sentences.STOPPING)
            process = subprocess.Popen(
                command,
                env=env,
                cwd=self._root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,
            )
            self._processes.add(process)
        return process


class _Build:
    """A build that runs on a thread of its own."""

    def __init__(self, build: Callable[[Say], Built]) -> None:
        self.line = sentences.STARTING
        self.failure = ""
        self._ended = 0.0
        self._work = build
        threading.Thread(target=self._run, name="environment", daemon=True).start()

    def may_retry(self) -> bool:
        return bool(self._ended) and time.monotonic() - self._ended > _RETRY_S

    def _say(self, line: str) -> None:
        self.line = line

    def _run(self) -> None:
        try:
            self._work(self._say)
        except (FailedPrecondition, Unavailable) as error:
            self.failure = error.message
        except OSError as error:
            self.failure = sentences.BUILD_BROKEN.format(problem=error.strerror or sentences.BROKEN)
        finally:
            self._ended = time.monotonic()


def discover(cache: Path) -> Iterator[Interpreter]:
    """Yield the newest Python of each version from 3.8 on, asking each candidate for its version and place."""
    known: dict[str, list[str]] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(cache.read_bytes())
    seen: dict[str, list[str]] = {}
    best: dict[str, Interpreter] = {}
    for path in _candidates():
        stamp = f"{path} {os.stat(path).st_mtime_ns}"
        said = known.get(stamp, [])
        if len(said) != 3:
            said = _ask(path)
        if not said:
            continue
        seen[stamp] = said
        version, base, library = said
        if _minor(version) >= 8:
            best.setdefault(version, Interpreter(version, path, base, library))
    with contextlib.suppress(OSError):
        temporary = cache.with_name(f"{cache.name}.{secrets.token_hex(4)}")
        temporary.write_text(json.dumps(seen))
        temporary.rename(cache)
    yield from sorted(best.values(), key=lambda i: _minor(i.version))


def _trust() -> dict[str, str]:
    """Return what makes uv trust the machine's certificates, where it has any; its own set lacks a company's."""
    return {"UV_SYSTEM_CERTS": "true"} if any(os.path.exists(path) for path in _BUNDLES) else {}


def _candidates() -> list[str]:
    """Return interpreters where people have them: uv's own, pyenv's, /opt/python, the system's, PATH's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local" / "share" / "uv" / "python")
    folders = [*sorted(managed.glob("cpython-*/bin")), *sorted(pyenv.glob("*/bin"), reverse=True)]
    folders += [*sorted(Path("/opt/python").glob("*/bin")), Path("/usr/local/bin"), Path("/usr/bin")]
    folders += [Path(p) for p in os.environ.get("PATH", "").split(":") if p]
    found: dict[str, None] = {}
    for folder in folders:
        if folder.parent.name != "shims" and folder.name != "shims":
            for path in sorted(folder.glob("python3.*")) if folder.is_dir() else ():
                if re.fullmatch(r"python3\.\d+", path.name) and os.access(path, os.X_OK):
                    found.setdefault(str(path))
    return list(found)


_QUESTION = """
import sys, ssl, venv
print("%d.%d" % sys.version_info[:2]); print(sys.base_prefix); print(sys.prefix)
with open("/proc/self/maps") as maps:
    libraries = [line.split(None, 5)[5].strip() for line in maps if "/libpython3." in line]
with open(sys.executable, "rb") as program:
    print(libraries[0] if libraries and b"$ORIGIN" not in program.read() else "")
"""


def _ask(path: str) -> list[str]:
    """Return version, installation and library of an interpreter; nothing when it is broken, or an environment."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    words = done.stdout.split("\n")
    if done.returncode or len(words) != 5 or words[1] != words[2]:
        return []
    return [words[0], words[1], words[3]]


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _installed(lock: str) -> Mapping[str, str]:
    found = {}
    for line in lock.splitlines():
        name, equal, version = line.partition("==")
        if equal:
            found[re.sub(r"[-_.]+", "-", name.strip()).lower()] = version.strip()
    return found


def _index_hosts(venv: Path) -> list[str]:
    """Return the hosts of the package index that the environment's own pip would ask; none without pip."""
    code = "from pip._internal.models.index import PyPI as index; print(index.netloc, index.file_storage_domain)"
    command = [str(venv / "bin" / "python3"), "-I", "-c", code]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.split()


def _listen(process: subprocess.Popen[str], lines: list[str], say: Say) -> None:
    for line in process.stderr or ():
        text = line.strip()
        if text:
            lines.append(text)
            if text.startswith(_NEWS):
                say(sentences.COMPILING.format(step=text) if text.startswith("Installed") else text)


def _failure(lines: list[str]) -> Exception:
    """Return the error for what uv said, without paths of this machine."""
    text = " ".join(lines[-12:])
    words = re.sub(r"(?<![\w:])/[^\s`'\"]+", "…", text)[:600]
    if re.search(r"error sending request|dns error|Failed to fetch|Request failed|Connect|timed out", text):
        return Unavailable(sentences.NO_INDEX.format(said=words))
    return FailedPrecondition(sentences.NOT_BUILT.format(said=words))


def _protect(folder: Path) -> None:
    """Make everything read-only: a program that shares it must not change it for the next.

    Root is told by no mode. It mounts views over the environment, in which programs may remove what a folder allows.
    """
    open_folder = os.geteuid() == 0
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                os.chmod(path, 0o555 if os.access(path, os.X_OK) and os.stat(path).st_mode & 0o100 else 0o444)
        os.chmod(place, 0o755 if open_folder else 0o555)


def _remove(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            os.chmod(place, 0o755)  # noqa: S103 - about to be removed
    shutil.rmtree(folder, ignore_errors=True)
