"""Where programs find Python, and environments that they may change: what they install ends with the replica.

In a sandbox the places are the same on every machine and for every user (`INTERPRETER`, `environment`, `SHARED`). What
lies there is a view over the shared environment, or, where views cannot be mounted, an environment of the replica's own
that adds the shared one to its import path. Which of the two, and its mounts, are the rooms' affair.
"""

from __future__ import annotations

import contextlib
import os
import shutil

from .protocol import Environment

INTERPRETER = "/opt/interpreter"
"""The interpreter's installation, in a sandbox."""
SHARED = "/opt/environment"
"""The shared environment, in a sandbox in which `environment` is one of the replica's own."""
_SHARED_PTH = "import site; site.addsitedir({!r})\n"


def environment(version: str) -> str:
    """Return where a sandbox has the environment of a Python version such as 3.10: where Google's images have it."""
    return f"/opt/python/{version}"


def packages(root: str, version: str) -> str:
    """Return the folder of an environment or an interpreter that holds installed packages."""
    return f"{root}/lib/python{version}/site-packages"


def others(base: str, version: str) -> list[str]:
    """Return the folders in which an interpreter keeps packages of its own, which no image holds."""
    folders = (packages(base, version), f"{base}/lib/python3/dist-packages", f"{base}/local/lib/python{version}")
    return [path for path in folders if os.path.isdir(path)]


def fit(root: str, shared: Environment, base: str, user_packages: bool) -> None:
    """Lay over an environment, in `root`, what makes it start the interpreter that programs find at `base`.

    With `user_packages` it knows packages that are installed with `--user`, and `base` must show none of its own.
    Files that are there already are replaced; folders for installed packages are made.
    """
    for folder in ("bin", f"lib/python{shared.python}/site-packages"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    links = {"python": f"{base}/bin/python{shared.python}", "python3": "python", f"python{shared.python}": "python"}
    for name in (*(f"bin/{name}" for name in links), "pyvenv.cfg"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(root, name))
    for name, target in links.items():
        os.symlink(target, os.path.join(root, "bin", name))
    with open(os.path.join(shared.path, "pyvenv.cfg"), encoding="utf-8") as file:
        known = [line.partition("=")[::2] for line in file if "=" in line]
    told = {name.strip(): value.strip() for name, value in known}
    told.update({"home": f"{base}/bin", "include-system-site-packages": str(user_packages).lower()})
    with open(os.path.join(root, "pyvenv.cfg"), "x", encoding="utf-8") as file:
        file.write("".join(f"{name} = {value}\n" for name, value in told.items()))


def lay(root: str, shared: Environment, base: str, seen: str, user_packages: bool) -> None:
    """Make an environment of a replica's own in `root`: whatever `shared`, which programs see at `seen`, holds.

    pip puts packages into it, newer ones before those of the shared environment, which it leaves alone: to it they
    belong to somebody else.
    """
    fit(root, shared, base, user_packages)
    os.symlink("lib", os.path.join(root, "lib64"))
    with open(os.path.join(packages(root, shared.python), "_shared.pth"), "x", encoding="utf-8") as file:
        file.write(_SHARED_PTH.format(packages(seen, shared.python)))
    with os.scandir(os.path.join(shared.path, "bin")) as entries:
        for entry in entries:
            if not entry.is_symlink() and entry.stat().st_mode & 0o100:
                _bring(entry.path, f"{seen}/bin/{entry.name}", os.path.join(root, "bin", entry.name))


def _bring(source: str, seen: str, target: str) -> None:
    """Copy a script, which starts the interpreter that lies beside it; point to any other program."""
    with open(source, "rb") as file:
        script = file.read(2) == b"#!"
    if script:
        shutil.copyfile(source, target)
        os.chmod(target, 0o755)  # noqa: S103 - as every program
    else:
        os.symlink(seen, target)
