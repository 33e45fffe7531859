"""``todo restore``."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import click

from todo.cli.advance_revisions import advance_all
from todo.cli.database import connected, one_line, sqlite_file
from todo.database import backup as copies
from todo.database import schema
from todo.database.engine import maintenance_engine
from todo.models import db
from todo.settings.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Put what 'todo backup' wrote to FILE in place of all that is in the SQLite database.

    The server may run. All that was written after the backup is lost; 'todo backup' keeps it first.
    Revisions move ahead, as 'todo advance-revisions' says.
    """
    settings = Settings.from_env()
    target = sqlite_file(settings, must_exist=False)
    with one_line():
        if not file.is_file():
            raise copies.BackupError(f"{file}: there is no such file")
        with copies.draft_beside(target, make_folder=True) as draft:
            copies.copy(file, draft)
            said = _prepare(file, draft, settings)
            copies.replace(target, draft)
    click.echo(f"{target}: restored from {file}; {said}")


def _prepare(file: Path, draft: Path, settings: Settings) -> str:
    """Bring the ``draft`` to this release's schema and its revisions ahead; say what moved.

    Raises :class:`BackupError` for a database that is not this API's, or a later release's.
    """
    url = f"sqlite:///{quote(str(draft))}"
    if schema.current(maintenance_engine(url)) is None:
        raise copies.BackupError(f"{file}: the database has none of this API's tables")
    try:
        schema.migrate(url)
    except schema.MigrationError as reason:
        raise copies.BackupError(f"{file}: {reason}") from None
    with connected(replace(settings, database_url=url)):
        said = advance_all()
        db.engine.dispose()
    return said
