"""What some tests need of node: a skip that says so where it is missing, a failure in CI."""

import os
import shutil
from pathlib import Path

import pytest


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
