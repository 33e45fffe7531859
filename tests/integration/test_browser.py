"""Pages in a real Chromium: one on another origin that calls the API, and the documentation.

Better Auth signs the first one up. What a browser hides from a page without CORS is what it is
about: headers, and errors.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.expect import a_page, a_task, problem
from tests.contract.reading import OPERATIONS
from tests.integration.pages import BROWSER, origin_of, visit
from tests.integration.server import SERVING, Server
from tests.servers.better_auth import ISSUER, better_auth
from tests.servers.nginx import Nginx
from tests.servers.programs import require


@pytest.fixture
def origin() -> Iterator[str]:
    """The origin of the page."""
    with origin_of(BROWSER) as served:
        yield served


def test_a_page_signs_up_calls_the_api_and_reads_its_headers_and_its_errors(
    origin: str, new_database: Callable[[str], str], tmp_path: Path
):
    [_, chromium] = require("node", "chromium", folder=BROWSER)
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

    malformed = "The token is not a JWT; it may be an opaque session token."
    assert told["unauthorized"]["body"] == problem("token_malformed", malformed, tasks)
    assert 'error="invalid_token"' in told["unauthorized"]["challenge"]
    foreign = "The user in the path must be the token's 'sub', or 'me'."
    assert told["forbidden"]["body"] == problem(
        "user_path_mismatch", foreign, "/api/somebody-else/tasks"
    )
    assert (told["unauthorized"]["status"], told["forbidden"]["status"]) == (401, 403)
    assert told["unauthorized"]["requestId"]
    assert told["forbidden"]["requestId"]


@contextmanager
def in_front_of(server: Server, prefix: str, folder: Path) -> Iterator[str]:
    """The address of ``server`` as clients know it: behind nginx where there is a prefix."""
    if not prefix:
        yield server.origin
        return
    with Nginx.start(server.port, folder, f"rewrite ^{prefix}(/.*)$ $1 break") as proxy:
        yield proxy.origin + prefix


@pytest.mark.parametrize("prefix", ["", "/todo-api"])
def test_the_documentation_can_be_tried_out_on_a_telephone(tmp_path: Path, prefix: str):
    [_, chromium] = require("node", "chromium", folder=BROWSER)
    server = Server.start(tmp_path, ROOT_PATH=prefix)
    try:
        account = {"email": "alice@example.com", "password": "correct horse battery staple"}
        token = server.client.post("/api/auth/register", json=account).json()["token"]
        with in_front_of(server, prefix, tmp_path / "nginx") as address:
            told = visit(chromium, tmp_path, f"{address}/docs", "docs.mjs", token=token)
    finally:
        server.close()

    assert told["errors"] == []
    assert set(told["overflow"]) == {0}
    assert all(way in told["advice"] for way in ("todo token", "/api/auth/login", "authClient"))
    # The errors are there when they are asked for, with the keyboard too.
    [create] = [operation for operation in OPERATIONS if operation.name == "create_task"]
    success, *errors = map(str, create.responses)
    assert told["folded"] == [success] == ["201"]
    assert told["button"] == f"Errors ({len(errors)})"
    assert (told["unfolded"], told["expanded"]) == ([success, *errors], "true")
    # Nothing is sent that nobody entered: no key, so that a second task can be made; no filter, so
    # that both are found. The token was pasted with its "Bearer".
    assert told["created"] == [201, 201]
    assert (told["listed"], told["found"]) == (200, 2)
    assert (told["complete_task"], told["change_tasks"]) == (200, 200)
    assert {request["authorization"] for request in told["sent"]} == {f"Bearer {token}"}
    assert not any("key" in request for request in told["sent"])
    assert [request["path"] for request in told["sent"]] == [
        f"{prefix}/api/me/tasks?tz=UTC",
        f"{prefix}/api/me/tasks?tz=UTC",
        f"{prefix}/api/me/tasks?skip=0&limit=100&total=true&tz=UTC&sort=created",
        f"{prefix}/api/me/tasks/1/complete?tz=UTC",
        f"{prefix}/api/me/tasks/bulk?tz=UTC",
    ]


def test_every_page_shows_its_style_and_no_page_of_another_origin_can_frame_it(
    origin: str, tmp_path: Path
):
    [_, chromium] = require("node", "chromium", folder=BROWSER)
    paths = ("/", "/problems/busy", "/docs", "/demo")
    server = Server.start(tmp_path)
    try:
        api = str(server.client.base_url).rstrip("/")
        story = {"api": api, "paths": " ".join(paths)}
        told = visit(chromium, tmp_path, f"{origin}/page.html", "frames.mjs", **story)
    finally:
        server.close()

    assert told["framed"] == dict.fromkeys(paths, "chrome-error:")
    assert all("sans-serif" in told["styled"][path] for path in ("/", "/problems/busy", "/demo"))
