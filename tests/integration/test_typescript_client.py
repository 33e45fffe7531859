"""The typed client of `examples/typescript`: generated, compiled and run against the live API."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.integration.served import REPOSITORY, Server
from tests.servers.node import require, run

EXAMPLE = REPOSITORY / "examples" / "typescript"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example, without anything that was generated before."""
    require(EXAMPLE)
    copy = tmp_path / "typescript"
    ignored = shutil.ignore_patterns("node_modules", "dist", "api.d.ts")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    (copy / "node_modules").symlink_to(EXAMPLE / "node_modules")
    return copy


def test_the_typed_client_compiles_strictly_and_runs_against_the_live_api(
    project: Path, database_url: str, tmp_path: Path
):
    server = Server.start(tmp_path, DATABASE_URL=database_url, BETTER_AUTH_SECRET=SECRET)
    try:
        url = str(server.client.base_url)
        contract = f"{url}/openapi.json"
        run(project, "npm", "run", "generate", "--silent", "--", contract, home=tmp_path)
        run(project, "npm", "run", "build", "--silent", home=tmp_path)
        token = server.caller().token
        started = ("npm", "start", "--silent")
        printed = run(project, *started, home=tmp_path, API_URL=url, TOKEN=token)
    finally:
        server.close()

    assert printed.splitlines() == [
        "created Buy milk false",
        "completed true",
        "description null",
        "listed [ 'Buy milk' ] 1",
        "gone: 404 task_not_found - There is no task 1.",
    ]
