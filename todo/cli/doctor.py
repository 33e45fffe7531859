"""``todo doctor``: looks at what the API stands on, and says of each thing what to do."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from todo.auth.bearer import key_set
from todo.cli.check import (
    CheckFailedError,
    check_traces,
    describe_address,
    describe_origins,
    describe_proxies,
)
from todo.cli.check_database import (
    check_better_auth,
    check_migrations,
    check_pooler,
    check_schema,
    check_server,
    check_shared_keys,
)
from todo.cli.check_limits import check_limits
from todo.cli.check_metrics import check_metrics
from todo.cli.check_tokens import check_families, check_keys, check_token
from todo.database.engine import display
from todo.logs import configure
from todo.settings.settings import Settings

_STANDS_ON: Final = {
    "schema": ("database",),
    "migrations": ("database",),
    "pooler": ("database", "migrations"),
    "better auth": ("database",),
    "shared keys": ("schema",),
}
"""What a check cannot find anything without; one cause is told once, and waited for once."""


@dataclass(frozen=True)
class Finding:
    """One line: whether the ``subject`` is well, and what it is or what to do."""

    ok: bool
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{'ok   ' if self.ok else 'FAIL '} {self.subject}: {self.text}"


@click.command()
@click.option("--token", help="Also say whether the API would accept this token.")
def doctor(token: str | None) -> None:
    """Check the settings, the database and the keys; every line is ok, or says what to do."""
    made: list[Path] = []
    settings = Settings.from_env(made=made.append)
    configure("error", settings.log_format)  # what is wrong is in the findings
    failed = False
    for finding in examine(settings, token):
        failed = failed or not finding.ok
        click.echo(str(finding))
    for secret in made:
        text = f"{secret.resolve()} was made now; a server in another folder has another one"
        click.echo(str(Finding(True, "secret", text)))
    sys.exit(1 if failed else 0)


def examine(settings: Settings, token: str | None = None) -> Iterator[Finding]:
    """Yield a finding for everything that ``settings`` name, and for ``token`` if given."""
    schema = f", schema {settings.database_schema}" if settings.database_schema else ""
    yield Finding(True, "settings", display(settings.sqlalchemy_url) + schema)
    failed: set[str] = set()
    for subject, check in _checks(settings, token).items():
        missing = [base for base in _STANDS_ON.get(subject, ()) if base in failed]
        finding = _unknown(subject, missing[0]) if missing else _finding(subject, check)
        if not finding.ok:
            failed.add(subject)
        yield finding


def _finding(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(True, subject, check())
    except CheckFailedError as error:
        return Finding(False, subject, str(error))


def _unknown(subject: str, base: str) -> Finding:
    return Finding(False, subject, f"unknown: see the line '{base}'")


def _checks(settings: Settings, token: str | None) -> dict[str, Callable[[], str]]:
    checks: dict[str, Callable[[], str]] = {
        "database": lambda: check_server(settings),
        "schema": lambda: check_schema(settings),
        "migrations": lambda: check_migrations(settings),
        "pooler": lambda: check_pooler(settings),
        "token": lambda: check_families(settings),
        "better auth": lambda: check_better_auth(settings),
        "address": lambda: describe_address(settings),
        "proxies": lambda: describe_proxies(settings),
        "front ends": lambda: describe_origins(settings),
        "traces": check_traces,
        "log and metrics": lambda: check_metrics(settings),
        "limits": lambda: check_limits(settings),
    }
    if (keys := key_set(settings)) is not None:
        checks["keys"] = lambda: check_keys(keys, settings)
        checks["shared keys"] = lambda: check_shared_keys(keys.url, settings)
    if token is not None:
        checks["your token"] = lambda: check_token(token, settings)
    return checks
