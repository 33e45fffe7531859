"""The database of a Flask application: the API's, or the bare one that a command works in."""

from collections.abc import Iterator
from contextlib import contextmanager

import flask

from todo.database import deadline, schema
from todo.database.engine import engine_options, engine_url, is_postgresql, prepare
from todo.models import db
from todo.settings.configuration_error import ConfigurationError
from todo.settings.instance_folder import make_private
from todo.settings.settings import Settings


def bind(app: flask.Flask, settings: Settings) -> None:
    """Give ``app`` the database of ``settings``.

    Raises :class:`ConfigurationError` for a URL that leads to no database.
    """
    url = engine_url(settings.sqlalchemy_url)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(
            url, threads=settings.web_threads, namespace=settings.database_schema
        ),
    )
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
    if is_postgresql(url):
        deadline.install()


def migrate_embedded(settings: Settings) -> None:
    """Migrate the embedded database; any other one is left to its operator.

    Raises :class:`ConfigurationError`, one line, when the migration fails.
    """
    if not settings.embedded:
        return
    make_private(settings.instance_path / "todo.db")
    try:
        schema.migrate(settings.sqlalchemy_url)
    except schema.MigrationError as reason:
        raise ConfigurationError(
            f"INSTANCE_PATH: {settings.instance_path / 'todo.db'}: {reason}"
        ) from None


@contextmanager
def bound(settings: Settings) -> Iterator[None]:
    """Work in a bare application that has the database of ``settings``.

    Raises :class:`ConfigurationError`.
    """
    app = flask.Flask(
        "todo", static_folder=None, instance_path=str(settings.instance_path.resolve())
    )
    bind(app, settings)
    migrate_embedded(settings)
    with app.app_context():
        yield
