"""The typed client of `examples/typescript`: generated, compiled and run against the live API."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.integration.served import REPOSITORY, Server
from tests.servers.node import require

EXAMPLE = REPOSITORY / "examples" / "typescript"
SECONDS = 120


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example, without anything that was generated before."""
    require(EXAMPLE)
    copy = tmp_path / "typescript"
    ignored = shutil.ignore_patterns("node_modules", "dist", "api.d.ts")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    (copy / "node_modules").symlink_to(EXAMPLE / "node_modules")
    return copy


def run(project: Path, *command: str, **variables: str) -> str:
    """What a command of the project prints; it must succeed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(project), **variables}
    done = subprocess.run(
        command,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_typed_client_compiles_strictly_and_runs_against_the_live_api(
    project: Path, database_url: str, tmp_path: Path
):
    server = Server.start(tmp_path, DATABASE_URL=database_url, BETTER_AUTH_SECRET=SECRET)
    try:
        url = str(server.client.base_url)
        contract = f"{url}/openapi.json"
        run(project, "npm", "run", "generate", "--silent", "--", contract)
        run(project, "npm", "run", "build", "--silent")
        printed = run(project, "npm", "start", "--silent", API_URL=url, TOKEN=server.caller().token)
    finally:
        server.close()

    assert printed.splitlines() == [
        "created Buy milk false",
        "completed true",
        "description null",
        "listed [ 'Buy milk' ] 1",
        "gone: 404 task_not_found - There is no task 1.",
    ]
