"""Who is measured: ours and the reference stack, each as its own documentation says to run it."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import dataset
from tests.benchmarks.load import LOOPBACK

WORKERS = 2

PYTHON = (sys.executable, "-m")


@dataclass(frozen=True)
class Contender:
    """How one stack gets its tables and data, is started, and names a task."""

    name: str
    migrate: tuple[str, ...]
    serve: tuple[str, ...]  # {port} is filled in
    settings: dict[str, str]  # {port} is filled in
    seed: Callable[[str, int], None]
    task_id: Callable[[int, int], int]
    health: str  # a path that answers once the server is up

    def command(self, port: int) -> list[str]:
        """What starts the server on this port."""
        return [part.format(port=port) for part in self.serve]

    def serving(self, port: int) -> dict[str, str]:
        """The variables that the server reads, beside the database and the secret."""
        return {name: value.format(port=port) for name, value in self.settings.items()}


def our_command() -> str:
    """The `todo` of the environment that runs the benchmark, else the one on the PATH."""
    beside_python = Path(sys.executable).with_name("todo")
    return str(beside_python) if beside_python.exists() else (shutil.which("todo") or "todo")


OURS = Contender(
    name="ours",
    migrate=(our_command(), "migrate"),
    serve=(our_command(), "serve"),
    settings={
        "HOST": LOOPBACK,
        "PORT": "{port}",
        "WEB_CONCURRENCY": str(WORKERS),
        "LOG_LEVEL": "warning",
    },
    seed=dataset.seed_ours,
    task_id=dataset.our_task_id,
    health="/health",
)

# uvloop and httptools are what uvicorn would choose by itself; named, so that their absence is an
# error and not a slower peer.
PEER = Contender(
    name="peer",
    migrate=(*PYTHON, "tests.benchmarks.peer"),
    serve=(
        *(*PYTHON, "uvicorn", "tests.benchmarks.peer:app"),
        *("--host", LOOPBACK, "--port", "{port}", "--workers", str(WORKERS)),
        *("--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning"),
    ),
    settings={},
    seed=dataset.seed_peer,
    task_id=dataset.peer_task_id,
    health="/openapi.json",
)
