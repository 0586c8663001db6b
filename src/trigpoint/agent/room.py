"""Where a replica's programs run, seen alike whether that is a sandbox or a plain process."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from typing import Mapping, Sequence

from . import interpreter, linux, sentences, tree
from .directory import remove
from .limits import Group, name_of
from .network import Network
from .protocol import CA_VARIABLES, MARK, RunSpec
from .stage import Stage
from .watch import Watch


class Running:
    """A started program. Its descriptors belong to whoever reads them."""

    def __init__(self, process: subprocess.Popen[bytes], room: Room) -> None:
        self._process = process
        self._room = room

    @property
    def pid(self) -> int:
        """The outermost process; when it ends, the program has ended."""
        return self._process.pid

    def wait(self) -> int:
        """Wait for the end; return the exit code as a shell counts (128 + signal)."""
        code = self._process.wait()
        return 128 - code if code < 0 else code

    def terminate(self) -> None:
        """Send TERM to the program itself, as Kubernetes does; its children are its own affair."""
        tree.send(self._room.main_process(self._process.pid), 15)


class Room:
    """A plain process: the machine's files and network; the base of the sandbox.

    Not thread-safe; everything that starts or mounts happens on the stage.
    """

    runtime = "process"
    home = ""

    def __init__(self, spec: RunSpec, directory: str) -> None:
        self.spec = spec
        self.directory = directory
        self.stage = Stage()
        self.network = Network(spec)
        self.group = Group(name_of(spec), spec.limits)
        self.watch = Watch()
        self.lost: list[str] = []
        self.site = ""
        """Directory of user packages that the program sees; set by `show_packages`."""
        self._own = ""
        """Directory of the environment that is this replica's own; empty: none."""
        self._children: set[int] = set()
        self._closed = False

    def open(self) -> None:
        """Make everything that a program needs around it."""
        with contextlib.suppress(OSError):
            linux.adopt_orphans()
        self.home = self.workplace("home")
        self.stage.call(self.group.enter)
        self.stage.call(self._open)
        self.network.relay.start()
        self.lost += [*self.group.lost, *self.network.lost]

    def python(self) -> str:
        """Return the interpreter, as the program sees it."""
        environment = self.spec.environment
        root = self._own or environment.path or environment.base
        return os.path.join(root, "bin", "python3") if root else shutil.which("python3") or "python3"

    def workplace(self, name: str) -> str:
        """Return a directory of this replica that its programs may write to."""
        path = os.path.join(self.directory, "work", name)
        os.makedirs(path, exist_ok=True)
        return path

    def show_packages(self, layer: str) -> None:
        """Let programs import what is in a directory, before anything of the environment."""
        self.site = layer

    def own_environment(self) -> None:
        """Make sure that the installer finds everything in one environment that is this replica's own."""
        path = os.path.join(self.directory, "work", "copy")
        shutil.rmtree(path, ignore_errors=True)
        command = ["cp", "-al", self.spec.environment.path, path]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o755)  # noqa: S103 - as every folder of an environment
        self._own = path

    def shelf(self, name: str) -> str:
        """Return a directory of this replica that its programs should only read."""
        return self.workplace(name)

    def inside(self, path: str) -> str:
        """Return how the program sees a path of `workplace` or `shelf`."""
        return path

    def installer(self) -> str:
        """Return uv's path, as the program sees it."""
        return self.spec.uv

    def set_hosts(self, more: Mapping[str, str]) -> None:
        """Make names of peers known; a plain process sees the machine's names only."""

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the program's whole environment, made from nothing: ours, the spec's, the barrier's, in that order."""
        bin_directory = os.path.dirname(self.python())
        env = {
            "PATH": f"{bin_directory}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": self.home,
            "USER": "root",
            "LANG": "C.UTF-8",
            "HOSTNAME": self.spec.hostname,
            "PYTHONUNBUFFERED": "1",
            MARK: f"{self.spec.attempt}/{self.spec.replica}",
            **self.network.env,
        }
        certificates = self.certificates()
        if certificates:
            env.update(dict.fromkeys(CA_VARIABLES, certificates))
        if self.spec.limits.cpus:
            env["OMP_NUM_THREADS"] = str(max(1, int(min(self.spec.limits.cpus, os.cpu_count() or 1))))
        if os.path.basename(bin_directory) == "bin" and self.spec.environment.path:
            env["VIRTUAL_ENV"] = os.path.dirname(bin_directory)
        env.update(self.spec.env)
        env.update(more)
        if self.site:
            env["PYTHONPATH"] = ":".join(p for p in (env.get("PYTHONPATH", ""), self.site) if p)
        return env

    def shown(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the program's environment as anybody may see it: without addresses that only the program may know.

        Outside a network of its own, knowing the metadata server's address is being the replica.
        """
        secret = [env.get("GCE_METADATA_HOST", "").partition(":")[0], self.network.address.ip]
        shown = dict(env)
        for address in secret if not self.network.own else ():
            if address and address != "127.0.0.1":
                shown = {name: value.replace(address, "(secret address)") for name, value in shown.items()}
        return shown

    def certificates(self) -> str:
        """Return the file of certificates to trust, as the program sees it."""
        return self.spec.ca_file

    def start(self, argv: Sequence[str], env: Mapping[str, str], stdout: int, stderr: int) -> Running:
        """Start a program with exactly this environment. OSError when it can not be started."""
        return self.stage.call(self._start, list(argv), dict(env), stdout, stderr)

    def main_process(self, outermost: int) -> int:
        """Return the pid of the user's program, given the outermost process."""
        return outermost

    def kill(self) -> None:
        """End every process of the programs, at once."""
        tree.kill_descendants(os.getpid())

    def reap(self) -> None:
        """Let dead processes go that nobody else waits for: orphans come to the agent (`adopt_orphans`)."""
        while hasattr(os, "waitid"):
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if dead is None or dead.si_pid in self._children:
                return
            os.waitpid(dead.si_pid, os.WNOHANG)

    def close(self) -> None:
        """End everything that is left of the programs, and what was made around them."""
        if self._closed:
            return
        self._closed = True
        self.kill()
        self.watch.finish()
        self.network.close()
        self.stage.call(self.group.leave)
        self.group.remove()

    def clear(self) -> None:
        """Give back the space of what the programs left behind. After `close`, and not from the stage."""
        remove(os.path.join(self.directory, "work"))

    def _open(self) -> None:
        self.network.open_shared()
        shared = self.spec.environment
        if shared.path:
            self._own = self.workplace("environment")
            interpreter.lay(self._own, shared, shared.base, shared.path, user_packages=False)
        self.lost.append(sentences.NO_SANDBOX)
        if self.spec.buckets:
            self.lost.append(sentences.NO_GCS)

    def _start(self, argv: list[str], env: dict[str, str], stdout: int, stderr: int) -> Running:
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        script = self.launching(argv, env, 'exec "$@"')
        command = self.in_group([*guard, "/bin/sh", "-c", script, "sh", *argv])
        cwd = self.workplace("cwd")
        return Running(self.spawn(command, env, (subprocess.DEVNULL, stdout, stderr), cwd, ()), self)

    def launching(self, argv: Sequence[str], env: Mapping[str, str], become: str) -> str:
        """Return what a shell does, given a command line, as the program's user: become it if it is there.

        If it is not, the exit code is a shell's: 127, or 126 for what is no program.
        """
        name, shown = argv[0], repr(argv[0][:200])
        paths = [name] if "/" in name else [f"{folder or '.'}/{name}" for folder in env.get("PATH", "").split(":")]
        places = " ".join(map(shlex.quote, paths))
        image = f"the image {self.spec.image}" if self.spec.image else "this image"
        missing, denied = f"The command {shown} was not found in {image}.", f"{shown} is not a program in {image}."
        return (
            f'for f in {places}; do if [ -f "$f" ] && [ -x "$f" ]; then {become}; fi; done\n'
            f'for f in {places}; do if [ -e "$f" ]; then {_say(denied)}; exit 126; fi; done\n'
            f"{_say(missing)}; exit 127\n"
        )

    def in_group(self, command: list[str]) -> list[str]:
        """Return the command, joining the control groups before anything else."""
        entrances = self.group.entrances()
        if not entrances:
            return command
        script = "".join(f"echo $$ > '{path}'; " for path in entrances)
        return ["/bin/sh", "-c", f'{{ {script}}} 2>/dev/null; exec "$@"', "sh", *command]

    def spawn(
        self,
        command: list[str],
        env: dict[str, str],
        streams: tuple[int, int, int],
        cwd: str,
        keep: Sequence[int],
    ) -> subprocess.Popen[bytes]:
        """Start a process in a session of its own, with lower priority. `streams`: standard input, output and error."""
        self._be_nice()
        stdin, stdout, stderr = streams
        process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=tuple(keep),
        )
        self._children.add(process.pid)
        return process

    def _be_nice(self) -> None:
        behind = self.spec.limits.nice - os.nice(0)
        if behind > 0:
            with contextlib.suppress(OSError):
                os.nice(behind)


def _say(text: str) -> str:
    """Return a shell's words that print a line to stderr."""
    return f"printf '%s\\n' {shlex.quote(text)} >&2"
