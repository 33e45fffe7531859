"""`todo` commands, each in a process forked from one that has imported the program already.

A process of its own, with its own environment, folder and exit status, as a shell would start it,
but without the second or two in which Python reads the program. That the program on the disk leads
to the same command is shown by the tests that start it: `tests.integration.server.run_todo` with
`program`.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

STREAMS = {1: "stdout", 2: "stderr"}

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(
    [
        __name__,
        "todo.cli.advance_revisions",
        "todo.cli.backup",
        "todo.cli.demo_data",
        "todo.cli.doctor",
        "todo.cli.import_tasks",
        "todo.cli.main",
        "todo.cli.migrate",
        "todo.cli.purge",
        "todo.cli.restore",
        "todo.cli.serve",
        "todo.cli.token",
    ]
)


def run(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end in `cwd`, with nothing but `env` in its environment.

    Raises subprocess.TimeoutExpired after `timeout` seconds; then the command is gone.
    """
    command = ["todo", *arguments]
    with tempfile.TemporaryDirectory(prefix="todo-command-") as folder:
        process = _forking.Process(target=_become, args=(command, str(cwd), dict(env), folder))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        printed = [Path(folder, name).read_text() for name in STREAMS.values()]
    return subprocess.CompletedProcess(command, process.exitcode, *printed)


def _become(command: list[str], cwd: str, env: dict[str, str], folder: str) -> None:
    """Turn this forked process into the command; its end is that of the process."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, name in STREAMS.items():
        os.dup2(os.open(Path(folder, name), os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = command
    from todo.cli.main import main  # noqa: PLC0415 - imported before the fork, not by the tests

    main()
