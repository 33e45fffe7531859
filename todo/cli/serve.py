"""``todo serve``."""

import os
import sys

import click

from todo.settings.settings import Settings


@click.command()
def serve() -> None:
    """Serve the API with gunicorn."""
    settings = Settings.from_env()  # a refusal is one line here, before gunicorn says anything
    arguments = [sys.executable, "-m", "gunicorn", "-c", "python:todo.serving"]
    # gunicorn reads this one itself, too, and a blank one (which is unset to us) would end it.
    environment = {**os.environ, "WEB_CONCURRENCY": str(settings.web_concurrency)}
    os.execve(sys.executable, arguments, environment)  # noqa: S606 - our own interpreter, no shell
