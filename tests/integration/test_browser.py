"""A page on another origin, in a real Chromium: Better Auth signs it up, and it calls the API.

What a browser hides from a page without CORS is what this is about: headers, and errors.
"""

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.api.expect import a_page, a_task, problem
from tests.integration.served import SERVING, Server
from tests.servers.better_auth import ISSUER, better_auth
from tests.servers.node import run
from tests.servers.programs import require

FOLDER = Path(__file__).parents[1] / "browser"


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def origin() -> Iterator[str]:
    """The origin of the page."""
    handler = partial(Silent, directory=str(FOLDER))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def visit(chromium: str, home: Path, url: str, **story: str) -> dict[str, Any]:
    """What the page tells of its story."""
    told: dict[str, Any] = json.loads(
        run(
            FOLDER,
            "node",
            "visit.mjs",
            home=home,
            CHROMIUM=chromium,
            PAGE_URL=url,
            STORY=json.dumps(story),
        )
    )
    return told


def test_a_page_signs_up_calls_the_api_and_reads_its_headers_and_its_errors(
    origin: str, new_database: Callable[[str], str], tmp_path: Path
):
    [_, chromium] = require("node", "chromium", folder=FOLDER)
    with better_auth(TRUSTED_ORIGINS=origin) as auth:
        server = Server.start(
            tmp_path,
            command=SERVING,
            DATABASE_URL=new_database("postgresql"),
            BETTER_AUTH_URL=ISSUER,
            AUTH_JWKS_URL=auth.jwks_url,
            CORS_ORIGINS=origin,
            ready="/livez",
        )
        try:
            api = str(server.client.base_url).rstrip("/")
            page = f"{origin}/page.html"
            told = visit(chromium, tmp_path, page, auth=auth.url, api=api, email="a@example.com")
        finally:
            server.close()

    user = told["user"]
    tasks = f"/api/{user}/tasks"
    task = told["created"]["body"]
    assert (told["created"]["status"], task) == (201, a_task(user, 1, "Buy milk"))
    assert told["created"]["location"] == f"{tasks}/1"
    assert told["created"]["requestId"]
    assert told["listed"]["body"] == a_page([task])
    assert told["completed"]["body"]["completed"] is True
    assert told["contract"].startswith('"')
    assert told["named"] == "page-1"

    malformed = "This is not a JWT (an opaque session token, perhaps?)."
    assert told["unauthorized"]["body"] == problem("token_malformed", malformed, tasks)
    assert 'error="invalid_token"' in told["unauthorized"]["challenge"]
    foreign = "The token's 'sub' is not the user in the path."
    assert told["forbidden"]["body"] == problem(
        "user_path_mismatch", foreign, "/api/somebody-else/tasks"
    )
    assert (told["unauthorized"]["status"], told["forbidden"]["status"]) == (401, 403)
    assert told["unauthorized"]["requestId"]
    assert told["forbidden"]["requestId"]
