"""``todo``: serve, migrate, token, doctor, demo-data, import-tasks, purge.

Every command imports what it needs when it is called: ``todo token`` waits for no database
library, and a refusal of the settings for nothing.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from todo import __version__
from todo.settings.settings import ConfigurationError, Settings


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
    from todo.database import schema
    from todo.database.engine import display, engine_url
    from todo.database.errors import first_line

    url = settings.migration_database_url or settings.sqlalchemy_url
    variable = "MIGRATION_DATABASE_URL" if settings.migration_database_url else "DATABASE_URL"
    engine_url(url, variable)
    namespace = settings.database_schema
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


@main.command()
@click.option("--sub", required=True, help="The user id that the token is for.")
@click.option(
    "--hours", default=1.0, show_default=True, type=click.FloatRange(0, 24 * 365, min_open=True)
)
def token(sub: str, hours: float) -> None:
    """Print a token for development and support."""
    settings = Settings.from_env()
    from todo.auth.invalid_token import InvalidTokenError

    try:
        click.echo(_mint(settings, sub, hours))
    except ValueError:  # NaN is within every range
        raise click.BadParameter("is not a number.", param_hint="--hours") from None
    except InvalidTokenError as refused:
        hint = "--sub" if refused.code == "claim_missing" else "--hours"
        raise click.BadParameter(refused.detail, param_hint=hint) from None


@main.command()
@click.option("--token", "access_token", help="Also say whether the API would accept this token.")
def doctor(access_token: str | None) -> None:
    """Check the settings, the database and the keys; every line is ok, or says what to do."""
    settings = Settings.from_env()
    from todo.cli.doctor import examine
    from todo.logs import configure

    configure("error", settings.log_format)  # what is wrong is in the findings
    failed = False
    for finding in examine(settings, access_token):
        failed = failed or not finding.ok
        click.echo(f"{'ok   ' if finding.ok else 'FAIL '} {finding.subject}: {finding.text}")
    sys.exit(1 if failed else 0)


@main.command()
def purge() -> None:
    """Delete tasks that were in the trash for TRASH_DAYS, and expired idempotency keys.

    Meant to run once a day.
    """
    settings = Settings.from_env()
    if settings.embedded and not (settings.instance_path / "todo.db").exists():
        folder = settings.instance_path.resolve()
        raise ConfigurationError(
            f"INSTANCE_PATH: {folder} has no database; set the folder that the server uses"
        )
    with _database(settings) as database:
        from todo.sync import idempotency
        from todo.tasks import trash

        tasks = trash.purge(settings.trash_days)
        keys = idempotency.purge(settings.idempotency_hours)
    click.echo(f"{database}: {tasks} deleted tasks are gone for good")
    click.echo(f"{database}: {keys} idempotency keys have expired")


@main.command("demo-data")
@click.option("--tasks", "number", required=True, type=click.IntRange(1, 1_000_000))
@click.option(
    "--sub", default="demo", show_default=True, help="The id of the user who gets the tasks."
)
def demo_data(number: int, sub: str) -> None:
    """Add made-up tasks for a user, to look at or to measure with."""
    settings = Settings.from_env()
    from todo.auth.invalid_token import InvalidTokenError
    from todo.auth.tokens import check_subject
    from todo.auth.user import User

    try:
        check_subject(sub)
    except InvalidTokenError as refused:
        raise click.BadParameter(refused.detail, param_hint="--sub") from None
    with _database(settings) as database:
        from todo.tasks import demo

        demo.fill(User(sub, None, None), number, quota=settings.tasks_per_user)
    click.echo(f"{database}: {number} more tasks of {sub!r}")


@main.command("import-tasks")
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
    with _database(settings) as database:
        from todo.database.engine import maintenance_engine
        from todo.tasks.importing import ImportStoppedError, Source, copy

        engine = maintenance_engine(settings.sqlalchemy_url)
        try:
            source = Source.find(engine, name)
            if source.left_out:
                _tell(f"{source.name}: not copied: {', '.join(source.left_out)}")
            quota = settings.tasks_per_user
            copied = copy(engine, source, quota=quota, dry_run=dry_run, tell=_tell)
        except ImportStoppedError as reason:
            raise ConfigurationError(f"{database}: {reason}") from None
    click.echo(f"{database}: {copied}")
    sys.exit(1 if copied.refused else 0)


def _tell(line: str) -> None:
    click.echo(line, err=True)


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """Work with the database; give its name.

    Say in one line what a client of the API would have heard as a problem.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from todo.database.binding import bound
    from todo.database.engine import display
    from todo.database.errors import first_line
    from todo.logs import configure
    from todo.problem_types import PROBLEM_TYPES
    from todo.problems import Problem

    configure("error", settings.log_format)
    with bound(settings):
        database = display(settings.sqlalchemy_url)
        try:
            yield database
        except Problem as problem:
            reason = f"{problem.detail} {PROBLEM_TYPES[problem.code].advice}"
            cause = problem.__cause__
            if isinstance(cause, SQLAlchemyError) and problem.code == "database_unavailable":
                reason = first_line(cause)
            raise ConfigurationError(f"{database}: {reason}") from None
        except SQLAlchemyError as error:  # of a statement that no request has
            raise ConfigurationError(f"{database}: {first_line(error)}") from None


def _mint(settings: Settings, subject: str, hours: float) -> str:
    from todo.auth.tokens import mint

    if settings.better_auth_secret is None:
        raise ConfigurationError(
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
