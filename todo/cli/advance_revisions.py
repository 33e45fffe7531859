"""``todo advance-revisions``."""

from typing import Final

import click
from sqlalchemy import Connection

from todo.accounts.service import revoke_tokens
from todo.cli.database import connected
from todo.database.transactions import write
from todo.settings.settings import Settings
from todo.sync.advance import advance

SECONDS: Final = 3600.0
"""How long it may take; it touches every user and the whole log."""


@click.command()
def advance_revisions() -> None:
    """Move all revisions ahead, once a backup of PostgreSQL was restored.

    No ETag, id, cursor or revision that a client saw after the backup is then used for something
    else. Clients load their lists again. The log of changes begins anew: history and undo do not
    reach behind this moment. Tokens of local accounts are revoked. 'todo restore' does all of this
    by itself.
    """
    with connected(Settings.from_env()) as database:
        click.echo(f"{database}: {advance_all()}")


def advance_all() -> str:
    """Move ahead all that clients count on, in one transaction of the bound database; say so."""

    def unit(connection: Connection) -> tuple[int, int]:
        return advance(connection), revoke_tokens(connection)

    users, accounts = write(unit, seconds=SECONDS)
    return f"the revisions of {users} users are ahead, the tokens of {accounts} accounts revoked"
