"""The application context: what handlers take from the application they run in.

``create_app`` makes one for each application. Handlers read it and hand its values to services;
a service never reads it.
"""

from dataclasses import dataclass, field
from typing import Final

import flask

from todo.accounts.password_tries import PasswordTries
from todo.auth.jwks import Jwks
from todo.sync.streams import Streams

_EXTENSION: Final = "todo"


@dataclass(frozen=True, kw_only=True)
class Context:
    """The limits, the keys and the contract of one application.

    ``keys`` is ``None`` without an issuer of public keys, ``local_secret`` without a secret.
    """

    tasks_per_user: int
    lists_per_user: int
    trash_days: int
    idempotency_hours: int
    changes_per_user: int
    schema_revision: str
    """The revision of the database that this release needs."""
    keys: Jwks | None
    local_accounts: bool
    local_secret: str | None = field(repr=False)
    """What the tokens of local accounts are signed with."""
    password_tries: PasswordTries
    streams: Streams
    contract_json: bytes = field(repr=False)
    contract_yaml: bytes = field(repr=False)


def install(app: flask.Flask, context: Context) -> None:
    """Give ``app`` its ``context``, in place of one that it has."""
    app.extensions[_EXTENSION] = context


def context() -> Context:
    """Return the context of the running application; raises ``RuntimeError`` outside of one."""
    found: Context = flask.current_app.extensions[_EXTENSION]
    return found
