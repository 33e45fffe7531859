"""CORS: what a browser page on another origin may do, and what it may read."""

from collections.abc import Callable

import pytest

from tests.conftest import DIALECTS, Caller, Service, settings_for
from todo.database.engine import maintenance_engine
from todo.settings import Settings

FRONT_END = "http://localhost:3000"
EXPOSED = {
    "ETag", "Link", "Location", "Retry-After", "WWW-Authenticate", "X-Request-ID",
    "Idempotency-Replayed", "RateLimit", "RateLimit-Policy",
}  # fmt: skip
ALLOWED = {
    "Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key",
    "X-Request-ID", "traceparent",
}  # fmt: skip


def names(header):
    """The members of a header that is a list."""
    return {name.strip() for name in header.split(",")}


def preflight(
    client, method, path="/api/alice/tasks/1", *, headers="authorization", origin=FRONT_END
):
    """Ask for permission as a browser does: without a token."""
    return client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )


def assert_readable(response, origin=FRONT_END):
    """The page that asked may read the answer and the headers that the contract names."""
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["access-control-allow-credentials"] == "true"
    assert names(response.headers["access-control-expose-headers"]) == EXPOSED
    assert "Origin" in names(response.headers["vary"])


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_is_answered_without_a_token(client, method):
    response = preflight(client, method, headers="authorization, content-type")

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == FRONT_END
    assert response.headers["access-control-allow-credentials"] == "true"
    assert method in names(response.headers["access-control-allow-methods"])
    assert names(response.headers["access-control-allow-headers"]) >= ALLOWED
    assert "Origin" in names(response.headers["vary"])


@pytest.mark.parametrize(
    "headers",
    [
        "authorization",
        "Authorization, Content-Type",
        "authorization,content-type,if-match,if-none-match,idempotency-key,x-request-id,traceparent",
        "accept, accept-language, content-type",
    ],
)
def test_a_preflight_allows_the_headers_that_front_ends_send(client, headers):
    assert preflight(client, "PUT", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/api/alice/tasks", "/api/alice/tasks/1/complete", "/health"])
def test_a_preflight_is_answered_on_every_path(client, path):
    assert preflight(client, "GET", path).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://localhost:3000",
        "http://localhost:3001",
        "http://localhost",
        "http://localhost:3000.evil.example",
        "http://evil.example/http://localhost:3000",
        "HTTP://LOCALHOST:3000",
        "null",
        "*",
    ],
)
def test_another_origin_gets_no_permission(client, alice, origin):
    refused = preflight(client, "GET", origin=origin)
    listed = alice("GET", "", headers={"Origin": origin})

    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    assert listed.status_code == 200
    assert "access-control-allow-origin" not in listed.headers
    assert "Origin" in names(listed.headers["vary"])


@pytest.mark.parametrize(
    ("method", "headers"),
    [("TRACE", "authorization"), ("BREW", "authorization"), ("GET", "x-something-else")],
)
def test_a_preflight_for_anything_else_is_refused(client, method, headers):
    assert preflight(client, method, headers=headers).status_code == 400


def test_an_answer_may_be_read_by_the_front_end(alice):
    response = alice("POST", "", json={"title": "Buy milk"}, headers={"Origin": FRONT_END})

    assert response.status_code == 201
    assert_readable(response)


def test_an_answer_without_an_origin_carries_no_permission(alice):
    response = alice("GET", "")

    assert [name for name in response.headers if name.startswith("access-control-")] == []
    assert "Origin" in names(response.headers["vary"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "{}?q=x", 400),
        ("GET", "/api/somebody/tasks", 403),
        ("GET", "{}/9", 404),
        ("GET", "/nothing", 404),
        ("GET", "/api//tasks", 404),
        ("GET", "/api/%ff/tasks", 400),
        ("DELETE", "{}", 405),
        ("OPTIONS", "{}", 405),
        ("GET", "/" + "x" * 5000, 414),
        ("GET", "{}?limit=0", 422),
        ("HEAD", "{}/9", 404),
    ],
)
def test_errors_may_be_read_by_the_front_end(alice, method, path, status):
    response = alice(method, path.format(alice.tasks), headers={"Origin": FRONT_END})

    assert response.status_code == status
    assert_readable(response)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"x" * 70_000, "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 422),
    ],
)
def test_errors_of_a_body_may_be_read_by_the_front_end(alice, content, media_type, status):
    headers = {"Origin": FRONT_END, "Content-Type": media_type}
    response = alice("POST", "", content=content, headers=headers)

    assert response.status_code == status
    assert_readable(response)


def test_a_401_may_be_read_by_the_front_end(client):
    response = client.get("/api/alice/tasks", headers={"Origin": FRONT_END})

    assert response.status_code == 401
    assert_readable(response)


@pytest.fixture
def outdated(database_url: str, serve: Callable[[Settings], Service]) -> Caller:
    """A user of an application whose database lost a table."""
    engine = maintenance_engine(database_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE tasks")
    engine.dispose()
    return serve(settings_for(database_url)).caller()


def test_a_503_may_be_read_by_the_front_end(outdated):
    response = outdated("GET", "", headers={"Origin": FRONT_END})

    assert response.status_code == 503
    assert response.headers["retry-after"] == "30"
    assert_readable(response)


ORIGINS = ("https://app.example.com", "http://127.0.0.1:5173")


@pytest.fixture(scope="module", params=DIALECTS)
def elsewhere(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    serve: Callable[[Settings], Service],
) -> Service:
    """An application whose front ends are on two origins, none of them the default."""
    return serve(settings_for(new_database(request.param), cors_origins=ORIGINS))


@pytest.mark.parametrize("origin", ORIGINS)
def test_origins_are_a_setting(elsewhere, origin):
    response = elsewhere.caller()("GET", "", headers={"Origin": origin})

    assert_readable(response, origin)
    assert preflight(elsewhere.client, "PUT", origin=origin).status_code == 200


def test_the_default_origin_is_gone_once_others_are_set(elsewhere):
    response = elsewhere.caller()("GET", "", headers={"Origin": FRONT_END})

    assert "access-control-allow-origin" not in response.headers
    assert preflight(elsewhere.client, "PUT").status_code == 400
