"""The example client, generated from a live contract and compiled strictly."""

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.integration.server import REPOSITORY, Server
from tests.servers.node import run

EXAMPLE = REPOSITORY / "examples" / "typescript"
SCENES = [
    REPOSITORY / "tests" / "live" / "scenes.ts",
    REPOSITORY / "tests" / "optimistic" / "scenes.ts",
    *(REPOSITORY / "tests" / "board").glob("*.ts"),
]
"""What tests play with the client; each is compiled as ``dist/<folder>-<name>.js``."""


def compiled(server: Server, factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, with the scenes, ready to run; all processes of a run share one."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    copy = shared / "typescript"
    with (shared / "typescript.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (copy / "compiled").exists():
            _compile(server, copy)
            (copy / "compiled").touch()
    return copy


def _compile(server: Server, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)  # of a process that was ended half-way
    ignored = shutil.ignore_patterns("node_modules", "dist", "api.d.ts")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    for source in SCENES:
        shutil.copy(source, copy / "src" / f"{source.parent.name}-{source.name}")
    (copy / "node_modules").symlink_to(EXAMPLE / "node_modules")
    contract = f"{server.client.base_url}/openapi.json"
    home = copy / "home"
    home.mkdir()
    run(copy, "npm", "run", "generate", "--silent", "--", contract, home=home)
    run(copy, "npm", "run", "build", "--silent", home=home)


def played(project: Path, server: Server, script: str, scene: str, home: Path) -> Any:
    """Play a scene of ``tests/board/<script>.ts`` as a new user in Berlin; return what it says."""
    url, token = str(server.client.base_url), server.caller().token
    command = ["node", f"dist/board-{script}.js", scene]
    return json.loads(
        run(project, *command, home=home, API_URL=url, TOKEN=token, TZ="Europe/Berlin")
    )
