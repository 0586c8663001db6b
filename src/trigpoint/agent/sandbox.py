"""A bubblewrap sandbox around a replica: a root made from nothing, own processes, network, host name and user."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
from typing import Callable, Mapping

from . import interpreter, linux, sentences, tree, users
from .directory import remove
from .protocol import MARK, RunSpec
from .room import Room, Running

_ETC = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ssl/certs",
    "ssl/openssl.cnf",
    "pki",
    "ca-certificates",
    "alternatives",
    "localtime",
    "mime.types",
    "protocols",
    "services",
)
_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = (
    "etc/trigpoint", "tmp", "root", "run", "gcs", "opt", "mnt", "var/tmp", "var/log-storage", "var/trigpoint",
    "sys/devices/system/cpu",
)  # fmt: skip
_OPEN = ("", "tmp", "var/tmp", "root", "run", "var/log-storage")
_CA = "/etc/trigpoint/ca.pem"
_UV = "/opt/trigpoint/uv"


def works() -> bool:
    """Return whether bubblewrap can make a sandbox here."""
    if not shutil.which("bwrap"):
        return False
    probe = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--ro-bind", "/", "/"]
    try:
        done = subprocess.run([*probe, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


class Sandbox(Room):
    """A room with walls. Made before the agent starts any thread, for it may fork."""

    runtime = "sandbox"
    home = "/root"

    def __init__(self, spec: RunSpec, directory: str) -> None:
        self._root = os.path.join(directory, "root")
        self._mounts = os.path.join(directory, "mnt")
        self._shelves = os.path.join(directory, "shelf")
        self._uid = 0
        self._userns = -1
        problem = ""
        if os.geteuid() == 0 and spec.uid:
            try:
                self._uid, self._userns = users.take(spec.uid)
            except OSError as error:
                problem = sentences.SERVERS_USER.format(problem=error)
        self._binds: list[tuple[str, str, str]] = []
        self._init = 0
        super().__init__(spec, directory)
        if problem:
            self.lost.append(problem)

    def open(self) -> None:
        """Lay out the root, then make namespaces and mounts."""
        with contextlib.suppress(OSError):
            linux.adopt_orphans()
        self._lay_out()
        self.stage.call(self.group.enter)
        self.stage.call(self._open)
        self.network.relay.start()
        self.lost += [*self.group.lost, *self.network.lost]

    def python(self) -> str:
        """Return the interpreter, as the program sees it."""
        environment = self.spec.environment
        if environment.path:
            return f"{self._environment()}/bin/python3"
        return f"{self._base()}/bin/python3" if environment.base else "/usr/bin/python3"

    def workplace(self, name: str) -> str:
        """Return a directory below the program's root that it may write to."""
        path = os.path.join(self._root, "var", "trigpoint", name)
        os.makedirs(path, exist_ok=True)
        self._give(path)
        return path

    def shelf(self, name: str) -> str:
        """Return a directory whose files the program sees and cannot touch, so that the agent may trust them later."""
        path = os.path.join(self._shelves, name)
        os.makedirs(path, mode=0o755, exist_ok=True)
        if not any(source == path for _, source, _ in self._binds):
            self._show("--ro-bind", path, self.inside(path))
        return path

    def inside(self, path: str) -> str:
        """Return how the program sees a path of `workplace` or `shelf`."""
        if path.startswith(self._shelves + "/"):
            return "/var/trigpoint" + path[len(self._shelves) :]
        return path[len(self._root) :]

    def installer(self) -> str:
        """Return uv's path, as the program sees it."""
        return _UV

    def certificates(self) -> str:
        """Return the file of certificates to trust, as the program sees it."""
        return _CA if self.spec.ca_file else ""

    def show_packages(self, layer: str) -> None:
        """Show a directory where `pip install --user` would have put its content."""
        self._binds = [bind for bind in self._binds if bind[2] != self.site]
        writable = self.stage.call(self._overlay, layer, "packages")
        self._show(*(("--bind", writable) if writable else ("--ro-bind", layer)), self.site)

    def own_environment(self) -> None:
        """Make sure that the installer finds everything in one environment that is this replica's own."""
        if self._own:  # a view: shared environments may be read-only, this one is the program's
            self.stage.call(_open_folders, self._own)
            return
        self._binds = [bind for bind in self._binds if bind[2] not in (self._environment(), interpreter.SHARED)]
        self._binds.append(("--bind", self._copy(), self._environment()))

    def clear(self) -> None:
        """Give back the space of the program's own disk, as a machine that is returned does."""
        remove(self._root)
        for name in ("upper", "copy"):
            remove(os.path.join(self._mounts, name))

    def set_hosts(self, more: Mapping[str, str]) -> None:
        """Write the hosts file that the program sees."""
        self._write("etc/hosts", self.network.hosts(more))

    def main_process(self, outermost: int) -> int:
        """Return the pid of the user's program: the first child of the sandbox's first process."""
        if not self._init:
            return outermost
        children = f"/proc/{self._init}/task/{self._init}/children"
        with contextlib.suppress(OSError, ValueError, IndexError), open(children) as file:
            return int(file.read().split()[0])
        below = tree.descendants(self._init)
        return min(below, key=lambda p: p.started).pid if below else outermost

    def _open(self) -> None:
        try:
            linux.unshare(linux.NEW_MOUNTS | linux.NEW_NETWORK)
            linux.private_mounts()
        except OSError:
            self.network.open_shared()
            self.lost.append(sentences.NOT_ROOT)
        else:
            self.network.open_own()
        for bucket, path in self.spec.buckets.items():
            self._show("--bind", self._mapped(path, f"gcs/{bucket}"), f"/gcs/{bucket}")
        self._show_shared_memory()
        self._show_site()
        if self.spec.environment.path:
            self._show_environment()
        if self.spec.environment.base:
            self._make_way(self._base())
        library = self.spec.environment.library
        if library and not _visible(library):
            self._show("--ro-bind", library, library)
        for source, target in ((self.spec.ca_file, _CA), (self.spec.uv, _UV)):
            if source:
                self._show("--ro-bind", source, target)

    def _show_environment(self) -> None:
        """Show the environment so that programs may change it, and no other replica sees that."""
        shared = self.spec.environment
        writable = self._overlay(shared.path, "environment", self._fit)
        self._own = writable
        if not writable:
            self._show("--ro-bind", shared.path, interpreter.SHARED)
            writable = self.workplace("environment")
            interpreter.lay(writable, shared, self._base(), interpreter.SHARED, user_packages=True)
            self._give_all(writable)
        self._show("--bind", writable, self._environment())

    def _show_shared_memory(self) -> None:
        """Let programs write to /dev/shm: bubblewrap's own belongs to whoever starts it."""
        if self._uid and self.network.own:
            memory = os.path.join(self._mounts, "shm")
            os.makedirs(memory)
            linux.mount_memory(memory)
            self._binds.append(("--bind", memory, "/dev/shm"))  # noqa: S108 - where POSIX semaphores live

    def _show_site(self) -> None:
        """Make the folder for packages that are installed with `--user`."""
        self.site = interpreter.packages("/root/.local", self.spec.environment.python)
        self._make_way(self.site)
        self._give(self._root + self.site)
        os.chmod(self._root + "/root/.local", 0o1777)  # noqa: S103 - as /root

    def _show(self, how: str, source: str, target: str) -> None:
        self._make_way(os.path.dirname(target))
        self._binds.append((how, source, target))

    def _make_way(self, path: str) -> None:
        """Make the folders that lead to a mount, before any program could put links there; bubblewrap's are 0700."""
        os.makedirs(self._root + path, mode=0o755, exist_ok=True)

    def _start(self, argv: list[str], env: dict[str, str], stdout: int, stderr: int) -> Running:
        said, say = os.pipe()
        ours, theirs = socket.socketpair()
        try:
            command = self.in_group([*self._walls(say), *self._as_user(), "/bin/sh", "-s", "--", *argv])
            process = self.spawn(command, self._trusted(), (theirs.fileno(), stdout, stderr), "/", (say,))
        finally:
            os.close(say)
            theirs.close()
        with open(said, "rb") as file:
            text = file.read()  # ends once the sandbox has its first process, or has failed
        self._init = int(json.loads(text)["child-pid"]) if text.strip() else 0
        with ours, contextlib.suppress(OSError):  # it may have failed
            self._let_in(ours, self.launching(argv, env, _become(env)))
        return Running(process, self)

    def _let_in(self, door: socket.socket, script: str) -> None:
        """Have the shell inside do what a script says, once it stands there and what it will do to files is heard."""
        door.sendall(b"echo >&0\n")
        if door.recv(1) and self._init and self.spec.buckets:
            self.watch.add(self._init, self.spec.buckets)
        door.sendall(os.fsencode(script))

    def _trusted(self) -> dict[str, str]:
        """Return the environment of what builds the walls and changes the user: nothing in it is the program's."""
        return {"PATH": os.environ.get("PATH", os.defpath), MARK: f"{self.spec.attempt}/{self.spec.replica}"}

    def _walls(self, info: int) -> list[str]:
        """Return bubblewrap's part of the command line."""
        walls = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
        walls += ["--hostname", self.spec.hostname[:63], "--info-fd", str(info), "--cap-drop", "ALL"]
        if self._uid:
            walls += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        walls += ["--bind", self._root, "/", "--ro-bind", "/usr", "/usr"]
        for name in _TOP:
            if os.path.isdir(f"/{name}") and not os.path.islink(f"/{name}"):
                walls += ["--ro-bind", f"/{name}", f"/{name}"]
        for name in _ETC:
            walls += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        walls += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
        walls += ["--dev", "/dev", "--proc", "/proc"]
        for words in self._interpreter():
            walls += words
        for how, source, target in self._binds:
            walls += [how, source, target]
        return [*walls, "--chdir", "/", "--"]

    def _interpreter(self) -> list[list[str]]:
        """Return the mounts that show the interpreter, and those that hide what is not a program's to see."""
        shared, base = self.spec.environment, self._base()
        later = []
        if shared.base and base != shared.base:
            later.append((base, ["--ro-bind", shared.base, base]))
        hidden = [path for path in self.spec.hide if os.path.isdir(path)]
        if shared.path:
            hidden += interpreter.others(shared.base, shared.python)
        for path in hidden:
            if shared.base and base != shared.base and _below(os.path.realpath(path), shared.base):
                path = os.path.join(base, os.path.relpath(os.path.realpath(path), os.path.realpath(shared.base)))
            elif not _visible(path):
                continue
            later.append((path, ["--tmpfs", path]))
        return [words for _, words in sorted(later, key=lambda each: len(each[0]))]  # what lies deeper comes later

    def _as_user(self) -> list[str]:
        if not self._uid:
            return []
        user = str(self._uid)
        return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all", "--"]

    def _lay_out(self) -> None:
        """Make the root's own files; everything else is mounted over it."""
        remove(self._root)
        for name in _FOLDERS:
            os.makedirs(os.path.join(self._root, name))
        for name in _TOP:
            if os.path.islink(f"/{name}"):
                os.symlink(os.readlink(f"/{name}"), os.path.join(self._root, name))
        for name in _OPEN:  # anybody may add, nobody may move what the next mount goes through
            os.chmod(os.path.join(self._root, name), 0o1777)  # noqa: S103 - as every /tmp
        user = self._uid or os.geteuid()
        names = "root:x:0:0:root:/root:/bin/bash\n"
        if user:
            names += f"trainer:x:{user}:{user}:trainer:/root:/bin/bash\n"
        self._write("etc/passwd", names)
        self._write("etc/group", "root:x:0:\n" + (f"trainer:x:{user}:\n" if user else ""))
        self._write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        self._write("etc/hostname", self.spec.hostname + "\n")
        self._write("etc/resolv.conf", "")
        self.set_hosts({})

    def _write(self, name: str, text: str) -> None:
        path = os.path.join(self._root, name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # the program may have put something else there
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)

    def _give(self, path: str) -> None:
        if self._uid:
            os.chown(path, self._uid, self._uid)

    def _environment(self) -> str:
        return interpreter.environment(self.spec.environment.python)

    def _base(self) -> str:
        """Return where programs find the interpreter's installation."""
        base = self.spec.environment.base
        return base if not base or _visible(base) else interpreter.INTERPRETER

    def _mapped(self, path: str, name: str) -> str:
        """Return the path of a view of `path` in which the server's files are the program's, or else `path`."""
        try:
            return self._map(path, name)
        except OSError as error:
            self.lost.append(sentences.READ_ONLY.format(place=name, problem=error))
            return path

    def _map(self, path: str, name: str) -> str:
        """Return the path of a view of `path` in which the server's files are the program's; OSError without one."""
        if self._userns < 0:
            return path
        target = os.path.join(self._mounts, name)
        os.makedirs(target, exist_ok=True)
        linux.bind_mapped(path, target, self._userns)
        return target

    def _overlay(self, lower: str, name: str, furnish: Callable[[str], None] | None = None) -> str:
        """Return a view of `lower` that the program may change, or nothing; `furnish` lays out what differs in it."""
        if os.geteuid() != 0 or not self.network.own:
            return ""
        upper, work = (os.path.join(self._mounts, "upper", name, each) for each in ("upper", "work"))
        target = os.path.join(self._mounts, name)
        try:
            for path in (upper, work, target):
                os.makedirs(path, exist_ok=True)
            if furnish is not None:
                furnish(upper)
            self._give_all(upper)
            linux.mount_overlay(self._map(lower, f"lower/{name}"), upper, work, target)
        except OSError:
            return ""
        return target

    def _fit(self, root: str) -> None:
        interpreter.fit(root, self.spec.environment, self._base(), user_packages=True)

    def _copy(self) -> str:
        """Return a copy of the environment that belongs to the program."""
        path = os.path.join(self._mounts, "copy")
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.spec.environment.path, path, symlinks=True)
        _open_folders(path)
        self._fit(path)
        self._give_all(path)
        return path

    def _give_all(self, path: str) -> None:
        """Make a folder and everything in it the program's."""
        self._give(path)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files) if self._uid else ():
                os.chown(os.path.join(folder, name), self._uid, self._uid, follow_symlinks=False)


def _become(env: Mapping[str, str]) -> str:
    """Return the shell's words that make it the program, in the program's environment.

    A PATH or LD_PRELOAD of a job must mean nothing to bubblewrap, which has the machine's rights, nor to what gives up
    root inside; and on a command line everybody could read the variables.
    """
    words = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in env.items())]
    return "exec " + " ".join(map(shlex.quote, words)) + ' "$@" </dev/null'


def _open_folders(path: str) -> None:
    """Let the owner of an environment add to each of its folders, and remove."""
    for folder, _, _ in os.walk(path):
        if not os.stat(folder).st_mode & 0o200:
            os.chmod(folder, 0o755)  # noqa: S103 - as every folder of an environment


def _visible(path: str) -> bool:
    """Return whether every sandbox shows a path of this machine at its own place."""
    real = os.path.realpath(path)
    return any(_below(real, root) for root in ("/usr", *(f"/{name}" for name in _TOP)))


def _below(path: str, root: str) -> bool:
    real = os.path.realpath(root)
    return path == real or path.startswith(real.rstrip("/") + "/")
