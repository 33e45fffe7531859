"""``todo migrate``."""

import click

from todo.database import schema
from todo.database.engine import display, engine_url
from todo.database.errors import first_line
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings


@click.command()
def migrate() -> None:
    """Bring the database to this release's schema. Safe to run twice at once."""
    settings = Settings.from_env()
    url, namespace = _checked_url(settings), settings.database_schema
    try:
        schema.migrate(url, namespace=namespace)
    except schema.MigrationError as reason:
        raise ConfigurationError(f"{display(url)}: {reason}") from None
    except Exception as error:  # a defect of a migration, which has undone itself
        raise ConfigurationError(
            f"{display(url)}: {type(error).__name__}: {first_line(error)}"
        ) from None
    where = f" in schema {namespace}" if namespace else ""
    click.echo(f"{display(url)}: at revision {schema.head()}{where}")


def _checked_url(settings: Settings) -> str:
    """Return the URL to migrate at; raises :class:`ConfigurationError` with its variable."""
    if (url := settings.migration_database_url) is not None:
        engine_url(url, "MIGRATION_DATABASE_URL")
        return url
    engine_url(settings.sqlalchemy_url)
    return settings.sqlalchemy_url
