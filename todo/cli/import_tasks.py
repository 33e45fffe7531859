"""``todo import-tasks``."""

import sys

import click

from todo.cli.database import connected
from todo.database.engine import maintenance_engine
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings
from todo.tasks.importing import ImportStoppedError, Source, copy


@click.command()
@click.option(
    "--from",
    "name",
    required=True,
    metavar="TABLE",
    help="The table or view to copy from, such as public.tasks.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be copied, and copy nothing.")
def import_tasks(name: str, dry_run: bool) -> None:
    """Copy the tasks of another back end, each once however often this runs.

    They are in the same database, with the columns id, user_id and title, and as many as there
    are of description, completed, created_at, updated_at, priority, due_date and tags.
    """
    settings = Settings.from_env()
    with connected(settings) as database:
        engine = maintenance_engine(settings.sqlalchemy_url)
        limits = {"quota": settings.tasks_per_user, "most_entries": settings.changes_per_user}
        try:
            source = Source.find(engine, name)
            if source.left_out:
                _tell(f"{source.name}: not copied: {', '.join(source.left_out)}")
            copied = copy(engine, source, **limits, dry_run=dry_run, tell=_tell)
        except ImportStoppedError as reason:
            raise ConfigurationError(f"{database}: {reason}") from None
    click.echo(f"{database}: {copied}")
    sys.exit(1 if copied.refused else 0)


def _tell(line: str) -> None:
    click.echo(line, err=True)
