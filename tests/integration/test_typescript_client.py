"""The typed client of `examples/typescript`: generated, compiled and run against the live API."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.conftest import DIALECTS, SECRET
from tests.integration.served import REPOSITORY, SERVING, Server
from tests.servers.node import require, run

EXAMPLE = REPOSITORY / "examples" / "typescript"


@pytest.fixture(scope="module")
def servers(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    """The live API on each dialect."""
    require(EXAMPLE)
    with ExitStack() as stack:
        started = {}
        for dialect in DIALECTS:
            started[dialect] = Server.start(
                tmp_path_factory.mktemp(dialect),
                command=SERVING,
                DATABASE_URL=new_database(dialect),
                BETTER_AUTH_SECRET=SECRET,
            )
            stack.callback(started[dialect].close)
        yield started


@pytest.fixture(scope="module")
def project(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, compiled strictly with what was generated from a live contract."""
    home = tmp_path_factory.mktemp("home")
    copy = home / "typescript"
    ignored = shutil.ignore_patterns("node_modules", "dist", "api.d.ts")
    shutil.copytree(EXAMPLE, copy, ignore=ignored)
    (copy / "node_modules").symlink_to(EXAMPLE / "node_modules")
    contract = contract_of(servers[DIALECTS[0]])
    run(copy, "npm", "run", "generate", "--silent", "--", str(contract.url), home=home)
    run(copy, "npm", "run", "build", "--silent", home=home)
    return copy


def contract_of(server: Server) -> httpx2.Response:
    return server.client.get("/openapi.json")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_typed_client_compiles_strictly_and_runs_against_the_live_api(
    project: Path, servers: dict[str, Server], dialect: str, tmp_path: Path
):
    server = servers[dialect]
    assert contract_of(server).content == contract_of(servers[DIALECTS[0]]).content
    url, token = str(server.client.base_url), server.caller().token
    printed = run(project, "npm", "start", "--silent", home=tmp_path, API_URL=url, TOKEN=token)

    assert printed.splitlines() == [
        "created Buy milk false",
        "completed true",
        "description null",
        "listed [ 'Buy milk' ] 1",
        "gone: 404 task_not_found - There is no task 1.",
    ]
