"""The stores that the contract suites run on: SQLite always, a private PostgreSQL when its programs are installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from trigpoint.store import Store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Where this test's main and telemetry databases are, on each kind of database in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/trigpoint.db", f"sqlite:///{tmp_path}/telemetry.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name), server.url(name)
    server.drop(name)


@pytest.fixture
def store(urls: tuple[str, str]) -> Iterator[Store]:
    opened = Store.open(*urls)
    yield opened
    opened.close()


class Postgres:
    """A PostgreSQL server of our own on a unix socket, owned by an unprivileged user as it demands."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._sockets = folder
        self._count = 0

    def start(self) -> None:
        # Durability of the disk is not what these runs test: without it the server is up in a fifth of the time.
        self._run("initdb", "-D", str(self._data), "-U", "trigpoint", "-A", "trust", "-N", "--no-instructions")
        options = f"-k {self._sockets} -c listen_addresses='' -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", str(self._sockets / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def create(self) -> str:
        self._count += 1
        name = f"test{self._count}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
        return name

    def drop(self, name: str) -> None:
        self._sql(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://trigpoint@/{name}?host={self._sockets}"

    def _sql(self, statement: str) -> None:
        self._run("psql", "-h", str(self._sockets), "-U", "trigpoint", "-d", "postgres", "-q", "-c", statement)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", *command]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed")
    server = Postgres(programs, tmp_path_factory.mktemp("pg"))
    server.start()
    yield server
    server.stop()


def _programs() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    found = shutil.which("initdb")
    return versions[-1] if versions else Path(found).parent if found else None
