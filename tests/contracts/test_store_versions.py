"""What every store promises about the version of its tables, on both databases."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from trigpoint.core.errors import FailedPrecondition, TrigpointError
from trigpoint.store import Store, migrations, versions

POSTGRES_SHAPE = (
    "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default, collation_name "
    "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3",
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
)


def shape(connection: Connection) -> list[tuple[object, ...]]:
    """All that a database knows of its tables, besides their rows and Alembic's own table."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name, sql FROM sqlite_master ORDER BY name")).all()
        return [(name, " ".join(sql.split())) for name, sql in found if sql and "_version" not in name]
    rows = [tuple(row) for query in POSTGRES_SHAPE for row in connection.execute(text(query))]
    return [row for row in rows if "_version" not in row[0]]


def wiped(urls: tuple[str, str]) -> list[Engine]:
    """Return bare engines of databases that hold nothing."""
    if urls[0].startswith("sqlite"):
        for url in urls:
            Path(make_url(url).database or "").unlink()
        return [create_engine(url) for url in urls]
    engine = create_engine(urls[0])
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return [engine, engine]


def test_migrations_make_what_the_code_declares(urls: tuple[str, str]) -> None:
    store = Store.open(*urls)
    created = [database.read(lambda tx: shape(tx.connection)) for database in (store.main, store.telemetry)]
    store.close()
    migrated = []
    engines = wiped(urls)
    for engine, line in zip(engines, (versions.MAIN, versions.TELEMETRY), strict=True):
        with engine.begin() as connection:
            migrations.upgrade(connection, line.folder, line.version_table)
    for engine in engines:
        with engine.begin() as connection:
            migrated.append(shape(connection))
        engine.dispose()
    assert migrated == created


def test_the_newest_revision_is_the_one_that_the_code_knows() -> None:
    for line in (versions.MAIN, versions.TELEMETRY):
        files = sorted(path.stem for path in (Path(migrations.__file__).parent / line.folder).glob("v*.py"))
        assert files == [f"v{number}" for number in line.known]


REVISION = """
from alembic import op
revision, down_revision = {number!r}, {before!r}
def upgrade():
    op.execute({statement!r})
"""


def test_an_older_database_is_migrated_or_left_as_it_was(
    urls: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(*urls).close()
    (tmp_path / "v0001.py").write_text(REVISION.format(number="0001", before=None, statement="SELECT 1"))
    (tmp_path / "v0002.py").write_text(
        REVISION.format(number="0002", before="0001", statement="ALTER TABLE refs ADD COLUMN more TEXT")
    )
    (tmp_path / "v0003.py").write_text(REVISION.format(number="0003", before="0002", statement="SELECT broken"))
    line = versions.Line(str(tmp_path), versions.MAIN.metadata, "schema_version", ("0001", "0002", "0003"))
    monkeypatch.setattr(versions, "MAIN", line)
    with pytest.raises(TrigpointError):
        Store.open(*urls)
    (tmp_path / "v0003.py").unlink()
    monkeypatch.setattr(versions, "MAIN", replace(line, known=("0001", "0002")))
    for _ in range(2):
        store = Store.open(*urls)
        assert store.read(lambda tx: tx.connection.execute(text("SELECT more FROM refs")).all()) == []
        store.close()


def test_a_newer_database_is_refused_in_plain_words(urls: tuple[str, str]) -> None:
    store = Store.open(*urls)
    store.write(lambda tx: tx.connection.execute(text("UPDATE schema_version SET version_num = '9999'")))
    store.close()
    with pytest.raises(FailedPrecondition, match=r"newer Trigpoint \(tables 9999"):
        Store.open(*urls)


def test_opening_again_finds_everything(urls: tuple[str, str]) -> None:
    for _ in range(3):
        store = Store.open(*urls)
        store.write(versions.touch)
        assert store.health.ok
        store.close()
        store.close()
