"""A contender running: its database prepared, its processes started and, at the end, stopped."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.contenders import WORKERS, Contender
from tests.benchmarks.cpu import tree_seconds
from tests.benchmarks.database import set_time_zone, settle
from tests.benchmarks.load import LOOPBACK
from tests.benchmarks.memory import megabytes
from tests.servers.process import ServerProcess, free_port

REPOSITORY = Path(__file__).parents[2]
# Nothing else is handed on: a developer's own settings must not steer one of the contenders.
INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "VIRTUAL_ENV")

UNSIGNED = "/api/nobody/tasks"  # refused with 401 as soon as the server is up
MIGRATE_SECONDS = 60
MESSAGE_TAIL = 2000  # characters of a command's output in an error

_UNLIMITED = {"RATE_LIMIT": "off"}
"""The other stacks have no limit of requests."""


class PrepareError(RuntimeError):
    """A contender's own command could not make its tables; its words are the message."""


@dataclass(frozen=True)
class Server:
    """A contender that answers on a port of the loopback."""

    contender: Contender
    label: str
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What all its processes have taken so far."""
        return tree_seconds(self.pid)

    def megabytes_per_worker(self) -> float:
        """The memory of all its processes, each shared page counted once, by its workers."""
        return megabytes(self.pid) / WORKERS


def environment(dsn: str, secret: str) -> dict[str, str]:
    """All that a contender's commands get to see; both read these two names."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "DATABASE_URL": dsn, "BETTER_AUTH_SECRET": secret, **_UNLIMITED}


def prepare(contender: Contender, dsn: str, secret: str, users: int) -> None:
    """Make the contender's tables with its own command, and fill them.

    Raises PrepareError when the command fails, psycopg2's errors when the data do not fit.
    """
    set_time_zone(dsn)
    try:
        made = subprocess.run(
            contender.migrate,
            cwd=REPOSITORY,
            env=environment(dsn, secret),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MIGRATE_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise PrepareError(f"{error}; is the project installed in this environment?") from error
    if made.returncode != 0:
        raise PrepareError(f"{' '.join(contender.migrate)}:\n{made.stdout[-MESSAGE_TAIL:]}")
    contender.fill(dsn, users)
    settle(dsn)


@contextmanager
def running(contender: Contender, label: str, dsn: str, secret: str) -> Iterator[Server]:
    """Start the contender's server processes; stop them, and only them, at the end.

    Raises `StartFailed` with the tail of its log when it does not come up.
    """
    port = free_port()
    with ServerProcess.start(
        contender.command(port),
        url=f"http://{LOOPBACK}:{port}{UNSIGNED}",
        env=environment(dsn, secret) | contender.serving(port),
        cwd=REPOSITORY,
    ) as process:
        yield Server(contender, label, port, process.pid)
        process.stop()
