"""``todo backup``."""

from pathlib import Path

import click

from todo.cli.database import one_line, sqlite_file
from todo.database import backup as copies
from todo.settings.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database into FILE, as it is at one moment; the server may run.

    FILE must not exist. It has mode 0600, and appears once it is whole.
    """
    source = sqlite_file(Settings.from_env())
    with one_line():
        if file.exists():
            raise copies.BackupError(f"{file}: exists already; name a new file")
        with copies.draft_beside(file) as draft:
            copies.copy(source, draft)
            copies.publish(draft, file)
    click.echo(f"{source}: backed up as {file}")
