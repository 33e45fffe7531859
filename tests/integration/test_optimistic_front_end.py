"""The front end of `docs/optimistic-front-end.md`: compiled strictly, and run against the live API,
over a line that breaks, too. Whole lists are compared: nothing is lost, and nothing made twice.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DIALECTS
from tests.integration.bad_line import Break, bad_line_to
from tests.integration.served import REPOSITORY, Server
from tests.integration.typed import EXAMPLE, compiled
from tests.servers.node import run

PAGE = REPOSITORY / "docs" / "optimistic-front-end.md"
SOURCE = EXAMPLE / "src" / "optimistic.ts"
SCENES = REPOSITORY / "tests" / "optimistic" / "scenes.ts"
LINES = {
    "good": [Break.NEVER],
    "bad": [Break.BEFORE, Break.AFTER, Break.MIDWAY, Break.NEVER],
}

Play = Callable[[str], Any]


@pytest.fixture(scope="module")
def project(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(servers[DIALECTS[0]], tmp_path_factory.mktemp("home"), SCENES)


@pytest.fixture(params=DIALECTS)
def server(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    return servers[request.param]


@pytest.fixture(params=LINES)
def line(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def play(project: Path, server: Server, line: str, tmp_path: Path) -> Play:
    """Play a scene as a new user over the line; return what it prints."""

    def printed(scene: str) -> Any:
        with bad_line_to(server.port, *LINES[line]) as broken:
            url, token = f"http://127.0.0.1:{broken.port}", server.caller().token
            text = run(
                project, "node", "dist/scenes.js", scene, home=tmp_path, API_URL=url, TOKEN=token
            )
        assert set(broken.broken) == set(LINES[line])
        return json.loads(text)

    return printed


@pytest.mark.parametrize("scene", ["day", "conflict", "offline", "crowd"])
def test_scene(play, scene):
    print(json.dumps(play(scene), indent=1)[:6000])
