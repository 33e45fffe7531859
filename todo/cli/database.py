"""How a command works with the database, without the application that serves requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from todo.database.backup import BackupError
from todo.database.binding import bound
from todo.database.engine import display, engine_url, is_postgresql
from todo.database.errors import first_line
from todo.logs import configure
from todo.problem_types import PROBLEM_TYPES
from todo.problems import Problem
from todo.settings.configuration_error import ConfigurationError
from todo.settings.settings import Settings


@contextmanager
def connected(settings: Settings) -> Iterator[str]:
    """Work with the database of ``settings``, whose name without a password it gives.

    Raises :class:`ConfigurationError`, one line, for what a client of the API would have heard
    as a problem.
    """
    configure("error", settings.log_format)
    with bound(settings):
        database = display(settings.sqlalchemy_url)
        try:
            yield database
        except Problem as problem:
            raise ConfigurationError(f"{database}: {_reason(problem)}") from None
        except SQLAlchemyError as error:  # of a statement that no request has
            raise ConfigurationError(f"{database}: {first_line(error)}") from None


@contextmanager
def one_line() -> Iterator[None]:
    """Raise :class:`ConfigurationError`, one line, for a backup or a restore that fails."""
    try:
        yield
    except BackupError as reason:
        raise ConfigurationError(str(reason)) from None


def sqlite_file(settings: Settings, *, must_exist: bool = True) -> Path:
    """Return the file of the SQLite database of ``settings``.

    Raises :class:`ConfigurationError` for PostgreSQL, and where there is no file but
    ``must_exist``.
    """
    url = engine_url(settings.sqlalchemy_url)
    if is_postgresql(url):
        raise ConfigurationError(
            "DATABASE_URL: the database is PostgreSQL; back it up with pg_dump, restore it with "
            "pg_restore, then run 'todo advance-revisions'"
        )
    path = Path(str(url.database))
    if must_exist and not path.exists():
        variable = "INSTANCE_PATH" if settings.embedded else "DATABASE_URL"
        raise ConfigurationError(
            f"{variable}: {path.parent} has no database; set the one that the server uses"
        )
    return path


def _reason(problem: Problem) -> str:
    cause = problem.__cause__
    if isinstance(cause, SQLAlchemyError) and problem.code == "database_unavailable":
        return first_line(cause)
    return f"{problem.detail} {PROBLEM_TYPES[problem.code].advice}"
