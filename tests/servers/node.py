"""One program of node, or one beside Python, run to its end."""

import os
import subprocess
from pathlib import Path

from tests.servers.programs import INSTALL, require

SECONDS = 120


def run(folder: Path, *command: str, home: Path, **variables: str) -> str:
    """What ``command`` prints in ``folder``; it must succeed.

    A program that a machine may lack is required as it is started.
    """
    if command[0] in INSTALL:
        require(command[0])
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
