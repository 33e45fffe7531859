"""The servers that are killed, and the ways to kill them."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.conftest import SECRET
from tests.fuzz.counters import UNBALANCED
from tests.integration.server import REPOSITORY, SERVING, environment
from tests.integration.tables import rows
from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerProcess, free_port
from todo.database import schema

WORKERS = 2
CRASHED = '"request.crashed"'
DOWN_SECONDS = 1.0
"""How long a server is away at most before it is started again."""


class World:
    """gunicorn with two workers on a database; PostgreSQL's own server, where it has one."""

    def __init__(self, folder: Path, url: str, postgres: PostgresServer | None) -> None:
        """Migrate the database at ``url`` and start gunicorn."""
        schema.migrate(url)
        self.url = url
        self.postgres = postgres
        self._folder = folder
        self._port = free_port()
        self._crashes: list[str] = []
        self._gunicorn = self._start()

    @property
    def origin(self) -> str:
        """Where clients find the API, however often it is started again."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def kills(self) -> Mapping[str, Callable[[random.Random], None]]:
        """The ways to kill a part of this world; each returns when it is up again."""
        ways = {"a gunicorn worker": self._kill_worker, "gunicorn": self._kill_gunicorn}
        if self.postgres is not None:
            ways |= {
                "PostgreSQL": self._kill_postgres,
                "a PostgreSQL backend": self._kill_backend,
                "both": self._kill_both,
            }
        return ways

    def violations(self) -> list[str]:
        """Return what is wrong with the database's books or file, and what crashed meanwhile."""
        found = [f"the counters of {row['id']} are wrong" for row in rows(self.url, UNBALANCED)]
        if self.postgres is None:
            checked = [row["integrity_check"] for row in rows(self.url, "PRAGMA integrity_check")]
            found += [f"SQLite: {line}" for line in checked if line != "ok"]
        return found + self._crashes + _crashes(self._gunicorn)

    def _start(self) -> ServerProcess:
        variables = {
            "DATABASE_URL": self.url,
            "BETTER_AUTH_SECRET": SECRET,
            "PORT": str(self._port),
            "RATE_LIMIT": "off",
            "WEB_CONCURRENCY": str(WORKERS),
            "LOG_FORMAT": "json",
            "PYTHONPATH": str(REPOSITORY),  # this checkout, whatever is installed
        }
        return ServerProcess.start(
            SERVING,
            url=f"{self.origin}/livez",
            env=environment(self._folder / "home", **variables),
            cwd=self._folder,
        )

    def _kill_worker(self, chance: random.Random) -> None:
        if workers := self._gunicorn.pids()[1:]:
            _kill(chance.choice(workers))

    def _kill_gunicorn(self, chance: random.Random) -> None:
        self._end_gunicorn()
        time.sleep(chance.uniform(0, DOWN_SECONDS))
        self._gunicorn = self._start()

    def _kill_postgres(self, chance: random.Random) -> None:
        assert self.postgres is not None
        self.postgres.kill()
        time.sleep(chance.uniform(0, DOWN_SECONDS))
        self.postgres.start_again()

    def _kill_backend(self, chance: random.Random) -> None:
        """Kill one; the postmaster ends all the others then, and recovers."""
        assert self.postgres is not None
        if others := self.postgres.pids()[1:]:
            _kill(chance.choice(others))

    def _kill_both(self, chance: random.Random) -> None:
        """As if the machine had lost its power; gunicorn may be the first to be back."""
        assert self.postgres is not None
        self.postgres.kill()
        self._end_gunicorn()
        time.sleep(chance.uniform(0, DOWN_SECONDS))
        early = chance.random() < 0.5
        if early:
            self._gunicorn = self._start()
        self.postgres.start_again()
        if not early:
            self._gunicorn = self._start()

    def _end_gunicorn(self) -> None:
        self._gunicorn.close()
        self._crashes += _crashes(self._gunicorn)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._gunicorn.close()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _crashes(gunicorn: ServerProcess) -> list[str]:
    return [line for line in gunicorn.log().splitlines() if CRASHED in line]
