"""``todo``: serve, migrate, token, doctor, demo-data, purge."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import SQLAlchemyError

from todo import __version__
from todo.database import schema
from todo.database.engine import display, engine_url
from todo.database.failures import first_line
from todo.identity.owner import Owner
from todo.identity.refusal import TokenRefused
from todo.identity.tokens import check_subject, mint
from todo.kinds import KINDS
from todo.logs import configure
from todo.problems import Problem
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
    except schema.ForeignUsers as foreign:
        raise Refusal(f"{display(url)}: {foreign}") from None
    except (SQLAlchemyError, OSError) as error:
        raise Refusal(f"{display(url)}: {first_line(error)}") from None
    click.echo(f"{display(url)}: at revision {schema.head()}")


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
        hint = "--sub" if refused.code == "claim_missing" else "--hours"
        raise click.BadParameter(refused.detail, param_hint=hint) from None


@main.command()
@click.option("--token", "access_token", help="Also say whether this token would be accepted.")
def doctor(access_token: str | None) -> None:
    """Check what the API stands on; every line is ok, or says what to do."""
    from todo.doctor import examine  # noqa: PLC0415 - no start waits for what only this needs

    settings = Settings.from_env()
    configure("error", settings.log_format)  # what is wrong is in the findings
    failed = False
    for finding in examine(settings, access_token):
        failed = failed or not finding.ok
        click.echo(f"{'ok   ' if finding.ok else 'FAIL '} {finding.subject}: {finding.text}")
    sys.exit(1 if failed else 0)


@main.command()
def purge() -> None:
    """Delete what has been in the trash for TRASH_DAYS, and what was kept for IDEMPOTENCY_HOURS.

    Meant to run once a day.
    """
    from todo.app import create_app  # noqa: PLC0415 - no start waits for what only this needs
    from todo.services import idempotency, trash  # noqa: PLC0415

    settings = Settings.from_env()
    configure("error", settings.log_format)
    if settings.embedded and not (settings.instance_path / "todo.db").exists():
        folder = settings.instance_path.resolve()
        raise Refusal(f"INSTANCE_PATH: no database in {folder}; give the folder of the server")
    with create_app(settings).flask.app_context(), _told(settings):
        tasks = trash.purge(settings.trash_days)
        keys = idempotency.purge(settings.idempotency_hours)
    database = display(settings.sqlalchemy_url)
    click.echo(f"{database}: {tasks} deleted tasks are gone for good")
    click.echo(f"{database}: {keys} idempotency keys have expired")


@main.command("demo-data")
@click.option("--tasks", "number", required=True, type=click.IntRange(1, 1_000_000))
@click.option("--sub", default="demo", show_default=True, help="The user id to give them to.")
def demo_data(number: int, sub: str) -> None:
    """Add made-up tasks to a user's, to look at or to measure with."""
    from todo.app import create_app  # noqa: PLC0415 - no start waits for what only this needs
    from todo.services import demo  # noqa: PLC0415

    settings = Settings.from_env()
    configure("error", settings.log_format)
    try:
        check_subject(sub)
    except TokenRefused as refused:
        raise click.BadParameter(refused.detail, param_hint="--sub") from None
    with create_app(settings).flask.app_context(), _told(settings):
        demo.fill(Owner(sub, None, None), number, quota=settings.tasks_per_user)
    click.echo(f"{display(settings.sqlalchemy_url)}: {number} more tasks of {sub!r}")


@contextmanager
def _told(settings: Settings) -> Iterator[None]:
    """Say in one line what a client of the API would have heard as a problem."""
    try:
        yield
    except Problem as problem:
        reason = f"{problem.detail} {KINDS[problem.code].advice}"
        if (
            isinstance(problem.__cause__, SQLAlchemyError)
            and problem.code == "database_unavailable"
        ):
            reason = first_line(problem.__cause__)
        raise Refusal(f"{display(settings.sqlalchemy_url)}: {reason}") from None


def _mint(settings: Settings, subject: str, hours: float) -> str:
    if settings.better_auth_secret is None:
        raise Refusal(
            "BETTER_AUTH_SECRET: not set, and 'todo token' signs with it; "
            "get a token from Better Auth, or give both servers a secret"
        )
    return mint(
        settings.better_auth_secret,
        subject,
        hours=hours,
        issuer=settings.auth_jwt_issuer,
        audience=settings.auth_jwt_audience,
    )
