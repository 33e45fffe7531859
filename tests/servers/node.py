"""What some tests need of node: a skip that says so where it is missing, and a way to run it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SECONDS = 120


def run(folder: Path, *command: str, home: Path, **variables: str) -> str:
    """What ``command`` prints in ``folder``; it must succeed."""
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


def require(folder: Path, *programs: str) -> None:
    """Skip the test unless node, ``programs`` and the packages of ``folder`` are there."""
    missing = [name for name in ("node", *programs) if shutil.which(name) is None]
    if not (folder / "node_modules").is_dir():
        missing.append(f"{folder.name}/node_modules, which 'make test' installs")
    if not missing:
        return
    reason = f"missing: {', '.join(missing)}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
