"""`make fuzz`: Schemathesis, all phases and all checks, against gunicorn on PostgreSQL.

    python -m tests.fuzz                   100 examples an operation, another seed each time
    python -m tests.fuzz --short           for CI: fewer examples, always the same seed
    python -m tests.fuzz -n 1000 -w 2      whatever follows goes to `schemathesis run`

Exits with 1 when a check failed, when the server logged a crash, or when the counters of a user no
longer say what its tasks say.
"""

import argparse
import dataclasses
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import psycopg2

from tests.fuzz.counters import UNBALANCED
from tests.fuzz.users import VARIABLE, write_users
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerProcess, free_port
from todo.settings.settings import Settings

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
SHORT = ("--max-examples", "30", "--seed", "1")
# Blank counts as unset: no setting of the caller's own reaches the server under test.
UNSET = {setting.name.upper(): "" for setting in dataclasses.fields(Settings)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz once, print what happened, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the contract.")
    parser.add_argument("--short", action="store_true", help="for CI: about two minutes, one seed")
    options, passed = parser.parse_known_args(arguments)
    extra = [*(SHORT if options.short else ()), *passed]
    with tempfile.TemporaryDirectory() as folder, PostgresServer.start() as postgres:
        database = postgres.create_database()
        users, secret = Path(folder) / "users.json", secrets.token_urlsafe(48)
        write_users(users, secret)
        port = free_port()
        environment = {
            **os.environ,
            **UNSET,
            "DATABASE_URL": database,
            "BETTER_AUTH_SECRET": secret,
            "LOCAL_ACCOUNTS": "true",
            "PORT": str(port),
            "RATE_LIMIT": "off",
            "LOG_FORMAT": "json",
            VARIABLE: str(users),
        }
        return _fuzz(f"http://127.0.0.1:{port}", database, environment, extra)


def _fuzz(url: str, database: str, environment: Mapping[str, str], extra: Sequence[str]) -> int:
    todo = str(PROGRAMS / "todo")
    subprocess.run([todo, "migrate"], env=environment, check=True)
    started = time.monotonic()
    with ServerProcess.start([todo, "serve"], url=f"{url}/readyz", env=environment) as server:
        code = subprocess.run(
            [PROGRAMS / "schemathesis", "run", f"{url}/openapi.json", "--checks", "all", *extra],
            cwd=ROOT,
            env=environment,
            check=False,
        ).returncode
        log = server.log()
    crashes = [line for line in log.splitlines() if '"request.crashed"' in line]
    unbalanced = _unbalanced(database)
    summary = (
        f"fuzz: {time.monotonic() - started:.0f} s; "
        f"schemathesis {'found failures' if code else 'found nothing'}; "
        f"{len(crashes)} crashes in the server's log; "
        f"{len(unbalanced)} users whose counters are wrong"
    )
    sys.stdout.writelines(f"{line}\n" for line in (*crashes, *unbalanced, summary))
    return 1 if code or crashes or unbalanced else 0


def _unbalanced(database: str) -> list[str]:
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(UNBALANCED)
        return [row[0] for row in cursor.fetchall()]


if __name__ == "__main__":
    sys.exit(main())
