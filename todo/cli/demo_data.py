"""``todo demo-data``."""

import click

from todo.auth.invalid_token import InvalidTokenError
from todo.auth.tokens import check_subject
from todo.auth.user import User
from todo.cli.database import connected
from todo.lists import demo
from todo.settings.settings import Settings


@click.command()
@click.option("--tasks", "number", required=True, type=click.IntRange(1, 1_000_000))
@click.option(
    "--sub", default="demo", show_default=True, help="The id of the user who gets the tasks."
)
def demo_data(number: int, sub: str) -> None:
    """Add made-up tasks for a user, to look at or to measure with: lists, subtasks, repeats."""
    settings = Settings.from_env()
    try:
        check_subject(sub)
    except InvalidTokenError as error:
        raise click.BadParameter(error.detail, param_hint="--sub") from None
    with connected(settings) as database:
        demo.fill(
            User(sub),
            number,
            quota=settings.tasks_per_user,
            list_quota=settings.lists_per_user,
            most_entries=settings.changes_per_user,
        )
    click.echo(f"{database}: {number} more tasks of {sub!r}")
