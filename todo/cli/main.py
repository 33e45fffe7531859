"""``todo``: the group of all commands. Each is a module of its own, imported when it is called."""

from importlib import import_module
from typing import Final

import click

from todo import __version__

COMMANDS: Final = (
    "advance-revisions",
    "backup",
    "demo-data",
    "doctor",
    "import-tasks",
    "migrate",
    "purge",
    "restore",
    "serve",
    "token",
)


class LazyGroup(click.Group):
    """The commands in :data:`COMMANDS`: ``demo-data`` is ``todo.cli.demo_data.demo_data``.

    No command waits for what only another one imports.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands (click's own hook)."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, ``None`` if there is none (click's own hook)."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"todo.cli.{name}"), name)
        return command


@click.group(cls=LazyGroup)
@click.version_option(__version__, prog_name="todo")
def main() -> None:
    """A multi-user Todo REST API. Settings are environment variables; see .env.example."""
