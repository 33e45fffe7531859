"""Who is measured: ours and the stacks beside it, each as its own documentation says to run it."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import dataset
from tests.benchmarks.load import LOOPBACK
from tests.benchmarks.operations import CONDITIONAL_LIST, KEYED_CREATE, REFUSED_BODY, Operation

WORKERS = 2
THREADS = 8  # of each worker, where a worker has threads

PYTHON = (sys.executable, "-m")


@dataclass(frozen=True)
class Difference:
    """Where a contender does something else than ours: its status, and why."""

    status: int
    why: str


@dataclass(frozen=True)
class Contender:
    """How one stack gets its tables and data, is started, and names a task."""

    name: str
    migrate: tuple[str, ...]
    serve: tuple[str, ...]  # {port} is filled in
    fill: Callable[[str, int], None]
    task_id: Callable[[int, int], int]
    settings: Mapping[str, str] = field(default_factory=dict)  # {port} is filled in
    differences: Mapping[str, Difference] = field(default_factory=dict)  # by operation
    has_etags: bool = False

    def command(self, port: int) -> list[str]:
        """What starts the server on this port."""
        return [part.format(port=port) for part in self.serve]

    def serving(self, port: int) -> dict[str, str]:
        """The variables that the server reads, beside the database and the secret."""
        return {name: value.format(port=port) for name, value in self.settings.items()}

    def expected(self, operation: Operation) -> frozenset[int]:
        """The status that this contender answers the operation with."""
        difference = self.differences.get(operation.name)
        return frozenset({difference.status if difference else operation.expected})


def our_command() -> str:
    """The `todo` of the environment that runs the benchmark, else the one on the PATH."""
    beside_python = Path(sys.executable).with_name("todo")
    return str(beside_python) if beside_python.exists() else (shutil.which("todo") or "todo")


def uvicorn(application: str) -> tuple[str, ...]:
    """The command of a FastAPI application.

    uvloop and httptools are what uvicorn would choose by itself; named, so that their absence is an
    error and not a slower peer.
    """
    return (
        *(*PYTHON, "uvicorn", application),
        *("--host", LOOPBACK, "--port", "{port}", "--workers", str(WORKERS)),
        *("--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning"),
    )


NO_KEYS = Difference(201, "ignores the Idempotency-Key: a plain create")
NO_ETAGS = Difference(200, "has no ETags: sends the list again")
NO_VALIDATION = Difference(400, "validates nothing: the create fails for want of a title")

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
    fill=dataset.fill_ours,
    task_id=dataset.our_task_id,
    has_etags=True,
)

SEED = Contender(
    name="seed",
    migrate=(*PYTHON, "tests.benchmarks.stacks.seed"),
    serve=uvicorn("tests.benchmarks.stacks.seed:app"),
    fill=dataset.fill_seed,
    task_id=dataset.common_task_id,
    differences={KEYED_CREATE.name: NO_KEYS, CONDITIONAL_LIST.name: NO_ETAGS},
)

EXPERT = Contender(
    name="expert",
    migrate=(*PYTHON, "tests.benchmarks.stacks.tables"),
    serve=uvicorn("tests.benchmarks.stacks.expert:app"),
    fill=dataset.fill_flat,
    task_id=dataset.common_task_id,
    differences=SEED.differences,
)

FLOOR = Contender(
    name="floor",
    migrate=EXPERT.migrate,
    serve=(
        *(*PYTHON, "gunicorn", "tests.benchmarks.stacks.floor:app", "--bind", LOOPBACK + ":{port}"),
        *("--config", "/dev/null"),  # not ours, which lies in this folder
        *("--workers", str(WORKERS), "--worker-class", "gthread", "--threads", str(THREADS)),
        *("--keep-alive", "75", "--log-level", "warning", "--no-control-socket"),
    ),
    fill=dataset.fill_flat,
    task_id=dataset.common_task_id,
    differences={**SEED.differences, REFUSED_BODY.name: NO_VALIDATION},
)

ALL = (OURS, SEED, EXPERT, FLOOR)
