"""``todo`` as its operator meets it: commands and servers with an environment of their own."""

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2

from tests.conftest import SECRET, Caller
from tests.servers import commands
from tests.servers.process import ServerProcess, StartFailed, free_port
from tests.servers.reaper import wait_until
from todo.auth.tokens import mint

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
TODO = str(PROGRAMS / "todo")
SERVING = (sys.executable, "-m", "gunicorn", "-c", "python:todo.serving")
"""What ``todo serve`` becomes: a start without the second that the command itself takes."""

COMMAND_SECONDS = 60
ANSWER_SECONDS = 30
CHANGE_SECONDS = 30
PORT_ATTEMPTS = 3


def environment(home: Path, **variables: str) -> dict[str, str]:
    """All that a process gets to see: an empty ``home``, and ``variables``."""
    home.mkdir(exist_ok=True)
    # A list of the names first: pytest changes a variable while threads start servers.
    names = [name for name in list(os.environ) if name.startswith("COVERAGE_")]
    measured = {name: os.environ[name] for name in names}
    return {"PATH": f"{PROGRAMS}:{os.defpath}", "HOME": str(home), **measured, **variables}


def run_todo(
    *arguments: str, cwd: Path, program: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run one ``todo`` command to its end in ``cwd``.

    ``program`` is the file to start (this checkout's is ``TODO``); without it the command is
    forked from a process that has read the program already, which takes no second.
    """
    if program is None:
        env = environment(cwd / "home", **variables)
        return commands.run(arguments, cwd=cwd, env=env, timeout=COMMAND_SECONDS)
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env=environment(cwd / "home", **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


@dataclass(frozen=True)
class Server:
    """A gunicorn that answers on a port of the loopback."""

    process: ServerProcess
    port: int
    client: httpx2.Client
    size: int

    @classmethod
    def start(
        cls,
        cwd: Path,
        *,
        command: Sequence[str] = (TODO, "serve"),
        home: Path | None = None,
        ready: str = "/readyz",
        **variables: str,
    ) -> Self:
        """Run ``command`` in ``cwd`` and return when ``ready`` is answered below 500.

        Two workers, unless ``variables`` say otherwise; all of them have been forked by then.
        """
        size = int(variables.setdefault("WEB_CONCURRENCY", "2"))
        for attempt in range(1, PORT_ATTEMPTS + 1):
            port = free_port()
            env = {**variables, "PORT": str(port)}
            try:
                process = ServerProcess.start(
                    command,
                    url=f"http://127.0.0.1:{port}{ready}",
                    env=environment(home or cwd / "home", **env),
                    cwd=cwd,
                )
            except StartFailed as failed:
                if "in use" not in str(failed) or attempt == PORT_ATTEMPTS:
                    raise
            else:
                break
        client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Connection": "close"},  # every request may meet another worker
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )
        server = cls(process, port, client, size)
        server.wait_for_other_workers_than([])
        return server

    @property
    def origin(self) -> str:
        """Where clients find the server."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End the server, whatever state it is in."""
        self.client.close()
        self.process.close()

    def caller(self, subject: str | None = None, *, secret: str = SECRET) -> Caller:
        """A signed-in user; a new one unless ``subject`` is given."""
        subject = subject or f"user-{uuid.uuid4().hex}"
        return Caller(self.client, subject, mint(secret, subject, hours=1))

    def workers(self) -> list[int]:
        """The pids of the processes that serve requests."""
        return self.process.pids()[1:]

    def wait_for_other_workers_than(self, old: Sequence[int]) -> list[int]:
        """Return the workers when all are there and none of the ``old`` ones is left."""

        def replaced() -> bool:
            workers = self.workers()
            return len(workers) == self.size and not set(workers) & set(old)

        assert wait_until(replaced, CHANGE_SECONDS), self.process.log()
        return self.workers()


def postgresql_settings(url: str) -> Mapping[str, str]:
    """The two variables that a server on PostgreSQL cannot do without."""
    return {"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET}
