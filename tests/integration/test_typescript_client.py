"""The typed client of `examples/typescript`: generated, compiled and run against the live API."""

from pathlib import Path

import httpx2
import pytest

from tests.conftest import DIALECTS
from tests.integration.server import Server
from tests.servers.node import run


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
        "gone: 404 task_not_found - Task not found",
    ]
