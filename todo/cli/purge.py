"""``todo purge``."""

import click

from todo.cli.database import connected
from todo.lists.resource import LISTS
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings
from todo.sync import idempotency, log_purge, trash
from todo.tasks.resource import TASKS


@click.command()
def purge() -> None:
    """Delete tasks that were in the trash for TRASH_DAYS, lists that were deleted as long ago,
    entries of the log that are older than CHANGES_DAYS, and expired idempotency keys.

    Meant to run once a day.
    """
    settings = Settings.from_env()
    if settings.embedded and not (settings.instance_path / "todo.db").exists():
        folder = settings.instance_path.resolve()
        raise ConfigurationError(
            f"INSTANCE_PATH: {folder} has no database; set the folder that the server uses"
        )
    with connected(settings) as database:
        tasks = trash.purge(TASKS, settings.trash_days)
        lists = trash.purge(LISTS, settings.trash_days)
        entries = log_purge.purge(settings.changes_days)
        keys = idempotency.purge(settings.idempotency_hours)
    click.echo(f"{database}: {tasks} deleted tasks are gone for good")
    click.echo(f"{database}: {lists} deleted lists are gone for good")
    click.echo(f"{database}: {entries} entries of the log of changes are too old, and gone")
    click.echo(f"{database}: {keys} idempotency keys have expired")
