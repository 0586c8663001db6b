"""Drafts the revision that brings the newest migrations up to the tables in the code; a person reads it after.

`python tools/draft_migration.py "what and why"` writes the next file of each line of versions whose tables changed,
and says what to add to `versions.py`. With `--first` it writes revision 0001 of both lines anew, which is right only
while no release has shipped it.
"""

import re
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import CreateIndexOp, CreateTableOp, MigrateOperation, ModifyTableOps, UpgradeOps
from sqlalchemy import create_engine

from trigpoint.store import migrations, versions

_TEXT = "sa.Text().with_variant(sa.Text(collation='C'), 'postgresql')"
FOLDER = Path(migrations.__file__).parent


def main() -> int:
    """Write the files; return the exit status."""
    words = [word for word in sys.argv[1:] if word != "--first"]
    for line in (versions.MAIN, versions.TELEMETRY):
        first = "--first" in sys.argv
        operations = _operations(line, first=first)
        if operations:
            number = "0001" if first else f"{int(line.known[-1]) + 1:04}"
            path = FOLDER / line.folder / f"v{number}.py"
            path.parent.mkdir(exist_ok=True)
            before = None if first else line.known[-1]
            path.write_text(_render(number, before, " ".join(words) or "Create every table", operations))
            print(f"{path.relative_to(Path.cwd())}: read it, then list {number} in versions.py and run `make lint`")
    return 0


def _operations(line: versions.Line, *, first: bool) -> dict[str, list[MigrateOperation]]:
    """Return the operations that are missing, by table."""
    with create_engine("sqlite://").connect() as connection:
        if not first:
            migrations.upgrade(connection, line.folder, line.version_table)
        context = MigrationContext.configure(connection, opts={"version_table": line.version_table})
        wanted = produce_migrations(context, line.metadata).upgrade_ops
        assert wanted is not None
        found: dict[str, list[MigrateOperation]] = {}
        for operation in wanted.ops:
            inner = operation.ops if isinstance(operation, ModifyTableOps) else [operation]
            for each in inner:
                table = each.table_name if isinstance(each, CreateTableOp | CreateIndexOp) else "others"
                found.setdefault(table, []).append(each)
        return found


def _render(number: str, before: str | None, why: str, operations: dict[str, list[MigrateOperation]]) -> str:
    parts = [
        f'"""{why}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n',
        f"revision = {number!r}\ndown_revision = {before!r}\nTEXT = {_TEXT}\n\n",
        'def upgrade() -> None:\n    """Change the tables."""\n' + "".join(f"    _{table}()\n" for table in operations),
    ]
    for table, listed in operations.items():
        code = render_python_code(UpgradeOps(ops=listed)).replace(_TEXT, "TEXT")
        # Conditions are rendered for SQLite, which has no booleans.
        code = re.sub(r"(postgresql_where=sa.text\('\w+ IS) 1'", r"\1 true'", code)
        kept = [row for row in code.splitlines() if not row.lstrip().startswith("#")]
        body = "\n".join(row if not row or row.startswith("    ") else f"    {row}" for row in kept)
        parts.append(f"\n\ndef _{table}() -> None:\n{body}\n")
    return "\n".join(parts[:3]) + "".join(parts[3:])


if __name__ == "__main__":
    sys.exit(main())
