"""A service whose database is backed up and restored, on each dialect in its own way."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.conftest import SECRET, Caller, Service
from tests.integration.application import engine_of
from tests.integration.server import run_todo
from tests.servers.postgres import PostgresServer


class Restorable(Protocol):
    """A service, one backup of its database, and the way back to it."""

    service: Service

    def back_up(self) -> None:
        """Keep the database as it is now."""

    def restore(self) -> None:
        """Give the service the database as it was kept, with its revisions ahead."""


def caller(world: Restorable, subject: str) -> Caller:
    """A signed-in user of the service as it is now."""
    return Caller(world.service.client, subject)


class OnSQLite:
    """`todo backup` and `todo restore`, beside a service that goes on serving."""

    def __init__(self, url: str, service: Service, folder: Path) -> None:
        self.service = service
        self._settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET}
        self._folder = folder

    def back_up(self) -> None:
        """Run `todo backup`."""
        self._run("backup")

    def restore(self) -> None:
        """Run `todo restore`."""
        self._run("restore")

    def _run(self, command: str) -> None:
        run = run_todo(command, "kept.db", cwd=self._folder, **self._settings)
        assert (run.returncode, run.stderr) == (0, "")


class OnPostgreSQL:
    """A database made of the kept one, `todo advance-revisions`, and a service that begins anew."""

    def __init__(
        self, url: str, serve: Callable[[str], Service], server: PostgresServer, folder: Path
    ) -> None:
        self.service = serve(url)
        self._url, self._serve, self._server, self._folder = url, serve, server, folder
        self._kept = ""

    def back_up(self) -> None:
        """Copy the database; nobody is connected to it meanwhile."""
        engine_of(self.service).dispose()
        self._kept = self._server.create_database(template=self._url)

    def restore(self) -> None:
        """Serve a copy of the copy."""
        url = self._server.create_database(template=self._kept)
        settings = {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET}
        run = run_todo("advance-revisions", cwd=self._folder, **settings)
        assert (run.returncode, run.stderr) == (0, "")
        self.service = self._serve(url)
