"""``todo``: serve, migrate, token, doctor."""

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import click
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from todo import __version__
from todo.database import schema
from todo.database.engine import engine_url, maintenance_engine
from todo.identity.tokens import TokenRefused, Verifier, mint
from todo.settings import Refusal, Settings


@click.group()
@click.version_option(__version__, prog_name="todo")
def main() -> None:
    """A multi-user Todo REST API. Settings are environment variables; see .env.example."""


@main.command()
def serve() -> None:
    """Serve the API with gunicorn."""
    settings = Settings.from_env()  # a refusal is one line here, before gunicorn says anything
    arguments = [sys.executable, "-m", "gunicorn", "-c", "python:todo.serving"]
    # gunicorn reads this one itself, too, and a blank one (which is unset to us) would end it.
    environment = {**os.environ, "WEB_CONCURRENCY": str(settings.web_concurrency)}
    os.execve(sys.executable, arguments, environment)  # noqa: S606 - our own interpreter, no shell


@main.command()
def migrate() -> None:
    """Bring the database to this release's schema. Safe to run twice at once."""
    settings = Settings.from_env()
    url = settings.migration_database_url or settings.sqlalchemy_url
    engine_url(url, "MIGRATION_DATABASE_URL" if settings.migration_database_url else "DATABASE_URL")
    try:
        schema.migrate(url)
    except (SQLAlchemyError, OSError) as error:
        raise Refusal(f"{_place(url)}: {_first_line(error)}") from None
    click.echo(f"{_place(url)}: at revision {schema.head()}")


@main.command()
@click.option("--sub", required=True, help="The user id that the token is for.")
@click.option(
    "--hours", default=1.0, show_default=True, type=click.FloatRange(0, 24 * 365, min_open=True)
)
def token(sub: str, hours: float) -> None:
    """Print a token for development and support."""
    settings = Settings.from_env()
    try:
        click.echo(_mint(settings, sub, hours))
    except ValueError:  # NaN is within every range
        raise click.BadParameter("is not a number.", param_hint="--hours") from None
    except TokenRefused as refused:
        raise click.BadParameter(refused.detail, param_hint="--sub") from None


@main.command()
def doctor() -> None:
    """Check what the API stands on; every line is ok, or says what to do."""
    settings = Settings.from_env()
    checks: dict[str, Callable[[Settings], str]] = {
        "database": _check_database,
        "schema": _check_schema,
        "token": _check_token,
    }
    failed = False
    click.echo(f"ok    settings: {_place(settings.sqlalchemy_url)}")
    for name, check in checks.items():
        try:
            click.echo(f"ok    {name}: {check(settings)}")
        except _Sick as sick:
            failed = True
            click.echo(f"FAIL  {name}: {sick}")
    sys.exit(1 if failed else 0)


def _is_new(settings: Settings) -> bool:
    """Whether the embedded default was never started: looking would make its file."""
    return (
        settings.embedded and not Path(str(engine_url(settings.sqlalchemy_url).database)).exists()
    )


class _Sick(Exception):  # noqa: N818
    """A check that failed: what is wrong, and what to do."""


def _check_database(settings: Settings) -> str:
    if _is_new(settings):
        return f"SQLite {sqlite3.sqlite_version}, not there yet; the first start makes it"
    engine = maintenance_engine(settings.sqlalchemy_url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                version = connection.execute(sa.text("SELECT sqlite_version()")).scalar()
                return f"SQLite {version}"
            version = connection.execute(sa.text("SHOW server_version")).scalar()
            return f"PostgreSQL {version}"
    except SQLAlchemyError as error:
        raise _Sick(f"{_first_line(error)}; check DATABASE_URL and that the server runs") from None


def _check_schema(settings: Settings) -> str:
    if _is_new(settings):
        return "not there yet; the first start makes it"
    engine = maintenance_engine(settings.sqlalchemy_url)
    try:
        revision = schema.current(engine)
    except SQLAlchemyError as error:
        raise _Sick(f"unknown: {_first_line(error)}") from None
    if revision != schema.head():
        raise _Sick(f"at {revision}, this release needs {schema.head()}; run 'todo migrate'")
    return f"at revision {revision}"


def _check_token(settings: Settings) -> str:
    verifier = Verifier(
        settings.better_auth_secret,
        issuer=settings.auth_jwt_issuer,
        audience=settings.auth_jwt_audience,
        leeway=settings.auth_jwt_leeway_seconds,
    )
    verifier.verify(_mint(settings, "doctor", 1))
    expected = [
        f"{name}={value}"
        for name, value in (
            ("iss", settings.auth_jwt_issuer),
            ("aud", settings.auth_jwt_audience),
        )
        if value
    ]
    return "HS256 with BETTER_AUTH_SECRET" + (f", {' '.join(expected)}" if expected else "")


def _mint(settings: Settings, subject: str, hours: float) -> str:
    return mint(
        settings.better_auth_secret,
        subject,
        hours=hours,
        issuer=settings.auth_jwt_issuer,
        audience=settings.auth_jwt_audience,
    )


def _place(url: str) -> str:
    """The database, without its password: libpq takes one in the query, too."""
    parsed = engine_url(url)
    shown = {name: value for name, value in parsed.query.items() if "password" not in name}
    return parsed.set(query=shown).render_as_string(hide_password=True)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
